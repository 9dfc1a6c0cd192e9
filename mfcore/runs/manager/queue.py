"""The queue of a home, as it stands in its folders: every server that shares the home sees the same one.

A run that is paused gives up its place: the next one begins, while its worker keeps the state it holds still in. Told to go on
while others train, it waits before all that have not begun (see docs/decisions/the-queue.md).
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from filelock import FileLock, Timeout

from mfcore.errors import UnusableRequest
from mfcore.runs.commands import Command
from mfcore.runs.layout import HIDDEN, RunFolder
from mfcore.runs.status import NEVER_BEGAN, RunStatus
from mfcore.runs.store import RunStore
from mfcore.runs.summary import RunSummary
from mfcore.validate import require

_ABANDONED = 3600.0
"""Seconds after which nobody is still at work on a folder under a hidden name."""


Order = Callable[[Sequence[RunSummary], Sequence[RunSummary]], list[RunSummary]]
"""Sorts runs that wait, given those that train."""


def in_turn(waiting: Sequence[RunSummary], running: Sequence[RunSummary] = ()) -> list[RunSummary]:
    """The order of a queue in which those who asked take turns, each with their oldest run first.

    Who has a run in training has had a turn. With one person asking, who came first is served first.
    """
    turns = Counter(asker(run) for run in running)
    turn_of: dict[str, int] = {}
    for run in sorted(waiting, key=_by_place):
        turn_of[run.run_id] = turns[asker(run)]
        turns[asker(run)] += 1
    return sorted(waiting, key=lambda run: (turn_of[run.run_id], *_by_place(run)))


def asker(run: RunSummary) -> str:
    """Who a run is of, as far as taking turns goes: its owner, else the browser that it was asked for from."""
    return run.owner or run.asked_by


class Queue:
    """Which runs wait, and how many are on.

    Args:
        order: of those that wait.
    """

    def __init__(self, store: RunStore, order: Order = in_turn) -> None:
        self.store = store
        self._order = order

    def waiting(self) -> list[RunFolder]:
        """Queued runs that nobody is about to start, the next one first."""
        folders = [RunFolder(self.store.runs / run.run_id) for run in self.line().waiting]
        return [folder for folder in folders if not folder.status().claimed]

    def line(self) -> Line:
        """Who trains, who holds still, and who waits in which order."""
        return line_up(self.store.list(), self._order)

    def busy(self, own: Collection[str] = ()) -> int:
        """Runs that train, or are about to: ``own`` ones and those of other servers and of the command line. None that is
        paused."""
        on = set(own)
        for run_id, status in self._statuses().items():
            if status.state == "paused":
                on.discard(run_id)
            elif status.live or status.claimed:
                on.add(run_id)
        return len(on)

    def may_go_on(self, run_id: str, at_once: int) -> bool:
        """Whether a run may go on after a pause: fewer than ``at_once`` others train, or were told to go on before it.

        To be asked, and the answer acted on, while :meth:`lock` is held.
        """
        others = self._statuses()
        own = others.pop(run_id)

        def before(other: str, status: RunStatus) -> bool:
            if status.state == "resuming":
                return own.state != "resuming" or (status.queued, other) < (own.queued, run_id)
            return status.state == "running" or status.claimed

        return sum(before(other, status) for other, status in others.items()) < at_once

    def move(self, run_id: str, to: int) -> None:
        """Let a queued run wait at another place, 1 being the next to begin; beyond the end is the last.

        It overtakes only runs of the same asker: between askers there are turns.

        Raises:
            UnusableRequest: it does not wait (any more).
        """
        folder = self.store.folder(run_id)
        try:
            with self.lock(), folder.lock():
                status = folder.status()
                require(status.state == "queued" and not status.claimed, f"run {run_id} does not wait to begin (any more)")
                waiting = self.line().waiting
                who = next((asker(run) for run in waiting if run.run_id == run_id), "")
                others = [run for run in waiting if run.run_id != run_id]
                own = sorted(run.place for run in others if asker(run) == who)
                before = sum(asker(run) == who for run in others[: max(to, 1) - 1])
                folder.write_status(dataclasses.replace(status, place=_between(own, before)))
        except Timeout:
            raise UnusableRequest(f"run {run_id} is being looked at this very moment; try again") from None

    def _statuses(self) -> dict[str, RunStatus]:
        """Where every run that is not over stands, without reading what happened in it."""
        found = {}
        for run_id in self.store.names():
            folder = RunFolder(self.store.runs / run_id)
            status = folder.status()
            with suppress(OSError):  # a folder that cannot be used stands in nobody's way
                if status.state == "queued" or (status.live and not self.store.mark_if_lost(folder)):
                    found[run_id] = status
        return found

    def lock(self) -> FileLock:
        """Held while a server looks at the room there is and fills it. Acquiring raises Timeout after half a second."""
        return FileLock(self.store.runs / ".queue.lock", timeout=0.5, thread_local=False)


@dataclass(frozen=True)
class Line:
    """Runs that are not over. ``resuming``: told to go on after a pause; they go before those ``waiting`` to begin."""

    running: tuple[RunSummary, ...]
    paused: tuple[RunSummary, ...]
    resuming: tuple[RunSummary, ...]
    waiting: tuple[RunSummary, ...]

    @property
    def order(self) -> tuple[RunSummary, ...]:
        """All that wait for their turn, the next one first."""
        return self.resuming + self.waiting

    def position(self, run_id: str) -> int:
        """Its number among those that wait, from 1; 0 if it does not wait."""
        return next((number for number, run in enumerate(self.order, start=1) if run.run_id == run_id), 0)

    def __bool__(self) -> bool:
        return bool(self.running or self.paused or self.order)


def line_up(runs: Iterable[RunSummary], order: Order = in_turn) -> Line:
    """The line that these runs make."""
    sorted_by: dict[str, Callable[[RunSummary], Any]] = {
        "running": _by_id,
        "paused": _by_id,
        "resuming": lambda run: (run.queued, run.run_id),
        "queued": _by_place,
    }
    every = list(runs)
    found = {state: tuple(sorted((run for run in every if run.state == state), key=key)) for state, key in sorted_by.items()}
    waiting = tuple(order(found["queued"], [*found["running"], *found["resuming"]]))
    return Line(found["running"], found["paused"], found["resuming"], waiting)


def _by_id(run: RunSummary) -> str:
    return run.run_id


def _by_place(run: RunSummary) -> tuple[float, str]:
    return run.place, run.run_id


def _between(places: list[float], index: int) -> float:
    """A place before the one at ``index`` of sorted ``places`` and after the one before it."""
    if not places:
        return time.time()
    if index <= 0:
        return places[0] - 1.0
    if index >= len(places):
        return places[-1] + 1.0
    return (places[index - 1] + places[index]) / 2


def claim(folder: RunFolder, at_once: int = 0) -> bool:
    """Mark a queued run as ours to start, where ``at_once`` train; False if it is no longer to be had."""
    with suppress(Timeout, FileNotFoundError), folder.lock():
        status = folder.status()
        if status.state == "queued" and not status.claimed:
            folder.write_status(status.claim(at_once))
            return True
    return False


def unclaim(folder: RunFolder) -> bool:
    """Give back a run that was claimed and that nobody has begun; False if there is none such.

    Raises:
        Timeout: somebody holds it.
    """
    with folder.lock():
        status = folder.status()
        if status.state != "queued":
            return False
        folder.write_status(dataclasses.replace(status, claimed_by="", claimed_at=0.0))
        return True


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
            folder.write_status(dataclasses.replace(status, state="stopped", ended=time.time(), reason=NEVER_BEGAN))
            return True
    return False


def sweep(store: RunStore) -> None:
    """Remove what processes left behind that died while they made, took in or deleted a run."""
    for path in store.runs.iterdir() if store.runs.is_dir() else ():
        with suppress(OSError):  # another server sweeps too; and what cannot be looked at stays
            if path.name.startswith(HIDDEN) and time.time() - path.stat().st_mtime > _ABANDONED:
                shutil.rmtree(path, ignore_errors=True)
