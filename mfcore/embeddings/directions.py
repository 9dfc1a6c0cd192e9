"""Directions of one's own: from some films to others, on the sphere, and who is near whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import choice, integer, require

MEASURES = ("cosine", "dot")


@dataclass(frozen=True, eq=False)
class Direction:
    """From some films to others. ``unit``: (d,) float64 of length 1. ``middle``: (d,) half-way. ``length``: the way between."""

    unit: Float64
    middle: Float64
    length: float

    def along(self, vectors: npt.ArrayLike) -> Float64:
        """(n, d) → (n,): (v − middle)·unit. The first films lie around −length/2, the others around +length/2."""
        found: Float64 = (np.asarray(vectors, dtype=np.float64) - self.middle) @ self.unit
        return found


def direction_between(vectors: npt.ArrayLike, start: npt.ArrayLike, end: npt.ArrayLike) -> Direction:
    """The axis from the mean of the rows ``start`` to the mean of the rows ``end`` of (n, d) vectors.

    Raises:
        UnusableRequest: a side is empty or names a row there is not, or both means are the same.
    """
    table = np.asarray(vectors, dtype=np.float64)
    means = []
    for side, rows in (("first", np.atleast_1d(np.asarray(start))), ("second", np.atleast_1d(np.asarray(end)))):
        require(rows.size > 0, f"the {side} side of the axis has no film; name at least one on each side")
        inside = rows.dtype.kind in "iu" and bool(((rows >= 0) & (rows < len(table))).all())
        require(inside, f"the {side} side of the axis names a film that is not in this space")
        means.append(table[rows].mean(axis=0))
    difference = means[1] - means[0]
    length = float(np.linalg.norm(difference))
    require(length > 0, "both sides of the axis are in the same place; choose films that differ")
    return Direction(difference / length, (means[0] + means[1]) / 2, length)


def on_sphere(vectors: Float32) -> Float32:
    """(n, d) vectors at length 1, so that only their direction counts; a vector of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Float32 = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return scaled


def nearest(
    vectors: npt.ArrayLike, to: npt.ArrayLike, n: int = 10, by: str = "cosine", *, without: int | None = None
) -> tuple[Int64, Float64]:
    """The ``n`` rows of (m, d) ``vectors`` most like the vector ``to`` ((d,), of an item or of a user), and how much.

    Equal ones by row. by: "cosine" (−1 … 1; vectors of zeros are never near) or "dot". without: a row to leave out, its own.

    Raises:
        UnusableRequest: another measure, ``n`` < 1, or another width.
    """
    n, by = integer("n", n, low=1), choice("by", by, MEASURES)
    table, target = np.asarray(vectors, dtype=np.float64), np.asarray(to, dtype=np.float64)
    require(target.shape == table.shape[1:], f"a vector of {table.shape[1]} numbers is needed, got {target.shape}")
    closeness = table @ target
    if by == "cosine":
        length = np.linalg.norm(table, axis=1) * np.linalg.norm(target)
        closeness = np.divide(closeness, length, out=np.full(len(table), np.nan), where=length > 0).clip(-1, 1)
    order = np.argsort(-closeness, kind="stable")
    order = order[np.isfinite(closeness[order]) & (order != without)][:n]
    return order.astype(np.int64), closeness[order]
