"""The compiled engine, as the trainer sees it. What needs numba is loaded when an engine is made."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mfcore.models.base import RecommenderModel
from mfcore.registry import LOSSES, OPTIMIZERS, load
from mfcore.training.confidence import weighs
from mfcore.training.config import TrainConfig
from mfcore.training.engines.base import ONE_BY_ONE, TrainingContext, is_dot_product, load_kernels
from mfcore.training.losses import BPR, Logistic, SquaredError
from mfcore.training.optimizers import adagrad, set_rate, sgd
from mfcore.training.samples import Samples
from mfcore.training.weight_decay import decay_per_row
from mfcore.typing import Float32, Float64

if TYPE_CHECKING:
    from mfcore.training.engines.sgd_compiled.partition import Columns

KERNELS = "mfcore.training.engines.sgd_compiled.partition"
_FEWEST, _AT_FIRST = 256, 4096  # samples of a stretch
_NONE = np.zeros((0, 1), dtype=np.float32)


class Tables(NamedTuple):
    """One array per table of the model: factors (n, d), biases (n, 1); (0, 1) where the model has no biases. float32.

    The same shape holds Adagrad's sums of squared gradients; for SGD those are all empty.
    """

    user_factors: Float32
    item_factors: Float32
    user_bias: Float32
    item_bias: Float32

    @classmethod
    def of(cls, model: RecommenderModel, part: Callable[[Tensor], Tensor | None]) -> Tables:
        """``part`` of every table of the model; empty where it is None."""
        parameters = (getattr(model, name, None) for name in cls._fields)
        parts = (None if parameter is None else part(parameter) for parameter in parameters)
        return cls(*(_NONE if tensor is None else tensor.numpy() for tensor in parts))


class Rule(NamedTuple):
    """What a step is made of.

    ``loss``: its code in the kernels. ``base``: constant part of every score (μ). ``low``, ``span``: the output range;
    ``span`` 0 squeezes nothing. ``factor_rate``, ``bias_rate``: multipliers of the learning rate. ``user_decay``
    (num_users,), ``item_decay`` (num_items,): λ.
    """

    loss: int
    biased: bool
    adagrad: bool
    base: np.float32
    low: np.float32
    span: np.float32
    factor_rate: np.float32
    bias_rate: np.float32
    user_decay: Float32
    item_decay: Float32


Shared = tuple[Tables, Tables, Rule]
Trained = tuple[int, float, float]
"""What the kernels take beside their samples, and what they return: (samples trained, sum of losses, the last loss)."""

# What is compiled, by what does it: a name may come to stand for something else.
_LOSSES = {SquaredError: "MSE", Logistic: "BCE", BPR: "BPR"}
"""Class → its code in the kernels."""
_OPTIMIZERS = {sgd: False, adagrad: True}
"""What builds it → whether it keeps sums of squared gradients."""


class CompiledSgdEngine:
    """One sample at a time, MF and BiasedMF, SGD and Adagrad, on the CPU.

    Weights and Adagrad's sums are those of model and optimizer, changed in place. With ``config.hogwild`` several threads
    train them without locks, see :class:`~.partition.PartitionedSgd`, unless there is so little to train that one is faster.

    Args:
        executor: as :class:`~.partition.PartitionedSgd` takes it.
    """

    name = "native"

    def __init__(self, context: TrainingContext, executor: Executor | None = None) -> None:
        from mfcore.training.engines.sgd_compiled import kernels
        from mfcore.training.engines.sgd_compiled.partition import PartitionedSgd

        self.model, self.config, self.optimizers = context.model, context.config, context.optimizers
        self.meter, self._limits = context.meter, context.limits
        loss = LOSSES[self.config.loss]
        self._loss, self._pairs = getattr(kernels, _LOSSES[load(loss.implementation)]), loss.pairs
        self._adagrad = _OPTIMIZERS[load(OPTIMIZERS[self.config.optimizer].build)]
        self._kernel: Callable[..., Trained] = kernels.train_pairs if self._pairs else kernels.train_points
        self._decays = decay_per_row(self.config, context.train)
        self._samples = len(context.train) * (1 + self.config.negatives if self.config.implicit else 1)
        several = self.config.hogwild and context.threads > 1 and self._samples >= self._limits.fewest_partitioned
        self.stretch, self._partitions = min(_AT_FIRST, self._limits.most_samples), None
        if several:
            self._partitions = PartitionedSgd(context.threads, context.train, executor)
            torch.set_num_threads(1)  # or its own threads would wait for each other beside ours, while drawing and shuffling
            # What is trained in one go decides the order of several threads, so the clock must not have a say in it.
            self.stretch = self._limits.partition_samples * context.threads

    @staticmethod
    def why_not(model: RecommenderModel, config: TrainConfig, device: torch.device) -> str:
        if config.batch_size != 1:
            return f"batches of {config.batch_size:,} ratings"
        if not is_dot_product(model):
            return "only MF and biased MF are compiled"
        if device.type != "cpu":
            return f"compiled code runs on the CPU, not on {device}"
        if load(OPTIMIZERS[config.optimizer].build) not in _OPTIMIZERS:
            return f"only SGD and Adagrad are compiled, not {OPTIMIZERS[config.optimizer].label}"
        if load(LOSSES[config.loss].implementation) not in _LOSSES:
            return f"loss {config.loss} is not compiled"
        if weighs(config):
            return "compiled code weighs all interactions alike"
        if config.momentum:
            return "momentum moves every vector at every step"
        if config.sparse_gradients:
            return "sparse gradients are PyTorch's"
        if any(p.dtype != torch.float32 or not p.is_contiguous() for p in model.parameters()):
            return "the weights are not plain float32"
        return load_kernels(KERNELS)

    def reason(self, declined: str) -> str:
        reason = f"{ONE_BY_ONE}compiled engine"
        if not self.config.hogwild:
            return reason
        if self._partitions is None:
            return f"{reason}, one thread, which is faster than several for {self._samples:,} samples an epoch"
        repeatable = "not repeatable" if self._pairs else "repeatable with as many"
        return f"{reason}, {self._partitions.threads} threads at once without locks ({repeatable})"

    def train(self, part: Samples, rates: Float64) -> tuple[int, float] | None:
        started = self._limits.clock()
        trained, total, last = self._run(self._columns(part, rates))
        self.meter.set_total(total, trained)
        self._tell_optimizers(float(rates[-1]), trained)
        if not math.isfinite(last):
            return len(part) - trained, last
        if self._partitions is None:
            wanted = int(len(part) * self._limits.stretch_seconds / (self._limits.clock() - started))
            self.stretch = min(max(wanted, _FEWEST), self._limits.most_samples)
        return None

    def _run(self, columns: Columns) -> Trained:
        # Tables are read anew each time: taking up a checkpoint puts other tensors there.
        shared = Tables.of(self.model, Tensor.detach), Tables.of(self.model, self._sum), self._rule()
        if self._partitions is not None:
            return self._partitions.train(self._kernel, columns, shared, self.meter.total)
        everything = np.array([[0, len(columns[0])]])
        return self._kernel(*columns, everything, *shared, self.meter.total)

    def _columns(self, part: Samples, rates: Float64) -> Columns:
        third = part.negative_idx if self._pairs else part.target
        return part.user_idx.numpy(), part.item_idx.numpy(), third.numpy(), rates.astype(np.float32)

    def _sum(self, parameter: Tensor) -> Tensor | None:
        """Adagrad's sum of squared gradients."""
        return self.optimizers[0].state[parameter]["sum"] if self._adagrad else None

    def _rule(self) -> Rule:
        model, number = self.model, np.float32
        multipliers = {group["kind"]: number(group["multiplier"]) for group in self.optimizers[0].param_groups}
        return Rule(
            loss=self._loss,
            biased=hasattr(model, "user_bias"),
            adagrad=self._adagrad,
            base=number(float(model.global_mean)),
            low=number(model.low),
            span=number(model.high - model.low if model.config.output_range else 0.0),
            factor_rate=multipliers["factors"],
            bias_rate=multipliers.get("biases", number(1.0)),
            user_decay=self._decays[0],
            item_decay=self._decays[1],
        )

    def _tell_optimizers(self, rate: float, steps: int) -> None:
        set_rate(self.optimizers, rate)
        if self._adagrad:
            for state in self.optimizers[0].state.values():
                state["step"] += steps
