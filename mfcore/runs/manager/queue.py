"""The queue of a home, as it stands in its folders: every server that shares the home sees the same one."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from filelock import FileLock, Timeout

from mfcore.runs.commands import Command
from mfcore.runs.layout import HIDDEN, RunFolder
from mfcore.runs.status import LIVE_STATES
from mfcore.runs.store import RunStore
from mfcore.runs.summary import RunSummary
from mfcore.validate import require

_ABANDONED = 3600.0
"""Seconds after which nobody is still at work on a folder under a hidden name."""


def oldest_first(run: RunSummary) -> tuple[float, str]:
    """The order of a queue in which who came first is served first."""
    return run.created, run.run_id


class Queue:
    """Which runs wait, and how many are on.

    Args:
        order: sorts those that wait; a queue that is fair between owners would be another one.
    """

    def __init__(self, store: RunStore, order: Callable[[RunSummary], Any] = oldest_first) -> None:
        self.store = store
        self._order = order

    def waiting(self) -> list[RunFolder]:
        """Queued runs that nobody is about to start, the next one first."""
        queued = sorted((run for run in self.store.list() if run.state == "queued"), key=self._order)
        folders = [RunFolder(self.store.runs / run.run_id) for run in queued]
        return [folder for folder in folders if not folder.status().claimed]

    def busy(self, own: Collection[str]) -> int:
        """Runs that are on, or about to be: ``own`` ones and those of other servers and of the command line."""
        on = set(own)
        for run in self.store.list():
            claimed = run.state == "queued" and RunFolder(self.store.runs / run.run_id).status().claimed
            if run.state in LIVE_STATES or claimed:
                on.add(run.run_id)
        return len(on)

    def lock(self) -> FileLock:
        """Held while a server looks at the room there is and fills it. Acquiring raises Timeout after half a second."""
        return FileLock(self.store.runs / ".queue.lock", timeout=0.5, thread_local=False)


def claim(folder: RunFolder) -> bool:
    """Mark a queued run as ours to start; False if it is no longer to be had."""
    with suppress(Timeout, FileNotFoundError), folder.lock():
        status = folder.status()
        if status.state == "queued" and not status.claimed:
            folder.write_status(status.claim())
            return True
    return False


def leave_command(folder: RunFolder, command: Command) -> None:
    """Ask a run for something; a run that has not begun is stopped at once.

    Raises:
        UnusableRequest: the run is over.
    """
    status = folder.status()
    require(not status.over, f"run {folder.run_id} is over ({status.state}); it takes no more commands")
    if not (command.kind == "stop" and stop_waiting(folder)):
        folder.add_command(command)


def stop_waiting(folder: RunFolder) -> bool:
    """End a run that nobody has begun to start; False if somebody has."""
    with suppress(Timeout), folder.lock():
        status = folder.status()
        if status.state == "queued" and not status.claimed:
            reason = "stopped before it began"
            folder.write_status(dataclasses.replace(status, state="stopped", ended=time.time(), reason=reason))
            return True
    return False


def sweep(store: RunStore) -> None:
    """Remove what processes left behind that died while they made, took in or deleted a run."""
    for path in store.runs.iterdir():
        with suppress(OSError):  # another server sweeps too; and what cannot be looked at stays
            if path.name.startswith(HIDDEN) and time.time() - path.stat().st_mtime > _ABANDONED:
                shutil.rmtree(path, ignore_errors=True)
