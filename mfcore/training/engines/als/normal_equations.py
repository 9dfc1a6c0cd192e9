"""What alternating least squares solves, and how PyTorch solves it: a ridge regression for every row of one side, the other
side held fixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mfcore.typing import Float32, Int64

_FLOOR = 1e-6  # of a matrix's mean diagonal: the least ridge a float32 Cholesky stands on
_SHAKY = 1e-4
_FULLNESS = 0.75  # of a chunk's cells at least this share holds ratings, long rows apart
_SHORT = 8  # rows up to this length share a chunk whatever their lengths
_CPU_FLOATS = 1 << 19  # 2 MB stay in the processor's cache
_GPU_FLOATS = 1 << 26  # 256 MB


@dataclass(frozen=True)
class Features:
    """What one side looks like to a row of the other: r̂ = offset + x·θ, with x a vector and, with biases, a 1 after it.

    Attributes:
        x: (n + 1, d) float32; the last row is zero, so that cells without a rating add nothing.
        offset: (n + 1,) float32, the part of the prediction that θ does not change: mean rating and bias.
    """

    x: Tensor
    offset: Tensor

    @classmethod
    def of(cls, vectors: Tensor, bias: Tensor | None, mean: Tensor) -> Features:
        """vectors (n, k), bias (n, 1) or None, mean a scalar → d = k, with biases k + 1."""
        parts = [vectors] if bias is None else [vectors, torch.ones_like(bias)]
        x = torch.nn.functional.pad(torch.cat(parts, 1), (0, 0, 0, 1))
        offset = mean.expand(len(vectors)) if bias is None else mean + bias[:, 0]
        return cls(x, torch.nn.functional.pad(offset, (0, 1)))


@dataclass(frozen=True)
class Weights:
    """How much each cell of the matrix counts.

    ``unobserved`` None: only what was rated counts, and the targets are the ratings (Zhou et al. 2008). A number w: every
    chosen cell counts 1, or its confidence c, with target 1, every other cell w with target 0 (Hu, Koren & Volinsky 2008).
    """

    unobserved: float | None

    def of_rows(self, rows: Grouped) -> Tensor:
        """The summed weight of every row's cells: (n,) float32."""
        counts = rows.counts
        if self.unobserved is None:
            return counts.float()
        chosen = counts if rows.confidence is None else rows.sums_of(rows.confidence)
        return chosen + self.unobserved * (rows.num_columns - counts)

    def targets(self, ratings: Tensor, offset: Tensor, confidence: Tensor | None = None) -> Tensor:
        """What stands in Xᵀy for each rated cell: (B, l) float32, all arguments and the result."""
        if self.unobserved is None:
            return ratings - offset
        if confidence is None:
            return 1.0 - (1.0 - self.unobserved) * offset
        return confidence - (confidence - self.unobserved) * offset


@dataclass(frozen=True)
class Chunk:
    """Rows that are solved together. rows, starts, counts: (B,) int64; ``length``: the most ratings any of them has."""

    rows: Tensor
    starts: Tensor
    counts: Tensor
    length: int


class Grouped:
    """The ratings of one side: of all users, or of all items.

    Attributes:
        num_rows: users (or items); num_columns: of the other side.
        columns: (n,) int32 index on the other side of every rating, row after row; ratings: (n,) float32; confidence: (n,)
            float32 what each weighs, or None for 1.
        counts: (num_rows,) int64 ratings of each row.
        starts: (num_rows + 1,) int64 on the CPU, where each row's ratings begin, and the end of the last.
    """

    def __init__(
        self,
        row: Int64,
        column: Int64,
        rating: Float32,
        shape: tuple[int, int],
        dim: int,
        device: torch.device,
        floats: int | None = None,
        confidence: Float32 | None = None,
    ) -> None:
        self.num_rows, self.num_columns = shape
        order = row.argsort(kind="stable")
        self.columns = torch.from_numpy(column[order].astype(np.int32)).to(device)
        self.ratings = torch.from_numpy(rating[order]).to(device)
        self.confidence = None if confidence is None else torch.from_numpy(confidence[order]).to(device)
        counts = np.bincount(row, minlength=self.num_rows)
        self.counts = torch.from_numpy(counts).to(device)
        self.starts = np.append(0, counts.cumsum())
        self._floats = floats or (_CPU_FLOATS if device.type == "cpu" else _GPU_FLOATS)
        self._dim = dim
        self._device = device

    @cached_property
    def chunks(self) -> list[Chunk]:
        """Every row in exactly one, those without ratings too."""
        return list(self._cut(np.diff(self.starts)))

    def sums_of(self, values: Tensor) -> Tensor:
        """(num_rows,) float32 sums of values (n,), one a rating, over each row; the same bits each time."""
        sums = np.add.reduceat(np.append(values.cpu().numpy().astype(np.float64), 0.0), self.starts[:-1])
        return torch.from_numpy(np.where(np.diff(self.starts) > 0, sums, 0.0).astype(np.float32)).to(values.device)

    def pieces(self, chunk: Chunk) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Columns (B, l) int32, ratings and confidences (B, l) float32 of a chunk, few enough at once to fit the memory meant
        for them.

        Cells beyond a row's last rating hold the column ``num_columns``, the rating 0 and any confidence.
        """
        step = max(1, self._floats // (len(chunk.rows) * self._dim))
        for first in range(0, max(chunk.length, 1), step):
            place = torch.arange(first, min(first + step, max(chunk.length, 1)), device=self.columns.device)
            filled = place < chunk.counts[:, None]
            where = torch.where(filled, chunk.starts[:, None] + place, 0)
            columns = torch.where(filled, self.columns[where], self.num_columns)
            sure = None if self.confidence is None else self.confidence[where]
            yield columns, torch.where(filled, self.ratings[where], 0.0), sure

    def _cut(self, counts: Int64) -> Iterator[Chunk]:
        by_length = np.argsort(-counts, kind="stable")
        lengths = counts[by_length]
        first = 0
        while first < self.num_rows:
            length = int(lengths[first])
            shortest = 0 if length <= _SHORT else int(np.ceil(length * _FULLNESS))
            similar = int(np.searchsorted(-lengths, -shortest, side="right"))
            fit = max(1, self._floats // (self._dim * max(length, self._dim)))
            rows = np.sort(by_length[first : min(similar, first + fit)])
            on_device = [torch.from_numpy(part).to(self._device) for part in (rows, self.starts[rows], counts[rows])]
            yield Chunk(on_device[0], on_device[1], on_device[2], length)
            first += len(rows)


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
    for columns, ratings, sure in rows.pieces(chunk):
        x = features.x.index_select(0, columns.flatten()).view(size, -1, dim)
        offset = features.offset.index_select(0, columns.flatten()).view(size, -1)
        if sure is None or weights.unobserved is None:
            gram.baddbmm_(x.mT, x, alpha=scale)
        else:
            gram.baddbmm_(x.mT, x * (sure - weights.unobserved)[:, :, None])
        right.baddbmm_(weights.targets(ratings, offset, sure)[:, None], x)
    return gram, right[:, 0]


def _unexplained(rows: Grouped, features: Features, weights: Weights) -> Tensor:
    """The weighted sum of squares with θ = 0, float64."""
    offset, w = features.offset[:-1].double(), weights.unobserved
    at_ratings = offset[rows.columns.long()]
    if w is None:
        return (rows.ratings - at_ratings).square().sum()
    missed = (1.0 - at_ratings).square()
    if rows.confidence is not None:
        missed = rows.confidence.double() * missed
    return (missed - w * at_ratings.square()).sum() + w * rows.num_rows * offset.square().sum()


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
