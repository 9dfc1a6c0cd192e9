"""A line of trainings, each branched from the one before, trained again from its first step: on the same data, or on more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mfcore.data.split import Split
from mfcore.evaluation.protocol import Protocol
from mfcore.models.base import RecommenderModel
from mfcore.training.config import Stage, TrainConfig
from mfcore.training.events import EpochEnd
from mfcore.training.trainer import Trainer
from mfcore.training.validation import Measuring, Remembered
from mfcore.validate import require

Line = TrainConfig | Sequence[Stage]
"""A training alone, or a line of them, oldest first."""


def follow(
    model: RecommenderModel,
    split: Split,
    line: Line,
    protocol: Protocol | None = None,
    *,
    epochs: int | None = None,
    validation: Measuring | None = None,
    on_epoch: Callable[[EpochEnd], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Trainer:
    """Train an untrained ``model`` in place along ``line``, as it was trained before. ``protocol``: see :class:`Trainer`.

    ``epochs``: how many to train, without stopping early; None: all stages but the last, which the trainer that is returned
    is about to begin.

    Raises:
        TrainingStopped: ``should_stop`` said so.
        TrainingDiverged: the loss became NaN or infinite.
    """
    stages = [Stage(line)] if isinstance(line, TrainConfig) else list(line)
    require(bool(stages) and all(stage.until is not None for stage in stages[:-1]), "only the last stage goes on to its end")
    trainer: Trainer | None = None
    for stage in stages:
        before, trainer = trainer, Trainer(model, split, stage.config, protocol, should_stop=should_stop, validation=validation)
        if before is not None:
            trainer.branch_from(before.state_dict(), stage.changes)
        goal = min(goals) if (goals := [goal for goal in (stage.until, epochs) if goal is not None]) else 0
        while trainer.epoch < goal:
            end = trainer.train_epoch()
            if on_epoch is not None:
                on_epoch(end)
        if epochs is not None and trainer.epoch >= epochs:
            return trainer
        if stage.until is not None:
            trainer.follow_plan()
    assert trainer is not None
    return trainer


def refit(
    model: RecommenderModel,
    together: Split,
    line: Line,
    epochs: int,
    *,
    protocol: Protocol | None = None,
    measured: Mapping[int, Mapping[str, float]] | None = None,
    on_epoch: Callable[[EpochEnd], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RecommenderModel:
    """Train a fresh ``model`` for ``epochs`` epochs on ``together`` (see ``Split.with_validation_in_train``); returns it.

    For after validation has chosen ``epochs``. Everything happens as it happened then: schedules run towards their
    ``num_epochs``, so that epoch e sees the learning rate it was chosen with, and what was changed on the way is changed at
    the same share of the same epoch. ``measured``: validation metrics by epoch, for a schedule that follows them.

    Raises:
        TrainingStopped: ``should_stop`` said so.
        TrainingDiverged: the loss became NaN or infinite.
    """
    remembered = Remembered(measured or {})
    follow(model, together, line, protocol, epochs=epochs, validation=remembered, on_epoch=on_epoch, should_stop=should_stop)
    return model
