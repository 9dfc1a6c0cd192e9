"""Bringing a stored dataset here: cache first, then each origin in turn, one process at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from mfcore.data.cache import DamagedCache, read_cache, write_cache
from mfcore.data.interactions import Interactions
from mfcore.data.readers import UnreadableData
from mfcore.data.sources.download import FetchFailed, Progress
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.paths import reason, writable_folder

LOCK_TIMEOUT = 600.0


@dataclass(frozen=True)
class Origin:
    """One place a dataset comes from. ``fetch(scratch folder, progress)`` brings it or raises FetchFailed or UnreadableData."""

    name: str
    fetch: Callable[[Path, Progress], Interactions]


@dataclass(frozen=True)
class Source:
    """Where a dataset that is not generated comes from.

    ``fingerprint``: of the genuine Interactions, wherever they came from; None where it is not known.
    """

    origins: tuple[Origin, ...]
    advice: str
    fingerprint: str | None = None


def load_stored(name: str, source: Source, folder: Path, progress: Progress) -> Interactions:
    """The dataset from ``folder``; fetched into it first where it is missing or damaged.

    Raises:
        DataUnavailable: it is not here, and no origin could bring it.
        UnusableRequest: the folder cannot be written to.
    """
    data, _ = _from_cache(name, source, folder)
    if data is not None:
        return data
    with _alone(folder, name, progress):
        # Another process may have fetched it while this one waited.
        data, damage = _from_cache(name, source, folder)
        if data is not None:
            return data
        if damage:
            progress(f"The stored copy of {name} is damaged ({damage}); fetching it again", None)
        return _fetch(name, source, folder, progress, damage)


def _from_cache(name: str, source: Source, folder: Path) -> tuple[Interactions | None, str]:
    """What is stored, and what is wrong with it ("" if nothing is)."""
    try:
        data = read_cache(folder)
    except DamagedCache as damage:
        return None, str(damage)
    if data is not None and source.fingerprint not in (None, data.fingerprint):
        return None, f"it is not the published {name}"
    return data, ""


def _fetch(name: str, source: Source, folder: Path, progress: Progress, damage: str) -> Interactions:
    failures = [("stored copy", f"damaged, {damage}")] if damage else []
    for origin in source.origins:
        progress(f"Fetching {name} from {origin.name}", None)
        try:
            data = _fetch_from(name, origin, source.fingerprint, progress)
        except (FetchFailed, UnreadableData) as failure:
            failures.append((origin.name, str(failure)))
            progress(f"{origin.name}: {failure}", None)
            continue
        write_cache(folder, data, source=origin.name)
        progress(f"{name} is here: {len(data):,} ratings, from {origin.name}", 1.0)
        return data
    raise DataUnavailable(name, failures, source.advice)


def _fetch_from(name: str, origin: Origin, fingerprint: str | None, progress: Progress) -> Interactions:
    with tempfile.TemporaryDirectory(prefix="mf-explorer-") as scratch:
        data = origin.fetch(Path(scratch), progress)
    if fingerprint not in (None, data.fingerprint):
        raise UnreadableData(f"what arrived is not {name}: its ratings differ from the published ones")
    return data


@contextmanager
def _alone(folder: Path, name: str, progress: Progress) -> Iterator[None]:
    """Hold the dataset's lock, so that two processes do not fetch at once."""
    try:
        writable_folder(folder.parent)
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
