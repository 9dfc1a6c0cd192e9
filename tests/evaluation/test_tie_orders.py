"""Ties: every metric is its mean over all orders of the items that tie, and a model that knows nothing is as good as chance."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcore.evaluation import Evaluator, Protocol, ranking, sampled_curve, summarise
from mfcore.evaluation.baselines import baseline_metrics
from mfcore.registry import METRICS
from tests.evaluation.examples import Table, split_of

LISTS = [name for name, spec in METRICS.items() if spec.of_lists is not None]


def plain(order: list[bool], k: int) -> dict[str, float]:
    """Metrics of one list without ties, each from its definition. order: whether the item at each place is relevant."""
    places = [place for place, relevant in enumerate(order) if relevant]
    top = [place for place in places if place < k]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(places))))
    precision = [(number + 1) / (place + 1) for number, place in enumerate(places) if place < k]
    return {
        "hr": float(bool(top)),
        "ndcg": sum(1 / math.log2(place + 2) for place in top) / ideal,
        "mrr": 1 / (places[0] + 1) if places[0] < k else 0.0,
        "map": sum(precision) / min(k, len(places)),
        "recall": len(top) / len(places),
        "precision": len(top) / k,
    }


def all_orders(scores: list[int], relevant: list[bool], k: int, ties: str) -> dict[str, float]:
    """The mean over every order of candidates that scores allow; with ``ties`` the best or worst for the relevant ones."""
    found = []
    for order in itertools.permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order)):
            found.append(tuple(relevant[item] for item in order))
    if ties != "mean":
        found = [max(found) if ties == "optimistic" else min(found)]
    values = [plain(list(order), k) for order in found]
    return {name: float(np.mean([value[name] for value in values])) for name in values[0]}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), size=st.integers(2, 6), k=st.integers(1, 7), ties=st.sampled_from(["mean", "optimistic", "pessimistic"]))
def test_whole_lists_equal_brute_force_over_all_orders(data: Any, size: int, k: int, ties: str) -> None:
    scores = data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    relevant = data.draw(st.lists(st.booleans(), min_size=size, max_size=size).filter(any))
    places = np.flatnonzero(relevant)
    above = np.array([sum(score > scores[place] for score in scores) for place in places])
    tied = np.array([sum(score == scores[place] for score in scores) - 1 for place in places])
    where = ranking.Places(above, tied, np.ones(len(places), np.bool_))
    expected = all_orders(scores, relevant, k, ties)
    found = ranking.per_user(np.zeros(len(places), np.int64), where, k, ties)
    assert set(found) == set(LISTS)
    for name in LISTS:
        assert found[name] == pytest.approx(expected[name], abs=1e-12), name
    if len(places) == 1:
        alone = ranking.per_case(where.under(ties), k)
        assert alone == pytest.approx({name: expected[name] for name in alone}, abs=1e-12)


def world(num_items: int, num_users: int = 12) -> Any:
    """Users with one item held out and a few to train on; items differ."""
    train = [(u, (u + step) % num_items, 4.0) for u in range(num_users) for step in (1, 2)]
    return split_of(train, [], [(u, u % num_items, 5.0) for u in range(num_users)], num_users, num_items, "leave-last-out")


@pytest.mark.parametrize("num_items", [5, 20, 30, 300])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_a_constant_model_is_exactly_the_line_called_random(num_items: int, k: int) -> None:
    split = world(num_items)
    protocol = Protocol(k=k, sampled_negatives=17, draws=2)
    constant = Evaluator(split, protocol=protocol, all_relevant=True).details(Table(np.ones((12, num_items))))
    found = summarise(constant)
    lot = baseline_metrics(split, "test", protocol, True)["random"]
    assert {name: found[name] for name in lot} == pytest.approx(lot, abs=1e-12) and lot
    assert found["auc"] == found["auc/full"] == 0.5
    curve = sampled_curve(constant, [1, 3, 17, 1000]).set_index("num_negatives")
    for count, row in curve.iterrows():
        competitors = np.minimum(int(str(count)), constant.num_free)
        assert row["hr"] == pytest.approx(np.mean(np.minimum(k, competitors + 1) / (competitors + 1)))


@pytest.mark.parametrize(("candidates", "hr", "ndcg"), [(18, 0.556, 0.252), (28, 0.357, 0.162)])
def test_a_constant_model_by_hand(candidates: int, hr: float, ndcg: float) -> None:
    """Ten places of 18 and of 28; the former rule gave 1.0 and 0.0."""
    where = ranking.Places(np.array([0]), np.array([candidates - 1]), np.array([True]))
    found = ranking.per_case(where, 10)
    assert found["hr"] == pytest.approx(hr, abs=5e-4) and found["ndcg"] == pytest.approx(ndcg, abs=5e-4)


def test_the_curve_of_ties_equals_drawing_very_often() -> None:
    """Expected figures for any number of negatives, with items above, tied and below."""
    split, rng = world(40), np.random.default_rng(1)
    scores = rng.integers(0, 4, (12, 40)).astype(float)
    details = Evaluator(split, protocol=Protocol(k=3, sampled_negatives=10, draws=1), all_relevant=True).details(Table(scores))
    expected = sampled_curve(details, [10])
    drawn = Evaluator(split, protocol=Protocol(k=3, sampled_negatives=10, draws=100), all_relevant=True).metrics(Table(scores))
    assert drawn["hr@3"] == pytest.approx(expected["hr"].item(), abs=0.02)
    assert drawn["ndcg@3"] == pytest.approx(expected["ndcg"].item(), abs=0.02)
    everyone = sampled_curve(details, [10_000])
    assert everyone["hr"].item() <= expected["hr"].item()
