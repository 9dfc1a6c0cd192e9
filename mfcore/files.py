"""Files that two processes may look at while they change: whole-file replacement, strict JSON, and tailing."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.paths import reason


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put ``content`` at ``path``: write beside it, fsync, rename. Readers see the old file or the new one, never a part.

    ``durable=False`` leaves the fsync out: quicker, and lost when the machine (not the process) goes down in the next seconds.

    Raises:
        OSError: the place cannot be written to, or the disk is full; the old file is untouched.
    """
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        # mkstemp makes files private; a stored file should be as readable as its directory lets it be.
        Path(beside).chmod(0o644)
        _rename(Path(beside), path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """As :func:`replace_file`, for what a person asked to have stored: makes the folder, and says what to do when it cannot.

    Raises:
        UnusableRequest: the place cannot be written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise UnusableRequest(
            f"cannot write {path} ({reason(error)}); free some space or choose another data directory"
        ) from error


def _rename(source: Path, target: Path) -> None:
    """Rename over ``target``. On Windows that is refused while somebody reads it, so it is tried for a second."""
    for attempt in range(50):
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == 49:
                raise
            time.sleep(0.02)


def clean(value: Any) -> Any:
    """``value`` as strict JSON data: numpy's scalars become Python's; None, NaN and ±inf are left out."""
    if isinstance(value, Mapping):
        cleaned = {str(key): clean(entry) for key, entry in value.items()}
        return {key: entry for key, entry in cleaned.items() if entry is not None}
    if isinstance(value, (list, tuple)):
        return [clean(entry) for entry in value]
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):
        return clean(value.item())
    raise TypeError(f"{type(value).__name__} has no place in a run's JSON")


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Strict JSON text of ``value`` (see :func:`clean`)."""
    return json.dumps(clean(value), ensure_ascii=False, allow_nan=False, indent=indent)


def loads(text: str | bytes) -> Any:
    """Parse strict JSON.

    Raises:
        ValueError: not JSON, or it holds NaN or Infinity.
    """
    return json.loads(text, parse_constant=_refuse_constant)


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` with ``value`` as readable strict JSON."""
    replace_file(path, (dumps(value, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in ``path``; None when the file is missing or damaged."""
    try:
        value = loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def tail_lines(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """JSON objects of the complete lines of ``path`` from byte ``offset``, and the offset to continue from.

    A torn last line (a writer is in the middle of it, or died there) is left for the next call; a damaged one is skipped.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read()
    except FileNotFoundError:
        return [], offset
    end = block.rfind(b"\n") + 1
    entries = []
    for line in block[:end].splitlines():
        try:
            entry = loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries, offset + end


def cut_torn_line(path: Path) -> None:
    """Drop what follows the last line end of ``path``, so that appending starts on a line of its own."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def remove_torn(folder: Path) -> None:
    """Drop files that a writer died in; for a folder to which nobody else writes now."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not strict JSON")
