"""What becomes of the trainings when a server is stopped: they are saved, and wait for the next one before all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from filelock import Timeout

from mfcore.errors import UnusableRequest
from mfcore.runs.commands import Command
from mfcore.runs.layout import RunFolder
from mfcore.runs.manager.executor import Worker
from mfcore.runs.manager.queue import unclaim
from mfcore.runs.store import SERVER_LEFT, RunStore, isolated

GRACE = 8.0
"""Seconds that workers have to save; who stops a container or a service waits ten before it kills."""
_NAP = 0.02


def put_back(
    store: RunStore,
    workers: Mapping[str, Worker],
    grace: float = GRACE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Ask ``workers`` (by run id) to save and leave, end those that have not after ``grace`` seconds, and queue their runs.

    They wait before all others; one that was paused will be paused again. Returns the ids of those that will go on: one that
    came to its end meanwhile does not.
    """
    folders = {run_id: RunFolder(store.runs / run_id) for run_id in workers}
    held = {run_id for run_id, folder in folders.items() if folder.status().state == "paused"}
    _end(workers.values(), grace, clock, sleep)
    place = min((run.place for run in store.list() if run.state == "queued"), default=time.time())
    going_on = []
    for number, run_id in enumerate(sorted(workers)):
        with isolated(run_id), suppress(UnusableRequest):  # one that cannot go on stays as it ended
            if _queue(store, folders[run_id], place - len(workers) + number):
                going_on.append(run_id)
                if run_id in held:
                    folders[run_id].add_command(Command("pause"))
    return going_on


def _end(workers: Iterable[Worker], grace: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    going = list(workers)
    for worker in going:
        worker.terminate()
    deadline = clock() + grace
    while going and clock() < deadline:
        going = [worker for worker in going if worker.exit_code() is None]
        sleep(_NAP if going else 0)
    for worker in going:
        worker.kill()
    while any(worker.exit_code() is None for worker in going) and clock() < deadline + 1:
        sleep(_NAP)


def _queue(store: RunStore, folder: RunFolder, place: float) -> bool:
    """Put a run whose worker is gone back into the queue; False if it came to an end of its own."""
    if not folder.exists():
        return False
    with suppress(Timeout):
        if unclaim(folder):  # its worker had not taken it up yet
            return True
    store.mark_if_lost(folder, SERVER_LEFT)
    if folder.status().state != "interrupted":
        return False
    store.requeue(folder.run_id, place=place)
    return True
