"""Small data, hand-made scorers, and the definitions written out the slow way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.data import Interactions, Split, SplitConfig, Vocabulary, make_item_table
from mfcore.evaluation.ranking import Places
from mfcore.typing import Float32, Float64

Row = tuple[int, int, float]


def interactions(rows: Sequence[Row], num_users: int, num_items: int, timestamp: Any = None) -> Interactions:
    """(user_idx, item_idx, rating) triples → Interactions; raw ids are 100 + user_idx and "i" + item_idx."""
    columns = list(zip(*rows, strict=True))
    return Interactions(
        user_idx=np.array(columns[0], np.int64),
        item_idx=np.array(columns[1], np.int64),
        rating=np.array(columns[2], np.float32),
        timestamp=None if timestamp is None else np.array(timestamp, np.int64),
        users=Vocabulary(np.arange(num_users) + 100, "user"),
        items=Vocabulary([f"i{index}" for index in range(num_items)], "item"),
        item_table=make_item_table([f"Film {index} (19{index % 100:02d})" for index in range(num_items)]),
        rating_scale=(1.0, 5.0),
        name="hand-made",
    )


def split_of(
    train: Sequence[Row],
    valid: Sequence[Row],
    test: Sequence[Row],
    num_users: int,
    num_items: int,
    kind: str = "random",
    split_type: type[Split] = Split,
) -> Split:
    """A split with exactly these parts."""
    data = interactions([*train, *valid, *test], num_users, num_items)
    ends = np.cumsum([len(train), len(valid), len(test)])
    rows = np.arange(ends[2])
    return split_type(data, rows[: ends[0]], rows[ends[0] : ends[1]], rows[ends[1] :], SplitConfig(kind))


class Table:
    """A scorer that reads its scores off a (num_users, num_items) table."""

    def __init__(self, scores: npt.ArrayLike, predicts_ratings: bool = True) -> None:
        self.scores = np.asarray(scores, np.float32)
        self.num_users, self.num_items = self.scores.shape
        self.predicts_ratings = predicts_ratings
        self.asked: list[int] = []

    def score_items(self, user_idx: Any) -> Any:
        users = np.asarray(user_idx)
        self.asked.extend(users.tolist())
        return self.scores[users]


def rank_by_hand(target: int, competitors: Sequence[int], scores: Float32) -> float:
    """r = #greater + #equal/2; nothing that is not a number may flatter; NaN without competitors."""
    if not competitors:
        return math.nan
    own = float(scores[target])
    if not math.isfinite(own):
        return float(len(competitors))
    rank = 0.0
    for other in competitors:
        value = float(scores[other])
        if math.isnan(value) or value > own:
            rank += 1
        elif value == own:
            rank += 0.5
    return rank


def full_ranks_by_hand(split: Split, on: str, scores: Float32, threshold: float) -> dict[tuple[int, int], float]:
    """(user, item) of each case → rank among all items the user has neither in train nor, at test time, in validation."""
    hidden = [split.train, split.valid] if on == "test" else [split.train]
    taken = {(int(u), int(i)) for part in hidden for u, i in zip(part.user_idx, part.item_idx, strict=True)}
    held = split.test if on == "test" else split.valid
    ranks = {}
    for user, item, rating in zip(held.user_idx.tolist(), held.item_idx.tolist(), held.rating.tolist(), strict=True):
        if rating >= threshold:
            others = [other for other in range(split.data.num_items) if other != item and (user, other) not in taken]
            ranks[user, item] = rank_by_hand(item, others, scores[user])
    return ranks


def at(ranks: Sequence[float] | Float64) -> Places:
    """Places without ties; NaN where nothing competed."""
    given = np.asarray(ranks, np.float64)
    known = ~np.isnan(given)
    above = np.where(known, given, 0.0).astype(np.int64)
    return Places(above, np.zeros_like(above), known)
