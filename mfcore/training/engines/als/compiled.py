"""One half of a sweep on the processor, compiled: what :func:`~.normal_equations.solve_rows` finds, up to rounding."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mfcore.training.engines.als.kernels import AT_ONCE, LANES, NONE, FixedSide, Rows, Workspace, add_unobserved, solve
from mfcore.training.engines.als.normal_equations import Features, Grouped, Weights
from mfcore.training.limits import USUAL
from mfcore.typing import Int64


class CompiledSolver:
    """Rows are given out to ``threads`` threads in pieces. Each is solved by itself, so their number changes no bit."""

    def __init__(self, threads: int, piece_operations: float = USUAL.piece_operations) -> None:
        self._piece_operations = piece_operations
        self._pool = ThreadPoolExecutor(threads, "als") if threads > 1 else None

    def __call__(self, rows: Grouped, features: Features, weights: Weights, ridge: Tensor) -> tuple[Tensor, Tensor]:
        """As :func:`~.normal_equations.solve_rows`."""
        dim = features.x.shape[1]
        sure = NONE if rows.confidence is None else rows.confidence.numpy()
        given = Rows(rows.starts, rows.columns.numpy(), rows.ratings.numpy(), ridge.numpy(), sure)
        fixed = _fixed_side(features, weights)
        width = fixed.x.shape[1]
        theta, left = aligned_zeros(rows.num_rows, width), np.zeros(rows.num_rows)

        def work(piece: tuple[int, int]) -> None:
            shapes = (width, width), (AT_ONCE, width), (width,), (width,)
            space = Workspace(*(aligned_zeros(*shape).numpy() for shape in shapes))
            solve(*piece, given, fixed, space, theta.numpy(), left)

        run = map if self._pool is None else self._pool.map
        for _ in run(work, pairwise(pieces(rows.starts, dim, self._piece_operations))):
            pass
        rest = left.sum()
        if weights.unobserved is not None:
            rest += weights.unobserved * rows.num_rows * np.square(fixed.offset[:-1], dtype=np.float64).sum()
        return theta[:, :dim], torch.tensor(rest, dtype=torch.float64)


def _fixed_side(features: Features, weights: Weights) -> FixedSide:
    dim, w = features.x.shape[1], weights.unobserved
    x = _padded(features.x)
    gram, right = aligned_zeros(x.shape[1], x.shape[1]).numpy(), aligned_zeros(x.shape[1]).numpy()
    fixed = FixedSide(x.numpy(), features.offset.numpy(), gram, right, dim, np.float32(-1.0 if w is None else w))
    if w is not None:
        add_unobserved(fixed)
    return fixed


def _padded(x: Tensor) -> Tensor:
    more = -x.shape[1] % LANES
    return torch.nn.functional.pad(x, (0, more)) if more else x.contiguous()


def aligned_zeros(*shape: int) -> Tensor:
    """float32, the last dimension rounded up to a multiple of ``LANES``."""
    # By PyTorch because it begins tables where cache lines begin; in the middle of one each access takes two.
    width = -(-shape[-1] // LANES) * LANES
    return torch.zeros(*shape[:-1], width)


def pieces(starts: Int64, dim: int, operations: float = USUAL.piece_operations) -> Int64:
    """Where each piece of rows begins, and the end of the last: about ``operations`` multiplications, one row at least."""
    work = starts * (dim * dim / 2) + np.arange(len(starts)) * (dim**3 / 6 + dim * dim)
    cuts = np.searchsorted(work, np.arange(0.0, work[-1], operations))
    return np.unique(np.append(cuts, len(starts) - 1))


def load_kernels() -> None:
    """Compile the kernels, or load what an earlier process compiled."""
    table, column = aligned_zeros(1, 1).numpy(), np.zeros(1, dtype=np.float32)  # no row, and nothing held fixed
    given = Rows(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), column[:0], column[:0])
    fixed = FixedSide(table, column, table, column, 1, np.float32(0.0))
    add_unobserved(fixed)
    solve(0, 0, given, fixed, Workspace(table, table, column, column), table, np.zeros(1))
