"""A run is a folder. Whatever can write one can train; whatever can read one can show it.

One writer per file: the process that holds ``run.lock`` (the worker) writes events, checkpoints and the status; while nobody
holds it, the manager may take it and write the status. Anybody may add a command file or change the label in ``meta.json``.
"""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mfcore.errors import UnusableRequest
from mfcore.files import read_json, write_json
from mfcore.paths import data_dir, writable_folder
from mfcore.runs.checkpoints.retention import kept_epochs
from mfcore.runs.commands import Command, last_number, write_command
from mfcore.runs.config import RunConfig, check_run_id
from mfcore.runs.events import EventLog
from mfcore.runs.status import RunStatus as RunStatus
from mfcore.runs.status import parse_status
from mfcore.runs.status import this_host as this_host
from mfcore.validate import boolean, require, text

LABELS = {"name": 200, "note": 10_000, "owner": 200, "shared_by": 200}
"""What people write about a run, or is written of them, and how many characters it may have."""
SWITCHES = ("starred", "shared")
"""Labels that are there or not."""
UNKNOWN_OWNER = "?"
"""Owner of a run whose labels cannot be read: nobody has this name, so where there are accounts it is shown to no stranger."""
HIDDEN = (".new-", ".import-", ".deleted-")
"""Beginnings of the hidden names under which a run is made, taken in or deleted."""


def runs_dir(home: str | Path | None = None) -> Path:
    """``<data dir>/runs``; perhaps there is none yet.

    Raises:
        UnusableRequest: there is no data directory, and none can be made.
    """
    return data_dir(home) / "runs"


