"""The learning rate of every step of one training, also when a person changes it, the batch size or the number of epochs."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from mfcore.training.config import TrainConfig
from mfcore.training.schedule import batch_factor, rate_factor, rate_factors
from mfcore.typing import Float64
from mfcore.validate import require


class Rates:
    """Base rate × what the batch size makes of it × schedule.

    The schedule's steps are counted from ``origin``, over the epochs after ``begun``.

    Attributes:
        base: the learning rate before the schedule. steps_per_epoch: of a whole epoch at the present batch size.
        begun: epochs done when the schedule began: 0, or where the run was extended. origin: the step it counts from; it moves
            when the batch size changes, so that the schedule stays where it is between its first and last epoch.
    """

    def __init__(self, config: TrainConfig, num_samples: int) -> None:
        self.base = config.learning_rate
        self.begun = self.origin = 0
        self.configure(config, num_samples)

    def configure(self, config: TrainConfig, num_samples: int) -> None:
        """Follow ``config`` from now on; an epoch has ``num_samples``."""
        self._schedule = dataclasses.replace(config, num_epochs=max(config.num_epochs - self.begun, 1))
        self._num_samples, self._scale = num_samples, batch_factor(config)
        self.steps_per_epoch = math.ceil(num_samples / config.samples_per_step(num_samples))

    def at(self, step: int, cuts: int) -> float:
        """The learning rate of step ``step`` (counted from 0), after ``cuts`` of the plateau schedule."""
        return self.base * self._factor(step, cuts)

    def of(self, step: int, count: int, cuts: int) -> Float64:
        """Those of ``count`` steps from ``step`` on: (count,) float64."""
        if count == 1:
            return np.array([self.at(step, cuts)])
        return self.base * self._scale * rate_factors(self._schedule, step - self.origin, count, self.steps_per_epoch, cuts)

    def set(self, rate: float, step: int, cuts: int) -> None:
        """Continue with ``rate`` from ``step`` on; a schedule goes on from there in proportion."""
        require(math.isfinite(rate) and rate > 0, f"learning_rate must be > 0, got {rate:g}")
        factor = self._factor(step, cuts)
        self.base = rate / factor if factor > 1e-6 else rate

    def before_scaling(self, rate: float) -> float:
        """What ``learning_rate`` has to be for ``rate`` at the present batch size."""
        return rate / self._scale

    def restart(self, config: TrainConfig, epoch: int, step: int) -> None:
        """Begin the schedule anew with epoch ``epoch`` (counted from 0), whose first step is ``step``."""
        self.base, self.begun, self.origin = config.learning_rate, epoch, step
        self.configure(config, self._num_samples)

    def settle(self, epoch: int, into: int, step: int) -> None:
        """Step ``step`` is the one after ``epoch`` epochs and ``into`` steps: count the schedule's steps so that they agree."""
        self.origin = step - (epoch - self.begun) * self.steps_per_epoch - into

    def state_dict(self) -> dict[str, Any]:
        return {"begun": self.begun, "origin": self.origin}

    def load_state_dict(self, state: dict[str, Any], base: float, config: TrainConfig) -> None:
        """Go on where :meth:`state_dict` was taken, under ``config``."""
        self.base, self.begun, self.origin = base, int(state.get("begun", 0)), int(state.get("origin", 0))
        self.configure(config, self._num_samples)

    def _factor(self, step: int, cuts: int) -> float:
        return self._scale * rate_factor(self._schedule, step - self.origin, self.steps_per_epoch, cuts)
