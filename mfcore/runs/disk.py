"""What runs take on disk, and what goes first where that is limited: epochs kept to branch from, of the oldest runs.

Results, the weights that stand for a run and what it can go on from always stay; so does everything of a starred run.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from mfcore.quantities import size
from mfcore.runs.checkpoints.retention import kept_epochs, kept_path
from mfcore.runs.events import MessageEvent
from mfcore.runs.layout import RunFolder
from mfcore.runs.store import RunStore, isolated
from mfcore.runs.summary import RunSummary

GB = 10**9
NEARLY = 0.8
"""Share of the budget from which on it is said what will go."""
_FRESH = 5.0
"""Seconds for which a measurement holds: a thousand runs take a tenth of a second to measure."""


@dataclass(frozen=True)
class RunSize:
    """Bytes of a run on disk, and of those what its kept epochs take. What two runs share is counted once."""

    total: int
    kept: int


@dataclass(frozen=True)
class DiskUse:
    """``runs``: by id. ``budget``: bytes; 0: none. ``next_to_go``: ids of runs whose kept epochs go first, oldest first."""

    runs: dict[str, RunSize]
    budget: int
    next_to_go: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(one.total for one in self.runs.values())

    @property
    def nearly_full(self) -> bool:
        """Whether it is time to say what will go."""
        return bool(self.budget) and self.total > NEARLY * self.budget


_measured: dict[Path, tuple[float, dict[str, RunSize]]] = {}
_guard = threading.Lock()


def measure(store: RunStore, clock: Callable[[], float] = time.monotonic) -> dict[str, RunSize]:
    """Every run's size, some seconds old at most."""
    with _guard:
        found = _measured.get(store.runs)
    if found is not None and clock() - found[0] < _FRESH:
        return found[1]
    seen: set[tuple[int, int]] = set()
    sizes = {run_id: _size_of(store.runs / run_id, seen) for run_id in store.names()}
    with _guard:
        _measured[store.runs] = (clock(), sizes)
    return sizes


def disk_use(store: RunStore, budget_gb: float) -> DiskUse:
    """What the runs take, and what would go first."""
    sizes = measure(store)
    going = [run.run_id for run in _oldest_first(store.list()) if sizes.get(run.run_id, RunSize(0, 0)).kept]
    # A branch that was taken from the queue, or cut off, before its first checkpoint has nothing else to begin from.
    going = [run_id for run_id in going if (RunFolder(store.runs / run_id).checkpoints / "last.safetensors").is_file()]
    return DiskUse(sizes, int(budget_gb * GB), tuple(going))


def over_budget(store: RunStore, budget_gb: float) -> int:
    """Bytes by which the runs exceed their budget, once all that may go has gone; below 1 where they do not."""
    if not budget_gb:
        return 0
    use = disk_use(store, budget_gb)
    return use.total - sum(use.runs[run_id].kept for run_id in use.next_to_go) - use.budget


def make_room(store: RunStore, budget_gb: float) -> list[str]:
    """Remove kept epochs of the oldest runs until all fit into their budget; returns whose. Each is told so in its events."""
    if not budget_gb:
        return []
    use, freed = disk_use(store, budget_gb), []
    excess = use.total - use.budget
    for run_id in use.next_to_go:
        if excess <= 0:
            break
        with isolated(run_id), suppress(Timeout):
            excess -= _forget_kept(RunFolder(store.runs / run_id), use.runs[run_id].kept)
            freed.append(run_id)
    if freed:
        with _guard:
            _measured.pop(store.runs, None)
    return freed


def _oldest_first(runs: list[RunSummary]) -> list[RunSummary]:
    """Runs whose kept epochs may go."""
    return sorted((run for run in runs if run.over and not run.starred), key=lambda run: (run.created, run.run_id))


def _forget_kept(folder: RunFolder, freed: int) -> int:
    """Remove the kept epochs of a run that nobody trains; returns the bytes that were freed."""
    with folder.lock():
        epochs = kept_epochs(folder.checkpoints)
        for epoch in epochs:
            kept_path(folder.checkpoints, epoch).unlink(missing_ok=True)
        text = f"{len(epochs)} epochs to branch from were removed to make room ({size(freed)}); its results stay"
        folder.events.append(MessageEvent(text=text))
    return freed


def _size_of(folder: Path, seen: set[tuple[int, int]]) -> RunSize:
    total = kept = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it may be going this moment
                status = (Path(place) / name).lstat()
                if (status.st_dev, status.st_ino) in seen:
                    continue
                if status.st_nlink > 1:
                    seen.add((status.st_dev, status.st_ino))
                total += status.st_size
                kept += status.st_size if name.startswith("epoch-") and Path(place).name == "checkpoints" else 0
    return RunSize(total, kept)
