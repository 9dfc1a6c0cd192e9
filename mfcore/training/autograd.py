"""The engine for everything: PyTorch, a batch at a time."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import numpy.typing as npt
from torch import Tensor

from mfcore.training.by_hand import GradientsByHand, can_be_by_hand
from mfcore.training.losses import batch_loss, pairs
from mfcore.training.optimizers import set_rate
from mfcore.training.penalty import Penalty
from mfcore.training.samples import Samples
from mfcore.training.stepper import Stepper
from mfcore.training.workbench import Workbench

_SECONDS = 0.02  # what a stretch should take
_MOST_BATCHES = 4096


class Gradients:
    """Puts the gradients of a batch into ``.grad``: any model and loss, by autograd."""

    def __init__(self, bench: Workbench) -> None:
        self._model, self._loss = bench.model, bench.config.loss
        self._penalty = Penalty(bench)
        self._parameters = list(bench.model.parameters())

    def __call__(self, batch: Samples) -> Tensor:
        """The mean loss of the batch, a scalar without L2."""
        loss, rows = batch_loss(self._model, self._loss, batch)
        total = loss + self._penalty.of(rows, pairs(self._loss, batch)) if self._penalty.on else loss
        # Without a gradient there, autograd hands over the one it computed instead of adding to it.
        for parameter in self._parameters:
            parameter.grad = None
        total.backward()  # type: ignore[no-untyped-call]
        return loss.detach()


class AutogradEngine:
    """One batch at a time: any model, loss, optimizer and device.

    ``plain`` forgoes what makes it fast, and computes the same (MF and biased MF: up to rounding).
    """

    name = "autograd"

    def __init__(self, bench: Workbench, *, plain: bool = False) -> None:
        self.config, self.optimizers, self.meter = bench.config, bench.optimizers, bench.meter
        self.stretch = self.config.batch_size
        self.by_hand = not plain and can_be_by_hand(bench.model, bench.config)
        self._gradients = GradientsByHand(bench) if self.by_hand else Gradients(bench)
        self._stepper = Stepper(bench.optimizers)

    def train(self, part: Samples, rates: npt.NDArray[np.float64]) -> tuple[int, float] | None:
        started = perf_counter()
        batches = part.split(self.config.batch_size)
        losses = [self.step(batch, rate) for batch, rate in zip(batches, rates.tolist(), strict=True)]
        set_rate(self.optimizers, float(rates[-1]))
        bad_loss = self.meter.add_many(losses, [len(batch) for batch in batches])
        wanted = int(len(batches) * _SECONDS / (perf_counter() - started))
        self.stretch = self.config.batch_size * min(max(wanted, 1), _MOST_BATCHES)
        return bad_loss

    def step(self, batch: Samples, rate: float) -> Tensor:
        """Train one batch; returns its mean loss, a scalar."""
        loss = self._gradients(batch)
        self._stepper.step(rate)
        return loss
