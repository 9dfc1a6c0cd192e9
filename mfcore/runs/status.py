"""Where a run stands: the states there are, and what is written in its status.json."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class State:
    """One state a run can be in, and how it is told wherever one looks: page, browser, command line.

    ``tone``: muted, running, warning, good or bad. ``over``: the run has ended, in whichever way. ``live``: only a worker that
    holds the run's lock can be in it. ``description``: one sentence, for a tooltip.
    """

    name: str
    word: str
    tone: str
    over: bool
    live: bool
    description: str


DAMAGED = "damaged"
"""The state of a run whose files an import, a hand or a failing disk filled with what no run writes. Never written."""
STATES: dict[str, State] = {
    state.name: state
    for state in (
        State("queued", "waiting", "muted", False, False, "It begins as soon as there is room."),
        State("running", "training", "running", False, True, "A worker is training it."),
        State("paused", "paused", "warning", False, True, "It holds still until told to go on; others train meanwhile."),
        State("resuming", "waiting to go on", "muted", False, True, "It was told to go on, and does as soon as there is room."),
        State("stopped", "stopped", "warning", True, False, "Ended early by request; what it had learned was kept and tested."),
        State("finished", "finished", "good", True, False, "It came to its end and was scored on test."),
        State("failed", "failed", "bad", True, False, "It could not go on; the reason stands beside it."),
        State(
            "interrupted", "interrupted", "warning", True, False, "Its worker is gone; it can go on from where it was saved."
        ),
        State(DAMAGED, "damaged", "bad", True, False, "Its files cannot be read; all one can do with it is delete it."),
    )
}
LIVE_STATES = tuple(name for name, state in STATES.items() if state.live)
"""States that only a worker holding the lock can be in."""
ACTIVE_STATES = tuple(name for name, state in STATES.items() if not state.over)
"""States of runs that have not ended."""
NEVER_BEGAN = "stopped before it began"
"""The reason of a run that was taken out of the queue; it can be put back."""
_CLAIM_SECONDS = 120.0


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands. Times are seconds since 1970 (UTC), None before they happen.

    ``reason`` says in one line why a run ended as it did; ``error`` is the kind of exception behind a failed one.
    ``claimed_by``: "host:pid" of the process that is starting this queued run, since ``claimed_at``. ``commands_seen``:
    commands up to this number belong to an earlier life of the run. ``extend_to``: epochs in all that an ended run is to reach
    in its next life, 0 if nobody asked. ``queued``: since when it waits for its turn. ``place``: its place in the queue, the
    smallest is the next; 0: by the time of its creation. ``at_once``: how many runs train at once where it was started, which
    it keeps to when it goes on after a pause; 0: it was started by hand and waits for nobody. ``server``: "host:pid" of the
    process that started its worker. ``asked_by``: the browser it was asked for from, so that those who wait take turns.
    """

    state: str
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    pid: int | None = None
    host: str = ""
    reason: str = ""
    error: str = ""
    claimed_by: str = ""
    claimed_at: float = 0.0
    commands_seen: int = 0
    extend_to: int = 0
    queued: float = 0.0
    place: float = 0.0
    at_once: int = 0
    server: str = ""
    asked_by: str = ""

    @property
    def over(self) -> bool:
        """Whether the run has ended, in whichever way."""
        return over(self.state)

    @property
    def live(self) -> bool:
        """Whether a worker has the run in its hands."""
        return self.state in LIVE_STATES

    @property
    def claimed(self) -> bool:
        """Whether the process that claimed this queued run can still be about to start it. Other hosts are believed a while."""
        host, _, pid = self.claimed_by.rpartition(":")
        if self.state != "queued" or not pid.isdigit() or time.time() - self.claimed_at > _CLAIM_SECONDS:
            return False
        return host != this_host() or _process_lives(int(pid))

    @property
    def worker_gone(self) -> bool:
        """Whether the process that has this run in its hands is known to live no more: it was on this machine, or is none."""
        return self.live and (self.pid is None or (self.host == this_host() and not _process_lives(self.pid)))

    @property
    def orphaned(self) -> bool:
        """Whether a worker on this machine goes on without the server that started it."""
        host, _, pid = self.server.rpartition(":")
        return self.live and host == this_host() and pid.isdigit() and not _process_lives(int(pid))

    @property
    def abandoned(self) -> bool:
        """Whether it was to be trained at the command line, by a process that left before it began: nobody else is to."""
        return self.state == "queued" and self.claimed_by != "" and not self.at_once and not self.claimed

    def claim(self, at_once: int = 0) -> RunStatus:
        """The same, claimed by this process."""
        ours = f"{this_host()}:{os.getpid()}"
        return dataclasses.replace(self, claimed_by=ours, claimed_at=time.time(), at_once=at_once)


def over(state: str) -> bool:
    """Whether a run in this state has ended. True for a state nobody knows: nothing is to wait for it."""
    return state not in ACTIVE_STATES


_LATEST = 8e9
"""Seconds from 1970 to 2223, as far as tables of times go."""
_TIMES = ("created", "started", "ended", "claimed_at", "queued", "place")
_COUNTS = ("pid", "commands_seen", "extend_to", "at_once")
_WORDS = {"host": 255, "reason": 10_000, "error": 200, "claimed_by": 300, "server": 300, "asked_by": 200}
"""Texts, and how long they are at most."""


def _usable(key: str, value: object) -> bool:
    """Whether a field of a status file holds what it can be calculated with and shown."""
    if key in _TIMES:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LATEST
    if key in _COUNTS:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return key not in _WORDS or (isinstance(value, str) and len(value) <= _WORDS[key])


def parse_status(values: Mapping[str, Any]) -> RunStatus:
    """A status as read from its file; a damaged one reads as interrupted, so that nothing waits for it."""
    state = values.get("state")
    if (
        not isinstance(state, str)
        or state not in STATES
        or state == DAMAGED
        or not all(_usable(key, value) for key, value in values.items())
    ):
        return RunStatus("interrupted", reason="its status file is missing or damaged")
    known = {f.name for f in dataclasses.fields(RunStatus)}
    return RunStatus(**{key: value for key, value in values.items() if key in known})


def this_host() -> str:
    return socket.gethostname()


def _process_lives(pid: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
