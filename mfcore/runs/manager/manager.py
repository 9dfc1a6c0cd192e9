"""What a server asks of its runs: begin, stop, steer, go on, branch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder
from mfcore.runs.manager.executor import Executor, LocalExecutor
from mfcore.runs.manager.queue import Queue, leave_command
from mfcore.runs.manager.watcher import Watcher
from mfcore.runs.status import RunStatus
from mfcore.runs.store import RunStore, check_config
from mfcore.runs.summary import RunSummary as RunSummary


class RunManager:
    """Submit, steer and watch runs of one home. Several managers (servers) may share a home.

    What a :class:`~mfcore.runs.store.RunStore` does with runs that lie there (``list``, ``get``, ``delete`` …) can be asked of
    the manager too.

    Args:
        executor: where workers run; by default on this machine. sleep: waits so many seconds, in :meth:`wait`.

    Attributes:
        store: the runs. queue: those that wait. watcher: starts them and notices their end.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        max_concurrent: int | None = None,
        *,
        executor: Executor | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.store = RunStore(home)
        self.home = self.store.home
        self.queue = Queue(self.store)
        self.executor = executor or LocalExecutor(self.home)
        self.watcher = Watcher(self.store, self.queue, self.executor, max_concurrent)
        self._sleep = sleep
        self.folder, self.get, self.list = self.store.folder, self.store.get, self.store.list
        self.set_meta, self.delete = self.store.set_meta, self.store.delete
        self.export_zip, self.import_zip = self.store.export_zip, self.store.import_zip

    def warm(self) -> None:
        """Start watching (recovers what an earlier server left behind) and have a spare worker ready."""
        self.watcher.warm()

    def shutdown(self) -> None:
        """Stop watching. Runs go on without us; the next manager adopts them."""
        self.watcher.close()

    def wait(self, run_id: str, timeout: float = 60.0) -> RunStatus:
        """Block until a run is over and its worker gone; for scripts and tests.

        Raises:
            TimeoutError: it is still going after ``timeout`` seconds.
        """
        folder, deadline = self.folder(run_id), time.monotonic() + timeout
        while not (folder.status().over and run_id not in self.watcher.workers):
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {run_id} is still {folder.status().state} after {timeout:g} s")
            self._sleep(0.02)
        return folder.status()

    def submit(self, config: RunConfig) -> str:
        """Queue a run and return its id; it starts as soon as there is room.

        Raises:
            UnusableRequest: the dataset is unknown or a run it builds on does not exist.
        """
        check_config(config, self.store)
        folder = RunFolder.create(self.home, config)
        self.watcher.wake()
        return folder.run_id

    def command(self, run_id: str, kind: str, value: Any = None) -> None:
        """Ask a run for something, such as ``pause`` or ``learning_rate`` with ``value=0.01``: see ``mfcore.runs.commands``.

        Raises:
            UnusableRequest: no such run or command, an unusable value, or the run is over.
        """
        leave_command(self.folder(run_id), Command(kind, value))
        self.watcher.wake()

    def stop(self, run_id: str) -> None:
        """Stop a run at its next step; what it has learned is kept and tested. A queued run never starts."""
        self.command(run_id, "stop")

    def resume(self, run_id: str) -> None:
        """Queue an interrupted run again; it continues from its last checkpoint.

        Raises:
            UnusableRequest: the run did not end in a way that can be continued.
        """
        self.store.requeue(run_id)
        self.watcher.wake()

    def extend(self, run_id: str, epochs: int) -> None:
        """Train ``epochs`` more: a run that is going gets them on top of its plan; one that is over is queued again.

        An ended run goes on from its last checkpoint, its schedule and patience begin anew, and test is scored once more at the
        end; the result says so (``scored_before``).

        Raises:
            UnusableRequest: the run failed or has no checkpoint, or ``epochs`` is no whole number above 0.
        """
        command = Command("extend", epochs)
        if self.folder(run_id).status().over:
            self.store.requeue(run_id, epochs=int(command.value or 0))
        else:
            leave_command(self.folder(run_id), command)
        self.watcher.wake()

    def branch(self, run_id: str, epoch: int, changes: Mapping[str, Any] | None = None, name: str = "") -> str:
        """Queue a new run that goes on from the end of ``epoch`` of another; returns its id. Without changes: to equal weights.

        Args:
            epoch: one of :meth:`kept_epochs`; the other run may be going, over or failed. changes: flat keys, such as
                ``{"learning_rate": 0.001}``; what is settled by then (dataset, split, model, loss) cannot change.

        Raises:
            UnusableRequest: no such run, the epoch was not kept, or a change is unusable.
        """
        parent = self.folder(run_id)
        config = branch_config(parent, epoch, changes or {}, name)
        check_config(config, self.store)
        child = branch_folder(self.home, parent, config)
        self.watcher.wake()
        return child.run_id

    def kept_epochs(self, run_id: str) -> list[int]:
        """Epochs of a run from which one can branch, in order; 0 is the untrained model."""
        return self.folder(run_id).kept_epochs()

    def kill(self, run_id: str) -> None:
        """End a worker that no longer answers, at once. The run becomes ``interrupted`` and can be resumed."""
        worker = self.watcher.workers.get(run_id)
        if worker is not None:
            worker.kill()
        else:
            self.executor.kill(self.folder(run_id))
        self.watcher.wake()


_managers: dict[Path, RunManager] = {}
_managers_guard = threading.Lock()


def manager_for(home: str | Path | None = None, **how: Any) -> RunManager:
    """The one manager of this process for a home; made on first use, as ``how`` says (see :class:`RunManager`)."""
    from mfcore.paths import data_dir

    path = data_dir(home)
    with _managers_guard:
        if path not in _managers:
            _managers[path] = RunManager(path, **how)
        return _managers[path]
