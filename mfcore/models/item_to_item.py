"""The strong lines of ranking: an item scores by how much it belongs with what the user already has. No epochs, no luck.

Same interface as :mod:`mfcore.models.baselines`. Every training interaction counts alike, whatever its rating.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mfcore.data.interactions import Interactions
from mfcore.typing import Float32, Float64
from mfcore.validate import integer, number, require

MOST_ITEMS = 12_000
"""Above this the items × items table takes gigabytes and its inverse minutes."""


class ItemToItem:
    """score(u, i) = Σ over the user's training items j of ``similarity[j, i]``; subclasses fill in (num_items, num_items)."""

    predicts_ratings = False
    similarity: Any

    def __init__(self, train: Interactions) -> None:
        from scipy.sparse import csr_array  # half a second to import, and only the strong lines need it

        require(
            train.num_items <= MOST_ITEMS,
            f"{type(self).__name__} compares all pairs of items and takes {MOST_ITEMS:,} at most; here are {train.num_items:,}",
        )
        indptr, items = train.by_user()
        shape = (train.num_users, train.num_items)
        self.num_items = train.num_items
        self.seen = csr_array((np.ones(len(items), np.float32), items, indptr), shape=shape)

    def score_items(self, user_idx: Any) -> Float32:
        """user_idx: (B,) → (B, num_items) float32."""
        scores = self.seen[np.asarray(user_idx)] @ self.similarity
        return np.asarray(scores.toarray() if hasattr(scores, "toarray") else scores, np.float32)

    def predict(self, user_idx: Any, item_idx: Any) -> Float32:
        """user_idx, item_idx: (B,) → (B,) float32, scores without a unit."""
        rows = self.score_items(user_idx)
        return np.asarray(rows[np.arange(len(rows)), np.asarray(item_idx)])


class ItemKNN(ItemToItem):
    """Cosine of two items' sets of users, of which each item keeps its ``neighbours`` nearest (Sarwar et al. 2001).

    An item's score adds up the similarities of those of its neighbours that the user has. Twenty neighbours are best on the
    validation part of MovieLens 100K (20, 50, 100, 200, 400 tried).
    """

    def __init__(self, train: Interactions, neighbours: int = 20) -> None:
        super().__init__(train)
        from sklearn.neighbors import NearestNeighbors

        wanted = min(integer("neighbours", neighbours, low=1), self.num_items - 1)
        by_item = self.seen.T.tocsr()
        if wanted < 1:
            self.similarity = by_item @ self.seen * 0.0
            return
        # Without an argument an item is not its own neighbour.
        near = NearestNeighbors(n_neighbors=wanted, metric="cosine", algorithm="brute").fit(by_item)
        graph = near.kneighbors_graph(mode="distance")
        graph.data = 1.0 - graph.data
        self.similarity = graph.T.tocsr()


class EASE(ItemToItem):
    """Linear autoencoder without a diagonal, in closed form (Steck 2019): the B with B_jj = 0 that minimises
    ‖X − XB‖² + λ‖B‖². With P = (XᵀX + λI)⁻¹, B_ij = −P_ij / P_jj."""

    def __init__(self, train: Interactions, regularisation: float = 300.0) -> None:
        super().__init__(train)
        strength = number("regularisation", regularisation, above=0.0)
        gram = (self.seen.T @ self.seen).toarray().astype(np.float64)
        gram[np.diag_indices(self.num_items)] += strength
        inverse = _inverse(gram)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self.similarity = weights.astype(np.float32)


def _inverse(positive: Float64) -> Float64:
    """Inverse of a symmetric positive definite matrix by way of its Cholesky factor, several times faster than numpy's."""
    from scipy.linalg.lapack import dpotrf, dpotri

    factor, _ = dpotrf(positive, lower=True)
    half, _ = dpotri(factor, lower=True)
    lower = np.tril(half)
    return np.asarray(lower + np.tril(half, -1).T)
