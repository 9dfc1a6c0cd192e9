"""Items a user did not choose, drawn exactly and for a whole epoch at once."""

from __future__ import annotations

import torch
from torch import Tensor

_ROUNDS = 20


class NegativeSampler:
    """Draws items that are never among a user's own, in memory proportional to the interactions.

    Uniform draws need no rejection: the r-th item a user did *not* choose is found by bisection. Of a user's chosen items
    in order, i_0 < i_1 < …, exactly i_k − k unchosen ones come before i_k; so the r-th unchosen item is r + #{k: i_k − k ≤ r}.

    Popularity draws take items in proportion to their interactions and draw again what the user chose; the few left after
    20 rounds (users who chose nearly everything that is popular) are drawn uniformly.

    Args:
        user_idx, item_idx: (n,) int64, the interactions, on the device to draw on. Duplicates are allowed.

    Attributes:
        num_candidates: (num_users,) int64, items each user did not choose; may be 0.
    """

    def __init__(self, user_idx: Tensor, item_idx: Tensor, num_users: int, num_items: int, *, popularity: bool = False) -> None:
        self.num_items = num_items
        self.keys = torch.unique(user_idx * num_items + item_idx)  # sorted
        users = self.keys // num_items
        counts = torch.bincount(users, minlength=num_users)
        self._first = counts.cumsum(0) - counts
        self.num_candidates = num_items - counts
        position = torch.arange(len(self.keys), device=self.keys.device) - self._first[users]
        self._unchosen_before = self.keys - position  # user·num_items + (i_k − k), still sorted
        if popularity:
            self._cumulative = torch.bincount(item_idx, minlength=num_items).cumsum(0)
        self.popularity = popularity

    def draw(self, user_idx: Tensor, generator: torch.Generator) -> Tensor:
        """One item per entry. user_idx: (n,) int64, users with candidates only → (n,) int64."""
        return self._by_popularity(user_idx, generator) if self.popularity else self._uniform(user_idx, generator)

    def is_positive(self, user_idx: Tensor, item_idx: Tensor) -> Tensor:
        """Whether each pair is an interaction. (n,) int64 → (n,) bool."""
        wanted = user_idx * self.num_items + item_idx
        place = torch.searchsorted(self.keys, wanted).clamp_(max=len(self.keys) - 1)
        return torch.eq(self.keys[place], wanted)

    def _uniform(self, user_idx: Tensor, generator: torch.Generator) -> Tensor:
        free = self.num_candidates.index_select(0, user_idx)
        share = torch.rand(len(user_idx), generator=generator, device=user_idx.device)
        # float32 may round share·free up to free itself
        rank = torch.minimum((share * free).long(), free - 1)
        skipped = torch.searchsorted(self._unchosen_before, user_idx * self.num_items + rank, right=True)
        return rank + skipped - self._first.index_select(0, user_idx)

    def _by_popularity(self, user_idx: Tensor, generator: torch.Generator) -> Tensor:
        items = self._popular_items(len(user_idx), generator)
        rejected = self.is_positive(user_idx, items).nonzero()[:, 0]
        for _ in range(_ROUNDS):
            if len(rejected) == 0:
                return items
            items[rejected] = self._popular_items(len(rejected), generator)
            rejected = rejected[self.is_positive(user_idx[rejected], items[rejected])]
        items[rejected] = self._uniform(user_idx[rejected], generator)
        return items

    def _popular_items(self, count: int, generator: torch.Generator) -> Tensor:
        total = int(self._cumulative[-1])
        drawn = torch.randint(total, (count,), generator=generator, device=self._cumulative.device)
        return torch.searchsorted(self._cumulative, drawn, right=True)
