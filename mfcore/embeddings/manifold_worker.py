"""Makes one map and leaves: ``python -m mfcore.embeddings.manifold_worker STEM`` (see ``ManifoldFiles``)."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from filelock import Timeout

from mfcore.embeddings.manifold import ManifoldSettings, manifold
from mfcore.embeddings.manifold_job import ManifoldFiles
from mfcore.embeddings.snapshots import read_arrays, write_arrays
from mfcore.errors import UnusableRequest
from mfcore.validate import present

_LOOK = 0.2
_LOCK_SECONDS = 5.0


class StatusWriter:
    """Says how far one map is. After ``end`` nothing more is written, whoever asks."""

    def __init__(self, files: ManifoldFiles) -> None:
        self._files = files
        self._began = time.monotonic()
        self._guard = threading.Lock()
        self._over = False

    def running(self, share: float, message: str) -> None:
        self._write("running", False, progress=round(share, 3), message=message)

    def end(self, state: str, **more: Any) -> None:
        self._write(state, True, **more)

    def _write(self, state: str, last: bool, **more: Any) -> None:
        with self._guard:
            if not self._over:
                self._over = last
                self._files.write_status(state, seconds=round(time.monotonic() - self._began, 1), **more)


def main(words: list[str]) -> int:
    """Status 0: finished; 1: it failed, and why is in the status file."""
    files = ManifoldFiles(Path(words[0]))
    try:
        with files.lock().acquire(timeout=_LOCK_SECONDS):  # a server may be looking at it this very moment
            return _make(files, StatusWriter(files))
    except Timeout:  # another process makes it already
        return 0


def _make(files: ManifoldFiles, status: StatusWriter) -> int:
    if hasattr(os, "nice"):
        os.nice(5)  # training goes first
    status.running(0.0, "reading vectors")
    threading.Thread(target=_watch, args=(files, status), daemon=True).start()
    try:
        arrays, info = present(read_arrays(files.vectors), "its vectors are gone; make it again")
        files.vectors.unlink(missing_ok=True)
        points = manifold(arrays["vectors"], ManifoldSettings(**info["settings"]), status.running)
        write_arrays(files.points, {"points": points}, {"epoch": info["epoch"]})
    except UnusableRequest as error:
        status.end("failed", reason=str(error))
        return 1
    except MemoryError:
        status.end("failed", reason="memory ran out; look at fewer points")
        return 1
    except Exception as error:
        status.end("failed", reason=f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}")
        raise
    status.end("finished", progress=1.0)
    return 0


def _watch(files: ManifoldFiles, status: StatusWriter) -> None:
    """Ends this process when asked to, or when nobody is left to see the result: the libraries cannot be interrupted."""
    parent = os.getppid()
    while True:
        if files.cancel.exists():
            status.end("cancelled")
            os._exit(0)
        if os.getppid() != parent:
            status.end("cancelled", reason="the server was stopped")
            os._exit(0)
        time.sleep(_LOOK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
