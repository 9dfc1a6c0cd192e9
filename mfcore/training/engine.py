"""What trains a stretch of samples: PyTorch's autograd, or compiled code where that computes the same faster."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.optim import Optimizer

from mfcore.models.base import RecommenderModel
from mfcore.models.dot import MF, BiasedMF
from mfcore.training.config import OPTIMIZERS, TrainConfig
from mfcore.training.device import resolve_device
from mfcore.training.losses import batch_loss, pairs
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import decoupled_decay, set_rate, take_step, zero_gradients
from mfcore.training.regularisation import decay_per_row
from mfcore.training.samples import Samples

if TYPE_CHECKING:
    from mfcore.data import Interactions

_NATIVE = "mfcore.training.native.engine"
_ONE_BY_ONE = "one rating at a time: "


class Engine(Protocol):
    """Trains samples in their given order, a stretch at a time.

    Both engines keep weights in the model and their state in the optimizers, so that a checkpoint does not depend on which
    one wrote it.

    Attributes:
        name: ``autograd`` or ``native``.
        stretch: samples to give it next; a multiple of the batch size, and little enough that commands are heard in between.
    """

    name: str
    stretch: int

    def train(self, part: Samples, rates: npt.NDArray[np.float64]) -> tuple[int, float] | None:
        """Train ``part`` with one learning rate a step, rates (steps,), and add its losses to the meter.

        Returns None, or the first loss that was NaN or infinite: (steps before the last one of the part, value).
        """


class AutogradEngine:
    """One batch at a time, any model, loss, optimizer and device."""

    name = "autograd"

    def __init__(
        self, model: RecommenderModel, config: TrainConfig, optimizers: list[Optimizer], meter: LossMeter, train: Interactions
    ) -> None:
        self.model, self.config, self.optimizers, self.meter = model, config, optimizers, meter
        self.stretch = config.batch_size
        self._penalised = config.weight_decay > 0 and not decoupled_decay(config)
        self._decay: tuple[Tensor, ...] = ()
        if self._penalised and config.weight_decay_scaling != "none":
            self._decay = tuple(torch.from_numpy(decay).to(model.device) for decay in decay_per_row(config, train))

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


def choose_device(model: RecommenderModel, config: TrainConfig) -> torch.device:
    """As :func:`resolve_device`, but ``auto`` stays on the CPU for what is compiled there: steps of one rating starve a GPU."""
    if config.device.strip().lower() == "auto" and not why_not_native(model, config, torch.device("cpu")):
        return torch.device("cpu")
    return resolve_device(config.device)


def why_not_native(model: RecommenderModel, config: TrainConfig, device: torch.device) -> str:
    """What keeps the compiled engine from training this, in words; empty if nothing does."""
    if config.batch_size != 1:
        return f"batches of {config.batch_size:,} ratings"
    if type(model) not in (MF, BiasedMF):
        return "only MF and biased MF are compiled"
    if device.type != "cpu":
        return f"compiled code runs on the CPU, not on {device}"
    if config.optimizer not in ("sgd", "adagrad"):
        return f"only SGD and Adagrad are compiled, not {OPTIMIZERS[config.optimizer]}"
    if config.momentum:
        return "momentum moves every vector at every step"
    if config.sparse_gradients:
        return "sparse gradients are PyTorch's"
    if any(p.dtype != torch.float32 or not p.is_contiguous() for p in model.parameters()):
        return "the weights are not plain float32"
    return load_native()


def load_native() -> str:
    """Make the compiled engine ready, so that nobody waits for it later. Returns why there is none, in words, else nothing."""
    try:
        importlib.import_module(_NATIVE).load_kernels()
    except ImportError as error:
        return f"numba cannot be used ({error})"
    return ""


def choose_engine(
    model: RecommenderModel,
    config: TrainConfig,
    optimizers: list[Optimizer],
    meter: LossMeter,
    train: Interactions,
    threads: int,
) -> tuple[Engine, str]:
    """The fastest engine that computes exactly this, and one line on why it is that one."""
    why_not = why_not_native(model, config, model.device)
    if not why_not:
        native = importlib.import_module(_NATIVE)
        engine: Engine = native.NativeEngine(model, config, optimizers, meter, train, threads)
        shared = f", {threads} threads at once without locks (not repeatable)" if config.hogwild else ""
        return engine, f"{_ONE_BY_ONE}compiled engine{shared}"
    alone = config.batch_size == 1
    reason = f"{_ONE_BY_ONE}PyTorch, because {why_not}; batch_size 1024 is far faster" if alone else f"PyTorch, {why_not}"
    return AutogradEngine(model, config, optimizers, meter, train), reason
