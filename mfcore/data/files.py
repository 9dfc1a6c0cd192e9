"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from mfcore.paths import reason
from mfcore.validate import UnusableRequest


def write_atomically(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``: write beside it, fsync, rename. Readers see the old file or the new one, never a part.

    Raises:
        UnusableRequest: the place cannot be written to, or the disk is full.
    """
    beside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a stored file should be as readable as its directory lets it be.
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except OSError as error:
        if beside is not None:
            Path(beside).unlink(missing_ok=True)
        raise UnusableRequest(
            f"cannot write {path} ({reason(error)}); free some space or choose another data directory"
        ) from error
