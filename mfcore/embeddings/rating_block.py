"""The rating block: a part of the rating matrix small enough to see, and what a model predicts for all of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mfcore.data import Split
from mfcore.data.config import DatasetConfig
from mfcore.data.nouns import nouns
from mfcore.evaluation.rating import clipped
from mfcore.typing import Bool, Float32, Int64

if TYPE_CHECKING:
    from mfcore.models import RecommenderModel

ROWS, COLUMNS = 40, 60
"""Users × items, at most."""


@dataclass(frozen=True, eq=False)
class RatingBlock:
    """Some users × some items, in the order shown.

    Attributes:
        user_idx, item_idx: (r,), (c,) int64.
        known: (r, c) float32, ratings of train and validation (1 for ranking models, where having happened is all that
            counts); NaN where there is none. Test stays out of sight.
        heldout: (r, c) bool, which of the known ones are validation.
        low, high: ends of the scale. unit: of ratings, as the dataset calls it, or "probability" for ranking models.
        whole: share of the whole table that is known in the same sense, 0 to 1; NaN where an earlier version wrote the block.
    """

    user_idx: Int64
    item_idx: Int64
    known: Float32
    heldout: Bool
    low: float
    high: float
    unit: str
    whole: float = math.nan

    @property
    def here(self) -> float:
        """Share of the block that is known, 0 to 1: much more than of the whole table, as it is its busiest corner."""
        return float((~np.isnan(self.known)).mean()) if self.known.size else math.nan

    @classmethod
    def of(cls, split: Split, *, implicit: bool) -> RatingBlock:
        """The most active users × the most popular items (of train), ordered so that likes lie beside likes."""
        users, items = most(split.train.activity(), ROWS), most(split.train.popularity(), COLUMNS)
        known, heldout = _cells(split, users, items, implicit)
        # Only what was trained on decides the order, or validation would show in it.
        rows, columns = _order(np.where(heldout, np.nan, known))
        cells = np.ix_(rows, columns)
        units = nouns(DatasetConfig(split.data.name, transform=split.data.transform)).units
        scale = (0.0, 1.0, "probability") if implicit else (*split.data.rating_scale, units)
        whole = (len(split.train) + len(split.valid)) / (split.data.num_users * split.data.num_items)
        return cls(users[rows], items[columns], known[cells], heldout[cells], *scale, whole)

    def predicted(self, model: RecommenderModel) -> Float32:
        """(r, c) float32: ratings, held within the scale, or probabilities σ(score) for ranking models. NaN and infinity stay
        what they are."""
        users, items = np.repeat(self.user_idx, len(self.item_idx)), np.tile(self.item_idx, len(self.user_idx))
        scores = np.asarray(model.predict(users, items).cpu(), dtype=np.float32).reshape(self.known.shape)
        if not model.predicts_ratings:
            return (1.0 / (1.0 + np.exp(-np.clip(scores, -60, 60)))).astype(np.float32)
        return clipped(scores, (self.low, self.high)).astype(np.float32)


def most(counts: Int64, number: int) -> Int64:
    """(≤ number,) int64 positions of the highest counts, ascending; equal counts by position."""
    return np.sort(np.argsort(-counts, kind="stable")[:number])


def _cells(split: Split, users: Int64, items: Int64, implicit: bool) -> tuple[Float32, Bool]:
    from mfcore.data.stats import block  # here: it loads pandas, and every server imports this module

    train, valid = (
        block(part, np.ones(len(part)) if implicit else part.rating, users, items) for part in (split.train, split.valid)
    )
    heldout = ~np.isnan(valid)
    return np.where(heldout, valid, train), heldout


def _order(known: Float32) -> tuple[Int64, Int64]:
    """Rows and columns by the first pair of singular vectors of what is known less its mean, unknown cells as 0."""
    there = ~np.isnan(known)
    filled = np.where(there, known - (known[there].mean() if there.any() else 0.0), 0.0)
    if there.any() and not filled.any():  # all the same, as for ranking: then being there is what differs
        filled = there - there.mean()
    left, _, right = np.linalg.svd(filled.astype(np.float64), full_matrices=False)
    return np.argsort(left[:, 0], kind="stable"), np.argsort(right[0], kind="stable")
