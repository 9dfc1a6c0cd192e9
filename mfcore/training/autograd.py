"""The engine for everything: PyTorch's autograd, a batch at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mfcore.training.losses import batch_loss, pairs
from mfcore.training.optimizers import decoupled_decay, set_rate, take_step, zero_gradients
from mfcore.training.regularisation import decay_per_row
from mfcore.training.samples import Samples
from mfcore.training.workbench import Workbench


class AutogradEngine:
    """One batch at a time, any model, loss, optimizer and device."""

    name = "autograd"

    def __init__(self, bench: Workbench) -> None:
        self.model, self.config, self.optimizers, self.meter = bench.model, bench.config, bench.optimizers, bench.meter
        self.stretch = self.config.batch_size
        self._penalised = self.config.weight_decay > 0 and not decoupled_decay(self.config)
        self._decay: tuple[Tensor, ...] = ()
        if self._penalised and self.config.weight_decay_scaling != "none":
            decays = decay_per_row(self.config, bench.train)
            self._decay = tuple(torch.from_numpy(decay).to(self.model.device) for decay in decays)

    def train(self, part: Samples, rates: npt.NDArray[np.float64]) -> tuple[int, float] | None:
        set_rate(self.optimizers, float(rates[0]))
        loss, rows = batch_loss(self.model, self.config.loss, part)
        total = loss + self._penalty(part, rows) if self._penalised else loss
        zero_gradients(self.optimizers)
        total.backward()  # type: ignore[no-untyped-call]
        take_step(self.optimizers)
        return self.meter.add(loss, len(part))

    def _penalty(self, part: Samples, rows: tuple[Tensor, ...]) -> Tensor:
        if not self._decay:
            return self.config.weight_decay * self.model.penalty(rows)
        by_user, by_item = self._decay
        users, items = pairs(self.config.loss, part)
        return self.model.penalty(rows, (by_user[users], by_item[items]))
