"""What happened in a run: events.jsonl, one line each, appended by the worker and read by everybody."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcore.files import clean, cut_torn_line, dumps, tail_lines

EVENT_VERSION = 1


@dataclass(frozen=True)
class EventLog:
    """The file ``path``. One process appends to it at a time; any number read it meanwhile."""

    path: Path

    def repair(self) -> None:
        """To be called once by a new worker before it appends: removes a line its predecessor died in."""
        cut_torn_line(self.path)

    def append(self, event: dict[str, Any]) -> dict[str, Any]:
        """Add one line: v and time are put in, undefined numbers are left out. Returns the line."""
        line: dict[str, Any] = clean({"v": EVENT_VERSION, "time": round(time.time(), 3), **event})
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, (dumps(line) + "\n").encode())
        finally:
            os.close(handle)
        return line

    def read(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Events from a byte offset, and the offset to go on from (see :func:`mfcore.files.tail_lines`)."""
        return tail_lines(self.path, offset)

    def surviving(self) -> list[dict[str, Any]]:
        """All events that still count: those a later ``resume`` took back are gone."""
        kept: list[dict[str, Any]] = []
        for event in self.read()[0]:
            if event.get("kind") == "resume":
                kept = [e for e in kept if e.get("step", 0) <= event.get("step", 0)]
            kept.append(event)
        return kept

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Those of one kind that still count."""
        return [event for event in self.surviving() if event.get("kind") == kind]
