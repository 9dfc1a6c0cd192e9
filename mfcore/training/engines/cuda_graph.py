"""Steps on an NVIDIA GPU, recorded once and replayed.

A step of these models is some fifty small kernels, and starting each from Python takes longer than it runs. A CUDA graph starts
all of them with one call (PyTorch's "whole-network capture"). What changes from step to step, the batch and the learning rate,
is therefore read from tensors that stay where they are, at a place counted on the GPU itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from mfcore.registry import LOSSES, OPTIMIZERS
from mfcore.training.confidence import weighs
from mfcore.training.config import TrainConfig
from mfcore.training.engines.base import TrainingContext
from mfcore.training.engines.fused_step import Stepper, is_fused
from mfcore.training.optimizers import gradients_are_sparse
from mfcore.training.samples import Samples
from mfcore.typing import Float64

Step = Callable[[], None]
Recorder = Callable[[Step], Step]
"""Runs a step a few times and returns what does it again."""

_BATCHES = 64  # played in one go, so that commands are heard in between
_MOST_SAMPLES = 1 << 22
_WARM_UPS = 3


def record(step: Step) -> Step:
    """Record what ``step`` does on the GPU; the result does it again. ``step`` is run a few times first.

    Raises:
        RuntimeError: something in it cannot be recorded, or memory ran out.
    """
    # Libraries choose their kernels in the first runs, which must not happen while recording, nor on the main stream.
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def recorder_for(device: torch.device) -> Recorder | None:
    """What records steps on ``device``; None where nothing would be gained."""
    return record if device.type == "cuda" else None


def why_not_recorded(context: TrainingContext) -> str:
    """What keeps steps from being recorded, in words; empty if nothing does."""
    if gradients_are_sparse(context.config):
        return "sparse gradients have a size of their own each time"
    spec = OPTIMIZERS[context.config.optimizer]
    if not (spec.recordable and all(is_fused(optimizer) for optimizer in context.optimizers)):
        return f"{spec.label} cannot be recorded"
    if context.model.config.dropout > 0 and hasattr(context.model, "tower"):
        return "dropout draws anew in each step"
    return ""


class RecordedSteps:
    """Plays full batches; what they compute is what ``gradients`` and ``stepper`` do, learning rates rounded to float32.

    Once the optimizers' state is in other tensors (a checkpoint was loaded), it is of no use any more.

    Args:
        gradients: puts the gradients of a batch into ``.grad`` and returns its mean loss.
        recorder: such as :func:`record`.

    Attributes:
        num_batches: how many fit into one :meth:`play`.
    """

    def __init__(
        self,
        context: TrainingContext,
        gradients: Callable[[Samples], Tensor],
        stepper: Stepper,
        recorder: Recorder = record,
    ) -> None:
        self._model, self._optimizers, self._size = context.model, context.optimizers, context.config.batch_size
        self._gradients, self._stepper = gradients, stepper
        self.num_batches = max(1, min(_BATCHES, _MOST_SAMPLES // self._size))
        self._samples = _room_for(self.num_batches * self._size, context.config, context.model.device)
        self._rates = torch.zeros(self.num_batches, device=context.model.device)
        self._losses = torch.zeros(self.num_batches, device=context.model.device)
        self._place = torch.zeros(1, dtype=torch.int64, device=context.model.device)
        self._offsets = torch.arange(self._size, device=context.model.device)
        self._replay = self._record(recorder)

    def play(self, part: Samples, rates: Float64) -> Tensor:
        """Train ``part``, at most ``num_batches`` full batches. rates (batches,) → mean losses (batches,) on the device."""
        assert not self._stepper.stale()
        self._samples.put(part)
        self._rates[: len(rates)] = torch.from_numpy(rates.astype(np.float32))
        self._place.zero_()
        for _ in range(len(rates)):
            self._replay()
        return self._losses[: len(rates)].clone()

    def _step(self) -> None:
        rows = self._place * self._size + self._offsets
        loss = self._gradients(self._samples.take(rows))
        self._stepper.step(self._rates.index_select(0, self._place)[0])
        self._losses.index_copy_(0, self._place, loss.view(1))
        self._place.add_(1).remainder_(self.num_batches)  # runs before the recording must stay inside, too

    def _record(self, recorder: Recorder) -> Step:
        """Record a step and leave weights and optimizers as they were, although it had to be run."""
        kept = _Kept(self._model, self._optimizers)
        try:
            self._gradients(self._samples.take(self._offsets))
            self._stepper.step(0.0)  # makes the optimizers' state, where there is none
            return recorder(self._step)
        finally:
            kept.put_back()
            self._stepper.collect()


class _Kept:
    """Weights, state and rates of one moment, to be put back into the same tensors."""

    def __init__(self, model: torch.nn.Module, optimizers: list[Optimizer]) -> None:
        self._optimizers = optimizers
        self._weights = [(parameter, parameter.detach().clone()) for parameter in model.parameters()]
        self._rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
        self._state = [_tensors_of(optimizer, torch.clone) for optimizer in optimizers]

    @torch.no_grad()
    def put_back(self) -> None:
        for parameter, weights in self._weights:
            parameter.copy_(weights)
        for optimizer, rates, state in zip(self._optimizers, self._rates, self._state, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate
            for where, tensor in _tensors_of(optimizer, lambda tensor: tensor).items():
                # What was not there before begins at zero, as each optimizer's own first step has it.
                tensor.copy_(state[where]) if where in state else tensor.zero_()


def _tensors_of(optimizer: Optimizer, what: Callable[[Tensor], Tensor]) -> dict[tuple[Tensor, str], Tensor]:
    return {
        (parameter, name): what(value)
        for parameter, entries in optimizer.state.items()
        for name, value in entries.items()
        if isinstance(value, Tensor)
    }


def _room_for(count: int, config: TrainConfig, device: torch.device) -> Samples:
    indices = torch.zeros(count, dtype=torch.int64, device=device)
    none, no_floats = torch.empty(0, dtype=torch.int64, device=device), torch.empty(0, device=device)
    # Ones, which stay where equal counts come without weights.
    weight = torch.ones(count, device=device) if weighs(config) else no_floats
    if LOSSES[config.loss].pairs:
        return Samples(indices, indices.clone(), no_floats, indices.clone(), weight)
    return Samples(indices, indices.clone(), torch.zeros(count, device=device), none, weight)
