"""Ratings side by side, row after row, in chunks of rows of about the same length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mfcore.typing import Float32, Int64

_FULLNESS = 0.75  # of a chunk's cells at least this share holds ratings, long rows apart
_SHORT = 8  # rows up to this length share a chunk whatever their lengths
_CPU_FLOATS = 1 << 19  # 2 MB stay in the processor's cache
_GPU_FLOATS = 1 << 26  # 256 MB


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
        columns: (n,) int32 index on the other side of every rating, row after row; ratings: (n,) float32.
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
    ) -> None:
        self.num_rows, self.num_columns = shape
        order = row.argsort(kind="stable")
        self.columns = torch.from_numpy(column[order].astype(np.int32)).to(device)
        self.ratings = torch.from_numpy(rating[order]).to(device)
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

    def pieces(self, chunk: Chunk) -> Iterator[tuple[Tensor, Tensor]]:
        """Columns (B, l) int32 and ratings (B, l) float32 of a chunk, few enough at once to fit the memory meant for them.

        Cells beyond a row's last rating hold the column ``num_columns`` and the rating 0.
        """
        step = max(1, self._floats // (len(chunk.rows) * self._dim))
        for first in range(0, max(chunk.length, 1), step):
            place = torch.arange(first, min(first + step, max(chunk.length, 1)), device=self.columns.device)
            filled = place < chunk.counts[:, None]
            where = torch.where(filled, chunk.starts[:, None] + place, 0)
            yield torch.where(filled, self.columns[where], self.num_columns), torch.where(filled, self.ratings[where], 0.0)

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
