"""Where workers run: the interface, and the one that starts processes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from mfcore.runs.layout import RunFolder
from mfcore.runs.status import this_host
from mfcore.validate import require


class Worker(Protocol):
    """A worker that this process has started."""

    def exit_code(self) -> int | None:
        """None while it runs; negative: killed by that signal."""

    def kill(self) -> None:
        """End it now."""

    def let_go(self) -> None:
        """Leave it running when this process goes."""


class Executor(Protocol):
    """Starts and kills workers, and nothing more: who is started when is the watcher's, what became of it is in the folder."""

    def start(self, folder: RunFolder) -> Worker:
        """Train ``folder`` in a worker, which outlives this process.

        Raises:
            OSError: none could be started.
        """

    def kill(self, folder: RunFolder) -> None:
        """End the worker of a run that another process has started.

        Raises:
            UnusableRequest: it has none within reach.
        """

    def warm(self) -> None:
        """Make the next start quick, if that can be done."""

    def close(self) -> None:
        """This process goes; workers with a run keep running."""


class LocalWorker:
    """A worker that is a child of this process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def exit_code(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def let_go(self) -> None:
        if self._process.poll() is None:
            self._process.returncode = 0  # else Popen complains when it is collected


class LocalExecutor:
    """Runs ``python -m mfcore.runs.worker.main`` and keeps one spare that has torch imported already.

    The spare waits for a run id on its standard input; it leaves when that closes, so it never outlives this process. A worker
    that has been given a run does outlive it: it is in a session of its own and reads its input no more.

    Attributes:
        spare: the process that waits, if there is one.
    """

    def __init__(self, home: Path, python: str = sys.executable) -> None:
        self.home, self._python = home, python
        self.spare: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()

    def warm(self) -> None:
        """Have a spare ready, or on its way."""
        with self._guard:
            if self.spare is None or self.spare.poll() is not None:
                self.spare = self._spawn(log=None)

    def start(self, folder: RunFolder) -> LocalWorker:
        """Train ``folder`` in a worker: the spare if it lives, else a new process."""
        with self._guard:
            spare, self.spare = self.spare, None
        if spare is not None and spare.poll() is None and spare.stdin is not None:
            with suppress(OSError):
                spare.stdin.write(folder.run_id.encode() + b"\n")
                spare.stdin.close()
                return LocalWorker(spare)
        return LocalWorker(self._spawn(folder.run_id, log=folder.log_path))

    def kill(self, folder: RunFolder) -> None:
        """End the process whose id its status gives."""
        status = folder.status()
        here = status.pid is not None and status.host == this_host() and folder.locked()
        require(here, f"run {folder.run_id} has no worker on this machine")
        os.kill(int(status.pid or 0), getattr(signal, "SIGKILL", signal.SIGTERM))

    def close(self) -> None:
        """Let the spare go. Workers with a run keep running."""
        with self._guard:
            spare, self.spare = self.spare, None
        if spare is None:
            return
        if spare.stdin is not None:
            with suppress(OSError):
                spare.stdin.close()
        spare.kill()  # it holds nothing that could be lost
        spare.wait()

    def _spawn(self, *run_id: str, log: Path | None) -> subprocess.Popen[bytes]:
        command = [self._python, "-m", "mfcore.runs.worker.main", "--home", str(self.home), *run_id]
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
