"""What a Trainer tells the world: frozen records of plain Python numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StepEnd:
    """Progress inside an epoch. ``train_loss`` is the mean over the steps since the last StepEnd; ``epoch`` is fractional.

    The rest is what :class:`mfcore.training.diagnostics.Diagnostics` saw, NaN where it did not look or there is nothing to see.
    """

    step: int
    epoch: float
    train_loss: float
    gradient_norm: float = math.nan
    update_ratio: float = math.nan
    saturated: float = math.nan


@dataclass(frozen=True)
class EpochEnd:
    """One epoch, trained and validated.

    ``number`` counts from 1 (0: the untrained model). ``train_loss``: mean over the epoch, NaN for number 0. ``valid_loss``:
    the same loss without L2 on validation. ``metrics``: validation metrics by name (``rmse``, ``ndcg@10``, ``ndcg@10/full`` …);
    undefined ones are absent. ``seconds``: training time only, without validation. ``samples``: training samples seen
    (positives + negatives). ``best``: whether this epoch is the best so far by the selection metric, among epochs measured on
    the same users. ``validated``: share of validation users behind ``valid_loss`` and ``metrics``; 0: not measured this time.
    """

    number: int
    step: int
    train_loss: float
    valid_loss: float
    metrics: dict[str, float] = field(default_factory=dict)
    learning_rate: float = 0.0
    seconds: float = 0.0
    samples: int = 0
    best: bool = False
    validated: float = 1.0


class TrainingDiverged(RuntimeError):
    """The loss, or ``what`` else, became NaN or infinite. The message names epoch, step and the likely cause."""

    def __init__(self, message: str, *, epoch: int, step: int, what: str = "loss") -> None:
        super().__init__(message)
        self.epoch, self.step, self.what = epoch, step, what


class TrainingStopped(Exception):
    """``should_stop`` said so in the middle of an epoch. Training can go on from there, exactly."""
