"""Checks of the data directory: that it is there, keeps what it is given, and what lies in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mfcore.cli.checks.finding import Circumstances, Finding, note, ok, problem, size
from mfcore.paths import HOME_VARIABLE, chosen_dir, reason

if TYPE_CHECKING:
    from mfcore.runs.layout import RunFolder

ANOTHER = f"choose another directory with --home or {HOME_VARIABLE}"
_LITTLE_ROOM, _ENOUGH_ROOM = 200e6, 2e9
_FEW_FILES = 1000
_MEASURING_SECONDS = 5.0
_CLOCKS_APART, _CLOCKS_WRONG = 2.0, 10.0
"""Seconds between two clocks that are remarkable, and that make a worker look silent too early or too late."""


def directory(given: Circumstances) -> Iterator[Finding]:
    """Where data and runs are kept, who said so, and whether something can be written there. Nothing is created."""
    path, origin = chosen_dir(given.home)
    named = f"{path} (from {origin})"
    file = next((one for one in (path, *path.parents) if one.exists() and not one.is_dir()), None)
    if file is not None:
        yield problem(f"{named} cannot be made: {file} is a file", ANOTHER)
    elif not path.exists():
        above = _nearest(path)
        why = _unwritable(above)
        if not why:
            yield ok(f"{named} does not exist yet; it is made when it is needed")
        else:
            yield problem(
                f"{named} does not exist and cannot be made in {above} ({why})",
                f"make it and give it to this user, or {ANOTHER}",
            )
    elif not os.access(path, os.R_OK | os.X_OK):
        yield problem(f"{named} cannot be read by this user", f"chown or chmod it, or {ANOTHER}")
    else:
        why = _unwritable(path)
        cure = "make room, mount it for writing or chown it; until then runs can be looked at and none trained"
        yield problem(f"{named} cannot be written to ({why})", cure) if why else ok(f"{named}, can be written to")


def locks(given: Circumstances) -> Iterator[Finding]:
    """That two holders of a lock exclude each other there, and that a file is replaced in one step."""
    from filelock import FileLock, Timeout

    from mfcore.files import replace_file

    with _scratch(given) as (folder, why):
        if folder is None:
            yield note(f"not looked at: {why}")
            return
        first, second = (FileLock(folder / "lock", timeout=0, thread_local=False) for _ in range(2))
        with first:
            try:
                second.acquire()
                second.release()
                excluded = False
            except Timeout:
                excluded = True
        with second:
            pass  # after the first has let go, it can be had
        replace_file(folder / "file", b"before")
        with (folder / "file").open("rb") as reader:
            replace_file(folder / "file", b"after")
            kept = reader.read() == b"before"
        whole = (folder / "file").read_bytes() == b"after" and sorted(p.name for p in folder.glob("*file*")) == ["file"]
    if not excluded:
        cure = "use a directory on a local disk, or mount the share with locks (NFS: version 4, without nolock)"
        yield problem("two holders of one lock did not exclude each other: two workers could train one run", cure)
    elif not (kept and whole):
        yield problem("a file was not replaced in one step: readers could see half of one", "use a directory on a local disk")
    else:
        yield ok("locks exclude each other, files are replaced in one step")


def clock(given: Circumstances) -> Iterator[Finding]:
    """The file system's clock against this process'. A worker's sign of life is the time of a file."""
    with _scratch(given) as (folder, why):
        if folder is None:
            yield note(f"not looked at: {why}")
            return
        before = time.time()
        (folder / "now").write_bytes(b"")
        apart = (folder / "now").stat().st_mtime - before
    found = f"files are {abs(apart):.1f} s {'ahead of' if apart > 0 else 'behind'} this machine's clock"
    cure = "set the clocks of both machines by NTP; else a worker is said not to answer too early or too late"
    if abs(apart) > _CLOCKS_WRONG:
        yield problem(found, cure)
    elif abs(apart) > _CLOCKS_APART:
        yield note(found, cure)
    else:
        yield ok("files have the time of this machine")


def disk(given: Circumstances) -> Iterator[Finding]:
    """Room that is left, and what runs take of it."""
    path, _ = chosen_dir(given.home)
    free = shutil.disk_usage(_nearest(path)).free
    taken, whole = _size_of(path / "runs")
    found = f"{size(free)} free, runs take {'' if whole else 'more than '}{size(taken)}"
    cure = "delete runs on the page Runs or by `python -m mfcore runs delete RUN`; that can be done on a full disk too"
    if free < _LITTLE_ROOM:
        yield problem(found, cure)
    else:
        yield note(found, cure) if free < _ENOUGH_ROOM else ok(found)
    if hasattr(os, "statvfs"):
        room = os.statvfs(_nearest(path))
        if room.f_files and room.f_favail < _FEW_FILES:
            yield problem(f"room for {room.f_favail} more files only", cure)


