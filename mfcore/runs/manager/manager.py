"""What a server asks of its runs: begin, stop, steer, go on, branch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mfcore import log
from mfcore.errors import UnusableRequest
from mfcore.files import write_json
from mfcore.paths import reason, writable_folder
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder
from mfcore.runs.limits import Limits, check_cost, check_pause, check_room
from mfcore.runs.manager.executor import Executor, LocalExecutor
from mfcore.runs.manager.queue import Queue, asker, leave_command
from mfcore.runs.manager.watcher import Watcher
from mfcore.runs.status import RunStatus
from mfcore.runs.store import RunStore, check_config
from mfcore.runs.summary import RunSummary as RunSummary

WRITES = (
    "submit", "command", "stop", "resume", "extend", "branch", "move", "kill", "set_meta", "delete", "import_zip",
)  # fmt: skip
"""What a manager does that changes something; one that is read-only refuses all of it."""
READ_ONLY = "this server is for looking only; nothing can be changed here"


class RunManager:
    """Submit, steer and watch runs of one home. Several managers (servers) may share a home.

    What a :class:`~mfcore.runs.store.RunStore` does with runs that lie there (``list``, ``get``, ``delete`` …) can be asked of
    the manager too.

    Args:
        executor: where workers run; by default on this machine. limits: of what may be asked; by default the environment's.
        sleep: waits so many seconds, in :meth:`wait`. read_only: whether it refuses whatever changes a run, and starts none
            that waits.

    Attributes:
        store: the runs. queue: those that wait. watcher: starts them and notices their end.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        max_concurrent: int | None = None,
        *,
        executor: Executor | None = None,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        read_only: bool = False,
    ) -> None:
        self.store = RunStore(home)
        self.home = self.store.home
        self.queue = Queue(self.store)
        self.executor = executor or LocalExecutor(self.home)
        self.limits = Limits.read() if limits is None else limits
        self.watcher = Watcher(self.store, self.queue, self.executor, max_concurrent, disk_budget=self.limits.disk)
        self._sleep = sleep
        self._told: tuple[str, ...] = ()  # troubles that the log knows of
        self.folder, self.get, self.list = self.store.folder, self.store.get, self.store.list
        self.set_meta, self.delete = self.store.set_meta, self.store.delete
        self.export_zip, self.import_zip = self.store.export_zip, self.store.import_zip
        self.read_only = read_only
        if read_only:
            for name in WRITES:
                setattr(self, name, _refuse)

    def warm(self) -> None:
        """Start watching (recovers what an earlier server left behind) and have a spare worker ready."""
        if not self.read_only:
            self.watcher.warm()

    def troubles(self) -> list[str]:
        """Why nothing could be trained now, a line each; empty: all is well.

        It writes a small file and removes it, and starts anew what has ended: who asks again may find it well. One that is
        read-only trains nothing, and so lacks nothing.
        """
        if self.read_only:
            return []
        found = [self.watcher.trouble] if self.watcher.trouble else []
        if found:
            self.watcher.warm()
        try:
            probe = writable_folder(self.home) / f".probe-{os.getpid()}-{threading.get_ident()}"
            write_json(probe, {"written": "to see whether that can be done"})
            probe.unlink()
        except UnusableRequest as error:
            found.append(str(error))
        except OSError as error:
            found.append(f"the data directory cannot be written to ({reason(error)})")
        self._told = log.changes("trouble", self._told, found)
        return found

    def shutdown(self, *, put_back: bool = False) -> list[str]:
        """Stop watching. Runs go on without us, and the next manager adopts them; or, with ``put_back``, they are saved, and
        wait in the queue for it before all others.

        Returns the ids of runs that were put back.
        """
        return self.watcher.close(put_back=put_back)

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

    def submit(self, config: RunConfig, owner: str = "", asked_by: str = "") -> str:
        """Queue a run of ``owner`` (empty: nobody's) and return its id; it starts as soon as there is room.

        ``asked_by``: a word for the browser it comes from. Those who wait take turns by owner, or else by that.

        Raises:
            UnusableRequest: the dataset is unknown, a run it builds on does not exist, or it is beyond the limits.
        """
        check_config(config, self.store)
        check_cost(self.limits, config, self.store)
        check_room(self.limits, self.store, owner or asked_by)
        folder = RunFolder.create(self.home, config, owner=owner, asked_by=asked_by, place=self.store.end_of_queue())
        log.event("run queued", run=folder.run_id, model=config.model.name, dataset=config.dataset.name)
        self.watcher.wake()
        return folder.run_id

    def command(self, run_id: str, kind: str, value: Any = None) -> None:
        """Ask a run for something, such as ``pause`` or ``learning_rate`` with ``value=0.01``: see ``mfcore.runs.commands``.

        Raises:
            UnusableRequest: no such run or command, an unusable value, the run is over, or too many are paused already.
        """
        command = Command(kind, value)
        check_pause(self.limits, self.store, run_id, kind)
        leave_command(self.folder(run_id), command)
        self.watcher.wake()

    def stop(self, run_id: str) -> None:
        """Stop a run at its next step; what it has learned is kept and tested. A queued run never starts."""
        self.command(run_id, "stop")

    def resume(self, run_id: str) -> None:
        """Queue an interrupted run again; it continues from its last checkpoint.

        Raises:
            UnusableRequest: the run did not end in a way that can be continued.
        """
        check_room(self.limits, self.store, asker(self.get(run_id)))
        self.store.requeue(run_id)
        log.event("run queued", run=run_id, again="resume")
        self.watcher.wake()

    def extend(self, run_id: str, epochs: int) -> None:
        """Train ``epochs`` more: a run that is going gets them on top of its plan; one that is over is queued again.

        An ended run goes on from its last checkpoint, its schedule and patience begin anew, and test is scored once more at the
        end; the result says so (``scored_before``).

        Raises:
            UnusableRequest: the run failed or has no checkpoint, or ``epochs`` is no whole number above 0.
        """
        command = Command("extend", epochs)
        run = self.get(run_id)
        if not run.unread:
            planned = run.num_epochs + int(command.value or 0)
            check_cost(self.limits, run.config.with_flat({"num_epochs": planned}), self.store)
        if run.over:
            check_room(self.limits, self.store, asker(run))
            self.store.requeue(run_id, epochs=int(command.value or 0))
            log.event("run queued", run=run_id, again="extend", epochs=command.value)
        else:
            leave_command(self.folder(run_id), command)
        self.watcher.wake()

    def branch(
        self,
        run_id: str,
        epoch: int,
        changes: Mapping[str, Any] | None = None,
        name: str = "",
        owner: str = "",
        asked_by: str = "",
    ) -> str:
        """Queue a new run that goes on from the end of ``epoch`` of another; returns its id. Without changes: to equal weights.

        Args:
            epoch: one of :meth:`kept_epochs`; the other run may be going, over or failed. changes: flat keys, such as
                ``{"learning_rate": 0.001}``; what is settled by then (dataset, split, model, loss) cannot change. owner: whose
                the new run is; the other's owner has no part in it.

        Raises:
            UnusableRequest: no such run, the epoch was not kept, a change is unusable, or it is beyond the limits.
        """
        parent = self.folder(run_id)
        config = branch_config(parent, epoch, changes or {}, name)
        check_config(config, self.store)
        check_cost(self.limits, config, self.store)
        check_room(self.limits, self.store, owner or asked_by)
        place = self.store.end_of_queue()
        child = branch_folder(self.home, parent, config, owner=owner, asked_by=asked_by, place=place)
        log.event("run queued", run=child.run_id, branch_of=run_id, epoch=epoch)
        self.watcher.wake()
        return child.run_id

    def move(self, run_id: str, to: int) -> None:
        """Let a queued run wait at another place, as :meth:`Queue.move` does. Raises UnusableRequest: it does not wait."""
        self.queue.move(run_id, to)

    def kept_epochs(self, run_id: str) -> list[int]:
        """Epochs of a run from which one can branch, in order; 0 is the untrained model."""
        return self.folder(run_id).kept_epochs()

    def kill(self, run_id: str) -> None:
        """End a worker that no longer answers, at once. The run becomes ``interrupted`` and can be resumed."""
        worker = self.watcher.workers.get(run_id) or self.executor.find(self.folder(run_id))
        self.watcher.ended_by_hand.add(run_id)  # before it is gone, which somebody may notice at once
        worker.kill()
        log.event("run killed", level="warning", run=run_id)
        self.watcher.wake()


def _refuse(*_: Any, **__: Any) -> Any:
    raise UnusableRequest(READ_ONLY)


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
