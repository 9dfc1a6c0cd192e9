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

from mfcore import log
from mfcore.paths import reason
from mfcore.runs.layout import RunFolder
from mfcore.runs.status import this_host
from mfcore.validate import require


class Worker(Protocol):
    """A process that trains a run."""

    def exit_code(self) -> int | None:
        """None while it runs; negative: killed by that signal."""

    def terminate(self) -> None:
        """Ask it to save and leave; where a system knows no such request, end it."""

    def kill(self) -> None:
        """End it now."""

    def let_go(self) -> None:
        """Leave it running when this process goes."""


class Executor(Protocol):
    """Starts and kills workers, and nothing more: who is started when is the watcher's, what became of it is in the folder."""

    @property
    def trouble(self) -> str:
        """Why workers do not start; empty while they do, or none was needed yet."""

    def start(self, folder: RunFolder) -> Worker:
        """Train ``folder`` in a worker, which outlives this process.

        Raises:
            OSError: none could be started.
        """

    def find(self, folder: RunFolder) -> Worker:
        """The worker of a run that another process has started.

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
        self.pid = process.pid

    def exit_code(self) -> int | None:
        return self._process.poll()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def let_go(self) -> None:
        if self._process.poll() is None:
            self._process.returncode = 0  # else Popen complains when it is collected


class StrangeWorker:
    """A worker on this machine that another process has started, known by the run it holds and its process id."""

    def __init__(self, folder: RunFolder, pid: int) -> None:
        self._folder, self._pid = folder, pid

    def exit_code(self) -> int | None:
        return None if self._folder.locked() else 0  # how it ended is its parent's to know

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def let_go(self) -> None:
        pass

    def _signal(self, number: int) -> None:
        if self._folder.locked():  # else the number may be somebody else's by now
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)


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
        self._trouble = ""
        self._guard = threading.Lock()

    @property
    def trouble(self) -> str:
        """Why workers do not start: none could be made, or the spare is gone without having been given a run."""
        with self._guard:
            code = None if self.spare is None else self.spare.poll()
        return f"a worker process ends as soon as it starts (exit code {code})" if code is not None else self._trouble

    def warm(self) -> None:
        """Have a spare ready, or on its way."""
        with self._guard:
            if self.spare is not None and self.spare.poll() is not None:
                if self.spare.stdin is not None:
                    self.spare.stdin.close()
                self.spare = None
            if self.spare is None:
                self.spare = self._spawn(output=None)

    def start(self, folder: RunFolder) -> LocalWorker:
        """Train ``folder`` in a worker: the spare if it lives, else a new process."""
        process = self._given(folder)
        log.event("run started", run=folder.run_id, pid=process.pid)
        return LocalWorker(process)

    def _given(self, folder: RunFolder) -> subprocess.Popen[bytes]:
        with self._guard:
            spare, self.spare = self.spare, None
        if spare is not None and spare.poll() is None and spare.stdin is not None:
            with suppress(OSError):
                spare.stdin.write(folder.run_id.encode() + b"\n")
                spare.stdin.close()
                return spare
        return self._spawn(folder.run_id, output=folder.log_path)

    def find(self, folder: RunFolder) -> StrangeWorker:
        """The process whose id the status of the run gives."""
        status = folder.status()
        here = status.pid is not None and status.host == this_host() and folder.locked()
        require(here, f"run {folder.run_id} has no worker on this machine")
        return StrangeWorker(folder, int(status.pid or 0))

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

    def _spawn(self, *run_id: str, output: Path | None) -> subprocess.Popen[bytes]:
        command = [self._python, "-m", "mfcore.runs.worker.main", "--home", str(self.home), *run_id]
        source = str(Path(__file__).parents[3])
        paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        try:
            with (output or Path(os.devnull)).open("ab") as file:
                started = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL if run_id else subprocess.PIPE,
                    stdout=file,
                    stderr=file,
                    env=environment,
                    start_new_session=True,  # a Ctrl-C at the server is not for the runs
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
                )
        except OSError as error:
            self._trouble = f"no worker process can be started ({reason(error)})"
            raise
        self._trouble = ""
        return started
