"""The rating block: what it shows, what it hides, and its order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mfcore.data import Interactions, Vocabulary, random_split
from mfcore.data.interactions import make_item_table
from mfcore.embeddings.points import block_points
from mfcore.embeddings.rating_block import RatingBlock, most
from tests.embeddings.tiny_models import SPLIT, model


def test_a_block_shows_training_and_validation_but_never_test() -> None:
    block = RatingBlock.of(SPLIT, implicit=False)
    place = {(u, i): rating for u, i, rating in zip(SPLIT.data.user_idx, SPLIT.data.item_idx, SPLIT.data.rating, strict=True)}
    part = {
        (u, i): name
        for name, one in (("train", SPLIT.train), ("valid", SPLIT.valid), ("test", SPLIT.test))
        for u, i in zip(one.user_idx.tolist(), one.item_idx.tolist(), strict=True)
    }
    hidden = 0
    for row, user in enumerate(block.user_idx.tolist()):
        for column, item in enumerate(block.item_idx.tolist()):
            known, where = block.known[row, column], part.get((user, item))
            assert np.isnan(known) == (where not in ("train", "valid"))
            assert block.heldout[row, column] == (where == "valid")
            hidden += where == "test"
            if where in ("train", "valid"):
                assert known == place[user, item]
    assert hidden > 10  # there were cells of test to give away
    assert block.known.shape == (40, 40)


def test_a_block_knows_how_full_it_is_and_how_full_the_whole_table() -> None:
    block = RatingBlock.of(SPLIT, implicit=False)
    cells = SPLIT.data.num_users * SPLIT.data.num_items
    assert block.whole == (len(SPLIT.train) + len(SPLIT.valid)) / cells
    assert block.here == pytest.approx(np.mean(~np.isnan(block.known)))
    assert block.here >= block.whole  # it is the busiest corner
    filled = block_points(block, SPLIT.data)["filled"]
    assert filled == {"here": round(block.here, 4), "whole": round(block.whole, 4)}
    old = dataclasses.replace(block, whole=float("nan"))
    assert block_points(old, SPLIT.data)["filled"]["whole"] is None


def test_a_block_of_ranking_shows_what_happened_and_probabilities() -> None:
    made = model("mf", output_range=False)
    made.predicts_ratings = False
    block = RatingBlock.of(SPLIT, implicit=True)
    assert set(np.unique(block.known[~np.isnan(block.known)])) == {1.0}
    predicted = block.predicted(made)
    scores = made.score_items(block.user_idx).numpy()[:, block.item_idx]
    assert predicted == pytest.approx(1 / (1 + np.exp(-scores)), abs=1e-6)


def test_a_blocks_order_brings_likes_together() -> None:
    """Two kinds of users and items, mixed up: a block pattern must come out of the ordering."""
    rng = np.random.default_rng(0)
    kinds = rng.permutation(np.repeat([0, 1], 20)), rng.permutation(np.repeat([0, 1], 20))
    users, items = (array.ravel() for array in np.meshgrid(np.arange(40), np.arange(40), indexing="ij"))
    rating = np.where(kinds[0][users] == kinds[1][items], 5.0, 1.0).astype(np.float32)
    vocabularies = (Vocabulary(np.arange(40), kind) for kind in ("user", "item"))
    data = Interactions(users, items, rating, None, *vocabularies, make_item_table(["x"] * 40), (1.0, 5.0))
    block = RatingBlock.of(random_split(data, test=0.2, valid=0.1, seed=0), implicit=False)
    for chosen, kind in ((block.user_idx, kinds[0]), (block.item_idx, kinds[1])):
        assert np.abs(np.diff(kind[chosen])).sum() == 1


def test_most_takes_the_highest_counts_first_come_first() -> None:
    assert most(np.array([3, 9, 3, 1, 9]), 3).tolist() == [0, 1, 4]


def test_validation_does_not_decide_the_order() -> None:
    rating = SPLIT.data.rating.copy()
    rating[SPLIT.valid_rows] = np.where(rating[SPLIT.valid_rows] > 3, 1.0, 5.0)
    other = random_split(dataclasses.replace(SPLIT.data, rating=rating), test=0.2, valid=0.1, seed=0)
    np.testing.assert_array_equal(other.valid_rows, SPLIT.valid_rows)
    one, two = (RatingBlock.of(split, implicit=False) for split in (SPLIT, other))
    assert one.user_idx.tolist() == two.user_idx.tolist() and one.item_idx.tolist() == two.item_idx.tolist()
    assert np.abs(one.known - two.known)[one.heldout].max() > 1


def test_a_block_of_ratings_is_on_the_scale_of_the_data() -> None:
    ratings, ranking = (RatingBlock.of(SPLIT, implicit=implicit) for implicit in (False, True))
    assert (ratings.low, ratings.high, ratings.unit) == (*SPLIT.data.rating_scale, "points")
    assert (ranking.low, ranking.high, ranking.unit) == (0.0, 1.0, "probability")
