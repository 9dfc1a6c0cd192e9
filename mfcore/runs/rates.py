"""The learning rate over a run's epochs as it was, and as it is planned from here on: what a chart draws ahead of time."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

from mfcore.runs.events import EpochEvent
from mfcore.runs.history import RunHistory
from mfcore.settings import PlannedChange, planned
from mfcore.training.config import Stage
from mfcore.training.schedule import LearningRates

_POINTS = 240
_STEPS = 1000
"""Of an epoch, as far as a picture shows; it has no data, and so no number of steps of its own."""
Points = list[tuple[float, float]]


def planned_rates(history: RunHistory, epochs: Iterable[EpochEvent] = ()) -> Points:
    """(epoch, learning rate) from 0 to the last planned epoch; empty where there is no rate, as for ALS.

    Goes through the line of trainings as they were, each change at its place. ``epochs``: as measured, the plateau's cuts are
    read from them. Where the first settings of a branch are not known any more, it begins with the branch.
    """
    if history.config.training.solves:
        return []
    begins = 0 if history.complete else history.ancestry[0].epoch
    line = history.line or (Stage(history.config.training),)
    return [point for point in _Walk(line, epochs).points() if point[0] >= begins]


class _Walk:
    """Goes through a line of trainings without training."""

    def __init__(self, line: tuple[Stage, ...], epochs: Iterable[EpochEvent]) -> None:
        self._line = line
        self._measured = {event.epoch: event.learning_rate for event in epochs if math.isfinite(event.learning_rate)}
        changes = [change for stage in line for change in planned(stage.config.plan)]
        sizes = [stage.config.batch_size for stage in line] + [one.value for one in changes if one.name == "batch_size"]
        self._config = line[0].config
        self._rates = LearningRates(self._config, _STEPS * max(sizes))
        self._at = 0.0

    def points(self) -> Iterator[tuple[float, float]]:
        for before, stage in pairwise((None, *self._line)):
            assert stage is not None
            self._config = stage.config
            if before is not None:
                self._rates.branch(stage.config, stage.changes, int(self._at), self._step(self._at))
            for change in planned(stage.config.plan):
                yield from self._to(change.at)
                self._make(change)
            yield from self._to(float(self._config.num_epochs if stage.until is None else stage.until))

    def _to(self, epoch: float) -> Iterator[tuple[float, float]]:
        """From here to just before ``epoch``, and stand there. Between epochs, where rates are cut, both sides are drawn."""
        gap = max(self._config.num_epochs / _POINTS, 1 / _STEPS)
        while self._at < epoch:
            end = min(epoch, math.floor(self._at) + max(1.0, math.ceil(gap)))
            between = (self._at + n * gap for n in range(math.ceil((end - self._at) / gap)))
            yield from ((place, self._rate(place)) for place in between)
            yield end, self._rate(end - 1 / _STEPS)
            self._at = end

    def _make(self, change: PlannedChange) -> None:
        whole, step = int(self._at), self._step(self._at)
        if change.name == "learning_rate":
            rate = self._rates.set(change.value, step, self._cuts(max(whole - 1, 0)))  # the epoch itself ended at the new rate
            self._config = dataclasses.replace(self._config, learning_rate=rate)
        elif change.name == "num_epochs":
            self._config = dataclasses.replace(self._config, num_epochs=change.value)
            self._rates.restart(self._config, whole, self._step(whole))
        elif change.name == "batch_size":
            self._config = dataclasses.replace(self._config, batch_size=change.value)
            self._rates.configure(self._config)
            self._rates.settle(whole, round((self._at - whole) * self._rates.steps_per_epoch), step)

    def _rate(self, epoch: float) -> float:
        return self._rates.at(self._step(epoch), self._cuts(epoch))

    def _step(self, epoch: float) -> int:
        return self._rates.origin + round((epoch - self._rates.begun) * self._rates.steps_per_epoch)

    def _cuts(self, epoch: float) -> int:
        """Of the plateau schedule, in the epoch that is trained then."""
        rate = self._measured.get(min(math.floor(epoch) + 1, max(self._measured, default=0)))
        if self._config.schedule != "plateau" or rate is None:
            return 0
        return max(0, round(math.log(rate / self._rates.at(self._step(epoch), 0)) / math.log(self._config.schedule_factor)))
