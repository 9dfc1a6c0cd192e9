from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data import DatasetConfig, fetch, forget_loaded, load_dataset, open_dataset
from mfcore.data.sources.generated import planted, synthetic
from mfcore.errors import UnusableRequest
from mfcore.registry import DATASETS


@pytest.mark.parametrize("ask", [load_dataset, fetch])
def test_an_unknown_dataset_is_refused_with_all_names(ask):
    with pytest.raises(UnusableRequest, match=r"dataset must be one of ml-100k, synthetic, planted.*; got 'ml-1b'"):
        ask("ml-1b")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("synthetic", {"noise": 0.1}, "synthetic has no option 'noise'; it has num_users, num_items, density, seed"),
        ("ml-100k", {"seed": 1}, "ml-100k has no option 'seed'; it has none"),
        ("planted", {"home": 1.0}, "planted has no option 'home'; it has num_users"),
        ("planted", {"progress": 1.0}, "planted has no option 'progress'; it has num_users"),
        ("planted", {"noise": -1}, "noise must be >= 0"),
        ("planted", {"rank": 2.5}, "rank must be a whole number"),
        ("synthetic", {"density": 0}, "density must be"),
        ("synthetic", {"num_users": "abc"}, "num_users must be a number"),
        ("synthetic", {"num_users": 100_000, "num_items": 100_000, "density": 1}, "at most 40,000,000"),
    ],
)
def test_unusable_options_are_refused(name, options, message):
    with pytest.raises(UnusableRequest, match=message):
        open_dataset(DatasetConfig(name, options))


def test_every_entry_is_complete():
    for name, entry in DATASETS.items():
        assert entry.name == name and entry.title and entry.description and entry.size and entry.licence
        assert (entry.source is None) != (entry.generate is None)
        assert all(option.low <= option.default <= option.high and option.help for option in entry.options.values())
    movielens = DATASETS["ml-100k"]
    assert "Harper" in movielens.citation and movielens.has_titles and movielens.has_timestamps


def test_a_loaded_dataset_is_kept_by_its_options():
    one = load_dataset("planted", noise=0.1)
    assert load_dataset("planted", noise=0.1, rank=4.0) is one
    assert load_dataset("planted", noise=0.2) is not one
    forget_loaded()
    again = load_dataset("planted", noise=0.1)
    assert again is not one and again.fingerprint == one.fingerprint


def test_only_a_few_datasets_are_kept():
    first = load_dataset("planted", seed=0)
    for seed in range(1, 12):
        load_dataset("planted", seed=seed)
    assert load_dataset("planted", seed=0) is not first


