"""A run as one zip file, to keep or to send. What comes in is not trusted."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import secrets
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mfcore.errors import UnusableRequest
from mfcore.files import DAMAGED_ZIP, loads, read_json
from mfcore.paths import reason, writable_folder
from mfcore.runs.config import check_run_id
from mfcore.runs.layout import RunFolder, runs_dir, without_owner
from mfcore.runs.status import DAMAGED
from mfcore.runs.summary import RunReader
from mfcore.validate import require


@dataclass(frozen=True)
class Limits:
    """Up to which size a zip file is taken in; in bytes, unpacked.

    ``events``: of them, seven hours at ten a second. Readers hold a run's events in memory, some hundred bytes each.
    """

    files: int = 400
    total: int = 2 * 1024**3
    json: int = 4 * 1024**2
    lines: int = 64 * 1024**2
    events: int = 250_000

    def of(self, name: str) -> int:
        """For one file of a run."""
        return self.lines if name in _LINES else self.json if name in _OBJECTS else self.total


_OBJECTS = ("config.json", "status.json", "meta.json", "result.json")
_LINES = ("events.jsonl", "worker.log")
_TOP = (*_OBJECTS, *_LINES, "evaluation.npz")
_INSIDE = re.compile(r"(checkpoints/[a-z0-9-]{1,40}\.safetensors|snapshots/[a-z0-9-]{1,40}\.(npz|npy|safetensors))")


def pack(folder: RunFolder) -> bytes:
    """The files of a run under its id, without a word of whose it is. Commands, the lock and the epochs kept to branch from
    stay behind: those are many times as large as the rest, and whoever opens the copy has its last, best and refitted weights.
    """
    buffer = io.BytesIO()
    # Weights and npz do not shrink; the rest is small. Level 1 keeps a click from waiting.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.path.rglob("*")):
            name = path.relative_to(folder.path).as_posix()
            if path.is_file() and _accepted(name) and not name.startswith("checkpoints/epoch-"):
                archive.writestr(f"{folder.run_id}/{name}", _content(path))
    return buffer.getvalue()


def _content(path: Path) -> bytes:
    """What a file holds; labels without those of the owner, and else as they are, be they damaged."""
    labels = read_json(path) if path.name == "meta.json" else None
    return path.read_bytes() if labels is None else json.dumps(without_owner(labels)).encode()


def unpack(data: bytes, home: str | Path | None, limits: Limits = Limits(), owner: str = "") -> RunFolder:
    """Add a packed run to ``home`` as one of ``owner``; it gets a new id if its own is taken or unusable.

    Raises:
        UnusableRequest: not a zip file, not a run, damaged, or larger than ``limits``. Nothing is left behind.
    """
    runs = writable_folder(runs_dir(home))
    hidden = runs / f".import-{secrets.token_hex(8)}"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive, limits)
            hidden.mkdir()
            left = limits.total
            for name, info in members.items():
                left -= _extract(archive, info, hidden / name, left, limits)
        _validate(RunFolder(hidden), limits, owner)
        run_id = _free_id(runs, PurePosixPath(members["config.json"].filename).parent.name)
        return RunFolder(hidden.rename(runs / run_id))
    except UnusableRequest:
        raise
    except OSError as error:
        raise UnusableRequest(f"the run cannot be stored ({reason(error)}); free some space and import it again") from None
    except DAMAGED_ZIP as error:
        raise UnusableRequest(f"this is not a zip file of a run, or it is damaged ({error})") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _accepted(name: str) -> bool:
    return name in _TOP or _INSIDE.fullmatch(name) is not None


def _members(archive: zipfile.ZipFile, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """Name inside the run → entry. Whatever is not a file of a run, such as ``../x``, is refused by name."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    require(len(infos) <= limits.files, f"this zip file holds {len(infos)} files; a run has at most {limits.files}")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        name = "/".join(parts[1:]) if len(parts) > 1 and not _accepted(info.filename) else info.filename
        require(_accepted(name) and ".." not in parts, f"this zip file holds {info.filename[:100]!r}, which no run has")
        require(
            info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), f"{name} is packed in a way that we do not read"
        )
        require(name not in found, f"this zip file holds {name} twice; export one run at a time")
        found[name] = info
    require("config.json" in found, "this zip file holds no config.json, so it is not a run")
    return found


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, left: int, limits: Limits) -> int:
    """Write one entry, counting what really comes out: sizes in a zip's directory can lie."""
    path.parent.mkdir(exist_ok=True)
    written, most = 0, limits.of(path.name)
    with archive.open(info) as source, path.open("wb") as target:
        while block := source.read(1 << 20):
            written += len(block)
            require(written <= most, f"{path.name} in this zip file is larger than {most // 1024**2} MB and is not taken in")
            require(written <= left, f"this run is larger than {limits.total // 1024**3} GB unpacked and is not taken in")
            target.write(block)
    return written


def _validate(folder: RunFolder, limits: Limits, owner: str) -> None:
    """Refuse what no page could show, and let nothing look as if it were still going."""
    events = folder.path / "events.jsonl"
    if events.is_file():
        lines = events.read_bytes().count(b"\n")
        require(lines <= limits.events, f"events.jsonl in this zip file holds {lines:,} events; at most {limits.events:,} fit")
    folder.checkpoints.mkdir(exist_ok=True)
    for name in _OBJECTS:
        path = folder.path / name
        if path.is_file():
            try:
                require(isinstance(loads(path.read_bytes()), dict), "")
            except ValueError:
                raise UnusableRequest(f"{name} in this zip file is damaged") from None
    try:
        config = folder.config()
    except (TypeError, ValueError) as error:
        raise UnusableRequest(f"config.json in this zip file cannot be used: {error}") from None
    require(config.dataset.name != "", "config.json in this zip file names no dataset")
    status = folder.status()
    if not status.over:
        status = dataclasses.replace(status, state="interrupted", reason="it was exported while it was going")
    folder.write_status(dataclasses.replace(status, pid=None, host="", claimed_by="", commands_seen=0))
    labels = folder.path / "meta.json"
    if labels.is_file():
        labels.write_bytes(_content(labels))
    names = "events.jsonl, meta.json or result.json"
    require(RunReader(folder).read().state != DAMAGED, f"{names} in this zip file holds what no run writes")
    folder.give_to(owner)


def _free_id(runs: Path, wanted: str) -> str:
    """``wanted`` if it can be an id and is free, else something like it."""
    try:
        base = run_id = check_run_id(wanted)
    except UnusableRequest:
        base, run_id = "imported", f"imported-{secrets.token_hex(3)}"
    while (runs / run_id).exists():
        run_id = f"{base[:60]}-{secrets.token_hex(2)}"
    return run_id
