"""One half of a sweep: all rows of one side, solved exactly."""

from __future__ import annotations

import torch
from torch import Tensor

from mfcore.training.engines.als.layout import Chunk, Grouped
from mfcore.training.engines.als.problem import Features, Weights

_FLOOR = 1e-6  # of a matrix's mean diagonal: the least ridge a float32 Cholesky stands on
_SHAKY = 1e-4


def solve_rows(rows: Grouped, features: Features, weights: Weights, ridge: Tensor) -> tuple[Tensor, Tensor]:
    """Minimise Σ_cells w (t − offset − x·θ)² + ridge ‖θ‖² for every row. ridge: (num_rows,).

    Normal equations: (Σ w x xᵀ + ridge·I) θ = Σ w (t − offset) x. With weighted unobserved cells the sum over all of them is
    one matrix for all rows, w0 XᵀX, and each row corrects it at its few chosen cells (Hu et al. 2008).

    Returns:
        θ (num_rows, d) float32, and the sum of squares that is left, ridge not counted: a float64 scalar.
    """
    shared = _everywhere(features, weights)
    solution = torch.empty(rows.num_rows, features.x.shape[1], device=features.x.device)
    explained = torch.zeros((), dtype=torch.float64, device=features.x.device)
    for chunk in rows.chunks:
        gram, right = _normal_equations(rows, chunk, features, weights)
        if shared is not None:
            gram.add_(shared[0])
            right.add_(shared[1])
        theta, used = _solve(gram, right, ridge[chunk.rows])
        solution[chunk.rows] = theta
        # At the solution Aθ = b − ridge θ, so b·θ·2 − θᵀAθ is this, without another product.
        explained += ((right * theta).sum(1) + used * theta.square().sum(1)).sum()
    return solution, _unexplained(rows, features, weights) - explained


def _everywhere(features: Features, weights: Weights) -> tuple[Tensor, Tensor] | None:
    """What every row's equations begin with when all cells count: (d, d) and (d,); None when only ratings do."""
    if not weights.unobserved:
        return None
    x, offset = features.x[:-1], features.offset[:-1]
    return weights.unobserved * (x.mT @ x), -weights.unobserved * (offset @ x)


def _normal_equations(rows: Grouped, chunk: Chunk, features: Features, weights: Weights) -> tuple[Tensor, Tensor]:
    """Σ w x xᵀ (B, d, d) and Σ w (t − offset) x (B, d) over the rated cells of each row."""
    size, dim = len(chunk.rows), features.x.shape[1]
    scale = 1.0 if weights.unobserved is None else 1.0 - weights.unobserved
    gram, right = features.x.new_zeros(size, dim, dim), features.x.new_zeros(size, 1, dim)
    for columns, ratings in rows.pieces(chunk):
        x = features.x.index_select(0, columns.flatten()).view(size, -1, dim)
        offset = features.offset.index_select(0, columns.flatten()).view(size, -1)
        gram.baddbmm_(x.mT, x, alpha=scale)
        right.baddbmm_(weights.targets(ratings, offset)[:, None], x)
    return gram, right[:, 0]


def _unexplained(rows: Grouped, features: Features, weights: Weights) -> Tensor:
    """The weighted sum of squares with θ = 0, float64."""
    offset, w = features.offset[:-1].double(), weights.unobserved
    at_ratings = offset[rows.columns.long()]
    if w is None:
        return (rows.ratings - at_ratings).square().sum()
    return ((1.0 - at_ratings).square() - w * at_ratings.square()).sum() + w * rows.num_rows * offset.square().sum()


def _solve(gram: Tensor, right: Tensor, ridge: Tensor) -> tuple[Tensor, Tensor]:
    """θ (B, d) and the ridge that was used (B,), more than asked for only where rounding needs it; ``gram`` is changed."""
    diagonal = gram.diagonal(dim1=1, dim2=2)
    mean = diagonal.mean(1)
    used = torch.maximum(ridge, _FLOOR * mean)
    used = torch.where(used > 0, used, 1.0)  # a row without ratings and without ridge: θ = 0
    diagonal += used[:, None]
    factor, failed = torch.linalg.cholesky_ex(gram)
    if failed.any():
        bad = failed > 0
        more = torch.where(bad, _SHAKY * mean, 0.0)
        diagonal += more[:, None]
        used = used + more
        factor = torch.linalg.cholesky_ex(gram)[0]
    return torch.cholesky_solve(right[:, :, None], factor)[:, :, 0], used
