"""Makes one map and leaves: ``python -m mfcore.embeddings.manifold_worker HOME KIND NAME REQUEST``."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

from filelock import Timeout

from mfcore.embeddings.manifold import ManifoldSettings, manifold
from mfcore.embeddings.manifold_job import ManifoldJob, manifold_job
from mfcore.embeddings.snapshot_files import write_arrays
from mfcore.errors import UnusableRequest
from mfcore.files import write_json
from mfcore.validate import require

_LOOK = 0.2
_LOCK_SECONDS = 5.0


class Telling:
    """Writes the status of one job. After ``end`` nothing more is written, whoever asks."""

    def __init__(self, job: ManifoldJob) -> None:
        self.job = job
        self._began = time.monotonic()
        self._guard = threading.Lock()
        self._over = False

    def say(self, share: float, message: str) -> None:
        self._write("running", False, progress=round(share, 3), message=message)

    def end(self, state: str, **more: Any) -> None:
        self._write(state, True, **more)

    def _write(self, state: str, last: bool, **more: Any) -> None:
        with self._guard:
            if not self._over:
                self._over = last
                seconds = round(time.monotonic() - self._began, 1)
                write_json(
                    self.job.place.with_suffix(".json"), {"state": state, "time": time.time(), "seconds": seconds, **more}
                )


def main(words: list[str]) -> int:
    """Status 0: finished; 1: it failed, and why is in the status file."""
    home, kind, name, text = words
    request = json.loads(text)
    settings = ManifoldSettings(**request["settings"])
    job = manifold_job(name, home, epoch=request["epoch"], what=request["what"], settings=settings, kind=kind)
    try:
        with job.lock().acquire(timeout=_LOCK_SECONDS):  # a server may be looking at it this very moment
            return _make(job, Telling(job))
    except Timeout:  # another process makes it already
        return 0


def _make(job: ManifoldJob, telling: Telling) -> int:
    if hasattr(os, "nice"):
        os.nice(5)  # training goes first
    telling.say(0.0, "reading vectors")
    threading.Thread(target=_watch, args=(job, telling), daemon=True).start()
    try:
        snapshot = job.space.frames().load(job.epoch)
        require(snapshot is not None, f"the vectors of epoch {job.epoch} are no longer kept; choose another epoch")
        assert snapshot is not None
        points = manifold(snapshot.items if job.what == "items" else snapshot.users, job.settings, telling.say)
        write_arrays(job.place.with_suffix(".safetensors"), {"points": points}, {"epoch": job.epoch})
    except UnusableRequest as error:
        telling.end("failed", reason=str(error))
        return 1
    except MemoryError:
        telling.end("failed", reason="memory ran out; look at fewer points")
        return 1
    except Exception as error:
        telling.end("failed", reason=f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}")
        raise
    telling.end("finished", progress=1.0)
    return 0


def _watch(job: ManifoldJob, telling: Telling) -> None:
    """Ends this process when asked to, or when nobody is left to see the result: the libraries cannot be interrupted."""
    parent = os.getppid()
    while True:
        if job.place.with_suffix(".cancel").exists():
            telling.end("cancelled")
            os._exit(0)
        if os.getppid() != parent:
            telling.end("cancelled", reason="the server was stopped")
            os._exit(0)
        time.sleep(_LOOK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
