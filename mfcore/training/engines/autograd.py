"""The engine for everything: PyTorch, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mfcore.models.base import RecommenderModel
from mfcore.models.dot import MF, BiasedMF
from mfcore.registry import LOSSES
from mfcore.training.config import TrainConfig
from mfcore.training.engines.base import ONE_BY_ONE, TrainingContext, is_dot_product
from mfcore.training.engines.cuda_graph import RecordedSteps, Recorder, recorder_for, why_not_recorded
from mfcore.training.engines.fused_step import Stepper
from mfcore.training.losses import batch_loss, mean_and_slope, pairs
from mfcore.training.optimizers import gradients_are_sparse, set_rate
from mfcore.training.samples import Samples
from mfcore.training.weight_decay import L2Penalty
from mfcore.typing import Float64

_MOST_BATCHES = 4096


class AutogradEngine:
    """One batch at a time: any model, loss, optimizer and device.

    Args:
        written: whether gradients are written out instead of found by autograd; None: wherever they can be.
        recorder_for: what records steps on a device, as :func:`mfcore.training.engines.cuda_graph.recorder_for`.

    Attributes:
        note: what makes its steps fast here, or keeps them from being so; empty if there is nothing to tell.
    """

    name = "autograd"

    def __init__(
        self,
        context: TrainingContext,
        *,
        written: bool | None = None,
        recorder_for: Callable[[torch.device], Recorder | None] = recorder_for,
    ) -> None:
        self._context, self.config, self.optimizers, self.meter = context, context.config, context.optimizers, context.meter
        self.stretch, self.note = self.config.batch_size, ""
        self._stepper = Stepper(context.optimizers)
        self._gradients: Callable[[Samples], Tensor] = AutogradGradients(context)
        self._recorder = recorder_for(context.model.device)
        self._recorded: RecordedSteps | None = None
        if can_be_written(context.model, context.config) if written is None else written:
            self._gradients, self.note = WrittenGradients(context), "gradients written out"
        elif self._recorder is not None:
            self._record(self._recorder)

    @staticmethod
    def why_not(model: RecommenderModel, config: TrainConfig, device: torch.device) -> str:
        return ""

    def reason(self, declined: str) -> str:
        alone = self.config.batch_size == 1
        why = f", {'because ' if alone else ''}{declined}" if declined else ""
        advice = "; batch_size 1024 is far faster" if alone else ""
        return f"{ONE_BY_ONE if alone else ''}PyTorch{why}{advice}{'; ' if self.note else ''}{self.note}"

    def train(self, part: Samples, rates: Float64) -> tuple[int, float] | None:
        limits = self._context.limits
        started = limits.clock()
        batches = part.split(self.config.batch_size)
        played = self._play(part, rates)
        losses = [
            *played,
            *(self.step(*left) for left in zip(batches[len(played) :], rates[len(played) :].tolist(), strict=True)),
        ]
        set_rate(self.optimizers, float(rates[-1]))
        bad_loss = self.meter.add_many(losses, [len(batch) for batch in batches])
        if self._recorded is None:
            wanted = int(len(batches) * limits.stretch_seconds / (limits.clock() - started))
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
        if self._recorder is not None and self._recorded is not None and self._stepper.stale():
            self._record(self._recorder)
        if self._recorded is None or full == 0:
            return []
        return list(self._recorded.play(part.slice(0, full * self.config.batch_size), rates[:full]).unbind())

    def _record(self, recorder: Recorder) -> None:
        self._recorded, why_not = None, why_not_recorded(self._context)
        try:
            if not why_not:
                self._recorded = RecordedSteps(self._context, self._gradients, self._stepper, recorder)
                self.stretch = self._recorded.num_batches * self.config.batch_size
        except RuntimeError as error:
            why_not = f"recording one failed ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        self.note = f"steps are started one by one, because {why_not}" if why_not else "steps are replayed as a CUDA graph"


class AutogradGradients:
    """Puts the gradients of a batch into ``.grad`` and returns its mean loss, a scalar without L2: any model and loss."""

    def __init__(self, context: TrainingContext) -> None:
        self._model, self._loss = context.model, context.config.loss
        self._penalty = L2Penalty(context)
        self._parameters = list(context.model.parameters())

    def __call__(self, batch: Samples) -> Tensor:
        loss, rows = batch_loss(self._model, self._loss, batch)
        total = loss + self._penalty.of(rows, pairs(self._loss, batch)) if self._penalty.on else loss
        # Without a gradient there, autograd hands over the one it computed instead of adding to it.
        for parameter in self._parameters:
            parameter.grad = None
        total.backward()  # type: ignore[no-untyped-call]
        return loss.detach()


def can_be_written(model: RecommenderModel, config: TrainConfig) -> bool:
    """Whether :class:`WrittenGradients` can take this: dot products with dense gradients, on the CPU."""
    # On a GPU index_add_ adds in any order, and captured steps leave nothing to gain.
    return is_dot_product(model) and model.device.type == "cpu" and not gradients_are_sparse(config)


class WrittenGradients:
    """As :class:`AutogradGradients`, written out for dot products, without the bookkeeping; equal up to rounding.

    The tensors are kept from step to step. With s = ∂loss/∂score of each pair (u, i) of the batch and B pairs,
    ∂/∂p_u = Σ s·q_i + 2λp_u/B over the pairs of user u, and likewise for q_i; biases get Σ s + 2λb/B.
    """

    def __init__(self, context: TrainingContext) -> None:
        model = context.model
        assert isinstance(model, MF)
        self._model, self._loss = model, context.config.loss
        self._factors = model.user_factors, model.item_factors
        self._biases: tuple[nn.Parameter, ...] = ()
        if isinstance(model, BiasedMF):
            self._biases = model.user_bias, model.item_bias
        self._gradients = {parameter: torch.zeros_like(parameter) for parameter in (*self._factors, *self._biases)}
        self._penalty = L2Penalty(context)

    @torch.no_grad()
    def __call__(self, batch: Samples) -> Tensor:
        for parameter, gradient in self._gradients.items():
            gradient.zero_()
            parameter.grad = gradient
        index = pairs(self._loss, batch)
        decays = self._penalty.slopes(index)
        p, q = (table.index_select(0, rows) for table, rows in zip(self._factors, index, strict=True))
        biases = [bias.view(-1).index_select(0, rows) for bias, rows in zip(self._biases, index, strict=False)]
        loss, slope = self._loss_and_slope(p, q, biases, batch)
        for bias, rows, held, decay in zip(self._biases, index, biases, decays, strict=False):
            # In a pair of BPR the user's bias is in both scores: exactly nothing is left; adding would leave roundings.
            own = torch.zeros_like(slope) if LOSSES[self._loss].pairs and bias is self._biases[0] else slope.clone()
            self._gradients[bias].view(-1).index_add_(0, rows, _pulled(own, held, decay))
        column = slope[:, None]
        to_item = _pulled(p * column, q, decays[1])
        to_user = _pulled(q.mul_(column), p, decays[0])
        for table, rows, change in zip(self._factors, index, (to_user, to_item), strict=True):
            self._gradients[table].index_add_(0, rows, change)
        return loss

    def _loss_and_slope(self, p: Tensor, q: Tensor, biases: list[Tensor], batch: Samples) -> tuple[Tensor, Tensor]:
        raw = torch.linalg.vecdot(p, q) + self._model.global_mean
        for bias in biases:
            raw += bias
        if not self._model.config.output_range:
            return mean_and_slope(self._loss, raw, batch)
        share, span = torch.sigmoid(raw), self._model.high - self._model.low
        loss, slope = mean_and_slope(self._loss, self._model.low + span * share, batch)
        return loss, slope * (span * share * (1.0 - share))


def _pulled(slope: Tensor, value: Tensor, decay: float | Tensor) -> Tensor:
    """slope + decay × value, in place. slope, value: (B, d) or (B,); decay: a number or (B,)."""
    if isinstance(decay, Tensor):
        return slope.addcmul_(value, decay if value.ndim == 1 else decay[:, None])
    return slope.add_(value, alpha=decay) if decay else slope
