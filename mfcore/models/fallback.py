"""What is said about users and items without training rows: nothing was learned about them, and their vectors are those they
started with. So a model falls back to what is known all the same, the mean, the biases, how popular an item is, and says so."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mfcore.models.baselines import BiasOnly

if TYPE_CHECKING:
    from mfcore.data.interactions import Interactions
    from mfcore.typing import Bool, Float32

_SWEEPS = 3


class Fallback:
    """Who is known from ``train``, and scores for the rest.

    Predicted ratings: μ + b_u + b_i with the bias of whoever is unknown at 0 (the biases are those of ``BiasOnly``). Ranking: a
    user who is unknown gets the items by how many chose them; an item that is unknown comes after all that are known.

    Attributes:
        user_known: (num_users,) bool. item_known: (num_items,) bool.
    """

    def __init__(self, train: Interactions) -> None:
        self._train = train
        self.user_known: Bool = train.activity() > 0
        self.item_known: Bool = train.popularity() > 0
        self.complete = bool(self.user_known.all() and self.item_known.all())
        self._tensors: dict[tuple[str, torch.device], Tensor] = {}

    def __deepcopy__(self, memo: object) -> Fallback:
        return self  # nothing in it changes

    @cached_property
    def _biases(self) -> BiasOnly:
        return BiasOnly(self._train, sweeps=_SWEEPS)

    @cached_property
    def _popularity(self) -> Float32:
        return self._train.popularity().astype(np.float32)

    def fill_rows(self, scores: Tensor, user_idx: Tensor, *, ratings: bool) -> Tensor:
        """scores (B, num_items) of users ``user_idx`` (B,) int64 → the same, with those of unknown users and items replaced.

        ``ratings``: scores are predicted ratings. A new tensor where anything is.
        """
        if self.complete:
            return scores
        known, item_known = self._on("user_known", scores)[user_idx], self._on("item_known", scores)
        if ratings:
            unknown = ~(known[:, None] & item_known)
            if bool(unknown.any()):
                plain = self._on("mean", scores) + self._on("user_bias", scores)[user_idx, None] + self._on("item_bias", scores)
                scores = torch.where(unknown, plain, scores)
            return scores
        if not bool(item_known.all()):
            # After the lowest of the known ones, all alike; what is not a number stays what it is.
            lowest = scores.masked_fill(~item_known, torch.inf).amin(dim=1, keepdim=True) - 1.0
            scores = torch.where(item_known, scores, lowest)
        return torch.where(known[:, None], scores, self._on("popularity", scores))

    def fill_pairs(self, scores: Tensor, user_idx: Tensor, item_idx: Tensor) -> Tensor:
        """Predicted ratings (B,) of pairs → the same, with those of unknown users and items replaced."""
        if self.complete:
            return scores
        known = self._on("user_known", scores)[user_idx] & self._on("item_known", scores)[item_idx]
        if bool(known.all()):
            return scores
        biases = self._on("user_bias", scores)[user_idx] + self._on("item_bias", scores)[item_idx]
        return torch.where(known, scores, self._on("mean", scores) + biases)

    def _on(self, what: str, like: Tensor) -> Tensor:
        """One of the arrays as a tensor where ``like`` lies."""
        key = what, like.device
        if key not in self._tensors:
            self._tensors[key] = torch.as_tensor(self._array(what)).to(like.device)
        return self._tensors[key]

    def _array(self, what: str) -> Bool | Float32:
        if what == "popularity":
            return self._popularity
        if what in ("mean", "user_bias", "item_bias"):
            return np.asarray(getattr(self._biases, what), dtype=np.float32)
        known: Bool = getattr(self, what)
        return known


def known_users(model: object, num_users: int) -> Bool:
    """(num_users,) bool: whom ``model`` learned something about; everyone, where it does not say."""
    fallback = getattr(model, "fallback", None)
    return np.ones(num_users, np.bool_) if fallback is None else fallback.user_known


def known_items(model: object, num_items: int) -> Bool:
    """(num_items,) bool: what ``model`` learned something about; everything, where it does not say."""
    fallback = getattr(model, "fallback", None)
    return np.ones(num_items, np.bool_) if fallback is None else fallback.item_known
