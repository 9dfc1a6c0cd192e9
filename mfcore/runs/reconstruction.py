"""What a stored run's model makes of the matrix it learned from, in the bins of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfcore.data.matrix import Axis, bin_matrix
from mfcore.runs.loaded import LoadedRun
from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import integer, require

if TYPE_CHECKING:
    from mfcore.models import RecommenderModel

MOST_PREDICTIONS = 2_000_000
_AT_ONCE = 200_000


def known_cells(run: LoadedRun, users: Axis, items: Axis) -> tuple[Float64, bool]:
    """Mean prediction for the interactions in each bin, (user bins, item bins) float64 within the scale, NaN where there are
    none; and whether all of them were predicted. Of more than ``MOST_PREDICTIONS``, a part drawn by lot is.

    Raises:
        UnusableRequest: the model predicts no ratings.
    """
    data = run.data
    rows = np.arange(len(data))
    if len(rows) > MOST_PREDICTIONS:
        rows = np.sort(np.random.default_rng(0).choice(len(rows), MOST_PREDICTIONS, replace=False))
    part = data.select(rows)
    predicted = _predicted(run, part.user_idx, part.item_idx)
    return bin_matrix(part, predicted, users, items).mean, len(rows) == len(data)


def every_cell(run: LoadedRun, users: Axis, items: Axis) -> tuple[Float64, bool]:
    """As :func:`known_cells`, for every user with every item, known or not; of large bins, evenly chosen users and items."""
    most = max(1, int((MOST_PREDICTIONS / (len(users) * len(items))) ** 0.5))
    some_users, some_items = _evenly(users, most), _evenly(items, most)
    user, item = np.repeat(some_users, len(some_items)), np.tile(some_items, len(some_users))
    flat = users.bin[user] * len(items) + items.bin[item]
    total = np.bincount(flat, _predicted(run, user, item), minlength=len(users) * len(items))
    mean: Float64 = (total / np.bincount(flat, minlength=len(total))).reshape(len(users), len(items))
    return mean, len(user) == len(users.order) * len(items.order)


def factor_values(model: RecommenderModel, factor: int) -> tuple[Float32, Float32]:
    """What users (num_users,) and items (num_items,) have of one learned factor, counted from 1.

    Raises:
        UnusableRequest: the model has no such factor, or its users and items do not share any.
    """
    users, items = model.user_vectors().numpy(), model.item_vectors().numpy()
    require(users.shape[1] == items.shape[1] > 0, "this model has no factors that users and items share")
    integer("factor", factor, 1, users.shape[1])
    return users[:, factor - 1], items[:, factor - 1]


def _evenly(axis: Axis, most: int) -> Int64:
    """At most ``most`` indices of each bin, spread over it."""
    chosen, start = [], 0
    for size in axis.size.tolist():
        chosen.append(axis.order[start + np.arange(min(most, size)) * size // min(most, size)])
        start += size
    return np.concatenate(chosen)


def _predicted(run: LoadedRun, user: Int64, item: Int64) -> Float64:
    require(run.model.predicts_ratings, "this run's model ranks and predicts no ratings; choose one trained with squared error")
    low, high = run.data.rating_scale
    found = np.empty(len(user), np.float64)
    for start in range(0, len(user), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        found[some] = run.model.predict(user[some], item[some]).cpu().numpy()
    return np.clip(found, low, high)
