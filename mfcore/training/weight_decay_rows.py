"""How strongly each user's and each item's vectors are held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfcore.training.config import TrainConfig
from mfcore.typing import Float32

if TYPE_CHECKING:
    from mfcore.data import Interactions


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
