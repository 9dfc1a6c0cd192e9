"""Training once more on train + validation, after validation has chosen the number of epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mfcore.evaluation.protocol import Protocol
from mfcore.models import RecommenderModel
from mfcore.training.config import TrainConfig
from mfcore.training.events import EpochEnd
from mfcore.training.trainer import Trainer

if TYPE_CHECKING:
    from mfcore.data import Split


def refit(
    model: RecommenderModel,
    together: Split,
    config: TrainConfig,
    epochs: int,
    *,
    protocol: Protocol | None = None,
    on_epoch: Callable[[EpochEnd], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RecommenderModel:
    """Train a fresh ``model`` for ``epochs`` epochs on ``together`` (see ``Split.with_validation_in_train``); returns it.

    The schedule still runs towards ``config.num_epochs``, so that epoch e sees the learning rate it was chosen with.

    Raises:
        TrainingStopped: ``should_stop`` said so.
        TrainingDiverged: the loss became NaN or infinite.
    """
    trainer = Trainer(model, together, config, protocol, should_stop=should_stop)
    for _ in range(epochs):
        end = trainer.train_epoch()
        if on_epoch is not None:
            on_epoch(end)
    return model
