"""How much of the future a split lets a model learn from. Reads the held-out part: for after training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfcore.data import Split
from mfcore.evaluation.evaluator import PARTS
from mfcore.typing import Float64
from mfcore.validate import choice


@dataclass(frozen=True)
class Leak:
    """Shares from 0 to 1, means over users with a held-out interaction; NaN without timestamps or users.

    own: of the user's own training interactions, how many come after their earliest held-out one. everyone: of all training
    interactions, how many come after that moment; a model in service could have known none of those. affected: share of users
    with any ``own`` leak. per_user: (U,) ``everyone`` of each user, ascending by user index.
    """

    own: float
    everyone: float
    affected: float
    num_users: int
    per_user: Float64


def leak_meter(split: Split, on: str = "test") -> Leak:
    """Compare each user's earliest held-out interaction with the training part. The same second is not "after".

    For a model refitted on train + validation pass ``split.with_validation_in_train()``.

    Raises:
        UnusableRequest: ``on`` is neither "test" nor "valid".
    """
    held = split.test if choice("on", on, PARTS) == "test" else split.valid
    train = split.train
    if held.timestamp is None or train.timestamp is None or not len(held):
        return Leak(math.nan, math.nan, math.nan, 0, np.zeros(0))
    users = np.unique(held.user_idx)
    earliest = np.full(split.data.num_users, np.iinfo(np.int64).max)
    np.minimum.at(earliest, held.user_idx, held.timestamp)
    later = train.timestamp > earliest[train.user_idx]
    late = np.bincount(train.user_idx, later, minlength=len(earliest))[users]
    total = np.bincount(train.user_idx, minlength=len(earliest))[users]
    own = np.divide(late, total, out=np.zeros(len(users)), where=total > 0)
    before = np.searchsorted(np.sort(train.timestamp), earliest[users], side="right")
    everyone = 1.0 - before / len(train)
    return Leak(float(own.mean()), float(everyone.mean()), float((late > 0).mean()), len(users), everyone)
