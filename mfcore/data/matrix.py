"""The user × item matrix as a picture of bounded size: rows and columns in an order, cut into bins, with exact sums per bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcore.data.interactions import Interactions
from mfcore.typing import Float64, Int64
from mfcore.validate import require

MOST_BINS = 200
"""Rows, and columns, of a picture."""


@dataclass(frozen=True, eq=False)
class Axis:
    """Users, or items, in an order and in bins of equal size, give or take one.

    Attributes:
        order: (n,) int64 indices, first to last. bin: (n,) int64, the bin of each index. size: (bins,) int64, indices per bin.
    """

    order: Int64
    bin: Int64
    size: Int64

    def __len__(self) -> int:
        return len(self.size)


def make_axis(values: NDArray[np.generic], bins: int = MOST_BINS) -> Axis:
    """Indices 0 … n−1 by ``values`` (n,), the smallest first and equal ones by index, in at most ``bins`` bins.

    Raises:
        UnusableRequest: there is nothing to order, or no bin to put it into.
    """
    require(len(values) > 0 and bins >= 1, "a matrix needs a row, a column and a bin")
    order = np.argsort(values, kind="stable").astype(np.int64)
    bins, bin_of = min(bins, len(order)), np.empty(len(order), np.int64)
    bin_of[order] = np.arange(len(order)) * bins // len(order)
    return Axis(order, bin_of, np.bincount(bin_of, minlength=bins).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Binned:
    """``count``: (user bins, item bins) int64 interactions in each. ``mean``: float64, of their values, NaN where there are
    none. ``density``: float64, the share of its cells that holds an interaction, 0 to 1."""

    count: Int64
    mean: Float64
    density: Float64


def bin_matrix(data: Interactions, values: NDArray[np.floating], users: Axis, items: Axis) -> Binned:
    """Every interaction in the one bin of its user and its item. values: (n,) one for each, such as its rating."""
    flat = users.bin[data.user_idx] * len(items) + items.bin[data.item_idx]
    shape, size = (len(users), len(items)), len(users) * len(items)
    count = np.bincount(flat, minlength=size).reshape(shape).astype(np.int64)
    total = np.bincount(flat, values, minlength=size).reshape(shape)
    mean: Float64 = np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)
    return Binned(count, mean, count / np.outer(users.size, items.size))
