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
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mfcore.runs.config import RunConfig
from mfcore.runs.files import clean, cut_torn_line, dumps, read_json, tail_lines, write_json
from mfcore.validate import UnusableRequest, boolean, require

STATES = ("queued", "running", "paused", "stopped", "finished", "failed", "interrupted")
LIVE_STATES = ("running", "paused")
"""States that only a worker holding the lock can be in."""
OVER_STATES = ("stopped", "finished", "failed", "interrupted")
EVENT_VERSION = 1
_CLAIM_SECONDS = 120.0
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands. Times are seconds since 1970 (UTC), None before they happen.

    ``reason`` says in one line why a run ended as it did; ``error`` is the kind of exception behind a failed one.
    ``claimed_by``: "host:pid" of the process that is starting this queued run, since ``claimed_at``. ``commands_seen``:
    commands up to this number belong to an earlier life of the run.
    """

    state: str
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    pid: int | None = None
    host: str = ""
    reason: str = ""
    error: str = ""
    claimed_by: str = ""
    claimed_at: float = 0.0
    commands_seen: int = 0

    @property
    def over(self) -> bool:
        """Whether the run has ended, in whichever way."""
        return self.state in OVER_STATES

    @property
    def claimed(self) -> bool:
        """Whether the process that claimed this queued run can still be about to start it. Other hosts are believed a while."""
        host, _, pid = self.claimed_by.rpartition(":")
        if self.state != "queued" or not pid.isdigit() or time.time() - self.claimed_at > _CLAIM_SECONDS:
            return False
        return host != this_host() or _process_lives(int(pid))

    def claim(self) -> RunStatus:
        """The same, claimed by this process."""
        return dataclasses.replace(self, claimed_by=f"{this_host()}:{os.getpid()}", claimed_at=time.time())


_STATUS_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("created", "started", "ended", "claimed_at"), (int, float)),
    **dict.fromkeys(("pid", "commands_seen"), (int,)),
    **dict.fromkeys(("host", "reason", "error", "claimed_by"), (str,)),
}


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
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log_path(self) -> Path:
        return self.path / "worker.log"

    @classmethod
    def create(cls, home: str | Path | None, config: RunConfig, *, claimed: bool = False) -> RunFolder:
        """Make the folder of a new, queued run. Its id sorts by time: ``20261122-143012-mf-a1b2``.

        ``claimed``: this process will train it itself; no manager is to take it from the queue.
        """
        for _ in range(100):
            run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{config.model.name}-{secrets.token_hex(2)}"
            folder = cls(runs_dir(home) / run_id)
            # Built under a hidden name: nobody may list a run that has no config or status yet.
            hidden = cls(folder.path.with_name(f".new-{run_id}-{os.getpid()}"))
            hidden.checkpoints.mkdir(parents=True)
            (hidden.path / "commands").mkdir()
            write_json(hidden.path / "config.json", config.to_dict())
            write_json(hidden.path / "meta.json", {"name": config.name, "note": "", "starred": False})
            queued = RunStatus("queued", created=time.time())
            hidden.write_status(queued.claim() if claimed else queued)
            try:
                hidden.path.rename(folder.path)
            except OSError:  # the id is taken
                shutil.rmtree(hidden.path)
                continue
            return folder
        raise RuntimeError("no free run id could be found")

    def exists(self) -> bool:
        return (self.path / "config.json").is_file()

    # --- what the run is ---------------------------------------------------------------------------------------------

    def config(self) -> RunConfig:
        """The run's configuration.

        Raises:
            UnusableRequest: config.json is missing or damaged.
        """
        values = read_json(self.path / "config.json")
        if values is None:
            raise UnusableRequest(f"run {self.run_id} has no readable config.json; delete it or import it again")
        values.pop("provenance", None)
        return RunConfig.from_dict(values)

    def provenance(self) -> dict[str, Any]:
        """What the worker met: hashes of dataset and split, package versions. Empty before it started."""
        found = (read_json(self.path / "config.json") or {}).get("provenance", {})
        return found if isinstance(found, dict) else {}

    def write_provenance(self, provenance: dict[str, Any]) -> None:
        write_json(self.path / "config.json", {**self.config().to_dict(), "provenance": provenance})

    def meta(self) -> dict[str, Any]:
        """``{"name": str, "note": str, "starred": bool}``: what people call the run."""
        return {"name": "", "note": "", "starred": False, **(read_json(self.path / "meta.json") or {})}

    def write_meta(self, *, name: str | None = None, note: str | None = None, starred: bool | None = None) -> None:
        """Change the given labels, keep the others."""
        meta = self.meta()
        if name is not None:
            meta["name"] = str(name).strip()[:200]
        if note is not None:
            meta["note"] = str(note)[:10_000]
        if starred is not None:
            meta["starred"] = boolean("starred", starred)
        write_json(self.path / "meta.json", meta)

    def result(self) -> dict[str, Any]:
        """The final result (what ``--json`` prints); empty until test has been scored."""
        return read_json(self.path / "result.json") or {}

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
        values = read_json(self.path / "status.json") or {}
        if values.get("state") not in STATES or any(
            key in values and not isinstance(values[key], kinds) for key, kinds in _STATUS_KINDS.items()
        ):
            return RunStatus("interrupted", reason="its status file is missing or damaged")
        known = {f.name for f in dataclasses.fields(RunStatus)}
        return RunStatus(**{key: value for key, value in values.items() if key in known})

    def write_status(self, status: RunStatus) -> None:
        write_json(self.path / "status.json", dataclasses.asdict(status))

    # --- what happened -----------------------------------------------------------------------------------------------

    def open_events(self) -> None:
        """To be called once by a new worker before it appends: removes a line its predecessor died in."""
        cut_torn_line(self.events_path)

    def append_event(self, event: dict[str, Any]) -> dict[str, Any]:
        """Add one line to events.jsonl: v and time are put in, undefined numbers are left out. Returns the line."""
        line: dict[str, Any] = clean({"v": EVENT_VERSION, "time": round(time.time(), 3), **event})
        handle = os.open(self.events_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, (dumps(line) + "\n").encode())
        finally:
            os.close(handle)
        return line

    def events(self, from_offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Events from a byte offset, and the offset to go on from (see :func:`mfcore.runs.files.tail_lines`)."""
        return tail_lines(self.events_path, from_offset)

    def load_events(self) -> list[dict[str, Any]]:
        """All events that still count: those a later ``resume`` took back are gone."""
        kept: list[dict[str, Any]] = []
        for event in self.events()[0]:
            if event.get("kind") == "resume":
                kept = [e for e in kept if e.get("step", 0) <= event.get("step", 0)]
            kept.append(event)
        return kept

    def load_events_of(self, kind: str) -> list[dict[str, Any]]:
        """Those of :meth:`load_events` that are of one kind."""
        return [event for event in self.load_events() if event.get("kind") == kind]

    # --- what people ask of it ---------------------------------------------------------------------------------------

    def add_command(self, kind: str, **args: Any) -> int:
        """Leave a request for the worker in a file of its own number, so that two tabs never overwrite each other."""
        commands = self.path / "commands"
        commands.mkdir(exist_ok=True)
        text = (dumps({"kind": kind, "time": round(time.time(), 3), **args}) + "\n").encode()
        number = self.last_command()
        while True:
            number += 1
            try:
                handle = os.open(commands / f"{number:06d}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                continue
            try:
                os.write(handle, text)
            finally:
                os.close(handle)
            return number

    def last_command(self) -> int:
        """The highest command number in use, 0 when there is none."""
        return max(self._command_numbers(), default=0)

    def pending_commands(self, after: int = 0) -> list[dict[str, Any]]:
        """Commands with a number above ``after``, in order, each with its ``number``.

        A file whose writer has not finished ends the list; if it stays unreadable for 2 s it is passed over.
        """
        pending: list[dict[str, Any]] = []
        for number in sorted(n for n in self._command_numbers() if n > after):
            path = self.path / "commands" / f"{number:06d}.json"
            command = read_json(path)
            if command is None and time.time() - path.stat().st_mtime < 2.0:
                break
            pending.append({"kind": "unreadable", **(command or {}), "number": number})
        return pending

    def _command_numbers(self) -> list[int]:
        try:
            with os.scandir(self.path / "commands") as entries:
                names = [entry.name for entry in entries]
        except FileNotFoundError:
            return []
        return [int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit()]


def runs_dir(home: str | Path | None = None) -> Path:
    """``<data dir>/runs``, made if need be."""
    from mfcore.paths import data_dir

    path = data_dir(home) / "runs"
    path.mkdir(parents=True, exist_ok=True)
    return path


def check_run_id(run_id: object) -> str:
    """``run_id`` if it can be one; anything else, such as ``../x``, never reaches the file system.

    Raises:
        UnusableRequest: it is not the name of a run.
    """
    require(isinstance(run_id, str) and _RUN_ID.fullmatch(run_id) is not None, f"{run_id!r} is not the name of a run")
    return str(run_id)


def open_folder(run_id: str, home: str | Path | None = None) -> RunFolder:
    """The folder of an existing run.

    Raises:
        UnusableRequest: there is no such run.
    """
    folder = RunFolder(runs_dir(home) / check_run_id(run_id))
    require(folder.exists(), f"there is no run {run_id}; `python -m mfcore runs` lists them")
    return folder


def this_host() -> str:
    return socket.gethostname()


def _process_lives(pid: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
