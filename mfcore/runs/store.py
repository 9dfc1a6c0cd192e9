"""All runs of one home: list, label, delete, pack. Knows nothing of processes; the manager adds those."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import Timeout

from mfcore import log
from mfcore.data.transform import refuse_transform
from mfcore.errors import UnusableRequest
from mfcore.paths import reason
from mfcore.registry import DATASETS, SPLITS
from mfcore.runs.config import RunConfig, check_run_id
from mfcore.runs.layout import RunFolder, runs_dir
from mfcore.runs.status import LIVE_STATES, NEVER_BEGAN, RunStatus
from mfcore.runs.summary import RunReader, RunSummary, damaged_summary
from mfcore.validate import number, require

SILENCE = 60.0
"""Seconds without a sign of life after which a worker is said not to answer. One long step, such as the final test on very many
ratings, may take as long: it is said, and nothing is done about it."""
_AFTER = 0.001
"""From one place in the queue to the next."""
ENDED_BY_HAND = "its worker process was ended by hand"
LEFT_BEFORE = "the command that was to train it ended before it began"
SERVER_LEFT = "its server was stopped, and it did not save in time"
LOST_WORKER = "its worker process ended without a word: killed, out of memory, or the machine went down"


@contextmanager
def isolated(run_id: str) -> Iterator[None]:
    """For what is done to one run in a loop over all: whatever it raises is logged, and the loop goes on to the next."""
    try:
        yield
    except Exception as error:
        log.event("run met an error, others go on", level="error", run=run_id, error=error)


class RunStore:
    """The runs under ``<home>/runs``. Cheap to make; safe to use from several threads and processes."""

    def __init__(self, home: str | Path | None = None) -> None:
        self.runs = runs_dir(home)
        self.home = self.runs.parent
        self._readers: dict[str, RunReader] = {}
        self._guard = threading.RLock()

    def folder(self, run_id: str) -> RunFolder:
        """Raises UnusableRequest when there is no such run."""
        folder = RunFolder(self.runs / check_run_id(run_id))
        require(folder.exists(), f"there is no run {run_id}; `python -m mfcore runs` lists them")
        return folder

    def get(self, run_id: str) -> RunSummary:
        """The summary of one run as of now; a run that cannot be read is ``failed``, and its reason says why.

        Raises:
            UnusableRequest: there is no such run.
        """
        try:
            with self._guard:
                reader = self._readers.get(run_id)
                if reader is None:
                    reader = self._readers[run_id] = RunReader(self.folder(run_id))
                summary = reader.read()
                return self._settled(reader, summary)
        except FileNotFoundError:
            with self._guard:
                self._readers.pop(run_id, None)
            raise UnusableRequest(f"there is no run {run_id}; it may just have been deleted") from None
        except OSError as error:  # a folder that may not be opened, a full disk: nothing to do with the other runs
            return damaged_summary(run_id, f"its folder cannot be used ({reason(error)})")

    def _settled(self, reader: RunReader, summary: RunSummary) -> RunSummary:
        """With the state of a worker that is gone set right: in its folder, or else (no room) in what is shown."""
        if summary.state not in (*LIVE_STATES, "queued"):
            return summary
        status = reader.folder.status()
        if not status.live and not status.abandoned:
            return summary
        try:
            return reader.read() if self.mark_if_lost(reader.folder) else _listened_to(summary, reader.folder)
        except OSError:
            if not status.worker_gone and not status.abandoned:
                return summary
            why = LEFT_BEFORE if status.abandoned else LOST_WORKER
            return dataclasses.replace(summary, state="interrupted", reason=why)

    def list(self) -> list[RunSummary]:
        """Every run, newest first."""
        names = self.names()
        summaries = []
        for name in names:
            try:
                summaries.append(self.get(name))
            except UnusableRequest:
                continue  # deleted meanwhile, or not a run
        with self._guard:
            for gone in set(self._readers) - set(names):
                del self._readers[gone]
        return sorted(summaries, key=lambda s: (s.created, s.run_id), reverse=True)

    def names(self) -> Sequence[str]:
        """The ids of all runs, whether they can be read or not."""
        try:
            with os.scandir(self.runs) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
        except FileNotFoundError:
            return []

    def bell(self) -> int:
        """Another number as soon as somebody, this process or any other, has made, queued or deleted a run."""
        try:
            return self.runs.stat().st_mtime_ns
        except OSError:
            return 0

    def ring(self) -> None:
        """Let whoever watches over this home look into the queue; a run that is made or deleted does so by itself."""
        with suppress(OSError):  # they look by themselves now and then
            os.utime(self.runs)

    def set_meta(
        self,
        run_id: str,
        *,
        name: str | None = None,
        note: str | None = None,
        starred: bool | None = None,
        shared: bool | None = None,
        shared_by: str | None = None,
    ) -> None:
        """Change what people call a run, or whether others may look at it; what is None stays."""
        self.folder(run_id).write_meta(name=name, note=note, starred=starred, shared=shared, shared_by=shared_by)

    def delete(self, run_id: str) -> None:
        """Remove a run and all its files.

        Raises:
            UnusableRequest: it does not exist, or it is being trained.
        """
        folder = self.folder(run_id)
        try:
            # A worker that has just said its last word still holds the lock for a moment.
            with self._held_to_delete(folder, over=self.get(run_id).over):
                require(not folder.status().claimed, f"run {run_id} is about to start; stop it first")
            # Renamed first: a list never shows half a run, whatever happens to the rest.
            doomed = folder.path.rename(folder.path.with_name(f".deleted-{run_id}-{os.getpid()}"))
        except Timeout:
            raise UnusableRequest(f"run {run_id} is being trained; stop it before deleting it") from None
        except OSError as error:
            raise UnusableRequest(f"run {run_id} cannot be deleted ({reason(error)})") from None
        log.event("run deleted", run=run_id)
        shutil.rmtree(doomed, ignore_errors=True)
        with self._guard:
            self._readers.pop(run_id, None)

    @contextmanager
    def _held_to_delete(self, folder: RunFolder, *, over: bool) -> Iterator[None]:
        """The lock of a run. One that is over needs none where not even that can be written: space is to be made."""
        with ExitStack() as held:
            try:
                held.enter_context(folder.lock().acquire(timeout=2.0 if over else 0))
            except Timeout:
                raise
            except OSError:
                if not over or (folder.path / "run.lock").is_dir():
                    raise
            yield

    def find(self, name: str) -> str:
        """The id of a run by its id, the beginning of one that fits no other, or ``latest``.

        Raises:
            UnusableRequest: none fits, or several do.
        """
        names = self.names()
        if name in names:
            return name
        found = [s.run_id for s in self.list()][:1] if name == "latest" else [n for n in names if name and n.startswith(name)]
        require(bool(found), f"there is no run {name}; `python -m mfcore runs` lists them")
        require(len(found) == 1, f"{name} fits {len(found)} runs, such as {found[0]} and {found[-1]}; write more of it")
        return found[0]

    def end_of_queue(self) -> float:
        """A place behind all that wait: the time or, where the clock was set back since the last of them came, after it."""
        last = max((run.place for run in self.list() if run.state == "queued"), default=0.0)
        return max(time.time(), last + _AFTER)

    def requeue(self, run_id: str, *, claimed: bool = False, epochs: int = 0, place: float | None = None) -> None:
        """Put an interrupted run, or one taken from the queue before it began, into the queue; it goes on from its last
        checkpoint.

        ``claimed``: this process goes on with it itself; no manager is to take it. ``epochs``: so many more than it has done;
        then a finished or stopped run goes on too. ``place``: in the queue; by default behind those that wait already.

        Raises:
            UnusableRequest: the run did not end in a way that can be continued, is being trained, or names
                what nobody registered.
        """
        folder = self.folder(run_id)
        folder.config()  # refused before anything is written: a run that nothing here can train keeps its status
        place = self.end_of_queue() if place is None else place
        try:
            with folder.lock():
                status = folder.status()
                total = self._epochs_in_all(run_id, epochs) if epochs else status.extend_to
                _require_continuable(folder, status, further=epochs > 0)
                seen = folder.last_command()
                queued = RunStatus(
                    "queued",
                    created=status.created,
                    started=status.started,
                    commands_seen=seen,
                    extend_to=total,
                    queued=time.time(),
                    place=place,
                    asked_by=status.asked_by,
                )
                folder.write_status(queued.claim() if claimed else queued)
            self.ring()
        except Timeout:
            raise UnusableRequest(f"run {run_id} is being trained already") from None

    def _epochs_in_all(self, run_id: str, further: int) -> int:
        """An ended run gets so many epochs beyond those done; one that was interrupted, beyond those planned."""
        summary = self.get(run_id)
        return further + (summary.epochs_done if summary.state in ("finished", "stopped") else summary.num_epochs)

    def export_zip(self, run_id: str) -> bytes:
        """The run as a zip file that :meth:`import_zip` reads, here or elsewhere; without the epochs kept to branch from, and
        without a word of whose it is."""
        from mfcore.runs.export.archive import pack

        return pack(self.folder(run_id))

    def import_zip(self, data: bytes, owner: str = "") -> str:
        """Add an exported run, as that of ``owner`` whatever it says itself; returns its id (a new one if the old is taken).

        Raises:
            UnusableRequest: the bytes are not an exported run, or too large.
        """
        from mfcore.runs.export.archive import unpack

        run_id = unpack(data, self.home, owner=owner).run_id
        log.event("run imported", run=run_id, bytes=len(data))
        return run_id

    def mark_if_lost(self, folder: RunFolder, why: str = LOST_WORKER) -> bool:
        """A live state that nobody holds the lock for is a worker's last word: make it ``interrupted``; likewise a run whose
        starter at the command line is gone.

        False while a worker holds the run.
        """
        try:
            with folder.lock():
                status = folder.status()
                if status.state not in LIVE_STATES and not status.abandoned:
                    return True
                why = LEFT_BEFORE if status.abandoned else why
                lost = dataclasses.replace(status, state="interrupted", ended=time.time(), reason=why, pid=None)
                folder.write_status(dataclasses.replace(lost, claimed_by="", claimed_at=0.0))
                log.event("run interrupted", run=folder.run_id, reason=why, pid=status.pid)
                return True
        except Timeout:
            return False


def _listened_to(summary: RunSummary, folder: RunFolder) -> RunSummary:
    """With the time since when the worker has not been heard, if that is long."""
    sign = folder.last_sign()
    quiet = sign is not None and summary.state in LIVE_STATES and time.time() - sign > SILENCE
    return dataclasses.replace(summary, silent_since=sign) if quiet else summary


def _require_continuable(folder: RunFolder, status: RunStatus, *, further: bool) -> None:
    """Raises UnusableRequest when a run in this status cannot go on, or (``further``) not beyond its end."""
    run_id = folder.run_id
    lost = status.state in (*LIVE_STATES, "interrupted")
    again = status.state == "failed" and status.error not in ("TrainingDiverged", "UnusableRequest")
    cancelled = status.reason == NEVER_BEGAN
    if not further:
        require(lost or again or cancelled, f"run {run_id} is {status.state}; only an interrupted run can be resumed")
        return
    way = "branch from an epoch before that" if status.error == "TrainingDiverged" else "train it again"
    require(status.state != "failed" or again, f"run {run_id} failed and would fail again; {way}")
    require(status.state != "queued", f"run {run_id} is still waiting to begin; extend it when it goes")
    trained = (folder.checkpoints / "last.safetensors").is_file()
    require(trained, f"run {run_id} has no checkpoint to go on from; train it again")


def check_config(config: RunConfig, store: RunStore) -> None:
    """What can be refused before a worker is started.

    Raises:
        UnusableRequest: the dataset or an option of it is unknown, the split does not suit it, or a run that this one builds on
            does not exist.
    """
    entry = DATASETS[config.dataset.name]
    for name, value in config.dataset.options.items():
        known = f"it has {', '.join(entry.options)}" if entry.options else "it has none"
        require(name in entry.options, f"dataset {entry.name} has no option {name!r}; {known}")
        number(name, value, entry.options[name].low, entry.options[name].high)
    refuse_transform(config.dataset.transform, entry.scale, entry.name)
    require(
        entry.has_timestamps or not SPLITS[config.split.kind].needs_timestamps,
        f"split {config.split.kind} needs timestamps, which {entry.name} has not; use split random",
    )
    for run_id in filter(None, (config.model.pretrained_gmf, config.model.pretrained_mlp)):
        store.folder(run_id)
