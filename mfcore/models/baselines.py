"""What a model must beat: predictions that need no learning of tastes. NumPy only; statistics from the training part alone.

Each has ``predict(user_idx (B,), item_idx (B,)) → (B,)`` and ``score_items(user_idx (B,)) → (B, num_items)``, float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mfcore.data.interactions import Interactions
from mfcore.typing import Float32, Float64, Int64

Indices = Any
"""(B,) int64: array, sequence or CPU tensor."""


class Baseline:
    """r̂ = μ + b_u + b_i, of which each baseline fills in a part. Users and items without training ratings have bias 0."""

    predicts_ratings = True

    def __init__(self, train: Interactions) -> None:
        self.mean = float(train.rating.mean(dtype=np.float64)) if len(train) else 0.0
        self.user_bias: Float64 = np.zeros(train.num_users)
        self.item_bias: Float64 = np.zeros(train.num_items)

    def predict(self, user_idx: Indices, item_idx: Indices) -> Float32:
        """user_idx, item_idx: (B,) → (B,) float32, in rating units (counts for popularity)."""
        user, item = np.asarray(user_idx), np.asarray(item_idx)
        return np.asarray(self.mean + self.user_bias[user] + self.item_bias[item], np.float32)

    def score_items(self, user_idx: Indices) -> Float32:
        """user_idx: (B,) → (B, num_items) float32."""
        user = np.asarray(user_idx)
        return np.asarray(self.mean + self.user_bias[user][:, None] + self.item_bias, np.float32)


class GlobalMean(Baseline):
    """r̂ = μ: every rating is the mean of all training ratings."""


class UserMean(Baseline):
    """r̂ = mean of the user's training ratings; μ for a user without any."""

    def __init__(self, train: Interactions) -> None:
        super().__init__(train)
        self.user_bias = _damped_mean(train.user_idx, train.rating - self.mean, train.num_users, 0.0)


class ItemMean(Baseline):
    """r̂ = mean of the item's training ratings; μ for an item without any."""

    def __init__(self, train: Interactions) -> None:
        super().__init__(train)
        self.item_bias = _damped_mean(train.item_idx, train.rating - self.mean, train.num_items, 0.0)


class BiasOnly(Baseline):
    """r̂ = μ + b_u + b_i, minimising Σ (r − r̂)² + λ (Σ b_u² + Σ b_i²) by alternating sweeps (Koren, Bell & Volinsky 2009).

    ``damping`` is λ: as many ratings at the mean, thrown in for every user and item, keep those with few from extremes.
    """

    def __init__(self, train: Interactions, damping: float = 5.0, sweeps: int = 15) -> None:
        super().__init__(train)
        residual = train.rating - self.mean
        for _ in range(sweeps):
            self.item_bias = _damped_mean(train.item_idx, residual - self.user_bias[train.user_idx], train.num_items, damping)
            self.user_bias = _damped_mean(train.user_idx, residual - self.item_bias[train.item_idx], train.num_users, damping)


class Popularity(Baseline):
    """Scores an item by its number of training interactions, the same for every user."""

    predicts_ratings = False

    def __init__(self, train: Interactions) -> None:
        super().__init__(train)
        self.mean = 0.0
        self.item_bias = train.popularity().astype(np.float64)

    def score_items(self, user_idx: Indices) -> Float32:
        return np.tile(self.item_bias.astype(np.float32), (len(user_idx), 1))


class Random(Baseline):
    """Scores drawn by lot: the same for the same seed and user, unrelated between users."""

    predicts_ratings = False

    def __init__(self, train: Interactions, seed: int = 0) -> None:
        super().__init__(train)
        self.num_items = train.num_items
        self.seed = seed

    def predict(self, user_idx: Indices, item_idx: Indices) -> Float32:
        rows = self.score_items(user_idx)
        return np.asarray(rows[np.arange(len(rows)), np.asarray(item_idx)])

    def score_items(self, user_idx: Indices) -> Float32:
        users = np.asarray(user_idx).tolist()
        scores = np.empty((len(users), self.num_items), np.float32)
        for row, user in enumerate(users):
            scores[row] = np.random.default_rng((self.seed, user)).random(self.num_items, dtype=np.float32)
        return scores


def _damped_mean(index: Int64, values: Float64 | Float32, size: int, damping: float) -> Float64:
    """Σ values / (count + damping) per index, 0 where there is nothing. index, values: (n,) → (size,)."""
    count = np.bincount(index, minlength=size)
    total = np.bincount(index, values, minlength=size)
    mean: Float64 = np.divide(total, count + damping, out=np.zeros(size), where=count > 0)
    return mean
