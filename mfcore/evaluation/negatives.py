"""The items a held-out item competes with in sampled ranking."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mfcore.typing import Int64

if TYPE_CHECKING:
    from mfcore.data import Split
    from mfcore.evaluation.protocol import Protocol

FEW = 256


def seed_for(*parts: int | str | Int64) -> int:
    """A seed from whatever decides the draw; the same parts give the same seed on every machine."""
    return seeder(*parts)()


def seeder(*parts: int | str | Int64) -> Callable[..., int]:
    """``seeder(a, b)(c)`` is ``seed_for(a, b, c)``; long arrays among the first parts are gone through once."""
    begun = hashlib.sha256()
    _take_in(begun, parts)

    def seed(*more: int | str | Int64) -> int:
        digest = begun.copy()
        _take_in(digest, more)
        return int.from_bytes(digest.digest()[:16], "big")

    return seed


def _take_in(digest: Any, parts: tuple[int | str | Int64, ...]) -> None:
    for part in parts:
        digest.update(np.ascontiguousarray(part, dtype="<i8").data if isinstance(part, np.ndarray) else str(part).encode())
        digest.update(b"\x1f")


def count_candidates(split: Split, on: str, protocol: Protocol) -> tuple[int, int]:
    """How many items are ranked in sampled ranking, the held-out one included: the fewest and the most of any user with a
    held-out interaction in ``on``, "test" or "valid". Fewer than asked for where somebody has interacted with nearly
    everything; (0, 0) where nothing is held out."""
    data, part = split.data, split.test if on == "test" else split.valid
    users = np.unique(part.user_idx)
    if not len(users):
        return 0, 0
    if on == "test" and split.config.kind == "given" and data.negatives is not None:
        rivals = (data.negatives[users] >= 0).sum(axis=1)
    else:
        rivals = np.minimum(protocol.sampled_negatives, data.num_items - data.activity()[users])
    return int(rivals.min()) + 1, int(rivals.max()) + 1


def sample_negatives(users: Int64, indptr: Int64, items: Int64, num_items: int, count: int, seed: int) -> Int64:
    """Items that each of ``users`` never interacted with, drawn uniformly without repetition.

    users: (U,); indptr (num_users+1,), items (n,): all interactions as CSR, items ascending within a user → (U, count) int64.
    A user with fewer than ``count`` such items gets as many as there are, all of them; the places left over hold −1.

    The r-th free item is found by counting the taken ones before it, so that no users × items mask is ever made.
    """
    rng = np.random.default_rng(seed)
    rows, taken = items_of(users, indptr, items)
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(users))))).astype(np.int64)
    free = num_items - np.diff(starts)
    enough = free > count
    every = np.arange(count)
    ranks = np.where(every < free[:, None], every, -1)
    ranks[enough] = (_few if count <= FEW else _many)(free[enough], count, rng)
    return _nth_free(ranks, rows, starts, taken, num_items)


def _few(bound: Int64, count: int, rng: np.random.Generator) -> Int64:
    """``count`` different numbers below each bound. Floyd's algorithm: no rejection, ``count`` draws whatever the bound."""
    chosen = np.empty((len(bound), count), np.int64)
    for column in range(count):
        last = bound - count + column
        draw = rng.integers(0, last + 1)
        repeated = (chosen[:, :column] == draw[:, None]).any(axis=1)
        chosen[:, column] = np.where(repeated, last, draw)
    return chosen


def _many(bound: Int64, count: int, rng: np.random.Generator) -> Int64:
    """The same by shuffling, because Floyd's comparisons grow with the square of ``count``."""
    chosen = np.empty((len(bound), count), np.int64)
    for row, size in enumerate(bound.tolist()):
        chosen[row] = rng.permutation(size)[:count]
    return chosen


def items_of(users: Int64, indptr: Int64, items: Int64) -> tuple[Int64, Int64]:
    """The CSR rows of ``users``, one after the other: position in ``users`` (m,) and item (m,)."""
    sizes = indptr[users + 1] - indptr[users]
    rows = np.repeat(np.arange(len(users)), sizes)
    first = np.cumsum(sizes) - sizes
    return rows, items[np.arange(len(rows)) - first[rows] + indptr[users][rows]]


def _nth_free(ranks: Int64, rows: Int64, starts: Int64, taken: Int64, num_items: int) -> Int64:
    """Rank among a user's free items (−1: none) → item. With taken items a₀ < a₁ < …, it is rank + #{j: a_j − j ≤ rank}."""
    before = taken - (np.arange(len(taken)) - starts[rows])
    width = num_items + 1  # keeps the keys of neighbouring users apart
    wanted = np.arange(len(ranks))[:, None] * width + ranks
    skipped = np.searchsorted(rows * width + before, wanted, side="right") - starts[:-1, None]
    return np.where(ranks >= 0, ranks + skipped, -1)
