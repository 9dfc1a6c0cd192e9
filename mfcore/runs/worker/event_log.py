"""What a run tells while it goes: every event is written down, and said to who listens."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

from mfcore.runs.events import EpochEvent, Event, EventLog, MessageEvent, StepEvent
from mfcore.training import EpochEnd, StepEnd, Trainer

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Position:
    """Steps and whole epochs done; None before there is a trainer. ``at``: epochs with the share of the one in training."""

    step: int | None = None
    epoch: int | None = None
    at: float = math.nan

    @classmethod
    def of(cls, trainer: Trainer) -> Position:
        return cls(trainer.step, trainer.epoch, trainer.progress)


class EventWriter:
    """Writes the events of one life of a run into its log."""

    def __init__(self, log: EventLog, listen: Listener | None) -> None:
        self._log, self._listen = log, listen

    def record(self, event: Event) -> None:
        """Write an event, and tell the listener."""
        written = self._log.append(event)
        if self._listen is not None:
            self._listen(written)

    def message(self, text: str, at: Position, level: str = "info") -> None:
        """Something for people to read beside the chart."""
        self.record(MessageEvent(text=text, level=level, step=at.step, epoch=at.epoch))


def step_event(end: StepEnd) -> StepEvent:
    return StepEvent(**dataclasses.asdict(end))


def epoch_event(end: EpochEnd, wall: float) -> EpochEvent:
    """``wall``: seconds of training so far, without pace, pauses and validation."""
    facts = dataclasses.asdict(end)
    speed = round(end.samples / end.seconds, 1) if end.seconds > 0 else None
    return EpochEvent(epoch=facts.pop("number"), **facts, samples_per_second=speed, wall=round(wall, 6))
