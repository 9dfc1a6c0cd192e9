"""One half of a sweep on the processor, compiled: solutions as by :mod:`mfcore.training.engines.als.solve`, up to rounding."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mfcore.training.engines.als.kernels import AT_ONCE, LANES, Desk, Rows, Still, begin, solve
from mfcore.training.engines.als.layout import Grouped
from mfcore.training.engines.als.problem import Features, Weights
from mfcore.typing import Int64

_PIECE = 2e7  # multiplications in a row, about a millisecond


class CompiledSolver:
    """Rows are given out to ``threads`` threads in pieces. Each is solved by itself, so their number changes no bit."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "als") if threads > 1 else None

    def __call__(self, rows: Grouped, features: Features, weights: Weights, ridge: Tensor) -> tuple[Tensor, Tensor]:
        """As :func:`mfcore.training.engines.als.solve.solve_rows`."""
        dim = features.x.shape[1]
        asked = Rows(rows.starts, rows.columns.numpy(), rows.ratings.numpy(), ridge.numpy())
        still = _still(features, weights)
        theta, left = _table(rows.num_rows, still.x.shape[1]), np.zeros(rows.num_rows)

        def work(piece: tuple[int, int]) -> None:
            width = still.x.shape[1]
            desk = Desk(*(_table(*shape).numpy() for shape in ((width, width), (AT_ONCE, width), (width,), (width,))))
            solve(*piece, asked, still, desk, theta.numpy(), left)

        run = map if self._pool is None else self._pool.map
        for _ in run(work, pairwise(_pieces(rows.starts, dim))):
            pass
        rest = left.sum()
        if weights.unobserved is not None:
            rest += weights.unobserved * rows.num_rows * np.square(still.offset[:-1], dtype=np.float64).sum()
        return theta[:, :dim], torch.tensor(rest, dtype=torch.float64)


def _still(features: Features, weights: Weights) -> Still:
    dim, w = features.x.shape[1], weights.unobserved
    x = _padded(features.x)
    gram, right = _table(x.shape[1], x.shape[1]).numpy(), _table(x.shape[1]).numpy()
    still = Still(x.numpy(), features.offset.numpy(), gram, right, dim, np.float32(-1.0 if w is None else w))
    if w is not None:
        begin(still)
    return still


def _padded(x: Tensor) -> Tensor:
    more = -x.shape[1] % LANES
    return torch.nn.functional.pad(x, (0, more)) if more else x.contiguous()


def _table(*shape: int) -> Tensor:
    # By PyTorch because it begins tables where cache lines begin; in the middle of one each access takes two.
    width = -(-shape[-1] // LANES) * LANES
    return torch.zeros(*shape[:-1], width)


def _pieces(starts: Int64, dim: int) -> Int64:
    """Where each piece of rows begins, and the end of the last: pieces of about the same work, of one row at least."""
    work = starts * (dim * dim / 2) + np.arange(len(starts)) * (dim**3 / 6 + dim * dim)
    cuts = np.searchsorted(work, np.arange(0.0, work[-1], _PIECE))
    return np.unique(np.append(cuts, len(starts) - 1))


def load_kernels() -> None:
    """Compile the kernels, or load what an earlier process compiled."""
    table, column = _table(1, 1).numpy(), np.zeros(1, dtype=np.float32)  # no row, and nothing held still
    asked = Rows(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), column[:0], column[:0])
    still = Still(table, column, table, column, 1, np.float32(0.0))
    begin(still)
    solve(0, 0, asked, still, Desk(table, table, column, column), table, np.zeros(1))
