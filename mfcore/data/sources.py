"""Bringing a stored dataset here: cache first, then each road in turn, one process at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from mfcore.data.cache import DamagedCache, read_cache, write_cache
from mfcore.data.download import Progress, RoadClosed
from mfcore.data.interactions import Interactions
from mfcore.data.readers import UnreadableData
from mfcore.paths import reason
from mfcore.validate import UnusableRequest

LOCK_TIMEOUT = 600.0


@dataclass(frozen=True)
class Road:
    """One way to a dataset. ``fetch(scratch folder, progress)`` brings it or raises RoadClosed or UnreadableData."""

    name: str
    fetch: Callable[[Path, Progress], Interactions]


class DataUnavailable(RuntimeError):
    """No road led to the data. ``roads``: (name, why not) of each one tried; ``advice``: what to do."""

    def __init__(self, dataset: str, roads: list[tuple[str, str]], advice: str) -> None:
        self.dataset, self.roads, self.advice = dataset, roads, advice
        tried = "; ".join(f"{name}: {why.rstrip('.')}" for name, why in roads)
        super().__init__(f"{dataset} could not be fetched. {tried}. {advice}")


@dataclass(frozen=True)
class Source:
    """Where a dataset that is not generated comes from.

    ``fingerprint``: of the genuine Interactions, whichever road they came by; None where it is not known.
    """

    roads: tuple[Road, ...]
    advice: str
    fingerprint: str | None = None


def load_stored(name: str, source: Source, folder: Path, progress: Progress) -> Interactions:
    """The dataset from ``folder``; fetched into it first where it is missing or damaged.

    Raises:
        DataUnavailable: it is not here, and no road works.
        UnusableRequest: the folder cannot be written to.
    """
    data = _from_cache(name, folder, progress)
    if data is not None:
        return data
    with _alone(folder, name, progress):
        # Another process may have fetched it while this one waited.
        data = _from_cache(name, folder, lambda message, fraction: None)
        return data if data is not None else _by_road(name, source, folder, progress)


def _from_cache(name: str, folder: Path, progress: Progress) -> Interactions | None:
    try:
        return read_cache(folder)
    except DamagedCache as damage:
        progress(f"The stored copy of {name} is damaged ({damage}); fetching it again", None)
        return None


def _by_road(name: str, source: Source, folder: Path, progress: Progress) -> Interactions:
    failures: list[tuple[str, str]] = []
    for road in source.roads:
        progress(f"Fetching {name} from {road.name}", None)
        try:
            with tempfile.TemporaryDirectory(prefix="mf-explorer-") as scratch:
                data = road.fetch(Path(scratch), progress)
            if source.fingerprint not in (None, data.fingerprint):
                raise UnreadableData(f"what arrived is not {name}: its content differs from the published one")
        except (RoadClosed, UnreadableData) as failure:
            failures.append((road.name, str(failure)))
            progress(f"{road.name}: {failure}", None)
            continue
        write_cache(folder, data, source=road.name)
        progress(f"{name} is here: {len(data):,} ratings, from {road.name}", 1.0)
        return data
    raise DataUnavailable(name, failures, source.advice)


@contextmanager
def _alone(folder: Path, name: str, progress: Progress) -> Iterator[None]:
    """Hold the dataset's lock, so that two processes do not fetch at once."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder.parent / f"{folder.name}.lock")
        try:
            lock.acquire(timeout=0.05)
        except filelock.Timeout:
            progress(f"Another process is fetching {name}; waiting for it", None)
            lock.acquire(timeout=LOCK_TIMEOUT)
    except filelock.Timeout as error:
        raise UnusableRequest(f"another process has been fetching {name} for ten minutes; stop it, then try again") from error
    except (OSError, NotImplementedError) as error:
        raise UnusableRequest(f"cannot write to {folder.parent} ({reason(error)}); choose another data directory") from error
    try:
        yield
    finally:
        lock.release()
