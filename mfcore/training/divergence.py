"""When numbers stop being numbers: notice it, say why, and find the rating that did it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mfcore.data.transform import CURES, heavy_tail
from mfcore.models.base import RecommenderModel, scoring
from mfcore.registry import OPTIMIZERS
from mfcore.training.config import TrainConfig
from mfcore.training.events import TrainingDiverged
from mfcore.training.losses import loss_named, pairs
from mfcore.training.samples import Samples
from mfcore.training.schedule import batch_factor, rate_text

if TYPE_CHECKING:
    from mfcore.data import Interactions
    from mfcore.training.trainer import Trainer

MOST_SENSIBLE = 100.0
"""No learning rate above this is worth trying next, however large the one that failed was."""


def scale_to_blame(config: TrainConfig, train: Interactions) -> str:
    """What about the scale of the ratings makes squared error run away, in words; empty where it is something else."""
    return "" if config.implicit else heavy_tail(train)


def diverged(
    value: float, *, epoch: int, step: int, rate: float, config: TrainConfig, what: str = "loss", scale: str = ""
) -> TrainingDiverged:
    """The error for a ``what`` of ``value`` (NaN or ±∞) at 1-based ``epoch`` and ``step``.

    ``rate``: the learning rate as it is set, before schedule and batch size: what one would set otherwise. ``scale``: as
    :func:`scale_to_blame` says it; then no learning rate is the cure.
    """
    became = "not a number" if math.isnan(value) else "infinite"
    if scale:
        cause = f"the scale is the cause, not the learning rate, for {scale}; {CURES}"
    elif config.solves:
        cause = "the equations cannot be solved in these numbers; try a larger weight_decay, such as 0.05"
    elif step <= 1:
        cause = "the starting weights are too large already; try a smaller init_std, such as 0.1"
    else:
        advice = rate_text(advised(rate, config))
        follows = "" if config.lr_scaling == "none" else f" at batches of {config.batch_size:,}"
        instead = advice if not follows else f"learning_rate {advice}, which follows the batch size"
        optimizer = OPTIMIZERS[config.optimizer].label
        cause = (
            f"learning rate {rate_text(rate * batch_factor(config))}{follows} is too large for {optimizer} here; try {instead}"
        )
    message = f"{what} became {became} in epoch {epoch} at step {step}: {cause}"
    return TrainingDiverged(message, epoch=epoch, step=step, what=what)


def advised(rate: float, config: TrainConfig) -> float:
    """The learning rate to set after ``rate``, as it was set, was too large."""
    return min(rate / 10, MOST_SENSIBLE / batch_factor(config))


def nonfinite_weight(model: nn.Module) -> float | None:
    """A NaN or infinite weight's value, or None if all are finite. One look an epoch; it makes a GPU wait."""
    total = torch.stack([p.detach().abs().max() for p in model.parameters()]).sum()
    value = float(total)
    return None if math.isfinite(value) else value


@dataclass(frozen=True)
class OffendingSample:
    """The sample whose loss was the first that is no finite number, or the largest if only their mean was none.

    ``rating``: its rating, 1 or 0 for logistic loss, NaN for pairs. ``predicted``: the score it was given, perhaps NaN or
    infinite. ``user_norm``, ``item_norm``: lengths of all that the model holds for user and item, bias included.
    """

    user_idx: int
    item_idx: int
    rating: float
    predicted: float
    user_norm: float
    item_norm: float


def find_offending_sample(trainer: Trainer, before: Mapping[str, Any], error: TrainingDiverged) -> OffendingSample | None:
    """Train again from the state ``before`` to the step before ``error``'s, and look at the samples of the step that broke.

    Exact where training is (on one CPU thread without locks); None where no sample can be named: with ALS, whose steps have
    none, after an overflow between two losses, or where it would take more than ``limits.patience_seconds``. Leaves the
    trainer at that step.
    """
    if trainer.config.solves or error.what != "loss" or trainer.state.epoch_pass.seconds > trainer.limits.patience_seconds:
        return None
    trainer.load_state_dict(before)
    try:
        batch = trainer.advance(error.step - 1 - trainer.step)
    except TrainingDiverged:  # a GPU, or threads without locks, took another path
        return None
    return worst_sample(trainer.model, trainer.config.loss, batch) if len(batch) else None


@torch.no_grad()
def worst_sample(model: RecommenderModel, loss: str, batch: Samples) -> OffendingSample:
    """The sample of ``batch`` (at least one) that a :class:`OffendingSample` is about, under the model's present weights."""
    with scoring(model):
        rows = model.gather(*pairs(loss, batch))
        scores = model.score(rows)
    losses = loss_named(loss).each(scores, batch)
    broken = (~torch.isfinite(losses)).nonzero()
    place = int(broken[0]) if len(broken) else int(losses.argmax())
    return OffendingSample(
        user_idx=int(batch.user_idx[place]),
        item_idx=int(batch.item_idx[place]),
        rating=float(batch.target[place]) if len(batch.target) else math.nan,
        predicted=float(scores[place]),
        user_norm=_length(rows[0::2], place),
        item_norm=_length(rows[1::2], place),
    )


def _length(rows: tuple[Tensor, ...], place: int) -> float:
    return math.sqrt(sum(float(row[place].double().square().sum()) for row in rows))
