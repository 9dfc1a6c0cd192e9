"""What a run tells while it goes: every event is written down, and said to who listens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from mfcore.runs.layout import RunFolder
from mfcore.training import EpochEnd, StepEnd, Trainer

Listener = Callable[[dict[str, Any]], None]


class Diary:
    """Writes the events of one life of a run.

    ``trainer``: where the run stands, once there is one. ``frozen_at``: where it stood when it diverged.
    """

    def __init__(self, folder: RunFolder, listen: Listener | None) -> None:
        self.folder, self._listen = folder, listen
        self.trainer: Trainer | None = None
        self.frozen_at: dict[str, Any] | None = None

    def record(self, event: dict[str, Any]) -> None:
        """Write an event, and tell the listener."""
        line = self.folder.append_event(event)
        if self._listen is not None:
            self._listen(line)

    def message(self, text: str, level: str = "info") -> None:
        """Something for people to read beside the chart."""
        self.record({"kind": "message", "level": level, "text": text, **self.position()})

    def position(self) -> dict[str, Any]:
        """Steps and whole epochs done."""
        if self.frozen_at is not None:
            return self.frozen_at
        return {} if self.trainer is None else {"step": self.trainer.step, "epoch": self.trainer.epoch}

    def step(self, end: StepEnd) -> None:
        self.record({"kind": "step", **dataclasses.asdict(end)})

    def epoch_event(self, end: EpochEnd) -> dict[str, Any]:
        """The event that tells of an epoch. ``wall``: seconds of training so far, without pace, pauses and validation."""
        entry = dataclasses.asdict(end)
        entry["epoch"] = entry.pop("number")
        if end.seconds > 0:
            entry["samples_per_second"] = round(end.samples / end.seconds, 1)
        if self.trainer is not None:
            entry["wall"] = round(self.trainer.train_seconds, 6)
        return {"kind": "epoch", **entry}
