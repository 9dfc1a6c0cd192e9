"""Planted ratings with a long tail, and large generated data on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mfcore.data import forget_loaded, load_dataset, random_split
from mfcore.data.sources import stored as made
from mfcore.data.sources.generated import planted
from mfcore.data.sources.long_tail import long_tailed_cells
from mfcore.data.split import Split
from mfcore.errors import UnusableRequest

WIDE = {"num_users": 3000, "num_items": 2000, "density": 0.02}


def test_without_popularity_the_ratings_are_those_of_always() -> None:
    """Fingerprints of the version before there was such an option: stored runs go on."""
    assert planted().fingerprint == "bf3249e5d8621b745f66be1c3e7cbe70784ac9a29ed8b6acd5791911604235f6"
    other = planted(noise=0.6, rank=7, seed=3, num_users=900, popularity=0.0)
    assert other.fingerprint == "f8bdf98ee0a8d56749ba30f48d85729d82286187c442fa7f8f2cfd9b74e0a782"


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_cells_are_distinct_exactly_as_many_and_long_tailed(exponent: float) -> None:
    cells = long_tailed_cells(np.random.default_rng(0), 3000, 2000, 120_000, exponent)
    assert len(cells) == len(np.unique(cells)) == 120_000
    assert cells.min() >= 0
    assert cells.max() < 3000 * 2000
    items = np.sort(np.bincount(cells % 2000, minlength=2000))[::-1]
    users = np.sort(np.bincount(cells // 2000, minlength=3000))[::-1]
    assert items[0] <= 0.6 * 3000  # nobody's favourite is everybody's
    assert items[:200].sum() > (0.15 + 0.2 * exponent) * 120_000  # a tenth of the items has far more than a tenth
    assert users[:300].sum() > 1.3 * 0.1 * 120_000
    assert not np.array_equal(np.sort(cells), cells)


def test_popularity_falls_as_the_power_says() -> None:
    cells = long_tailed_cells(np.random.default_rng(1), 20_000, 2000, 400_000, 1.0)
    count = np.sort(np.bincount(cells % 2000, minlength=2000))[::-1].astype(float)
    rank = np.arange(1, 2001)
    slope = np.polyfit(np.log(rank[100:1500]), np.log(count[100:1500]), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.1)


def test_a_long_tail_has_the_noise_as_its_floor_and_repeats_by_seed() -> None:
    data = planted(**WIDE, popularity=1.0, noise=0.2)
    assert len(data) == 120_000
    p, q = data.planted or (None, None)
    assert p is not None and q is not None
    exact = 3.0 + (p[data.user_idx] * q[data.item_idx]).sum(axis=1)
    assert float(np.sqrt(np.mean((data.rating - exact) ** 2))) == pytest.approx(0.2, abs=0.005)
    assert planted(**WIDE, popularity=1.0, noise=0.2).fingerprint == data.fingerprint
    assert planted(**WIDE, popularity=1.0, noise=0.2, seed=1).fingerprint != data.fingerprint


def test_a_dense_matrix_has_no_long_tail() -> None:
    with pytest.raises(UnusableRequest, match=r"popularity needs a density of at most 0\.25, got 0\.3"):
        load_dataset("planted", density=0.3, popularity=1)


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "STORED_FROM", 1000)
    forget_loaded()


@pytest.mark.parametrize(("density", "stored"), [(0.1, False), (0.2, True), (0.3, True)])
def test_datasets_are_kept_on_disk_from_two_million_interactions_on(density: float, stored: bool) -> None:
    assert made.worth_storing({"num_users": 10_000, "num_items": 1_000, "density": density}) == stored


def test_a_large_generated_dataset_is_read_back_as_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_is_large: None
) -> None:
    options = {"num_users": 90, "num_items": 80, "density": 0.2, "popularity": 1.0}
    first = load_dataset("planted", home=tmp_path, **options)
    assert len(list((tmp_path / "datasets").glob("planted-*/manifest.json"))) == 1
    forget_loaded()
    monkeypatch.setattr(made, "write_cache", lambda *_: pytest.fail("made again"))
    again = load_dataset("planted", home=tmp_path, **options)
    assert again is not first
    assert again.fingerprint == first.fingerprint == planted(**options).fingerprint
    assert first.planted is not None and again.planted is not None
    for ours, theirs in zip(first.planted, again.planted, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    forget_loaded()


def test_a_damaged_file_is_made_anew_and_old_ones_go(tmp_path: Path, small_is_large: None) -> None:
    load_dataset("planted", home=tmp_path, noise=0.1)
    (stored,) = (tmp_path / "datasets").glob("planted-*/data-*.npz")
    stored.write_bytes(stored.read_bytes()[:-100])
    forget_loaded()
    assert load_dataset("planted", home=tmp_path, noise=0.1).fingerprint == planted(noise=0.1).fingerprint
    for noise in (0.2, 0.3, 0.4):
        load_dataset("planted", home=tmp_path, noise=noise)
    assert len(list((tmp_path / "datasets").glob("planted-*"))) == 2
    forget_loaded()


def test_small_data_leaves_nothing_on_disk(tmp_path: Path) -> None:
    forget_loaded()
    load_dataset("planted", home=tmp_path)
    assert not (tmp_path / "datasets").exists()


def test_items_of_a_user_with_and_without_the_table() -> None:
    data = planted()
    before = [data.items_of(user).tolist() for user in (0, 7, 499)]
    indptr, items = data.by_user()
    assert before == [items[indptr[user] : indptr[user + 1]].tolist() for user in (0, 7, 499)]
    assert before == [data.items_of(user).tolist() for user in (0, 7, 499)]
    assert all(row == sorted(row) for row in before)


def test_interactions_of_some_users_keep_their_order() -> None:
    data = planted()
    some = data.of_users([3, 8])
    rows = np.flatnonzero(np.isin(data.user_idx, [3, 8]))
    np.testing.assert_array_equal(some.item_idx, data.item_idx[rows])
    assert len(data.of_users([])) == 0


def test_a_large_split_is_stored_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfcore.data.split.COMPRESSED_UP_TO", 10)
    split = random_split(planted())
    split.save(tmp_path / "s.npz")
    again = Split.load(tmp_path / "s.npz", planted())
    assert again.hash == split.hash
    for part, rows in split.rows.items():
        assert again.rows[part].dtype == np.int64
        np.testing.assert_array_equal(again.rows[part], rows)