def _as_id(name: str) -> str:
    """As much of a registered name, such as ``svd++``, as the id of a run may hold."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:40]


@dataclass(frozen=True)
class StoredRun:
    """What a run is: its folder, and what its config.json holds, read once.

    ``provenance``: what the worker met: hashes of dataset and split, package versions. Empty before it started.
    """

    folder: RunFolder
    config: RunConfig
    provenance: dict[str, Any]


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, and the only code that knows its layout."""

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def commands(self) -> Path:
        return self.path / "commands"

    @property
    def evaluation_path(self) -> Path:
        """What the final test saw, case by case; there is none before it has been scored."""
        return self.path / "evaluation.npz"

    @property
    def events(self) -> EventLog:
        """What happened in it."""
        return EventLog(self.path / "events.jsonl")

    @property
    def heartbeat_path(self) -> Path:
        """An empty file: when it was last changed is when the worker last looked for commands, give or take a second or two."""
        return self.path / "heartbeat"

    def last_sign(self) -> float | None:
        """When a worker last gave a sign of life, in seconds since 1970; None where it never has."""
        found = []
        for path in (self.heartbeat_path, self.path / "events.jsonl", self.path / "status.json"):
            with suppress(OSError):
                found.append(path.stat().st_mtime)
        return max(found, default=None)

    @property
    def log_path(self) -> Path:
        return self.path / "worker.log"

    @classmethod
    def create(
        cls,
        home: str | Path | None,
        config: RunConfig,
        *,
        claimed: bool = False,
        owner: str = "",
        asked_by: str = "",
        place: float | None = None,
        fill: Callable[[RunFolder], None] = lambda folder: None,
    ) -> RunFolder:
        """Make the folder of a new, queued run. Its id sorts by time: ``20261122-143012-mf-a1b2``.

        ``claimed``: this process will train it itself; no manager is to take it from the queue. ``owner``: whose it is, as
        :meth:`meta` says. ``place``: in the queue; by default the time. ``fill``: puts into the folder what the run begins
        with, before anybody can see it; what it raises is passed on, and no folder is left behind.

        Raises:
            UnusableRequest: the data directory cannot be written to, or ``owner`` cannot be one.
        """
        labels = {"name": config.name, "note": "", "starred": False, "owner": checked_owner(owner), "shared": False}
        runs = writable_folder(runs_dir(home))
        for _ in range(100):
            run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{_as_id(config.model.name)}-{secrets.token_hex(2)}"
            folder = cls(runs / run_id)
            # Built under a hidden name: nobody may list a run that has no config or status yet.
            hidden = cls(folder.path.with_name(f".new-{run_id}-{os.getpid()}"))
            now = time.time()
            queued = RunStatus("queued", created=now, queued=now, place=now if place is None else place, asked_by=asked_by)
            try:
                hidden.checkpoints.mkdir(parents=True)
                hidden.commands.mkdir()
                write_json(hidden.path / "config.json", config.to_dict())
                write_json(hidden.path / "meta.json", labels)
                hidden.write_status(queued.claim() if claimed else queued)
                fill(hidden)
            except BaseException:
                shutil.rmtree(hidden.path, ignore_errors=True)
                raise
            try:
                hidden.path.rename(folder.path)
            except OSError:  # the id is taken
                shutil.rmtree(hidden.path)
                continue
            return folder
        raise RuntimeError("no free run id could be found")

    def exists(self) -> bool:
        """Whether there is a run, be it a damaged one."""
        return any((self.path / name).is_file() for name in ("config.json", "status.json"))

    # --- what the run is ---------------------------------------------------------------------------------------------

    def stored(self) -> StoredRun:
        """Configuration and provenance.

        Raises:
            UnusableRequest: config.json is missing or damaged.
        """
        values = read_json(self.path / "config.json")
        if values is None:
            raise UnusableRequest(f"run {self.run_id} has no readable config.json; delete it or import it again")
        provenance = values.pop("provenance", {})
        return StoredRun(self, RunConfig.from_dict(values), provenance if isinstance(provenance, dict) else {})

    def config(self) -> RunConfig:
        """The run's configuration.

        Raises:
            UnusableRequest: config.json is missing or damaged.
        """
        return self.stored().config

    def provenance(self) -> dict[str, Any]:
        """What the worker met (see :class:`StoredRun`); empty where that cannot be read."""
        found = (read_json(self.path / "config.json") or {}).get("provenance", {})
        return found if isinstance(found, dict) else {}

    def write_provenance(self, provenance: dict[str, Any]) -> None:
        write_json(self.path / "config.json", {**self.config().to_dict(), "provenance": provenance})

    def meta(self) -> dict[str, Any]:
        """``{"name", "note", "starred", "owner", "shared", "shared_by"}``: what people call the run, and whose it is.

        ``owner``: the id of who made it; empty: nobody's, made before there were accounts or on the command line.
        ``shared``: whether others may look at it; ``shared_by``: what its owner was called then.
        """
        path = self.path / "meta.json"
        found = read_json(path)
        owner = UNKNOWN_OWNER if found is None and path.exists() else ""
        return {"name": "", "note": "", "starred": False, "owner": owner, "shared": False, "shared_by": "", **(found or {})}

    def write_meta(
        self,
        *,
        name: str | None = None,
        note: str | None = None,
        starred: bool | None = None,
        shared: bool | None = None,
        shared_by: str | None = None,
    ) -> None:
        """Change the given labels, keep the others. The owner never changes: see :meth:`give_to`."""
        meta = self.meta()
        if name is not None:
            meta["name"] = str(name).strip()[: LABELS["name"]]
        if note is not None:
            meta["note"] = str(note)[: LABELS["note"]]
        if starred is not None:
            meta["starred"] = boolean("starred", starred)
        if shared is not None:
            meta["shared"] = boolean("shared", shared)
        if shared_by is not None:
            meta["shared_by"] = str(shared_by).strip()[: LABELS["shared_by"]]
        write_json(self.path / "meta.json", meta)

    def give_to(self, owner: str) -> None:
        """Make it the run of ``owner`` and no longer shared, whatever its labels said: it comes from elsewhere."""
        write_json(self.path / "meta.json", {**without_owner(self.meta()), "owner": checked_owner(owner), "shared": False})

    def result(self) -> dict[str, Any]:
        """The final result (what ``--json`` prints); empty until test has been scored."""
        return read_json(self.path / "result.json") or {}

    def write_result(self, result: dict[str, Any]) -> None:
        write_json(self.path / "result.json", result)

    def kept_epochs(self) -> list[int]:
        """Epochs from which one can branch, in order; 0 is the untrained model."""
        return kept_epochs(self.checkpoints)

    # --- where it stands ---------------------------------------------------------------------------------------------

    def lock(self) -> FileLock:
        """The lock its worker holds. Not re-entrant across instances, also not within one process."""
        return FileLock(self.path / "run.lock", timeout=0, thread_local=False)

    def locked(self) -> bool:
        """Whether a worker (or, for a moment, a manager) holds the run."""
        if not self.path.is_dir():
            return False
        try:
            with self.lock():
                return False
        except Timeout:
            return True

    def status(self) -> RunStatus:
        """The status as written; a damaged or missing one reads as interrupted, so that nothing waits for it."""
        return parse_status(read_json(self.path / "status.json") or {})

    def write_status(self, status: RunStatus) -> None:
        write_json(self.path / "status.json", dataclasses.asdict(status))

    # --- what people ask of it ---------------------------------------------------------------------------------------

    def add_command(self, command: Command) -> int:
        """Leave a request for the worker in a file of its own number, so that two tabs never overwrite each other."""
        return write_command(self.commands, command)

    def last_command(self) -> int:
        """The highest command number in use, 0 when there is none."""
        return last_number(self.commands)


def checked_owner(owner: str) -> str:
    """``owner`` if it can be one: the id of a visitor, or empty for nobody.

    Raises:
        UnusableRequest: it is no text, too long, or the word for an owner that is not known.
    """
    owner = text("owner", owner, LABELS["owner"])
    require(owner != UNKNOWN_OWNER, f"nobody is called {UNKNOWN_OWNER}")
    return owner


def without_owner(labels: dict[str, Any]) -> dict[str, Any]:
    """The labels of a run that say nothing of whose it is."""
    return {name: value for name, value in labels.items() if name not in ("owner", "shared", "shared_by")}


def open_folder(run_id: str, home: str | Path | None = None) -> RunFolder:
    """The folder of an existing run.

    Raises:
        UnusableRequest: there is no such run.
    """
    folder = RunFolder(runs_dir(home) / check_run_id(run_id))
    require(folder.exists(), f"there is no run {run_id}; `python -m mfcore runs` lists them")
    return folder
