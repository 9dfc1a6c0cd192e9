"""t-SNE and UMAP of stored vectors, each in a child process: started by a click, watched, cancelled, kept.

In ``<folder>/manifold/``: ``<key>.vectors`` is what the child reads, ``<key>.json`` says how far it is (written by the child),
``<key>.safetensors`` holds the points, and ``<key>.cancel`` asks it to end. The key names epoch, method and settings, so the
same question is answered from the folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mfcore.embeddings.manifold import NO_UMAP, ManifoldSettings, has_umap
from mfcore.embeddings.snapshots import EmbeddingSpace, SnapshotSource, read_arrays, write_arrays
from mfcore.files import read_json, write_json
from mfcore.typing import Float32
from mfcore.validate import choice, integer, present, require

_PATIENCE = 60.0
"""Seconds a child may take to come up before it is given up."""


@dataclass(frozen=True)
class ManifoldStatus:
    """``state``: absent, starting, running, finished, failed or cancelled. ``progress``: 0 to 1. ``reason``: why it failed."""

    state: str
    progress: float = 0.0
    message: str = ""
    reason: str = ""
    seconds: float = 0.0

    @property
    def over(self) -> bool:
        return self.state in ("absent", "finished", "failed", "cancelled")


@dataclass(frozen=True)
class ManifoldFiles:
    """The files of one map: what a job and its child tell each other. ``stem``: their path without its ending."""

    stem: Path

    @property
    def vectors(self) -> Path:
        return self.stem.with_suffix(".vectors")

    @property
    def points(self) -> Path:
        return self.stem.with_suffix(".safetensors")

    @property
    def cancel(self) -> Path:
        return self.stem.with_suffix(".cancel")

    @property
    def log(self) -> Path:
        return self.stem.with_suffix(".log")

    def lock(self) -> FileLock:
        """Held by the child while it lives."""
        return FileLock(self.stem.with_suffix(".lock"), timeout=0, thread_local=False)

    def locked(self) -> bool:
        try:
            with self.lock():
                return False
        except (Timeout, OSError):
            return True

    def status(self) -> dict[str, Any]:
        """What was last said; empty before anything was."""
        return read_json(self.stem.with_suffix(".json")) or {}

    def write_status(self, state: str, **more: Any) -> None:
        write_json(self.stem.with_suffix(".json"), {"state": state, "time": time.time(), **more})


class Children:
    """The child processes of this server: ``most_at_once`` maps are made at a time, ``most_kept`` stay in a folder."""

    def __init__(self, *, most_at_once: int = 2, most_kept: int = 24) -> None:
        self._most_at_once, self._most_kept = most_at_once, most_kept
        self._started: dict[ManifoldFiles, subprocess.Popen[bytes]] = {}
        self.guard = threading.Lock()
        """To be held from the look whether a map is there until its child is started."""

    def start(self, files: ManifoldFiles, vectors: Float32, **info: Any) -> None:
        """Begin a map of ``vectors`` (n, d). ``info``: its ``epoch`` and ``settings``.

        Raises:
            UnusableRequest: too many are being made.
        """
        busy = sum(self._busy(other) for other in self._started)
        require(busy < self._most_at_once, f"{busy} maps are being made already; wait for one, or cancel it")
        files.stem.parent.mkdir(exist_ok=True)
        self._drop_oldest(files.stem.parent)
        self._see_off(files)
        files.cancel.unlink(missing_ok=True)
        write_arrays(files.vectors, {"vectors": vectors}, info)
        files.write_status("starting")
        self._started[files] = _spawn(files)

    def ended(self, files: ManifoldFiles) -> bool:
        """Whether this server started a child for ``files``, which is gone."""
        child = self._started.get(files)
        return child is not None and child.poll() is not None

    def wait(self, files: ManifoldFiles) -> None:
        """Until the child of ``files`` is gone, tidying up included."""
        self._started[files].wait()

    def kill(self) -> None:
        """End all children without a word."""
        for child in self._started.values():
            child.kill()
            child.wait()

    def _busy(self, files: ManifoldFiles) -> bool:
        """Whether a child is at it: neither gone nor tidying up after its last word."""
        child = self._started.get(files)
        return child is not None and child.poll() is None and files.status().get("state") in ("starting", "running")

    def _drop_oldest(self, folder: Path) -> None:
        kept = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for old in kept[: max(0, len(kept) - self._most_kept + 1)]:
            if not self._busy(ManifoldFiles(old.with_suffix(""))):
                for path in folder.glob(f"{old.stem}.*"):
                    path.unlink(missing_ok=True)

    def _see_off(self, files: ManifoldFiles) -> None:
        """Let a child that was cancelled finish dying: it holds the lock until then."""
        child = self._started.pop(files, None)
        if child is not None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(2.0)
            child.kill()
            child.wait()


CHILDREN = Children()


@dataclass(frozen=True)
class ManifoldJob:
    """One map, begun or not: of the items or users of a source (``what``), after one epoch. Kept in ``folder``/manifold."""

    folder: Path
    source: SnapshotSource
    epoch: int
    what: str
    settings: ManifoldSettings
    children: Children = CHILDREN

    @property
    def files(self) -> ManifoldFiles:
        decides = json.dumps([self.what, self.settings.deciding()], sort_keys=True)
        key = hashlib.sha256(decides.encode()).hexdigest()[:12]
        return ManifoldFiles(self.folder / "manifold" / f"{self.settings.method}-{self.epoch:05d}-{key}")

    def status(self) -> ManifoldStatus:
        """How far it is. A child that died without a word is noticed."""
        known = self.files.status()
        if not known:
            return ManifoldStatus("absent")
        fields = {field.name: known[field.name] for field in dataclasses.fields(ManifoldStatus) if field.name in known}
        status = ManifoldStatus(**fields)
        late = time.time() - float(known.get("time", 0.0)) > _PATIENCE
        overdue = status.state == "running" or late or self.children.ended(self.files)
        if status.over or not overdue or self.files.locked():
            return status
        if self.files.status().get("state") != status.state:
            return self.status()  # it ended properly between the two looks
        return dataclasses.replace(status, state="failed", reason="its process ended without a word; memory may have run out")

    def start(self) -> ManifoldStatus:
        """Begin, unless it is under way or done already.

        Raises:
            UnusableRequest: UMAP is not installed, no such epoch, or too many maps are being made.
        """
        with self.children.guard:
            status = self.status()
            if status.state in ("starting", "running", "finished"):
                return status
            require(self.settings.method != "umap" or has_umap(), NO_UMAP)
            snapshot = present(self.source.load(self.epoch), f"there are no vectors of epoch {self.epoch}")
            vectors = snapshot.items if self.what == "items" else snapshot.users
            self.children.start(self.files, vectors, epoch=self.epoch, settings=dataclasses.asdict(self.settings))
        return self.status()

    def cancel(self) -> None:
        """Ask it to end; it does within half a second."""
        if not self.status().over:
            self.files.cancel.touch()

    def points(self) -> Float32 | None:
        """(n, 2) float32; None until it is finished."""
        found = read_arrays(self.files.points)
        return None if found is None or self.status().state != "finished" else found[0]["points"]


def manifold_job(
    space: EmbeddingSpace,
    *,
    epoch: int | None = None,
    what: str = "items",
    settings: ManifoldSettings | None = None,
    children: Children = CHILDREN,
) -> ManifoldJob:
    """The job of a map of stored embeddings, begun or not. ``epoch``: default the latest.

    Raises:
        UnusableRequest: nothing to show yet.
    """
    choice("what", what, ("items", "users"))
    source = space.snapshots()
    if epoch is None:
        epochs = source.stamps()
        require(bool(epochs), "there are no vectors to show yet; wait for the first epoch")
        epoch = max(epochs)
    return ManifoldJob(space.path, source, integer("epoch", epoch, low=0), what, settings or ManifoldSettings(), children)


def _spawn(files: ManifoldFiles) -> subprocess.Popen[bytes]:
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    with files.log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "mfcore.embeddings.manifold_worker", str(files.stem)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # a Ctrl-C at the server ends it through its watch on the parent, in order
        )
