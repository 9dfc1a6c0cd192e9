"""What an engine is given to work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.optim import Optimizer

from mfcore.models.base import RecommenderModel
from mfcore.training.config import TrainConfig
from mfcore.training.meter import LossMeter

if TYPE_CHECKING:
    from mfcore.data import Interactions


@dataclass(frozen=True)
class Workbench:
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
