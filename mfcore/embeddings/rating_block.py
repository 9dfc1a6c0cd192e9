"""The living picture: a block of the rating matrix small enough to see, and what the model fills into it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfcore.data import Split
from mfcore.typing import Bool, Float32, Int64

ROWS, COLUMNS = 40, 60
"""Users × items, at most."""


class Picture:
    """The most active users × the most popular items (of train), ordered so that likes lie beside likes.

    Attributes: user_idx (r,), item_idx (c,) int64; known (r, c) float32, NaN where unknown: ratings of train and validation
    (1 for ranking models, where having happened is all that counts); heldout (r, c) bool, those of validation.
    """

    def __init__(self, split: Split, *, implicit: bool) -> None:
        users, items = most(split.train.activity(), ROWS), most(split.train.popularity(), COLUMNS)
        known, heldout = _cells(split, users, items, implicit)
        # Only what was trained on decides the order, or validation would show in it.
        rows, columns = _order(np.where(heldout, np.nan, known))
        self.user_idx, self.item_idx = users[rows], items[columns]
        self.known, self.heldout = known[np.ix_(rows, columns)], heldout[np.ix_(rows, columns)]
        self._pairs = np.repeat(self.user_idx, len(columns)), np.tile(self.item_idx, len(rows))

    def predicted(self, model: Any) -> Float32:
        """(r, c) float32: ratings, or probabilities σ(score) for ranking models. NaN and infinity stay what they are."""
        scores = np.asarray(model.predict(*self._pairs).cpu(), dtype=np.float32).reshape(self.known.shape)
        if not model.predicts_ratings:
            scores = (1.0 / (1.0 + np.exp(-np.clip(scores, -60, 60)))).astype(np.float32)
        return scores


def most(counts: Int64, number: int) -> Int64:
    """(≤ number,) int64 positions of the highest counts, ascending; equal counts by position."""
    return np.sort(np.argsort(-counts, kind="stable")[:number])


def _cells(split: Split, users: Int64, items: Int64, implicit: bool) -> tuple[Float32, Bool]:
    known = np.full((len(users), len(items)), np.nan, dtype=np.float32)
    heldout = np.zeros(known.shape, dtype=bool)
    row, column = (_places(chosen, size) for chosen, size in ((users, split.data.num_users), (items, split.data.num_items)))
    for part in (split.train, split.valid):
        r, c = row[part.user_idx], column[part.item_idx]
        inside = (r >= 0) & (c >= 0)
        known[r[inside], c[inside]] = 1.0 if implicit else part.rating[inside]
        heldout[r[inside], c[inside]] = part is split.valid
    return known, heldout


def _places(chosen: Int64, size: int) -> Int64:
    places = np.full(size, -1, dtype=np.int64)
    places[chosen] = np.arange(len(chosen))
    return places


def _order(known: Float32) -> tuple[Int64, Int64]:
    """Rows and columns by the first pair of singular vectors of what is known less its mean, unknown cells as 0."""
    there = ~np.isnan(known)
    filled = np.where(there, known - (known[there].mean() if there.any() else 0.0), 0.0)
    if there.any() and not filled.any():  # all the same, as for ranking: then being there is what differs
        filled = there - there.mean()
    left, _, right = np.linalg.svd(filled.astype(np.float64), full_matrices=False)
    return np.argsort(left[:, 0], kind="stable"), np.argsort(right[0], kind="stable")
