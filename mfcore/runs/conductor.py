"""Between a run and the people who watch it: applies their commands at step boundaries, and keeps the pace."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mfcore.runs.folder import RunFolder
from mfcore.validate import UnusableRequest

_POLL = 0.05
"""Seconds between looks into the commands folder; a look at every step would cost more than the step."""
_NAP = 0.02


class Conductor:
    """Answers a trainer's ``should_stop`` and holds it back while paused or ahead of the pace.

    ``stop``: somebody asked the run to end. ``interrupted``: the process is asked to leave, the run is to be continued later.
    Waiting here is not training time: the trainer times its steps alone.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        after: int,
        record: Callable[[dict[str, Any]], None],
        set_state: Callable[[str], None],
        interrupted: Callable[[], bool],
        stop: Callable[[], bool],
    ) -> None:
        self.folder = folder
        self.pace = 0.0
        self.paused = False
        self.stop_asked = False
        self.set_learning_rate: Callable[[float], None] = lambda value: None
        self.position: Callable[[], dict[str, Any]] = dict
        self._seen = after
        self._record, self._set_state = record, set_state
        self._interrupted, self._stop = interrupted, stop
        self._next_look = 0.0
        self._epoch_began = 0.0

    @property
    def stop(self) -> bool:
        return self.stop_asked or self._stop()

    @property
    def interrupted(self) -> bool:
        return self._interrupted()

    @property
    def over(self) -> bool:
        return self.stop or self.interrupted

    def should_stop(self) -> bool:
        """To be asked after every step. Looks for commands now and then, and waits here while the run is paused."""
        now = time.monotonic()
        if now >= self._next_look:
            self._look()
            self._next_look = now + _POLL
            self._wait(lambda: self.paused)
        return self.over

    def start_clock(self) -> None:
        """The first epoch begins now."""
        self._epoch_began = time.monotonic()

    def epoch_ends(self) -> None:
        """Wait until the pace allows the next epoch; commands are heard meanwhile."""
        self._look()
        self._wait(lambda: self.paused or (self.pace > 0 and time.monotonic() < self._epoch_began + 1.0 / self.pace))
        self._epoch_began = time.monotonic()

    def _wait(self, needed: Callable[[], bool]) -> None:
        while needed() and not self.over:
            time.sleep(_NAP)
            self._look()

    def _look(self) -> None:
        for command in self.folder.pending_commands(self._seen):
            self._seen = command["number"]
            event = {"kind": "command", "name": command["kind"], "number": command["number"], **self.position()}
            if "value" in command:
                event["value"] = command["value"]
            try:
                self._apply(command["kind"], command.get("value"))
            except (UnusableRequest, TypeError, ValueError) as error:
                event["refused"] = str(error)
            self._record(event)

    def _apply(self, kind: str, value: Any) -> None:
        from mfcore.runs.commands import check_command

        kind, args = check_command(kind, {} if value is None else {"value": value})
        if kind == "stop":
            self.stop_asked = True
        elif kind in ("pause", "resume"):
            self.paused = kind == "pause"
            self._set_state("paused" if self.paused else "running")
        elif kind == "pace":
            self.pace = args["value"]
        elif kind == "learning_rate":
            self.set_learning_rate(args["value"])
