"""How the learning rate changes: a pure function of how far training is, so that a resumed run follows the same curve."""

from __future__ import annotations

import math

import numpy as np

from mfcore.settings import REFERENCE_BATCH
from mfcore.training.config import TrainConfig
from mfcore.typing import Float64

_WARM_UP, _START, _END = 0.3, 1 / 25, 1e-4


def rate_factor(config: TrainConfig, step: int, steps_per_epoch: int, cuts: int = 0) -> float:
    """What the base learning rate is multiplied with in step ``step`` (counted from 0).

    cosine: half a cosine from 1 to 0 over the run. one-cycle: cosine up from 1/25 over the first 30 % of steps, then
    down to 1/10000 (Smith 2018). step: × schedule_factor after every schedule_every epochs. plateau: × schedule_factor
    for each of the ``cuts`` made so far.
    """
    if config.schedule == "step":
        return config.schedule_factor ** (step // steps_per_epoch // config.schedule_every)
    if config.schedule == "plateau":
        return config.schedule_factor**cuts
    done = min(1.0, step / (steps_per_epoch * config.num_epochs))
    if config.schedule == "cosine":
        return _cosine(1.0, 0.0, done)
    if config.schedule == "one-cycle":
        if done < _WARM_UP:
            return _cosine(_START, 1.0, done / _WARM_UP)
        return _cosine(1.0, _END, (done - _WARM_UP) / (1.0 - _WARM_UP))
    return 1.0


def rate_factors(config: TrainConfig, first: int, count: int, steps_per_epoch: int, cuts: int = 0) -> Float64:
    """:func:`rate_factor` of ``count`` steps from ``first`` on: (count,) float64."""
    one_epoch = first // steps_per_epoch == (first + count - 1) // steps_per_epoch
    if config.schedule in ("constant", "plateau") or (config.schedule == "step" and one_epoch):
        return np.full(count, rate_factor(config, first, steps_per_epoch, cuts))
    steps = np.arange(first, first + count)
    if config.schedule == "step":
        return np.asarray(config.schedule_factor ** (steps // steps_per_epoch // config.schedule_every), dtype=np.float64)
    done = np.minimum(1.0, steps / (steps_per_epoch * config.num_epochs))
    if config.schedule == "cosine":
        return 0.5 * (1.0 + np.cos(np.pi * done))
    up, down = done / _WARM_UP, (done - _WARM_UP) / (1.0 - _WARM_UP)
    rising = done < _WARM_UP
    start, end = np.where(rising, _START, 1.0), np.where(rising, 1.0, _END)
    cosine = 0.5 * (1.0 + np.cos(np.pi * np.where(rising, up, down)))
    return np.asarray(end + (start - end) * cosine)


def batch_factor(config: TrainConfig) -> float:
    """What the learning rate is multiplied with for the batch size; 1 at :data:`REFERENCE_BATCH`.

    linear: in proportion, so that as many epochs make the same way (Goyal et al. 2017), which is right for steps that are as
    long as their gradient. sqrt: by its root, for steps of a length of their own (Adam; Malladi et al. 2022, without their
    change of its moments, which leaves the allowed range at such factors).
    """
    ratio = config.batch_size / REFERENCE_BATCH
    return {"none": 1.0, "sqrt": math.sqrt(ratio), "linear": ratio}[config.lr_scaling]


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * share))
