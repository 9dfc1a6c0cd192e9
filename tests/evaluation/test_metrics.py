"""Rating and ranking metrics against hand-worked cases, brute force and scikit-learn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, mean_absolute_error, ndcg_score, roc_auc_score, root_mean_squared_error

from mfcore.evaluation import rating
from mfcore.evaluation.ranking import Places, case_auc, expected_random, gain, ideal_dcg, per_case, per_user, user_auc
from tests.evaluation.examples import at

LOG2_3 = math.log2(3)


def test_rmse_and_mae_by_hand() -> None:
    assert rating.rmse([1.0, 2.0, 5.0], [2.0, 4.0, 5.0]) == pytest.approx(math.sqrt(5 / 3))
    assert rating.mae([1.0, 2.0, 5.0], [2.0, 4.0, 5.0]) == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(1, 5)), min_size=1, max_size=30))
def test_rating_metrics_agree_with_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    predicted, actual = map(list, zip(*pairs, strict=True))
    assert rating.rmse(predicted, actual) == pytest.approx(root_mean_squared_error(actual, predicted))
    assert rating.mae(predicted, actual) == pytest.approx(mean_absolute_error(actual, predicted))


@pytest.mark.parametrize("predicted", [[], [math.nan], [math.inf]])
def test_undefined_rating_metrics_are_nan(predicted: list[float]) -> None:
    assert math.isnan(rating.rmse(predicted, [3.0] * len(predicted)))
    assert math.isnan(rating.mae(predicted, [3.0] * len(predicted)))


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match="same shape"):
        rating.rmse(np.zeros((3, 1)), np.zeros(3))


def test_per_case_by_hand() -> None:
    """The third ties with one other, on places 2 and 3; the fourth on places 9 and 10, of which one is beyond the tenth."""
    places = Places(np.array([0, 1, 2, 9, 10]), np.array([0, 0, 1, 1, 0]), np.ones(5, np.bool_))
    found = per_case(places, 10)
    assert found["hr"] == pytest.approx((1 + 1 + 1 + 1 / 2 + 0) / 5)
    tied = (1 / math.log2(4) + 1 / math.log2(5)) / 2
    assert found["ndcg"] == pytest.approx((1 + 1 / LOG2_3 + tied + 1 / math.log2(11) / 2) / 5)
    assert found["mrr"] == pytest.approx((1 + 1 / 2 + (1 / 3 + 1 / 4) / 2 + 1 / 10 / 2) / 5)
    assert places.mean.tolist() == [0, 1, 2.5, 9.5, 10]


def test_per_user_by_hand() -> None:
    """User 7 has relevant items on places 1 and 3, user 2 one on place 2, user 9 one out of reach."""
    found = per_user(np.array([7, 2, 7, 9]), at([0, 1, 2, 5]), 3)
    ndcg = ((1 + 1 / 2) / (1 + 1 / LOG2_3), 1 / LOG2_3, 0.0)
    assert found["hr"] == pytest.approx(2 / 3)
    assert found["ndcg"] == pytest.approx(sum(ndcg) / 3)
    assert found["mrr"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["recall"] == pytest.approx((1 + 1 + 0) / 3)
    assert found["precision"] == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)
    assert found["map"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2 + 0) / 3)


def test_ideal_dcg_counts_at_most_k() -> None:
    assert ideal_dcg(np.array([1, 2, 5]), 2).tolist() == pytest.approx([1.0, 1 + 1 / LOG2_3, 1 + 1 / LOG2_3])


def test_nothing_measured_is_nan_and_nan_ranks_are_left_out() -> None:
    assert all(math.isnan(value) for value in per_case(at([]), 10).values())
    assert all(math.isnan(value) for value in per_user(np.zeros(0, np.int64), at([]), 10).values())
    first = per_case(at([math.nan, 0.0]), 1)
    assert {"hr", "ndcg", "mrr"} <= set(first) and set(first.values()) == {1.0}
    assert per_user(np.array([1, 2]), at([math.nan, 0.0]), 1)["hr"] == 1.0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), min_size=1, max_size=20), st.integers(1, 30))
def test_one_relevant_item_a_user_makes_both_views_agree(cases: list[tuple[int, int]], k: int) -> None:
    places = Places(*np.array(cases).T, np.ones(len(cases), np.bool_))
    one_by_one, listwise = per_case(places, k), per_user(np.arange(len(cases)), places, k)
    assert {name: listwise[name] for name in one_by_one} == pytest.approx(one_by_one)
    assert listwise["recall"] == pytest.approx(one_by_one["hr"])
    assert listwise["precision"] == pytest.approx(one_by_one["hr"] / k)


@given(st.data())
def test_ndcg_agrees_with_scikit_learn(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 15))
    order = np.array(data.draw(st.permutations(range(size))), np.float64)
    relevant = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size).filter(any)))
    k = data.draw(st.integers(1, 20))
    rank = (order.size - 1 - order)[relevant]
    ours = per_user(np.zeros(len(rank), np.int64), at(rank), k)["ndcg"]
    assert ours == pytest.approx(ndcg_score(relevant[None].astype(float), order[None], k=k))


@given(st.data())
def test_map_agrees_with_scikit_learn_over_the_whole_list_and_with_its_definition_at_k(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    order = np.array(data.draw(st.permutations(range(size))), np.float64)
    relevant = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size).filter(any)))
    k = data.draw(st.integers(1, 15))
    rank = (size - 1 - order)[relevant]
    user = np.zeros(len(rank), np.int64)
    assert per_user(user, at(rank), size)["map"] == pytest.approx(average_precision_score(relevant, order))
    listed = relevant[np.argsort(-order)][:k]
    precisions = [listed[: place + 1].mean() for place in range(len(listed)) if listed[place]]
    assert per_user(user, at(rank), k)["map"] == pytest.approx(sum(precisions) / min(k, relevant.sum()))


@given(st.data())
def test_auc_agrees_with_scikit_learn_whatever_is_tied(data: st.DataObject) -> None:
    scores = np.array(data.draw(st.lists(st.integers(0, 5), min_size=2, max_size=20)), np.float64)
    relevant = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)).filter(any)))
    half = np.array([(scores > s).sum() + ((scores == s).sum() - 1) / 2 for s in scores[relevant]])
    users, found = user_auc(np.full(len(half), 7), half, np.full(len(half), len(scores)))
    assert users.tolist() == [7]
    if relevant.all():
        assert math.isnan(found[0])
    else:
        assert found[0] == pytest.approx(roc_auc_score(relevant, scores))


def test_auc_by_hand() -> None:
    assert case_auc(np.array([0.0, 1.0, 2.5, 0.0]), np.array([5, 5, 6, 1])).tolist() == pytest.approx(
        [1.0, 0.75, 0.5, math.nan], nan_ok=True
    )
    _, by_user = user_auc(np.array([4, 2, 4]), np.array([0.0, 3.0, 2.0]), np.array([4, 4, 4]))
    assert by_user.tolist() == pytest.approx([0.0, 3 / 4])  # user 4: of 2 × 2 pairs, one is in the wrong order


@given(st.data())
def test_every_metric_stays_within_0_and_1_whatever_is_tied(data: st.DataObject) -> None:
    scores = np.array(data.draw(st.lists(st.integers(0, 2), min_size=2, max_size=25)))
    relevant = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)).filter(any)))
    own = scores[relevant]
    above, tied = np.array([(scores > s).sum() for s in own]), np.array([(scores == s).sum() - 1 for s in own])
    places = Places(above, tied, np.ones(len(own), np.bool_))
    for value in per_user(np.zeros(len(own), np.int64), places, data.draw(st.integers(1, 12))).values():
        assert 0.0 <= value <= 1.0 + 1e-12


def test_gain_ends_at_k() -> None:
    assert gain(np.array([9.5, 10.0]), 10).tolist() == pytest.approx([1 / math.log2(11.5), 0.0])


@pytest.mark.parametrize(("n", "m", "k"), [(5, 1, 2), (5, 2, 2), (4, 4, 2), (5, 3, 9), (6, 2, 1), (3, 1, 3)])
def test_expected_random_is_the_mean_over_all_orders(n: int, m: int, k: int) -> None:
    every = [per_user(np.zeros(m, np.int64), at(places), k) for places in itertools.permutations(range(n), m)]
    found = expected_random(np.array([n]), np.array([m]), k)
    for name in ("hr", "ndcg"):
        assert found[name] == pytest.approx(np.mean([one[name] for one in every]))


def test_expected_random_leaves_out_lists_of_one() -> None:
    assert math.isnan(expected_random(np.array([1]), np.array([1]), 10)["hr"])
    mixed = expected_random(np.array([1, 100]), np.array([1, 1]), 10)
    assert mixed["hr"] == pytest.approx(0.1)
