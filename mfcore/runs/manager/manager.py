"""What a server asks of its runs: begin, stop, steer, go on, branch."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder, this_host
from mfcore.runs.manager.queue import leave_command
from mfcore.runs.manager.watcher import RunWatcher
from mfcore.runs.store import check_config
from mfcore.runs.summary import RunSummary as RunSummary
from mfcore.validate import require

_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class RunManager(RunWatcher):
    """Submit, steer and watch runs of one home. Several managers (servers) may share a home."""

    def submit(self, config: RunConfig) -> str:
        """Queue a run and return its id; it starts as soon as there is room.

        Raises:
            UnusableRequest: the dataset is unknown or a run it builds on does not exist.
        """
        check_config(config, self)
        folder = RunFolder.create(self.home, config)
        self._call()
        return folder.run_id

    def command(self, run_id: str, kind: str, value: Any = None) -> None:
        """Ask a run for something, such as ``pause`` or ``learning_rate`` with ``value=0.01``: see ``mfcore.runs.commands``.

        Raises:
            UnusableRequest: no such run or command, an unusable value, or the run is over.
        """
        leave_command(self.folder(run_id), Command(kind, value))
        self._call()

    def stop(self, run_id: str) -> None:
        """Stop a run at its next step; what it has learned is kept and tested. A queued run never starts."""
        self.command(run_id, "stop")

    def resume(self, run_id: str) -> None:
        """Queue an interrupted run again; it continues from its last checkpoint.

        Raises:
            UnusableRequest: the run did not end in a way that can be continued.
        """
        self.requeue(run_id)
        self._call()

    def extend(self, run_id: str, epochs: int) -> None:
        """Train ``epochs`` more: a run that is going gets them on top of its plan; one that is over is queued again.

        An ended run goes on from its last checkpoint, its schedule and patience begin anew, and test is scored once more at the
        end; the result says so (``scored_before``).

        Raises:
            UnusableRequest: the run failed or has no checkpoint, or ``epochs`` is no whole number above 0.
        """
        command = Command("extend", epochs)
        if self.folder(run_id).status().over:
            self.requeue(run_id, epochs=int(command.value or 0))
        else:
            leave_command(self.folder(run_id), command)
        self._call()

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
        check_config(config, self)
        child = branch_folder(self.home, parent, config)
        self._call()
        return child.run_id

    def kept_epochs(self, run_id: str) -> list[int]:
        """Epochs of a run from which one can branch, in order; 0 is the untrained model."""
        return self.folder(run_id).kept_epochs()

    def kill(self, run_id: str) -> None:
        """End a worker that no longer answers, at once. The run becomes ``interrupted`` and can be resumed."""
        folder = self.folder(run_id)
        worker, status = self._workers.get(run_id), folder.status()
        if worker is not None:
            worker.kill()
        else:
            here = status.pid is not None and status.host == this_host() and folder.locked()
            require(here, f"run {run_id} has no worker on this machine")
            os.kill(int(status.pid or 0), _KILL)
        self._wake.set()


_managers: dict[Path, RunManager] = {}
_managers_guard = threading.Lock()


def manager_for(home: str | Path | None = None) -> RunManager:
    """The one manager of this process for a home; made on first use."""
    from mfcore.paths import data_dir

    path = data_dir(home)
    with _managers_guard:
        if path not in _managers:
            _managers[path] = RunManager(path)
        return _managers[path]
