"""What trains a stretch of samples: PyTorch's autograd, or compiled code where that computes the same faster."""

from __future__ import annotations

import importlib
from typing import Protocol

import torch

from mfcore.models.base import RecommenderModel
from mfcore.models.dot import MF, BiasedMF
from mfcore.registry import OPTIMIZERS
from mfcore.training.config import TrainConfig
from mfcore.training.device import resolve_device
from mfcore.training.engines.als.engine import AlsEngine
from mfcore.training.engines.als.limits import refuse_unsolvable
from mfcore.training.engines.autograd import AutogradEngine
from mfcore.training.engines.workbench import Workbench
from mfcore.training.samples import Samples
from mfcore.typing import Float64

_NATIVE = "mfcore.training.engines.sgd_compiled.engine"
_ONE_BY_ONE = "one rating at a time: "


class Engine(Protocol):
    """Trains samples in their given order, a stretch at a time.

    Engines keep weights in the model and their state in the optimizers, so that a checkpoint does not depend on which one
    wrote it, and another engine may take over between two steps.

    Attributes:
        name: ``autograd``, ``native`` or ``als``.
        stretch: samples to give it next; a multiple of the batch size, and little enough that commands are heard in between.
    """

    name: str
    stretch: int

    def train(self, part: Samples, rates: Float64) -> tuple[int, float] | None:
        """Train ``part`` with one learning rate a step, rates (steps,), and add its losses to the meter.

        Returns None, or the first loss that was NaN or infinite: (steps before the last one of the part, value).
        """


def choose_device(model: RecommenderModel, config: TrainConfig) -> torch.device:
    """As :func:`resolve_device`, but ``auto`` stays on the CPU for what is compiled there: steps of one rating starve a GPU."""
    refuse_unsolvable(model.config, config)
    if config.device.strip().lower() == "auto" and not why_not_native(model, config, torch.device("cpu")):
        return torch.device("cpu")
    device = resolve_device(config.device)
    return torch.device("cpu") if config.optimizer == "als" and device.type == "mps" else device  # mps has no float64


def why_not_native(model: RecommenderModel, config: TrainConfig, device: torch.device) -> str:
    """What keeps the compiled engine from training this, in words; empty if nothing does."""
    if config.batch_size != 1:
        return f"batches of {config.batch_size:,} ratings"
    if type(model) not in (MF, BiasedMF):
        return "only MF and biased MF are compiled"
    if device.type != "cpu":
        return f"compiled code runs on the CPU, not on {device}"
    if config.optimizer not in ("sgd", "adagrad"):
        return f"only SGD and Adagrad are compiled, not {OPTIMIZERS[config.optimizer].label}"
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


def choose_engine(bench: Workbench) -> tuple[Engine, str]:
    """The fastest engine that computes exactly this, and one line on why it is that one."""
    config = bench.config
    if config.optimizer == "als":
        als = AlsEngine(bench)
        return als, f"ALS solves all users, then all items, exactly, {als.note}; it has no learning rate and no batches"
    why_not = why_not_native(bench.model, config, bench.model.device)
    if not why_not:
        native = importlib.import_module(_NATIVE).NativeEngine(bench)
        return native, f"{_ONE_BY_ONE}compiled engine{', ' if native.note else ''}{native.note}"
    alone = config.batch_size == 1
    reason = f"{_ONE_BY_ONE}PyTorch, because {why_not}; batch_size 1024 is far faster" if alone else f"PyTorch, {why_not}"
    plain = AutogradEngine(bench)
    return plain, f"{reason}; {plain.note}" if plain.note else reason
