"""What alternating least squares solves: a ridge regression for every row of one side, the other side held still."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


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
    chosen cell counts 1 with target 1, every other cell w with target 0 (Hu, Koren & Volinsky 2008).
    """

    unobserved: float | None

    def of_rows(self, counts: Tensor, num_columns: int) -> Tensor:
        """The summed weight of every row's cells: (n,) float32."""
        if self.unobserved is None:
            return counts.float()
        return counts + self.unobserved * (num_columns - counts)

    def targets(self, ratings: Tensor, offset: Tensor) -> Tensor:
        """What stands in Xᵀy for each rated cell: (B, l) float32, both arguments and the result."""
        return ratings - offset if self.unobserved is None else 1.0 - (1.0 - self.unobserved) * offset
