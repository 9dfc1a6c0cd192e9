"""From a trained model to items: what to choose next, what is similar, what a user has chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from mfcore.data import Interactions
from mfcore.data.interactions import check_same_data
from mfcore.evaluation.evaluator import device_of, predicts_ratings
from mfcore.evaluation.rating import clipped
from mfcore.models.fallback import known_items, known_users
from mfcore.typing import Bool, Float64, Int64
from mfcore.validate import choice, integer, require

SIMILARITIES = {"cosine": "Cosine", "dot": "Dot product"}
DIVERGED = "training diverged; train again with a smaller learning rate"


class Recommender:
    """Answers in raw ids and titles. ``data`` decides what counts as seen; model and data share their vocabularies.

    Raises:
        UnusableRequest: model and data differ in their numbers of users or items.
    """

    def __init__(self, model: Any, data: Interactions) -> None:
        check_same_data(model, data)
        self.model = model
        self.data = data

    def recommend(self, user_id: int | str, n: int = 10, include_seen: bool = False) -> pd.DataFrame:
        """The ``n`` items with the highest scores, best first, equal scores by item_idx; fewer when fewer are left, none when
        the user has seen everything. Users and items that were not trained get what is known all the same, see
        :class:`mfcore.models.fallback.Fallback`: for an unknown user, what is liked or chosen by everybody.

        Columns item_id, item_idx, title, year, genres, score (predicted ratings, held within the scale of the data; logits of a
        ranking model, or for an unknown user how many chose the item), raw_score (what the model said, unheld; best first by
        this), seen, known (whether training had rows of both the user and the item).

        Raises:
            UnusableRequest: unknown user, ``n`` < 1, or the model's scores are not finite.
        """
        user = self.data.users.index(user_id)
        n = integer("n", n, low=1)
        scores = _vector(self.model.score_items(torch.tensor([user], device=device_of(self.model)))[0])
        require(bool(np.isfinite(scores).any()), f"this model's scores are not numbers: {DIVERGED}")
        seen = np.zeros(self.data.num_items, bool)
        seen[self.data.items_of(user)] = True
        best = _best(scores, n, allowed=np.ones_like(seen) if include_seen else ~seen)
        known = known_items(self.model, len(seen)) & bool(known_users(self.model, self.data.num_users)[user])
        shown = clipped(scores, self.data.rating_scale) if predicts_ratings(self.model) else scores
        return self._described(best).assign(score=shown[best], raw_score=scores[best], seen=seen[best], known=known[best])

    def knows(self, user_id: int | str) -> bool:
        """Whether training had a row of this user. What they are recommended otherwise is what everybody is.

        Raises:
            UnusableRequest: unknown user.
        """
        return bool(known_users(self.model, self.data.num_users)[self.data.users.index(user_id)])

    def history(self, user_id: int | str) -> pd.DataFrame:
        """What the user rated, newest first by (timestamp, file order); without timestamps, in file order.

        Columns item_id, item_idx, title, year, genres, rating, timestamp (datetime in UTC; missing where the data has none).

        Raises:
            UnusableRequest: unknown user.
        """
        data = self.data
        rows = np.flatnonzero(data.user_idx == data.users.index(user_id))
        if data.timestamp is not None:
            rows = rows[np.lexsort((rows, data.timestamp[rows]))[::-1]]
        known = np.full(len(rows), np.datetime64("NaT", "s")) if data.timestamp is None else data.timestamp[rows]
        return self._described(data.item_idx[rows]).assign(rating=data.rating[rows], timestamp=known.astype("datetime64[s]"))

    def similar_items(self, item_id: int | str, n: int = 10, by: str = "cosine", *, min_ratings: int = 0) -> pd.DataFrame:
        """The ``n`` items whose vectors are most like this item's, without itself; equal similarities by item_idx.

        ``min_ratings``: leave out what was rated less often than that, as the vector of something hardly ever rated is hardly
        trained. Columns item_id, item_idx, title, year, genres, similarity (cosine −1 … 1; NaN, and last, for a vector of
        zeros), ratings (how often it was rated, in all of the data).

        Raises:
            UnusableRequest: unknown item, ``n`` < 1, ``min_ratings`` < 0, unknown ``by``, or vectors that are not finite.
        """
        item = self.data.items.index(item_id)
        n = integer("n", n, low=1)
        min_ratings = integer("min_ratings", min_ratings, low=0)
        choice("by", by, SIMILARITIES)
        vectors = _vector(self.model.item_vectors())
        require(bool(np.isfinite(vectors).all()), f"this model's item vectors are not numbers: {DIVERGED}")
        similarity = vectors @ vectors[item]
        if by == "cosine":
            lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[item])
            similarity = np.divide(similarity, lengths, out=np.full(len(vectors), np.nan), where=lengths > 0).clip(-1, 1)
        ratings = self.data.popularity()
        best = _best(similarity, n, allowed=(np.arange(len(vectors)) != item) & (ratings >= min_ratings))
        return self._described(best).assign(similarity=similarity[best], ratings=ratings[best])

    def _described(self, item_idx: Int64) -> pd.DataFrame:
        about = self.data.item_table.iloc[item_idx][["title", "year", "genres"]].reset_index(drop=True)
        about["title"] = pd.Series(self.data.item_titles(item_idx), dtype="str")
        about.insert(0, "item_id", self.data.items.ids[item_idx])
        about.insert(1, "item_idx", item_idx)
        return about


def _best(scores: Float64, n: int, allowed: Bool) -> Int64:
    """Positions of the ``n`` highest allowed scores, highest first; ties by position, NaN last."""
    where = np.flatnonzero(allowed)
    known = scores[where]
    if n < len(where):
        # Only what is among the n best, ties at the last place included, is put in order. Numpy, too, sorts NaN last.
        least = -np.partition(-known, n - 1)[n - 1]
        if not np.isnan(least):
            where = where[known >= least]
    return where[np.argsort(-scores[where], kind="stable")[:n]]


def _vector(values: Any) -> Float64:
    """Array or tensor on any device → float64 array."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)
