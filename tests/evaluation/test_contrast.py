"""Why one end of a breakdown does better: cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfcore.data import Split
from mfcore.evaluation import EvaluationDetails, Evaluator, Protocol, by_item_popularity, by_user_activity
from mfcore.evaluation.breakdown import item_contrast, user_contrast
from mfcore.evaluation.comparison import identical
from tests.evaluation.examples import Row, Table, split_of

USERS, ITEMS = 40, 30


def popular_first() -> tuple[Split, EvaluationDetails]:
    """20 users of 2 training ratings hold out a well-known item, 20 of 8 mostly an unknown one; scores are popularity.

    Within items as well known as each other, both fare alike.
    """
    train: list[Row] = []
    test: list[Row] = []
    for user in range(USERS):
        active = user >= USERS // 2
        train += [(user, 10 + (user + step) % 15, 4.0) for step in range(8 if active else 2)]
        test.append((user, 0 if user % 4 == 0 or not active else 1 + user % 3, 5.0))
    train += [(user, 5, 3.0) for user in range(USERS)]
    split = split_of(train, [], test, USERS, ITEMS)
    popularity = np.zeros(ITEMS)
    popularity[0] = 1
    scores = np.tile(popularity + np.linspace(0, 0.1, ITEMS), (USERS, 1))
    return split, Evaluator(split, protocol=Protocol(k=5, sampled_negatives=12)).details(Table(scores, predicts_ratings=False))


def test_what_is_better_known_explains_the_whole_of_a_gap() -> None:
    split, details = popular_first()
    found = user_contrast(details, split, "hr@5", by_user_activity(details, split))
    assert found.least.value == 1.0 and found.most.value < 0.6
    assert found.told_apart
    # Item 0 has no training rating, nor have items 1 to 3: equally unknown, so nothing is explained by that ...
    assert found.at_equal_popularity == pytest.approx(found.most.value - found.least.value)
    assert found.least.held_popularity == found.most.held_popularity == 0
    rows = [(user, 0, 4.0) for user in range(USERS) if user % 4 and user >= USERS // 2]
    known = split_of([*_rows(split, "train"), *rows], [], _rows(split, "test"), USERS, ITEMS)
    # ... but once it has some, each stratum holds the same item for both, and the gap within is 0.
    found = user_contrast(details, known, "hr@5", by_user_activity(details, split))
    assert found.least.held_popularity > found.most.held_popularity
    assert found.at_equal_popularity == pytest.approx(0.0)


def _rows(split: Split, part: str) -> list[Row]:
    rows = getattr(split, part)
    return list(zip(rows.user_idx.tolist(), rows.item_idx.tolist(), rows.rating.tolist(), strict=True))


def test_ends_of_rating_errors_say_how_far_they_lean_and_differ() -> None:
    train = [(user, item, 3.0) for user in range(20) for item in range(2 + user // 2)]
    test = [(user, 20 + extra, 2.0 + 2 * extra) for user in range(20) for extra in range(2)]
    split = split_of(train, [], test, 20, 25)
    scores = np.full((20, 25), 3.0)
    scores[18:] = 4.0  # the most active are told too much
    details = Evaluator(split, protocol=Protocol(k=5, sampled_negatives=5)).details(Table(scores))
    found = user_contrast(details, split, "rmse", by_user_activity(details, split))
    assert (found.least.value, found.most.value) == (1.0, pytest.approx(math.sqrt(2)))
    assert (found.least.lean, found.most.lean) == (0.0, 1.0)
    assert found.least.spread == found.most.spread == 1.0
    assert math.isnan(found.at_equal_popularity)
    of_items = item_contrast(details, split, "rmse", by_item_popularity(details, split))
    assert of_items is None  # all that is held out is equally popular: one group


def test_the_same_scores_are_identical_and_others_are_not() -> None:
    split, details = popular_first()
    again = Evaluator(split, protocol=Protocol(k=5, sampled_negatives=12))
    flat = again.details(Table(np.zeros((USERS, ITEMS)), predicts_ratings=False))
    assert identical(details, details) and identical(flat, flat)
    assert not identical(details, flat)
