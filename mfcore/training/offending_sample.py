"""Which rating broke a training: found by going to the step before and looking at every sample of the next one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from mfcore.models.base import RecommenderModel, scoring
from mfcore.training.events import TrainingDiverged
from mfcore.training.losses import pairs
from mfcore.training.samples import Samples
from mfcore.training.trainer import Trainer

_PATIENCE = 60.0
"""Seconds of training that are gone through again to find it, at most."""


@dataclass(frozen=True)
class Culprit:
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


def find_culprit(trainer: Trainer, before: Mapping[str, Any], error: TrainingDiverged) -> Culprit | None:
    """Train again from the state ``before`` to the step before ``error``'s, and look at the samples of the step that broke.

    Exact where training is (on one CPU thread without locks); None where no sample can be named: with ALS, whose steps have
    none, after an overflow between two losses, or when it would take more than a minute. Leaves the trainer at that step.
    """
    if trainer.config.optimizer == "als" or error.what != "loss" or trainer.train_seconds_in_epoch > _PATIENCE:
        return None
    trainer.load_state_dict(before)
    try:
        batch = trainer.advance(error.step - 1 - trainer.step)
    except TrainingDiverged:  # a GPU, or threads without locks, took another path
        return None
    return worst_sample(trainer.model, trainer.config.loss, batch) if len(batch) else None


@torch.no_grad()
def worst_sample(model: RecommenderModel, loss: str, batch: Samples) -> Culprit:
    """The sample of ``batch`` (at least one) that a :class:`Culprit` is about, under the model's present weights."""
    with scoring(model):
        rows = model.gather(*pairs(loss, batch))
        scores = model.score(rows)
    losses = _loss_of_each(loss, scores, batch)
    broken = (~torch.isfinite(losses)).nonzero()
    place = int(broken[0]) if len(broken) else int(losses.argmax())
    return Culprit(
        user_idx=int(batch.user_idx[place]),
        item_idx=int(batch.item_idx[place]),
        rating=float(batch.target[place]) if len(batch.target) else math.nan,
        predicted=float(scores[place]),
        user_norm=_length(rows[0::2], place),
        item_norm=_length(rows[1::2], place),
    )


def _loss_of_each(loss: str, scores: Tensor, batch: Samples) -> Tensor:
    if loss == "mse":
        return (scores - batch.target).square()
    if loss == "bce":
        return F.binary_cross_entropy_with_logits(scores, batch.target, reduction="none")
    chosen, other = scores.chunk(2)
    return F.softplus(other - chosen)


def _length(rows: tuple[Tensor, ...], place: int) -> float:
    return math.sqrt(sum(float(row[place].double().square().sum()) for row in rows))
