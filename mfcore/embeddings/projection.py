"""Embeddings on a map: PCA with signs that do not flip from one fit to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfcore.typing import Float32, Float64
from mfcore.validate import integer, require


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
        values = _matrix(vectors)
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
        values = _matrix(vectors)
        width = len(self.mean)
        require(values.shape[1] == width, f"this map was made from vectors of {width} numbers, got {values.shape[1]}")
        return ((values - self.mean) @ self.components.T).astype(np.float32)


def _matrix(vectors: Any) -> Float64:
    """Array or tensor on any device → (n, d) float64, all finite."""
    values = np.asarray(vectors.detach().cpu() if hasattr(vectors, "detach") else vectors, dtype=np.float64)
    require(values.ndim == 2, f"vectors must be a table (n, d), got {values.ndim} dimensions")
    require(
        bool(np.isfinite(values).all()),
        "the vectors hold NaN or infinite numbers: training diverged; train again with a smaller learning rate",
    )
    return values
