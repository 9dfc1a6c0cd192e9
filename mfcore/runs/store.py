"""All runs of one home: list, label, delete, pack. Knows nothing of processes; the manager adds those."""

from __future__ import annotations

import dataclasses
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from mfcore.errors import UnusableRequest
from mfcore.paths import reason
from mfcore.registry import DATASETS, SPLITS
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder, check_run_id, runs_dir
from mfcore.runs.status import LIVE_STATES, RunStatus
from mfcore.runs.summary import RunReader, RunSummary, damaged_summary
from mfcore.validate import number, require

LOST_WORKER = "its worker process ended without a word: killed, out of memory, or the machine went down"


@contextmanager
def isolated(run_id: str) -> Iterator[None]:
    """For what is done to one run in a loop over all: whatever it raises is logged, and the loop goes on to the next."""
    try:
        yield
    except Exception:
        logging.getLogger(__name__).exception("run %s met an error; the other runs go on", run_id)


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
                if summary.state in LIVE_STATES and self.mark_if_lost(reader.folder):
                    summary = reader.read()
                return summary
        except FileNotFoundError:
            with self._guard:
                self._readers.pop(run_id, None)
            raise UnusableRequest(f"there is no run {run_id}; it may just have been deleted") from None
        except OSError as error:  # a folder that may not be opened, a full disk: nothing to do with the other runs
            return damaged_summary(run_id, f"its folder cannot be used ({reason(error)})")

    def list(self) -> list[RunSummary]:
        """Every run, newest first."""
        names = self._names()
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

    def _names(self) -> Sequence[str]:
        with os.scandir(self.runs) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))

    def set_meta(self, run_id: str, *, name: str | None = None, note: str | None = None, starred: bool | None = None) -> None:
        """Change what people call a run; what is None stays."""
        self.folder(run_id).write_meta(name=name, note=note, starred=starred)

    def delete(self, run_id: str) -> None:
        """Remove a run and all its files.

        Raises:
            UnusableRequest: it does not exist, or it is being trained.
        """
        folder = self.folder(run_id)
        try:
            # A worker that has just said its last word still holds the lock for a moment.
            with folder.lock().acquire(timeout=2.0 if self.get(run_id).over else 0):
                require(not folder.status().claimed, f"run {run_id} is about to start; stop it first")
            # Renamed first: a list never shows half a run, whatever happens to the rest.
            doomed = folder.path.rename(folder.path.with_name(f".deleted-{run_id}-{os.getpid()}"))
        except Timeout:
            raise UnusableRequest(f"run {run_id} is being trained; stop it before deleting it") from None
        except OSError as error:
            raise UnusableRequest(f"run {run_id} cannot be deleted ({reason(error)})") from None
        shutil.rmtree(doomed, ignore_errors=True)
        with self._guard:
            self._readers.pop(run_id, None)

    def find(self, name: str) -> str:
        """The id of a run by its id, the beginning of one that fits no other, or ``latest``.

        Raises:
            UnusableRequest: none fits, or several do.
        """
        names = self._names()
        if name in names:
            return name
        found = [s.run_id for s in self.list()][:1] if name == "latest" else [n for n in names if name and n.startswith(name)]
        require(bool(found), f"there is no run {name}; `python -m mfcore runs` lists them")
        require(len(found) == 1, f"{name} fits {len(found)} runs, such as {found[0]} and {found[-1]}; write more of it")
        return found[0]

    def requeue(self, run_id: str, *, claimed: bool = False, epochs: int = 0) -> None:
        """Put an interrupted run back into the queue; it will continue from its last checkpoint.

        ``claimed``: this process goes on with it itself; no manager is to take it. ``epochs``: so many more than it has done;
        then a finished or stopped run goes on too.

        Raises:
            UnusableRequest: the run did not end in a way that can be continued, is being trained, or names
                what nobody registered.
        """
        folder = self.folder(run_id)
        folder.config()  # refused before anything is written: a run that nothing here can train keeps its status
        try:
            with folder.lock():
                status = folder.status()
                total = self._epochs_in_all(run_id, epochs) if epochs else status.extend_to
                _require_continuable(folder, status, further=epochs > 0)
                seen = folder.last_command()
                queued = RunStatus(
                    "queued", created=status.created, started=status.started, commands_seen=seen, extend_to=total
                )
                folder.write_status(queued.claim() if claimed else queued)
        except Timeout:
            raise UnusableRequest(f"run {run_id} is being trained already") from None

    def _epochs_in_all(self, run_id: str, further: int) -> int:
        """An ended run gets so many epochs beyond those done; one that was interrupted, beyond those planned."""
        summary = self.get(run_id)
        return further + (summary.epochs_done if summary.state in ("finished", "stopped") else summary.num_epochs)

    def export_zip(self, run_id: str) -> bytes:
        """The run as a zip file that :meth:`import_zip` reads, here or elsewhere; without the epochs kept to branch from."""
        from mfcore.runs.export.archive import pack

        return pack(self.folder(run_id))

    def import_zip(self, data: bytes) -> str:
        """Add an exported run; returns its id (a new one if the old is taken).

        Raises:
            UnusableRequest: the bytes are not an exported run, or too large.
        """
        from mfcore.runs.export.archive import unpack

        return unpack(data, self.home).run_id

    def mark_if_lost(self, folder: RunFolder, why: str = LOST_WORKER) -> bool:
        """A live state that nobody holds the lock for is a worker's last word: make it ``interrupted``.

        False while a worker holds the run.
        """
        try:
            with folder.lock():
                status = folder.status()
                if status.state not in LIVE_STATES:
                    return True
                folder.write_status(dataclasses.replace(status, state="interrupted", ended=time.time(), reason=why, pid=None))
                return True
        except Timeout:
            return False


def _require_continuable(folder: RunFolder, status: RunStatus, *, further: bool) -> None:
    """Raises UnusableRequest when a run in this status cannot go on, or (``further``) not beyond its end."""
    run_id = folder.run_id
    lost = status.state in (*LIVE_STATES, "interrupted")
    again = status.state == "failed" and status.error not in ("TrainingDiverged", "UnusableRequest")
    if not further:
        require(lost or again, f"run {run_id} is {status.state}; only an interrupted run can be resumed")
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
    require(
        entry.has_timestamps or not SPLITS[config.split.kind].needs_timestamps,
        f"split {config.split.kind} needs timestamps, which {entry.name} has not; use split random",
    )
    for run_id in filter(None, (config.model.pretrained_gmf, config.model.pretrained_mlp)):
        store.folder(run_id)
