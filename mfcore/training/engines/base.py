"""What an engine is, and what it is given to work on."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch.optim import Optimizer

from mfcore.models.base import RecommenderModel
from mfcore.registry import MODELS, load
from mfcore.training.config import TrainConfig
from mfcore.training.limits import USUAL, Limits
from mfcore.training.meter import LossMeter
from mfcore.training.samples import Samples
from mfcore.typing import Float64

if TYPE_CHECKING:
    from mfcore.data import Interactions

ONE_BY_ONE = "one rating at a time: "


@dataclass(frozen=True)
class TrainingContext:
    """One training, as its engine sees it. Weights are in ``model``, everything else that must outlive the engine in
    ``optimizers``: an engine may be thrown away between two steps and another made from the same parts.

    Attributes:
        model: on its device. meter: takes in the losses. train: the interactions trained on, for counts. threads: as resolved.
    """

    model: RecommenderModel
    config: TrainConfig
    optimizers: list[Optimizer]
    meter: LossMeter
    train: Interactions
    threads: int
    limits: Limits = USUAL


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

    def reason(self, declined: str) -> str:
        """Why it is this one that trains, for people. ``declined``: what kept the engine asked before it from doing so."""


class EngineKind(Protocol):
    """A class of engines: says whether it can take a training, and is called to make the engine for it."""

    def why_not(self, model: RecommenderModel, config: TrainConfig, device: torch.device) -> str:
        """What keeps it from computing exactly this on ``device``, in words; empty if nothing does."""

    def __call__(self, context: TrainingContext) -> Engine: ...


def is_dot_product(model: RecommenderModel) -> bool:
    """Whether a score is p·q plus biases and nothing else, which is what gradients are written out for."""
    spec = MODELS[model.config.name]
    return spec.dot_product and type(model) is load(spec.implementation)  # a derived class may score in a way of its own


def load_kernels(module: str) -> str:
    """Make compiled code ready, so that nobody waits for it later, and no training is timed with it.

    ``module``: one with a function ``load_kernels``. Returns why there is none, in words; nothing if there is.
    """
    try:
        kernels = importlib.import_module(module)
        try:
            kernels.load_kernels()
        except (AttributeError, ImportError):  # what was kept names classes that have moved since
            importlib.import_module("mfcore.training.engines.compiling").forget_kept_code(kernels.__package__)
            kernels.load_kernels()
    except ImportError as error:
        return f"numba cannot be used ({error})"
    return ""
