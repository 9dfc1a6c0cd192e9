"""How the learning rate changes: a pure function of how far training is, so that a resumed run follows the same curve."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import Any

import numpy as np

from mfcore.settings import REFERENCE_BATCH, SETTINGS
from mfcore.training.config import TrainConfig
from mfcore.typing import Float64
from mfcore.validate import require

_WARM_UP, _START, _END = 0.3, 1 / 25, 1e-4


class LearningRates:
    """The rate of every step of one training: base × what the batch size makes of it × schedule.

    A person may change it, the batch size or the number of epochs on the way. The schedule's steps are counted from
    ``origin``, over the epochs after ``begun``.

    Attributes:
        base: the learning rate before the schedule. steps_per_epoch: of a whole epoch at the present batch size.
        begun: epochs done when the schedule began: 0, or where the run was extended. origin: the step it counts from; it moves
            when the batch size changes, so that the schedule stays where it is between its first and last epoch.
    """

    def __init__(self, config: TrainConfig, num_samples: int) -> None:
        self._num_samples = num_samples  # of an epoch
        self.base: float
        self.restart(config, epoch=0, step=0)

    def configure(self, config: TrainConfig) -> None:
        """Follow ``config`` from now on."""
        self._schedule = dataclasses.replace(config, num_epochs=max(config.num_epochs - self.begun, 1))
        self._scale = batch_factor(config)
        self.steps_per_epoch = math.ceil(self._num_samples / config.samples_per_step(self._num_samples))

    def at(self, step: int, cuts: int) -> float:
        """The learning rate of step ``step`` (counted from 0), after ``cuts`` of the plateau schedule."""
        return self.base * self._factor(step, cuts)

    def of(self, step: int, count: int, cuts: int) -> Float64:
        """Those of ``count`` steps from ``step`` on: (count,) float64."""
        if count == 1:
            return np.array([self.at(step, cuts)])
        return self.base * self._scale * rate_factors(self._schedule, step - self.origin, count, self.steps_per_epoch, cuts)

    def set(self, rate: float, step: int, cuts: int) -> float:
        """Continue with ``rate`` from ``step`` on; a schedule goes on from there in proportion.

        Returns what ``learning_rate`` has to be for that at the present batch size.
        """
        require(math.isfinite(rate) and rate > 0, f"learning_rate must be > 0, got {rate:g}")
        factor = self._factor(step, cuts)
        if rate != self.base * factor:  # the rate there is, to the last digit, changes nothing
            self.base = rate / factor if factor > 1e-6 else rate
        return rate / self._scale

    def restart(self, config: TrainConfig, epoch: int, step: int) -> None:
        """Begin the schedule anew with epoch ``epoch`` (counted from 0), whose first step is ``step``."""
        self.base, self.begun, self.origin = config.learning_rate, epoch, step
        self.configure(config)

    def branch(self, config: TrainConfig, changes: Collection[str], epoch: int, step: int) -> None:
        """Go on after ``epoch`` epochs and ``step`` steps under another configuration, which differs in ``changes``.

        The schedule stays where it is between its first and last epoch; a rate that was set by hand stays too, unless the
        branch brings one.
        """
        if "learning_rate" in changes:
            self.base = config.learning_rate
        self.configure(config)
        self.settle(epoch, 0, step)

    def settle(self, epoch: int, into: int, step: int) -> None:
        """Step ``step`` is the one after ``epoch`` epochs and ``into`` steps: count the schedule's steps so that they agree."""
        self.origin = step - (epoch - self.begun) * self.steps_per_epoch - into

    def state_dict(self) -> dict[str, Any]:
        return {"begun": self.begun, "origin": self.origin}

    def load_state_dict(self, state: dict[str, Any], base: float, config: TrainConfig) -> None:
        """Go on where :meth:`state_dict` was taken, under ``config``."""
        self.base, self.begun, self.origin = base, int(state.get("begun", 0)), int(state.get("origin", 0))
        self.configure(config)

    def _factor(self, step: int, cuts: int) -> float:
        return self._scale * rate_factor(self._schedule, step - self.origin, self.steps_per_epoch, cuts)


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


def rate_text(rate: float) -> str:
    """A learning rate in three digits that matter, as the live view writes it: 0.00138, 0.02, 2e-7."""
    short = f"{rate:.2e}"
    if 0 < abs(rate) < 1e-4:
        digits, power = short.split("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{float(short):.10g}"


def schedule_words(config: TrainConfig) -> str:
    """For example "one cycle, peak 0.02"; a schedule that only falls is told from where."""
    name = (SETTINGS["schedule"].options() or {})[config.schedule].lower()
    if config.schedule == "constant":
        return name
    word = "peak" if config.schedule == "one-cycle" else "from"
    return f"{name}, {word} {rate_text(config.learning_rate * batch_factor(config))}"


def rate_path(config: TrainConfig) -> tuple[str, str]:
    """What ``learning_rate`` is under the schedule, and the way the rate then takes, as a sentence; empty where it is constant.

    For example ("Peak learning rate", "Starts at 0.0008, peaks at 0.02 after 30 % of the epochs, ends at 2e-6.").
    """
    finely, base = 10_000, config.learning_rate * batch_factor(config)
    start = rate_text(base * rate_factor(config, 0, finely))
    end = rate_text(base * rate_factor(config, finely * config.num_epochs - 1, finely))
    if config.schedule == "one-cycle":
        return (
            "Peak learning rate",
            f"Starts at {start}, peaks at {rate_text(base)} after {100 * _WARM_UP:.0f} % of the epochs, ends at {end}.",
        )
    if config.schedule == "cosine":
        return "First learning rate", f"Starts at {start} and falls to 0."
    if config.schedule == "step":
        return "First learning rate", f"Starts at {start}, ends at {end}."
    if config.schedule == "plateau":
        return "First learning rate", f"Starts at {start}, and is cut where validation no longer improves."
    scaled = config.lr_scaling != "none" and batch_factor(config) != 1.0
    return "Learning rate", f"At this batch size {rate_text(base)}." if scaled else ""


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