def runs(given: Circumstances) -> Iterator[Finding]:
    """How many there are, and those that need somebody's attention. Nothing of them is changed."""
    from mfcore.runs.layout import RunFolder
    from mfcore.runs.status import DAMAGED
    from mfcore.runs.store import SILENCE, RunStore
    from mfcore.runs.summary import RunReader

    path, _ = chosen_dir(given.home)
    if not (path / "runs").is_dir():
        yield ok("none yet")
        return
    folders = [RunFolder(path / "runs" / name) for name in RunStore(path).names()]
    yield ok(f"{len(folders)} run{'' if len(folders) == 1 else 's'}")
    damaged = [folder.run_id for folder in folders if RunReader(folder).read().state == DAMAGED]
    if damaged:
        yield note(
            f"damaged: {_some(damaged)}", "python -m mfcore runs show RUN says what is wrong; delete it or bring it back"
        )
    live = [folder for folder in folders if folder.status().live]
    lost = [folder.run_id for folder in live if not _held(folder)]
    if lost:
        yield note(f"without their workers: {_some(lost)}", "python -m mfcore runs notices it; then resume them")
    silent = [f.run_id for f in live if f.run_id not in lost and time.time() - (f.last_sign() or 0.0) > SILENCE]
    if silent:
        yield note(
            f"their workers are silent for more than {SILENCE:.0f} s: {_some(silent)}",
            "python -m mfcore tell RUN kill ends one",
        )


def dataset(given: Circumstances) -> Iterator[Finding]:
    """Whether the dataset that everything begins with is here."""
    from mfcore.data import dataset_status
    from mfcore.registry import DEFAULT_DATASET

    path, _ = chosen_dir(given.home)
    if path.is_dir() and dataset_status(DEFAULT_DATASET, path) == "here":
        yield ok(f"{DEFAULT_DATASET} is here")
    else:
        fetch = f"python -m mfcore fetch {DEFAULT_DATASET}"
        yield note(f"{DEFAULT_DATASET} has not been fetched", f"{fetch}; without it there are generated ratings")


def _held(folder: RunFolder) -> bool:
    """Whether a worker has the run. Its lock file is not made where there is none."""
    if folder.status().worker_gone or not (folder.path / "run.lock").exists():
        return False
    try:
        return folder.locked()
    except OSError:  # where nothing can be written, nothing can be locked: its process lives, as far as one can see
        return True


def _nearest(path: Path) -> Path:
    """The folder itself, or the nearest above it that exists."""
    return next((one for one in (path, *path.parents) if one.is_dir()), Path("/"))


def _unwritable(path: Path) -> str:
    """Why nothing can be written into a folder; empty where it can. Tried and not asked: to root, everything seems writable."""
    try:
        handle, name = tempfile.mkstemp(prefix=".doctor-", dir=path)
        try:
            os.write(handle, b"written to see whether that can be done")
            os.fsync(handle)
        finally:
            os.close(handle)
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        return reason(error)
    return ""


@contextmanager
def _scratch(given: Circumstances) -> Iterator[tuple[Path | None, str]]:
    """A folder to try things in, on the file system of the data directory; or None and why there is none."""
    path, _ = chosen_dir(given.home)
    try:
        made = Path(tempfile.mkdtemp(prefix=".doctor-", dir=path)) if path.is_dir() else None
    except OSError as error:
        made, why = None, f"the data directory cannot be written to ({reason(error)})"
    else:
        why = "" if made else "there is no data directory yet"
    try:
        yield made, why
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _size_of(folder: Path) -> tuple[int, bool]:
    """Bytes below a folder, and whether all of them were counted: it takes five seconds at most."""
    total, until = 0, time.monotonic() + _MEASURING_SECONDS
    for above, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(above) / name).lstat().st_size
            except OSError:  # deleted meanwhile
                continue
        if time.monotonic() > until:
            return total, False
    return total, True


def _some(run_ids: list[str]) -> str:
    more = len(run_ids) - 3
    return ", ".join(run_ids[:3]) + (f" and {more} more" if more > 0 else "")
