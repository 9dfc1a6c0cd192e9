"""Where ratings lie when a few items and users have most of them."""

from __future__ import annotations

import numpy as np

from mfcore.typing import Float64, Int64
from mfcore.validate import require

DENSEST = 0.25
"""Share of the matrix up to which a long tail fits: beyond it the head is full and there is no tail left."""
_AT_ONCE = 4_000_000
_EXTRA = 1.1


def long_tailed_cells(rng: np.random.Generator, num_users: int, num_items: int, wanted: int, exponent: float) -> Int64:
    """(wanted,) distinct cells user · num_items + item, in random order.

    Before cells drawn twice are drawn again, the r-th most rated item is rated in proportion to r^−exponent, by at most half
    of all users; the r-th most active user rates in proportion to r^(−exponent/2), at most half of all items. With exponent 1
    and the size of MovieLens 32M, the head of both curves is that of MovieLens. Memory: some four numbers per rating.

    Raises:
        UnusableRequest: more than a quarter of the matrix is rated.
    """
    share = wanted / (num_users * num_items)
    require(share <= DENSEST, f"popularity needs a density of at most {DENSEST:g}, got {share:.3g}; or set popularity to 0")
    users = _shares(rng, num_users, exponent / 2, wanted, num_items / 2)
    items = np.cumsum(_shares(rng, num_items, exponent, wanted, num_users / 2))
    cells = np.zeros(0, np.int64)
    while len(cells) < wanted:
        missing = int(_EXTRA * (wanted - len(cells))) + 1000
        sizes = [min(_AT_ONCE, missing - start) for start in range(0, missing, _AT_ONCE)]
        cells = np.concatenate([cells, *(_drawn(rng, size, users, items) for size in sizes)])
        cells.sort()
        cells = cells[np.concatenate([[True], cells[1:] != cells[:-1]])]
    rng.shuffle(cells)
    return cells[:wanted]


def _shares(rng: np.random.Generator, size: int, exponent: float, total: int, most: float) -> Float64:
    """(size,) probabilities min(c·r^−exponent, most) / total in random order, with c such that they add up to 1."""
    weight = np.arange(1, size + 1, dtype=np.float64) ** -exponent
    rest = np.cumsum(weight[::-1])[::-1]  # of this rank and all below
    full = np.arange(size)
    # The fewest ranks at the limit with which the first below it stays below.
    factor = (total - full * most) / rest
    head = int(np.argmax(factor * weight <= most))
    count = np.where(full < head, most, factor[head] * weight)
    return rng.permutation(count / count.sum())


def _drawn(rng: np.random.Generator, size: int, users: Float64, items: Float64) -> Int64:
    cells = np.repeat(np.arange(len(users)) * len(items), rng.multinomial(size, users))
    item = np.searchsorted(items, rng.random(size) * items[-1], side="right")
    cells += np.minimum(item, len(items) - 1)
    return cells