def test_threads_that_ask_at_once_get_one_and_the_same():
    got = []
    threads = [threading.Thread(target=lambda: got.append(load_dataset("synthetic"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and len({id(data) for data in got}) == 1


def test_synthetic_is_what_the_seeds_describe():
    data = synthetic()
    assert (len(data), data.num_users, data.num_items, data.timestamp) == (10_000, 1000, 1000, None)
    assert np.unique(data.rating).tolist() == [1, 2, 3, 4]
    assert data.rating.std() == pytest.approx(np.sqrt(1.25), abs=0.02)
    assert synthetic(seed=0).fingerprint == data.fingerprint != synthetic(seed=1).fingerprint


@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.001, 1.0), st.integers(0, 3))
def test_generated_places_are_distinct_and_as_many_as_asked(num_users, num_items, density, seed):
    for make in (synthetic, planted):
        data = make(num_users=num_users, num_items=num_items, density=density, seed=seed)
        assert len(data) == max(1, round(density * num_users * num_items))  # distinct: checked at birth


def test_places_are_uniform():
    hits = np.zeros(12)
    for seed in range(1000):
        data = synthetic(num_users=3, num_items=4, density=0.25, seed=seed)
        hits[data.user_idx * 4 + data.item_idx] += 1
    # 3 of 12 cells each time: 250 expected, standard deviation 13.7.
    assert np.abs(hits - 250).max() < 5 * 13.7


@pytest.mark.parametrize("noise", [0.0, 0.25, 0.5])
def test_planted_factors_explain_the_ratings_up_to_the_noise(noise):
    data = planted(noise=noise, density=0.3, rank=4, seed=3)
    p, q = data.planted
    assert p.shape == (500, 4) and q.shape == (300, 4)
    error = data.rating - (3 + (p[data.user_idx] * q[data.item_idx]).sum(axis=1))
    assert np.sqrt((error**2).mean()) == pytest.approx(noise, abs=0.005)
    assert data.rating.std() > max(noise, 0.1)
    assert data.rating.min() >= 1 and data.rating.max() <= 5 and len(np.unique(data.rating)) > 1000


def test_generated_data_that_runs_were_trained_on_stays_what_it_was():
    assert planted().fingerprint == "bf3249e5d8621b745f66be1c3e7cbe70784ac9a29ed8b6acd5791911604235f6"
    assert synthetic().fingerprint == "31e3f393b1b369794d1851c473636bd28ddd687629fcd3e4ed52a93e244da56f"


def all_planted(data):
    """Every cell's rating, without noise."""
    p, q = data.planted
    return 3.0 + p @ q.T


@pytest.mark.parametrize(("selection", "density"), [(0.5, 0.05), (1.5, 0.05), (3.0, 0.005)])
def test_what_is_missing_not_at_random_raises_the_observed_mean_as_predicted(selection, density):
    noise, options = 0.4, {"num_users": 600, "num_items": 400, "density": density, "rank": 3, "seed": 1}
    data = planted(selection=selection, noise=noise, **options)
    # Every cell's rating is its exact value plus noise; observed in proportion to e^(s·r), by quadrature over the noise.
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    every = np.clip(all_planted(data)[..., None] + noise * nodes, 1.0, 5.0)
    chance = weights * np.exp(selection * every)
    predicted = float((chance * every).sum() / chance.sum())
    assert data.rating.mean() == pytest.approx(predicted, abs=4 * data.rating.std() / np.sqrt(len(data)) + 0.02)
    assert data.rating.mean() > planted(noise=noise, **options).rating.mean() + 0.1 * selection
    assert len(data) == round(density * 240_000)


def test_selection_refuses_what_it_cannot_make():
    with pytest.raises(UnusableRequest, match="selection makes every cell"):
        planted(num_users=10_000, num_items=10_000, density=0.001, selection=1.0)
    with pytest.raises(UnusableRequest, match="goes without popularity"):
        planted(selection=1.0, popularity=1.0)
    with pytest.raises(UnusableRequest, match="communities makes every cell"):
        open_dataset(DatasetConfig("communities", {"num_users": 100_000, "num_items": 100_000}))


def test_communities_are_rated_high_within_and_low_without_up_to_the_noise():
    data = load_dataset("communities", groups=4, strength=1.2, noise=0.3, loyalty=0.5)
    p, q = data.planted
    inside = p.argmax(axis=1)[data.user_idx] == q.argmax(axis=1)[data.item_idx]
    assert data.rating[inside].mean() == pytest.approx(3.6, abs=0.02) and data.rating[~inside].mean() == pytest.approx(
        2.4, abs=0.02
    )
    error = data.rating - (3 + (p[data.user_idx] * q[data.item_idx]).sum(axis=1))
    assert np.sqrt((error**2).mean()) == pytest.approx(0.3, abs=0.01)
    # Half by intent, and of the other half a quarter by chance; cells are not drawn twice, which takes a little off.
    assert inside.mean() == pytest.approx(0.5 + 0.5 / 4, abs=0.03)
    assert sorted(np.bincount(p.argmax(axis=1))) == [100] * 4


def test_communities_can_be_found_by_who_does_not_know_them():
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    data = load_dataset("communities", density=0.3)
    table = np.zeros((data.num_users, data.num_items))
    table[data.user_idx, data.item_idx] = data.rating - 3.0
    u, s, _ = np.linalg.svd(table, full_matrices=False)
    found = KMeans(4, n_init=10, random_state=0).fit_predict(u[:, :4] * s[:4])
    assert adjusted_rand_score(data.planted[0].argmax(axis=1), found) > 0.99


def test_without_loyalty_or_strength_there_is_no_community():
    data = load_dataset("communities", loyalty=0.0, strength=0.0)
    p, q = data.planted
    inside = p.argmax(axis=1)[data.user_idx] == q.argmax(axis=1)[data.item_idx]
    assert inside.mean() == pytest.approx(0.25, abs=0.02)
    assert data.rating[inside].mean() == pytest.approx(data.rating[~inside].mean(), abs=0.05)
    assert load_dataset("communities", loyalty=1.0, density=0.05).rating.mean() == pytest.approx(3.75, abs=0.05)
