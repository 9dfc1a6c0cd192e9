"""t-SNE and UMAP of stored vectors, each in a child process: started by a click, watched, cancelled, kept.

``<run>/manifold/<key>.json`` says how far it is (written by the child), ``<key>.safetensors`` holds the points, and
``<key>.cancel`` asks it to end. The key names epoch, method and settings, so the same question is answered from the folder.
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
from mfcore.embeddings.snapshot_files import read_arrays
from mfcore.embeddings.stored import StoredSpace, open_stored
from mfcore.files import read_json, write_json
from mfcore.typing import Float32
from mfcore.validate import choice, integer, require

MOST_AT_ONCE = 2
_MOST_KEPT = 24
_PATIENCE = 60.0
"""Seconds a child may take to come up before it is given up."""
_children: dict[Path, subprocess.Popen[bytes]] = {}
_guard = threading.Lock()


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
class ManifoldJob:
    """One map of one run or embedding: items or users, after one epoch."""

    space: StoredSpace
    epoch: int
    what: str
    settings: ManifoldSettings

    @property
    def place(self) -> Path:
        """Its files, without their endings."""
        decides = json.dumps([self.what, self.settings.deciding()], sort_keys=True)
        key = hashlib.sha256(decides.encode()).hexdigest()[:12]
        return self.space.path / "manifold" / f"{self.settings.method}-{self.epoch:05d}-{key}"

    def status(self) -> ManifoldStatus:
        """How far it is. A child that died without a word is noticed."""
        known = read_json(self.place.with_suffix(".json"))
        if known is None:
            return ManifoldStatus("absent")
        fields = {field.name: known[field.name] for field in dataclasses.fields(ManifoldStatus) if field.name in known}
        status = ManifoldStatus(**fields)
        late = time.time() - float(known.get("time", 0.0)) > _PATIENCE
        if not status.over and not self._alive() and (status.state == "running" or late or self._ended()):
            again = read_json(self.place.with_suffix(".json")) or {}  # it may have ended properly between the two looks
            if again.get("state") == status.state:
                return dataclasses.replace(
                    status, state="failed", reason="its process ended without a word; memory may have run out"
                )
            return self.status()
        return status

    def start(self) -> ManifoldStatus:
        """Begin, unless it is under way or done already.

        Raises:
            UnusableRequest: UMAP is not installed, no such epoch, or too many maps are being made.
        """
        with _guard:
            status = self.status()
            if status.state in ("starting", "running", "finished"):
                return status
            require(self.settings.method != "umap" or has_umap(), NO_UMAP)
            require(self.epoch in self.space.frames().stamps(), f"there are no vectors of epoch {self.epoch}")
            busy = sum(_works(place, child) for place, child in _children.items())
            require(busy < MOST_AT_ONCE, f"{busy} maps are being made already; wait for one, or cancel it")
            self.place.parent.mkdir(exist_ok=True)
            self._make_room()
            _see_off(self.place)
            self.place.with_suffix(".cancel").unlink(missing_ok=True)
            write_json(self.place.with_suffix(".json"), {"state": "starting", "time": time.time()})
            _children[self.place] = self._spawn()
        return self.status()

    def cancel(self) -> None:
        """Ask it to end; it does within half a second."""
        if not self.status().over:
            self.place.with_suffix(".cancel").touch()

    def points(self) -> Float32 | None:
        """(n, 2) float32; None until it is finished."""
        found = read_arrays(self.place.with_suffix(".safetensors"))
        return None if found is None or self.status().state != "finished" else found[0]["points"]

    def lock(self) -> FileLock:
        """Held by the child while it lives."""
        return FileLock(self.place.with_suffix(".lock"), timeout=0, thread_local=False)

    def _alive(self) -> bool:
        try:
            with self.lock():
                return False
        except (Timeout, OSError):
            return True

    def _ended(self) -> bool:
        child = _children.get(self.place)
        return child is not None and child.poll() is not None

    def _spawn(self) -> subprocess.Popen[bytes]:
        request = {"epoch": self.epoch, "what": self.what, "settings": dataclasses.asdict(self.settings)}
        words = [
            sys.executable,
            "-m",
            "mfcore.embeddings.manifold_worker",
            str(self.space.home),
            self.space.kind,
            self.space.name,
        ]
        source = str(Path(__file__).parents[2])
        paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
        with self.place.with_suffix(".log").open("wb") as log:
            return subprocess.Popen(
                [*words, json.dumps(request)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,  # a Ctrl-C at the server ends it through its watch on the parent, in order
            )

    def _make_room(self) -> None:
        """At most so many maps are kept; the oldest go."""
        kept = sorted(self.place.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for old in kept[: max(0, len(kept) - _MOST_KEPT + 1)]:
            if old.stem not in {place.name for place, child in _children.items() if _works(place, child)}:
                for path in self.place.parent.glob(f"{old.stem}.*"):
                    path.unlink(missing_ok=True)


def manifold_job(
    run_id: str,
    home: str | Path | None = None,
    *,
    epoch: int | None = None,
    what: str = "items",
    settings: ManifoldSettings | None = None,
    kind: str = "runs",
) -> ManifoldJob:
    """The job of a map, begun or not. ``epoch``: default the latest. ``kind``: "runs", or "embeddings" for imported ones.

    Raises:
        UnusableRequest: no such run or embedding, or nothing to show yet.
    """
    choice("what", what, ("items", "users"))
    stored = open_stored(kind, run_id, home)
    if epoch is None:
        epochs = stored.frames().stamps()
        require(bool(epochs), "there are no vectors to show yet; wait for the first epoch")
        epoch = max(epochs)
    return ManifoldJob(stored, integer("epoch", epoch, low=0), what, settings or ManifoldSettings())


def start_manifold_job(run_id: str, home: str | Path | None = None, **how: Any) -> ManifoldJob:
    """:func:`manifold_job`, begun."""
    job = manifold_job(run_id, home, **how)
    job.start()
    return job


def _see_off(place: Path) -> None:
    """Let a child that was cancelled finish dying: it holds the lock until then."""
    child = _children.pop(place, None)
    if child is not None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(2.0)
        child.kill()
        child.wait()


def _works(place: Path, child: subprocess.Popen[bytes]) -> bool:
    """Whether a child is at it: neither gone nor tidying up after its last word."""
    known = read_json(place.with_suffix(".json")) or {}
    return child.poll() is None and known.get("state") in ("starting", "running")
