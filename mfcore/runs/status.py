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


STATES: dict[str, State] = {
    state.name: state
    for state in (
        State("queued", "waiting", "muted", False, False, "It begins as soon as there is room."),
        State("running", "training", "running", False, True, "A worker is training it."),
        State("paused", "paused", "warning", False, True, "Its worker waits to be told to go on."),
        State("stopped", "stopped", "warning", True, False, "Ended early by request; what it had learned was kept and tested."),
        State("finished", "finished", "good", True, False, "It came to its end and was scored on test."),
        State("failed", "failed", "bad", True, False, "It could not go on; the reason stands beside it."),
        State(
            "interrupted", "interrupted", "warning", True, False, "Its worker is gone; it can go on from where it was saved."
        ),
    )
}
LIVE_STATES = tuple(name for name, state in STATES.items() if state.live)
"""States that only a worker holding the lock can be in."""
ACTIVE_STATES = tuple(name for name, state in STATES.items() if not state.over)
"""States of runs that have not ended."""
_CLAIM_SECONDS = 120.0


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands. Times are seconds since 1970 (UTC), None before they happen.

    ``reason`` says in one line why a run ended as it did; ``error`` is the kind of exception behind a failed one.
    ``claimed_by``: "host:pid" of the process that is starting this queued run, since ``claimed_at``. ``commands_seen``:
    commands up to this number belong to an earlier life of the run. ``extend_to``: epochs in all that an ended run is to reach
    in its next life, 0 if nobody asked.
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

    def claim(self) -> RunStatus:
        """The same, claimed by this process."""
        return dataclasses.replace(self, claimed_by=f"{this_host()}:{os.getpid()}", claimed_at=time.time())


def over(state: str) -> bool:
    """Whether a run in this state has ended. True for a state nobody knows: nothing is to wait for it."""
    return state not in ACTIVE_STATES


_STATUS_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("created", "started", "ended", "claimed_at"), (int, float)),
    **dict.fromkeys(("pid", "commands_seen", "extend_to"), (int,)),
    **dict.fromkeys(("host", "reason", "error", "claimed_by"), (str,)),
}


def parse_status(values: Mapping[str, Any]) -> RunStatus:
    """A status as read from its file; a damaged one reads as interrupted, so that nothing waits for it."""
    damaged = [key for key, kinds in _STATUS_KINDS.items() if key in values and not isinstance(values[key], kinds)]
    if values.get("state") not in STATES or damaged:
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
