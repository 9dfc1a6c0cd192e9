"""Where a run stands, as written in its status.json."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATES = ("queued", "running", "paused", "stopped", "finished", "failed", "interrupted")
LIVE_STATES = ("running", "paused")
"""States that only a worker holding the lock can be in."""
OVER_STATES = ("stopped", "finished", "failed", "interrupted")
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
        return self.state in OVER_STATES

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
