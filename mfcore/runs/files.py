"""Files that two processes may look at while they change: whole-file replacement, strict JSON, and tailing."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mfcore.data.files import replace_file


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
