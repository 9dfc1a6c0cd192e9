"""L2 of a batch: as part of a loss for autograd, or as what it adds to gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from mfcore.training.engines.workbench import Workbench
from mfcore.training.optimizers import decoupled_decay
from mfcore.training.weight_decay_rows import decay_per_row


class Penalty:
    """λ(‖p_u‖² + ‖q_i‖² + …) per occurrence of a user and an item in a batch, averaged over its pairs.

    Attributes:
        on: False where there is none, or the optimizer decays weights itself.
    """

    def __init__(self, bench: Workbench) -> None:
        self._model, self._weight = bench.model, bench.config.weight_decay
        self.on = bench.config.weight_decay > 0 and not decoupled_decay(bench.config)
        self._per_row: tuple[Tensor, ...] = ()
        if self.on and bench.config.weight_decay_scaling != "none":
            decays = decay_per_row(bench.config, bench.train)
            self._per_row = tuple(torch.from_numpy(decay).to(bench.model.device) for decay in decays)

    def of(self, rows: tuple[Tensor, ...], index: tuple[Tensor, Tensor]) -> Tensor:
        """The penalty of gathered rows, a scalar. index: users and items of the pairs, (B,) int64 each."""
        if not self._per_row:
            return self._weight * self._model.penalty(rows)
        by_user, by_item = self._per_row
        return self._model.penalty(rows, (by_user[index[0]], by_item[index[1]]))

    def slopes(self, index: tuple[Tensor, Tensor]) -> tuple[float | Tensor, float | Tensor]:
        """2λ/B for the rows of users and of items: a number each, or (B,) where rows differ; 0 where there is no penalty."""
        if not self.on:
            return 0.0, 0.0
        twice = 2.0 / len(index[0])
        if not self._per_row:
            return twice * self._weight, twice * self._weight
        by_user, by_item = self._per_row
        return by_user[index[0]] * twice, by_item[index[1]] * twice
