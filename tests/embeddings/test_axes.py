"""Axes are named by what really follows them, and by nothing when nothing does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mfcore.data import Interactions, Vocabulary
from mfcore.data.interactions import make_item_table
from mfcore.embeddings.axes import Attribute, correlations, item_attributes, name_axes, spoken, two_sided
from mfcore.errors import UnusableRequest

N = 300
TITLES = [f"film {number}" for number in range(N)]


def attributes(seed: int = 0) -> list[Attribute]:
    rng = np.random.default_rng(seed)
    year = rng.integers(1930, 2000, N).astype(float)
    year[:20] = np.nan
    horror = (rng.random(N) < 0.2).astype(float)
    return [
        Attribute("popularity", rng.geometric(0.02, N).astype(float)),
        Attribute("year", year),
        Attribute("Horror", horror, "genre"),
    ]


def test_correlations_are_spearmans_also_where_values_are_missing() -> None:
    points = np.random.default_rng(1).standard_normal((N, 2))
    known = attributes()
    for axis, row in enumerate(correlations(points, known)):
        for one, attribute in zip(row, known, strict=True):
            there = np.isfinite(attribute.values)
            truth = stats.spearmanr(points[there, axis], attribute.values[there])
            assert one.rho == pytest.approx(truth.statistic)
            assert one.p == pytest.approx(min(1.0, 6 * truth.pvalue), rel=1e-6)
            assert one.count == there.sum()


def test_an_axis_that_follows_popularity_is_named_so() -> None:
    known = attributes()
    rng = np.random.default_rng(2)
    axis = -np.log(known[0].values) + 0.3 * rng.standard_normal(N)
    named = name_axes(axis[:, None], known, TITLES)[0]
    assert named.correlations[0].name == "popularity"
    assert named.sentence.startswith("Axis 1 is mostly popularity (rank correlation −0.9")
    order = np.argsort(axis)
    assert named.low == tuple(order[:3])
    assert named.high == tuple(order[::-1][:3])
    assert f"film {order[0]}, film {order[1]}, film {order[2]} at one end" in named.sentence


def test_a_genre_can_name_an_axis() -> None:
    known = attributes()
    axis = known[2].values + 0.2 * np.random.default_rng(3).standard_normal(N)
    assert "genre Horror" in name_axes(axis[:, None], known, TITLES)[0].sentence


def test_noise_is_not_named() -> None:
    known = attributes()
    named = 0
    for seed in range(40):
        points = np.random.default_rng(100 + seed).standard_normal((N, 5))
        named += sum("no simple name" not in one.sentence for one in name_axes(points, known, TITLES))
    assert named == 0  # 200 axes; at a risk of 1 % for each five, and |ρ| ≥ 0.25 besides


def test_what_is_significant_but_weak_names_nothing() -> None:
    rng = np.random.default_rng(4)
    values = rng.standard_normal(20_000)
    axis = 0.1 * values + rng.standard_normal(20_000)
    named = name_axes(axis[:, None], [Attribute("year", values)], [""] * 20_000)[0]
    assert named.correlations[0].p < 1e-6
    assert "no simple name (nearest: year, 0.08)" in named.sentence


def test_two_sided_chance_by_permutation() -> None:
    rng = np.random.default_rng(5)
    x = np.arange(30.0)
    drawn = np.array([stats.spearmanr(x, rng.permutation(30)).statistic for _ in range(4000)])
    for rho in (0.2, 0.4):
        assert two_sided(np.array([rho]), 30)[0] == pytest.approx(np.mean(np.abs(drawn) >= rho), abs=0.02)


def test_ends_are_films_that_are_known() -> None:
    points = np.arange(N, dtype=float)[:, None]
    known = np.zeros(N, bool)
    known[100:200] = True
    named = name_axes(points, [], TITLES, known=known)[0]
    assert (named.low, named.high) == ((100, 101, 102), (199, 198, 197))


def test_too_few_films_are_refused() -> None:
    with pytest.raises(UnusableRequest, match="at least 8"):
        name_axes(np.ones((4, 1)), [], TITLES[:4])


def test_attributes_are_those_the_data_knows() -> None:
    rng = np.random.default_rng(6)
    items = 30
    genres = [("Drama",) if item % 2 else ("Comedy", "Rare") if item == 0 else ("Comedy",) for item in range(items)]
    genres = [(*names, "Usual") if item else names for item, names in enumerate(genres)]
    item_idx = np.concatenate([np.arange(items), np.arange(5)])
    data = Interactions(
        user_idx=np.concatenate([np.zeros(items, int), np.ones(5, int)]),
        item_idx=item_idx,
        rating=rng.integers(1, 6, len(item_idx)).astype(np.float32),
        timestamp=None,
        users=Vocabulary(np.arange(2), "user"),
        items=Vocabulary(np.arange(items), "item"),
        item_table=make_item_table(TITLES[:items], [None] * items, genres),
        rating_scale=(1.0, 5.0),
    )
    found = {one.name: one for one in item_attributes(data, np.arange(items))}
    assert set(found) == {
        "popularity",
        "mean rating",
        "Comedy",
        "Drama",
    }  # no year is known; one item is no genre, nor all but one
    assert found["popularity"].values.tolist() == [2.0] * 5 + [1.0] * 25
    assert found["Drama"].values.tolist() == [float(item % 2) for item in range(items)]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Usual Suspects, The (1995)", "The Usual Suspects"),
        ("Clockwork Orange, A (1971)", "A Clockwork Orange"),
        ("Star Wars (1977)", "Star Wars"),
        ("8 1/2 (1963)", "8 1/2"),
        ("Good, the Bad", "Good, the Bad"),
        ("Item 3", "Item 3"),
        ("(x)", "(x)"),
    ],
)
def test_titles_as_one_says_them(title: str, said: str) -> None:
    assert spoken(title) == said
