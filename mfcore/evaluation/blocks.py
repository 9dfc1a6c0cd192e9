"""Held-out interactions, laid out so that a block of users can be ranked with a handful of tensor operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mfcore.data import Interactions
from mfcore.evaluation.negatives import items_of

Ints = npt.NDArray[np.int64]
SCORES_AT_ONCE = 2_000_000
"""Users a block holds × items: 8 MB of float32, and MovieLens 100K in one piece."""


@dataclass(frozen=True, eq=False)
class Block:
    """B users, their h held-out interactions, c of them cases; all that ranking them takes but the scores.

    users: (B,). excluded: flat positions in (B, num_items) that are not candidates; taken: those of every interaction of these
    users, held-out ones too. held_row, held_item: (h,) where the
    held-out items stand in (B, num_items). case: (c,) which of the h are cases; slot: (c,) running number of a case within
    its user, below ``width``. negatives: (draws, B, N), places left over hold 0 and are marked in ``no_negative`` (B, N).
    others_sampled, others_full, others_free: (c,) int64, how many candidates a case competes with; free: never interacted with.
    """

    users: Tensor
    excluded: Tensor
    taken: Tensor
    held_row: Tensor
    held_item: Tensor
    case: Tensor
    slot: Tensor
    width: int
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

    users: Ints
    row: Ints
    item: Ints
    rating: npt.NDArray[np.float32]
    relevant: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, part: Interactions, threshold: float) -> HeldOut:
        """Sort ``part``; ratings from ``threshold`` up are relevant."""
        order = np.argsort(part.user_idx, kind="stable")
        users, row = np.unique(part.user_idx[order], return_inverse=True)
        rating = part.rating[order]
        return cls(users, row.astype(np.int64), part.item_idx[order], rating, rating >= threshold)


def make_blocks(held: HeldOut, hidden: Sequence[Interactions], data: Interactions, negatives: Ints) -> list[Block]:
    """Cut users into blocks of about SCORES_AT_ONCE scores. ``hidden``: parts whose items are not candidates for their user;
    data: every interaction there is; negatives: (draws, U, N), −1 for none."""
    size = max(1, SCORES_AT_ONCE // max(1, data.num_items))
    return [
        _block(held, hidden, data, negatives[:, start : start + size], start, min(start + size, len(held.users)))
        for start in range(0, len(held.users), size)
    ]


def _block(held: HeldOut, hidden: Sequence[Interactions], data: Interactions, negatives: Ints, start: int, stop: int) -> Block:
    users = held.users[start:stop]
    mine = slice(*np.searchsorted(held.row, [start, stop]).tolist())
    row, item = held.row[mine] - start, held.item[mine]
    case = np.flatnonzero(held.relevant[mine])
    slot = _running_number(row[case])
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
        slot=torch.from_numpy(slot),
        width=int(slot.max(initial=-1)) + 1,
        negatives=torch.from_numpy(negatives.clip(min=0)),
        no_negative=torch.from_numpy(missing),
        others_sampled=torch.from_numpy((~missing).sum(axis=1)[row[case]]),
        others_full=torch.from_numpy(left[0][row[case]] - 1),
        others_free=torch.from_numpy(left[1][row[case]]),
    )


def _places(users: Ints, part: Interactions) -> Ints:
    """Flat positions in (len(users), num_items) of these users' interactions."""
    row, item = items_of(users, *part.by_user())
    return row * part.num_items + item


def _running_number(sorted_rows: Ints) -> Ints:
    """(c,) ascending rows → 0, 1, 2 … within each row."""
    first = np.searchsorted(sorted_rows, sorted_rows)
    return np.arange(len(sorted_rows)) - first
