"""Bringing a stored dataset here: cache first, then each origin in turn, one process at a time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from mfcore.data.cache import DamagedCache, read_cache, write_cache
from mfcore.data.interactions import Interactions
from mfcore.data.readers import UnreadableData
from mfcore.data.sources.download import FetchCancelled, FetchFailed, Progress
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

    ``fingerprint``: of the genuine Interactions, wherever they came from; None where it is not known. ``published``: how many
    interactions, users and items they have, None where that is not published. ``disk``: bytes that fetching and storing need.
    """

    origins: tuple[Origin, ...]
    advice: str
    fingerprint: str | None = None
    published: tuple[int | None, int | None, int | None] = (None, None, None)
    disk: int = 0


SCRATCH = "arriving"
"""Where in a dataset's folder files arrive; what is only half here stays there for the next attempt."""
REPORT_EVERY = 0.1


class Calmly:
    """Passes progress on, a few times a second at most; raises FetchCancelled once somebody said stop.

    ``cancelled``: asked for each block that arrives. ``clock``: in seconds.
    """

    def __init__(
        self, show: Progress, cancelled: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show, self._cancelled, self._clock = show, cancelled, clock
        self._shown: float | None = None

    def __call__(self, message: str, fraction: float | None) -> None:
        """As a progress callback."""
        if self._cancelled():
            raise FetchCancelled("stopped; what has arrived is kept, and the next fetch goes on from there")
        now, under_way = self._clock(), fraction is not None and fraction < 1.0
        if not under_way or self._shown is None or now - self._shown >= REPORT_EVERY:
            self._shown = now
            self._show(message, fraction)


def load_stored(name: str, source: Source, folder: Path, progress: Progress) -> Interactions:
    """The dataset from ``folder``; fetched into it first where it is missing or damaged.

    Raises:
        DataUnavailable: it is not here, and no origin could bring it.
        UnusableRequest: the folder cannot be written to, or the disk has no room for it.
        FetchCancelled: raised by ``progress``, and passed on.
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
        check_room(name, source.disk, folder.parent)
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
            data = _fetch_from(name, origin, source, folder, progress)
        except (FetchFailed, UnreadableData) as failure:
            failures.append((origin.name, str(failure)))
            progress(f"{origin.name}: {failure}", None)
            continue
        write_cache(folder, data, source=origin.name)
        progress(f"{name} is here: {len(data):,} ratings, from {origin.name}", 1.0)
        return data
    raise DataUnavailable(name, failures, source.advice)


def _fetch_from(name: str, origin: Origin, source: Source, folder: Path, progress: Progress) -> Interactions:
    scratch = folder / SCRATCH
    try:
        scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableRequest(f"cannot write to {folder} ({reason(error)}); choose another data directory") from error
    try:
        data = origin.fetch(scratch, progress)
    finally:
        _tidy(scratch)
    if source.fingerprint not in (None, data.fingerprint):
        raise UnreadableData(f"what arrived is not {name}: its ratings differ from the published ones")
    _check_counts(name, data, source)
    return data


def _tidy(scratch: Path) -> None:
    """Leave only what a next attempt can go on from."""
    for file in scratch.iterdir():
        if not file.name.endswith((".part", ".part.json")):
            file.unlink(missing_ok=True) if file.is_file() else shutil.rmtree(file, ignore_errors=True)
    if not any(scratch.iterdir()):
        scratch.rmdir()


def _check_counts(name: str, data: Interactions, source: Source) -> None:
    found = (len(data), data.num_users, data.num_items)
    for what, is_here, published in zip(("interactions", "users", "items"), found, source.published, strict=True):
        if published not in (None, is_here):
            raise UnreadableData(f"what arrived is not {name}: it has {is_here:,} {what}, and {published:,} are published")


def check_room(name: str, needed: int, folder: Path) -> None:
    """Raises UnusableRequest: the disk that holds ``folder`` has less than ``needed`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UnusableRequest(
            f"{name} needs about {needed / 1e9:.1f} GB of disk while it is fetched, {free / 1e9:.1f} GB are free at {folder}; "
            "make room, or choose another data directory"
        )


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
