"""Vectors seen along axes: PCA with signs that do not flip from one fit to the next, directions of one's own, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import choice, integer, require

MEASURES = ("cosine", "dot")


@dataclass(frozen=True, eq=False)
class Projection:
    """Principal components of n vectors, in order of the variance they explain.

    Attributes:
        coordinates: (n, c) float32, the fitted vectors on the components.
        components: (c, d) float64, orthonormal rows; the entry of largest magnitude in each is positive.
        mean: (d,) float64.
        explained_variance_ratio: (c,) float64 shares of the total variance; NaN when all vectors are the same.
    """

    coordinates: Float32
    components: Float64
    mean: Float64
    explained_variance_ratio: Float64

    @classmethod
    def fit(cls, vectors: Any, num_components: int = 3) -> Projection:
        """Find the components of ``vectors`` ((n, d), array or tensor).

        Raises:
            UnusableRequest: fewer than ``num_components`` vectors or dimensions, or vectors that are not finite.
        """
        values = finite_table(vectors)
        wanted = integer("num_components", num_components, low=1)
        count, width = values.shape
        require(count >= wanted, f"a map with {wanted} axes needs at least {wanted} vectors, got {count}; show fewer axes")
        require(
            width >= wanted,
            f"a map with {wanted} axes needs embedding_dim >= {wanted}, this model has {width}; show fewer axes",
        )
        mean = values.mean(axis=0)
        _, singular, directions = np.linalg.svd(values - mean, full_matrices=False)
        components = directions[:wanted]
        largest = components[np.arange(wanted), np.abs(components).argmax(axis=1)]
        components = components * np.where(largest < 0, -1.0, 1.0)[:, None]
        variance = singular**2
        total = float(variance.sum())
        ratio = variance[:wanted] / total if total > 0 else np.full(wanted, np.nan)
        return cls(((values - mean) @ components.T).astype(np.float32), components, mean, ratio)

    def transform(self, vectors: Any) -> Float32:
        """(m, d) vectors → (m, c) float32 coordinates on the same axes.

        Raises:
            UnusableRequest: another width than was fitted, or vectors that are not finite.
        """
        values = finite_table(vectors)
        width = len(self.mean)
        require(values.shape[1] == width, f"this map was made from vectors of {width} numbers, got {values.shape[1]}")
        return ((values - self.mean) @ self.components.T).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Direction:
    """From some items to others. ``unit``: (d,) float64 of length 1. ``middle``: (d,) half-way. ``length``: the way between."""

    unit: Float64
    middle: Float64
    length: float

    def along(self, vectors: npt.ArrayLike) -> Float64:
        """(n, d) → (n,): (v − middle)·unit. The first items lie around −length/2, the others around +length/2."""
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
        require(rows.size > 0, f"the {side} side of the axis has no item; name at least one on each side")
        inside = rows.dtype.kind in "iu" and bool(((rows >= 0) & (rows < len(table))).all())
        require(inside, f"the {side} side of the axis names an item that is not in this space")
        means.append(table[rows].mean(axis=0))
    difference = means[1] - means[0]
    length = float(np.linalg.norm(difference))
    require(length > 0, "both sides of the axis are in the same place; choose items that differ")
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


def finite_table(vectors: Any) -> Float64:
    """Array or tensor on any device → (n, d) float64.

    Raises:
        UnusableRequest: not a table, or not finite.
    """
    values = np.asarray(vectors.detach().cpu() if hasattr(vectors, "detach") else vectors, dtype=np.float64)
    require(values.ndim == 2, f"vectors must be a table (n, d), got {values.ndim} dimensions")
    require(
        bool(np.isfinite(values).all()),
        "the vectors hold NaN or infinite numbers: training diverged; train again with a smaller learning rate",
    )
    return values
