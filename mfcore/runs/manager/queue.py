"""The queue of a home, as it stands in its folders: every server that shares the home sees the same one."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Collection
from contextlib import suppress

from filelock import FileLock, Timeout

from mfcore.runs.commands import Command
from mfcore.runs.layout import LIVE_STATES, RunFolder
from mfcore.runs.store import RunStore
from mfcore.validate import require

_HALF = (".new-", ".import-", ".deleted-")
_ABANDONED = 3600.0
"""Seconds after which nobody is still at work on a folder under such a name."""


def sweep(store: RunStore) -> None:
    """Remove what processes left behind that died while they made, took in or deleted a run."""
    for path in store.runs.iterdir():
        with suppress(OSError):  # another server sweeps too; and what cannot be looked at stays
            if path.name.startswith(_HALF) and time.time() - path.stat().st_mtime > _ABANDONED:
                shutil.rmtree(path, ignore_errors=True)


def waiting(store: RunStore) -> list[RunFolder]:
    """Queued runs that nobody is about to start, oldest first."""
    queued = sorted((s for s in store.list() if s.state == "queued"), key=lambda s: (s.created, s.run_id))
    folders = [RunFolder(store.runs / summary.run_id) for summary in queued]
    return [folder for folder in folders if not folder.status().claimed]


def busy(store: RunStore, own: Collection[str]) -> int:
    """Runs that are on, or about to be: ``own`` ones and those of other servers and of the command line."""
    on = set(own)
    for summary in store.list():
        claimed = summary.state == "queued" and RunFolder(store.runs / summary.run_id).status().claimed
        if summary.state in LIVE_STATES or claimed:
            on.add(summary.run_id)
    return len(on)


def queue_lock(store: RunStore) -> FileLock:
    """Held while a server looks at the room there is and fills it. Acquiring raises Timeout after half a second."""
    return FileLock(store.runs / ".queue.lock", timeout=0.5, thread_local=False)


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
