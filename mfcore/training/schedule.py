"""How the learning rate changes: a pure function of how far training is, so that a resumed run follows the same curve."""

from __future__ import annotations

import math

from mfcore.training.config import TrainConfig

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


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * share))
