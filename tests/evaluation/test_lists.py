"""Lists as they would be shown, and what they add up to."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mfcore import Interactions, UnusableRequest, leave_last_out
from mfcore.evaluation import EvaluationDetails, Evaluator, Protocol, beyond_accuracy
from mfcore.evaluation.lists import exposure, gini, top_lists
from mfcore.models.baselines import Popularity, Random
from tests.evaluation.examples import Table, split_of

TRAIN = [(0, 0, 3.0), (1, 0, 3.0), (2, 0, 3.0), (3, 1, 3.0), (1, 1, 3.0)]
TEST = [(0, 3, 5.0), (1, 3, 5.0)]


def details_by_hand(k: int = 2) -> EvaluationDetails:
    """User 0 is shown items 1, 2; user 1 items 2, 4 (0 and 1 are hers already)."""
    split = split_of(TRAIN, [], TEST, 4, 5)
    return Evaluator(split, protocol=Protocol(k=k)).details(Table([[9, 8, 7, 0, 1], [9, 8, 7, 0, 1], [0] * 5, [0] * 5]))


def test_beyond_accuracy_by_hand() -> None:
    details = details_by_hand()
    train = split_of(TRAIN, [], TEST, 4, 5).train
    assert details.lists is not None
    assert details.lists[:, :5].tolist() == [[1, 2, 4, 3, -1], [2, 4, 3, -1, -1]]
    assert exposure(details, 5).tolist() == [0, 1, 2, 0, 1]
    found = beyond_accuracy(details, train)
    assert found["coverage"] == pytest.approx(3 / 5)
    assert found["popularity"] == pytest.approx(2 / 4)  # item 1 has two interactions; 2 and 4 have none
    assert found["novelty"] == pytest.approx((math.log2(4 / 2) + 3 * math.log2(4)) / 4)
    assert found["gini"] == pytest.approx((0 * -4 + 0 * -2 + 1 * 0 + 1 * 2 + 2 * 4) / (5 * 4))
    assert beyond_accuracy(details, train, 1) == pytest.approx(
        {"coverage": 2 / 5, "gini": (1 * 2 + 1 * 4) / (5 * 2), "novelty": (1 + 2) / 2, "popularity": 1.0}
    )


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12).filter(any))
def test_gini_is_the_mean_difference(amounts: list[int]) -> None:
    values = np.array(amounts, np.float64)
    expected = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(expected)


def test_gini_of_equal_shares_and_of_one_who_has_all() -> None:
    assert gini(np.full(7, 3.0)) == pytest.approx(0.0)
    assert gini(np.array([0.0, 0.0, 5.0, 0.0])) == pytest.approx(3 / 4)


@given(st.data())
def test_top_lists_are_a_stable_sort(data: st.DataObject) -> None:
    rows, items, length = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 9)), data.draw(st.integers(1, 12))
    value = st.sampled_from([0.0, 1.0, 2.0, math.inf, -math.inf])
    scores = np.array(data.draw(st.lists(st.lists(value, min_size=items, max_size=items), min_size=rows, max_size=rows)))
    scores = scores.reshape(rows, items).astype(np.float32)
    expected = np.full((rows, length), -1)
    for row in range(rows):
        shown = [int(i) for i in np.argsort(-scores[row], kind="stable") if scores[row, i] > -np.inf][:length]
        expected[row, : len(shown)] = shown
    assert top_lists(torch.from_numpy(scores), length).tolist() == expected.tolist()


def test_lists_reach_to_k_and_no_further_than_they_were_kept(tmp_path: Path) -> None:
    details = details_by_hand(k=60)
    assert details.lists is not None
    assert details.lists.shape == (2, 60)
    with pytest.raises(UnusableRequest, match="k must be <= 60"):
        exposure(details, 5, 61)
    details.save(tmp_path / "kept.npz")
    np.testing.assert_array_equal(EvaluationDetails.load(tmp_path / "kept.npz").lists, details.lists)


def test_what_is_no_number_is_never_shown() -> None:
    split = split_of([(0, 0, 3.0)], [], [(0, 1, 5.0)], 1, 6)
    lists = Evaluator(split).details(Table([[9, 1, math.nan, 2, math.inf, -math.inf]])).lists
    assert lists is not None
    assert lists[0, :4].tolist() == [4, 3, 1, -1]


def test_nobody_to_show_anything_to() -> None:
    split = split_of([(0, 0, 3.0)], [], [(0, 1, 5.0)], 1, 6)
    assert beyond_accuracy(Evaluator(split, "valid").details(Table([[0] * 6])), split.train) == {}


def test_popularity_shows_little_and_random_shows_everything(ml_100k: Interactions) -> None:
    split = leave_last_out(ml_100k)
    evaluator = Evaluator(split, all_relevant=True)
    popular, lot = (
        beyond_accuracy(evaluator.details(model), split.train) for model in (Popularity(split.train), Random(split.train))
    )
    assert popular["coverage"] < 0.1 < 0.95 < lot["coverage"]
    assert lot["gini"] < 0.3 < 0.95 < popular["gini"]
    assert popular["novelty"] < 2 < 4 < lot["novelty"]
    assert popular["popularity"] > 4 * lot["popularity"]
