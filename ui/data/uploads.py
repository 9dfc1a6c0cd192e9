"""Files that somebody dropped, on disk while they are looked at; and paths on the server, where its keeper allows them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mfcore.paths import data_dir, writable_folder
from mfcore.validate import require

FOLDER_VARIABLE = "MF_EXPLORER_IMPORT_FOLDER"
"""The folder below which a person may name files of the server."""
_KEPT = 6 * 3600
"""Seconds after which what nobody imported goes."""


def kept(files: Sequence[Any]) -> list[Path]:
    """Where dropped files lie, written there once."""
    folder = writable_folder(data_dir() / "uploads")
    _clear(folder)
    return [_written(folder, file) for file in files]


def _written(folder: Path, file: Any) -> Path:
    own = folder / re.sub(r"[^A-Za-z0-9-]", "", file.file_id)[:64]
    path = own / (re.sub(r"[/\\\0]", "_", file.name).lstrip(".")[-100:] or "file")
    if not path.is_file() or path.stat().st_size != file.size:
        own.mkdir(exist_ok=True)
        path.write_bytes(file.getbuffer())
    os.utime(own)
    return path


def _clear(folder: Path) -> None:
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _KEPT:
                shutil.rmtree(old)


def allowed_folder() -> Path | None:
    """The folder whose files may be named; None where none may."""
    named = os.environ.get(FOLDER_VARIABLE, "").strip()
    return Path(named).expanduser().resolve() if named else None


def on_server(text: str) -> Path:
    """A path below :func:`allowed_folder`, as a person typed it.

    Raises:
        UnusableRequest: it leads out of that folder, or there is nothing.
    """
    folder = allowed_folder()
    require(folder is not None, f"no files of this server may be named; its keeper can allow a folder with {FOLDER_VARIABLE}")
    assert folder is not None
    path = (folder / text.strip()).resolve()
    require(path == folder or folder in path.parents, f"{text} lies outside the folder that is allowed, {folder}")
    require(path.exists(), f"there is no {text} in {folder}")
    return path
