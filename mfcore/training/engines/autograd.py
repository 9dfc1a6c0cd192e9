"""The engine for everything: PyTorch, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from torch import Tensor

from mfcore.training.engines.cuda_graph import RecordedSteps, why_not_recorded, worth_recording
from mfcore.training.engines.fused_step import Stepper
from mfcore.training.engines.workbench import Workbench
from mfcore.training.engines.written_gradients import GradientsByHand, can_be_by_hand
from mfcore.training.losses import batch_loss, pairs
from mfcore.training.optimizers import set_rate
from mfcore.training.penalty import Penalty
from mfcore.training.samples import Samples
from mfcore.typing import Float64

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

    Attributes:
        note: what makes its steps fast here, or keeps them from being so; empty if there is nothing to tell.
    """

    name = "autograd"

    def __init__(self, bench: Workbench) -> None:
        self._bench, self.config, self.optimizers, self.meter = bench, bench.config, bench.optimizers, bench.meter
        self.stretch, self.note = self.config.batch_size, ""
        self._stepper = Stepper(bench.optimizers)
        self._gradients: Callable[[Samples], Tensor] = Gradients(bench)
        self._recorded: RecordedSteps | None = None
        if can_be_by_hand(bench.model, bench.config):  # the same up to rounding
            self._gradients, self.note = GradientsByHand(bench), "gradients written out"
        elif worth_recording(bench.model.device):
            self._try_recording()

    def train(self, part: Samples, rates: Float64) -> tuple[int, float] | None:
        started = perf_counter()
        batches = part.split(self.config.batch_size)
        played = self._play(part, rates)
        losses = [
            *played,
            *(self.step(*left) for left in zip(batches[len(played) :], rates[len(played) :].tolist(), strict=True)),
        ]
        set_rate(self.optimizers, float(rates[-1]))
        bad_loss = self.meter.add_many(losses, [len(batch) for batch in batches])
        if self._recorded is None:
            wanted = int(len(batches) * _SECONDS / (perf_counter() - started))
            self.stretch = self.config.batch_size * min(max(wanted, 1), _MOST_BATCHES)
        return bad_loss

    def step(self, batch: Samples, rate: float) -> Tensor:
        """Train one batch; returns its mean loss, a scalar."""
        loss = self._gradients(batch)
        self._stepper.step(rate)
        return loss

    def _play(self, part: Samples, rates: Float64) -> list[Tensor]:
        """Train the full batches of ``part`` from the recording, if there is one; returns their losses."""
        full = len(part) // self.config.batch_size
        if self._recorded is not None and self._stepper.stale():
            self._try_recording()
        if self._recorded is None or full == 0:
            return []
        return list(self._recorded.play(part.slice(0, full * self.config.batch_size), rates[:full]).unbind())

    def _try_recording(self) -> None:
        self._recorded, why_not = None, why_not_recorded(self._bench)
        try:
            if not why_not:
                self._recorded = RecordedSteps(self._bench, self._gradients, self._stepper)
                self.stretch = self._recorded.num_batches * self.config.batch_size
        except RuntimeError as error:
            why_not = f"recording one failed ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        self.note = f"steps are started one by one, because {why_not}" if why_not else "steps are replayed as a CUDA graph"
