"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from mfcore.paths import reason
from mfcore.validate import UnusableRequest


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
