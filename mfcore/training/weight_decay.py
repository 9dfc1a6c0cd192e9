"""L2: λ of every row, and what it adds to a batch's loss for autograd, or to its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mfcore.training.config import TrainConfig
from mfcore.training.optimizers import decoupled_decay
from mfcore.typing import Float32

if TYPE_CHECKING:
    from mfcore.data import Interactions
    from mfcore.training.engines.base import TrainingContext


def decay_per_row(config: TrainConfig, train: Interactions) -> tuple[Float32, Float32]:
    """λ of every user and of every item, per occurrence: (num_users,), (num_items,) float32.

    ``sqrt-count`` divides λ by √(number of training ratings), as MyMediaLite's frequency regularisation does: who has rated
    much is known well, and is held back less by each of many ratings.
    """
    decays = []
    for index, count in ((train.user_idx, train.num_users), (train.item_idx, train.num_items)):
        ratings = np.maximum(np.bincount(index, minlength=count), 1) if config.weight_decay_scaling == "sqrt-count" else 1
        decays.append(np.full(count, config.weight_decay / np.sqrt(ratings), dtype=np.float32))
    return decays[0], decays[1]


class L2Penalty:
    """λ(‖p_u‖² + ‖q_i‖² + …) per occurrence of a user and an item in a batch, averaged over its pairs.

    Attributes:
        on: False where there is none, or the optimizer decays weights itself.
    """

    def __init__(self, context: TrainingContext) -> None:
        self._model, self._weight = context.model, context.config.weight_decay
        self.on = context.config.weight_decay > 0 and not decoupled_decay(context.config)
        self._per_row: tuple[Tensor, ...] = ()
        if self.on and context.config.weight_decay_scaling != "none":
            decays = decay_per_row(context.config, context.train)
            self._per_row = tuple(torch.from_numpy(decay).to(context.model.device) for decay in decays)

    def of(self, rows: tuple[Tensor, ...], index: tuple[Tensor, Tensor]) -> Tensor:
        """The penalty of gathered rows, a scalar. index: users and items of the pairs, (B,) int64 each."""
        if not self._per_row:
            return self._weight * self._model.penalty(rows)
        by_user, by_item = self._per_row
        return self._model.penalty(rows, (by_user[index[0]], by_item[index[1]]))

    def slopes(self, index: tuple[Tensor, Tensor]) -> tuple[float | Tensor, float | Tensor]:
        """2λ/B for the rows of users and of items: a number each, or (B,) where rows differ; 0 where there is no penalty."""
        if not self.on:
            return 0.0, 0.0
        twice = 2.0 / len(index[0])
        if not self._per_row:
            return twice * self._weight, twice * self._weight
        by_user, by_item = self._per_row
        return by_user[index[0]] * twice, by_item[index[1]] * twice
