"""Held-out interactions, laid out so that a block of users can be ranked with a handful of tensor operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfcore.data import Interactions
from mfcore.evaluation.negatives import items_of
from mfcore.typing import Bool, Float32, Int64

SCORES_AT_ONCE = 2_000_000
"""Users a block holds × items: 8 MB of float32, and MovieLens 100K in one piece."""
USERS_AT_ONCE = 8192
"""Users whose negatives are drawn together, and so with one seed."""
NUMBERS_KEPT = 30_000_000
"""Whole numbers up to which prepared blocks stay in memory: 240 MB."""


@dataclass(frozen=True, eq=False)
class Block:
    """B users, their h held-out interactions, c of them cases; all that ranking them takes but the scores.

    users: (B,). excluded: flat positions in (B, num_items) that are not candidates; taken: those of every interaction of these
    users, held-out ones too. held_row, held_item: (h,) where the held-out items stand in (B, num_items). case: (c,) which of
    the h are cases. negatives: (draws, B, N), places left over hold 0 and are marked in ``no_negative`` (B, N).
    others_sampled, others_full, others_free: (c,) int64, how many candidates a case competes with; free: never interacted with.
    """

    users: Tensor
    excluded: Tensor
    taken: Tensor
    held_row: Tensor
    held_item: Tensor
    case: Tensor
    negatives: Tensor
    no_negative: Tensor
    others_sampled: Tensor
    others_full: Tensor
    others_free: Tensor

    def to(self, device: torch.device) -> Block:
        """The same block on ``device``."""
        tensors: dict[str, Any] = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return dataclasses.replace(self, **tensors)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out interactions by user, then in file order. users: (U,) ascending; row, item, relevant, rating: (n,)."""

    users: Int64
    row: Int64
    item: Int64
    rating: Float32
    relevant: Bool

    @classmethod
    def of(cls, part: Interactions, threshold: float) -> HeldOut:
        """Sort ``part``; ratings from ``threshold`` up are relevant."""
        order = np.argsort(part.user_idx, kind="stable")
        users, row = np.unique(part.user_idx[order], return_inverse=True)
        rating = part.rating[order]
        return cls(users, row.astype(np.int64), part.item_idx[order], rating, rating >= threshold)


Draw = Callable[[Int64, int], Int64]
"""(users, number of their chunk) → their sampled negatives (draws, U, N), −1 for none."""


class Blocks:
    """Users in blocks of about SCORES_AT_ONCE scores, each made when its turn comes; kept if all of them together are small.

    ``hidden``: parts whose items are not candidates for their user; ``data``: every interaction there is; ``draw``: is asked
    for the negatives of USERS_AT_ONCE users at a time.
    """

    def __init__(self, held: HeldOut, hidden: Sequence[Interactions], data: Interactions, draw: Draw, numbers: int) -> None:
        self.held, self.hidden, self.data, self.draw = held, hidden, data, draw
        interactions = sum(map(len, hidden)) + len(data) + len(held.row)
        share = len(held.users) / max(1, data.num_users)
        self._keep = share * interactions + numbers * len(held.users) <= NUMBERS_KEPT
        self._kept: dict[torch.device, list[Block]] = {}

    def __iter__(self) -> Iterator[Block]:
        return self.on(torch.device("cpu"))

    def on(self, device: torch.device) -> Iterator[Block]:
        """The blocks, one after the other, on ``device``."""
        if not self._keep:
            return (block.to(device) for block in self._made())
        if device not in self._kept:
            self._kept[device] = [block.to(device) for block in self._made()]
        return iter(self._kept[device])

    def _made(self) -> Iterator[Block]:
        users, size = self.held.users, max(1, SCORES_AT_ONCE // max(1, self.data.num_items))
        for number, first in enumerate(range(0, len(users), USERS_AT_ONCE)):
            last = min(first + USERS_AT_ONCE, len(users))
            negatives = self.draw(users[first:last], number)
            for start in range(first, last, size):
                stop = min(start + size, last)
                yield _block(self.held, self.hidden, self.data, negatives[:, start - first : stop - first], start, stop)


def _block(held: HeldOut, hidden: Sequence[Interactions], data: Interactions, negatives: Int64, start: int, stop: int) -> Block:
    users = held.users[start:stop]
    mine = slice(*np.searchsorted(held.row, [start, stop]).tolist())
    row, item = held.row[mine] - start, held.item[mine]
    case = np.flatnonzero(held.relevant[mine])
    excluded = np.concatenate([_places(users, part) for part in hidden])
    taken = _places(users, data)
    left = [data.num_items - np.bincount(places // data.num_items, minlength=len(users)) for places in (excluded, taken)]
    missing = negatives[0] < 0  # the same in every draw: only who has too few free items has gaps
    return Block(
        users=torch.from_numpy(users),
        excluded=torch.from_numpy(excluded),
        taken=torch.from_numpy(taken),
        held_row=torch.from_numpy(row),
        held_item=torch.from_numpy(item),
        case=torch.from_numpy(case),
        negatives=torch.from_numpy(negatives.clip(min=0)),
        no_negative=torch.from_numpy(missing),
        others_sampled=torch.from_numpy((~missing).sum(axis=1)[row[case]]),
        others_full=torch.from_numpy(left[0][row[case]] - 1),
        others_free=torch.from_numpy(left[1][row[case]]),
    )


def _places(users: Int64, part: Interactions) -> Int64:
    """Flat positions in (len(users), num_items) of these users' interactions."""
    row, item = items_of(users, *part.by_user())
    return row * part.num_items + item
