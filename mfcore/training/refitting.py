"""Training once more on train + validation, after validation has chosen the number of epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mfcore.models import ModelConfig, RecommenderModel, build_model
from mfcore.training.config import TrainConfig
from mfcore.training.events import EpochEnd, StepEnd
from mfcore.training.trainer import Trainer

if TYPE_CHECKING:
    from mfcore.data import Split


def refit(
    model_config: ModelConfig,
    split: Split,
    config: TrainConfig,
    epochs: int,
    *,
    on_step: Callable[[StepEnd], None] | None = None,
    on_epoch: Callable[[EpochEnd], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RecommenderModel:
    """A fresh model trained for ``epochs`` epochs on train + validation, with the learning rates of the full schedule.

    The schedule still runs towards ``config.num_epochs``, so that epoch e sees the learning rate it was chosen with.

    Raises:
        TrainingStopped: ``should_stop`` said so.
        TrainingDiverged: the loss became NaN or infinite.
    """
    together = split.with_validation_in_train()
    model = build_model(model_config, together.train, seed=config.seed)
    trainer = Trainer(model, together, config, on_step=on_step, should_stop=should_stop)
    for _ in range(epochs):
        end = trainer.train_epoch()
        if on_epoch is not None:
            on_epoch(end)
    return model
