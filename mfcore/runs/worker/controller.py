"""Between a run and the people who watch it: applies their commands at step boundaries, and keeps the pace."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.runs.commands import check_command
from mfcore.runs.layout import RunFolder
from mfcore.runs.worker.helm import Helm
from mfcore.validate import require

_POLL = 0.05
"""Seconds between looks into the commands folder; a look at every step would cost more than the step."""
_NAP = 0.02


class Conductor:
    """Answers a trainer's ``should_stop`` and holds it back while paused or ahead of the pace.

    ``stop``: somebody asked the run to end. ``interrupted``: the process is asked to leave, the run is to be continued later.
    ``helm``: what changes the training itself; None while there is none, or none any more. Waiting here is not training time:
    the trainer times its steps alone.
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
        self.helm: Helm | None = None
        self.position: Callable[[], dict[str, Any]] = dict
        self._batches = self._epochs = 0
        self._batch_is_on = False
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
        if now >= self._next_look or self._batches or self._batch_is_on:
            self._look()
            self._next_look = now + _POLL
            self._after_batch()
            self._wait()
            self._before_batch()
        return self.over

    def start_clock(self) -> None:
        """The first epoch begins now."""
        self._epoch_began = time.monotonic()

    def epoch_ends(self) -> None:
        """Wait until the pace allows the next epoch; commands are heard meanwhile."""
        self._after_batch()
        if self._epochs:
            self._epochs -= 1
            self._hold(not self._epochs)
        self._look()  # a step asked for from here on is about the next epoch
        self._wait(lambda: self.pace > 0 and not self._batches and time.monotonic() < self._epoch_began + 1.0 / self.pace)
        self._epoch_began = time.monotonic()

    def listen(self) -> None:
        """Hear what was asked for meanwhile, without waiting."""
        self._look()

    def close(self) -> None:
        """The run ends. Whatever nobody has heard yet is refused in words rather than lost."""
        for command in self.folder.pending_commands(self._seen):
            self._record(self._heard(command) | {"refused": "the run was ending when this came"})

    def let_go(self) -> None:
        """The training is over, what follows cannot be steered: nothing is changed or taken step by step any more."""
        self.helm = None
        self._batches = self._epochs = 0
        self._batch_is_on = False

    def _before_batch(self) -> None:
        if self._batches and self.helm is not None:
            self._batch_is_on = True
            self.helm.step_batch()

    def _after_batch(self) -> None:
        if self._batch_is_on:
            self._batch_is_on = False
            if self._batches:  # else somebody asked for something else meanwhile
                self._batches -= 1
                self._hold(not self._batches)

    def _hold(self, held: bool) -> None:
        if self.paused != held:
            self.paused = held
            self._set_state("paused" if held else "running")
            if held and self.helm is not None and self.helm.keep_here():
                self._record({"kind": "checkpoint", **self.position()})

    def _wait(self, early: Callable[[], bool] = lambda: False) -> None:
        while ((self.paused and not self._batches) or early()) and not self.over:
            time.sleep(_NAP)
            self._look()

    def _look(self) -> None:
        for command in self.folder.pending_commands(self._seen):
            event = self._heard(command)
            try:
                event |= self._apply(command["kind"], command.get("value"))
            except (UnusableRequest, TypeError, ValueError) as error:
                event["refused"] = str(error)
            self._record(event)

    def _heard(self, command: dict[str, Any]) -> dict[str, Any]:
        """The event that tells of a command."""
        self._seen = command["number"]
        event = {"kind": "command", "name": command["kind"], "number": command["number"], **self.position()}
        return event | ({"value": command["value"]} if "value" in command else {})

    def _apply(self, kind: str, value: Any) -> dict[str, Any]:
        """Do what a command says; returns what else is to be told about it."""
        kind, args = check_command(kind, {} if value is None else {"value": value})
        if kind == "stop":
            self.stop_asked = True
        elif kind in ("pause", "resume"):
            self._batches = self._epochs = 0
            self._hold(kind == "pause")
        elif kind == "pace":
            self.pace = args["value"]
        else:
            require(self.helm is not None, "the epochs are over; only stop, pause, resume and pace are heard now")
            assert self.helm is not None
            return self._step(kind) if kind in ("step_batch", "step_epoch") else self.helm.set(kind, args["value"])
        return {}

    def _step(self, kind: str) -> dict[str, Any]:
        """The same step asked for twice, such as from two tabs, is two steps; another kind takes the place of the first."""
        if kind == "step_batch":
            self._batches, self._epochs = self._batches + 1, 0
        else:
            self._batches, self._epochs = 0, self._epochs + 1
            self._hold(False)
        return {}
