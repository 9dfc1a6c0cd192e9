"""Starts and kills worker processes on this machine; nothing more. A cluster would get an executor of the same shape."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from mfcore.runs.layout import RunFolder


class WorkerHandle(Protocol):
    """A started worker."""

    def exit_code(self) -> int | None:
        """None while it runs; negative: killed by that signal."""

    def terminate(self) -> None:
        """Ask it to save and leave."""

    def kill(self) -> None:
        """End it now."""


class LocalWorker:
    """A worker that is a child of this process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        return self._process.poll()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def let_go(self) -> None:
        """Leave it running when this process goes."""
        if self._process.poll() is None:
            self._process.returncode = 0  # else Popen complains when it is collected

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout)


class LocalExecutor:
    """Runs ``python -m mfcore.runs.worker.main`` and keeps one spare that has torch imported already.

    The spare waits for a run id on its standard input; it leaves when that closes, so it never outlives this process. A worker
    that has been given a run does outlive it: it is in a session of its own and reads its input no more.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._spare: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()

    def warm(self) -> None:
        """Have a spare ready, or on its way."""
        with self._guard:
            if self._spare is None or self._spare.poll() is not None:
                self._spare = self._spawn(log=None)

    def start(self, folder: RunFolder) -> LocalWorker:
        """Train ``folder`` in a worker: the spare if it lives, else a new process."""
        with self._guard:
            spare, self._spare = self._spare, None
        if spare is not None and spare.poll() is None and spare.stdin is not None:
            with suppress(OSError):
                spare.stdin.write(folder.run_id.encode() + b"\n")
                spare.stdin.close()
                return LocalWorker(spare)
        return LocalWorker(self._spawn(folder.run_id, log=folder.log_path))

    def close(self) -> None:
        """Let the spare go. Workers with a run keep running."""
        with self._guard:
            spare, self._spare = self._spare, None
        if spare is None:
            return
        if spare.stdin is not None:
            with suppress(OSError):
                spare.stdin.close()
        spare.kill()  # it holds nothing that could be lost
        spare.wait()

    def _spawn(self, *run_id: str, log: Path | None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "mfcore.runs.worker.main", "--home", str(self.home), *run_id]
        source = str(Path(__file__).parents[3])
        paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        with (log or Path(os.devnull)).open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if run_id else subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,  # a Ctrl-C at the server is not for the runs
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
            )
