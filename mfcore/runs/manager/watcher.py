"""The watch over a home's runs: which is trained when, and what became of its worker."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from filelock import Timeout

from mfcore import log
from mfcore.errors import UnusableRequest
from mfcore.paths import reason
from mfcore.runs.disk import make_room
from mfcore.runs.layout import RunFolder
from mfcore.runs.manager import leaving
from mfcore.runs.manager.executor import Executor, Worker
from mfcore.runs.manager.queue import Queue, claim, sweep
from mfcore.runs.status import LIVE_STATES
from mfcore.runs.store import ENDED_BY_HAND, LOST_WORKER, RunStore, isolated

_TICK = 0.1
"""Seconds between looks at workers while any run is on."""
_QUEUE_TICK = 5.0
"""Seconds between looks into the queue when nobody here has changed it; other servers may have."""
_WAITING_TICK = 1.0
"""The same while runs wait: one that is paused gives up its place."""
_IDLE_TICK = 60.0
"""The same with nothing on and nothing waiting: then the bell tells."""
_BELL_TICK = 1.0
"""Seconds between listening for the bell of the store, with nothing on."""
_SPARE_DELAY = 2.0
"""Seconds a run has the processor to itself before the next spare is warmed: its first points come first."""


class Watcher:
    """Starts queued runs while there is room, and notices workers that are gone. Several may share a home.

    Its thread begins with the first :meth:`wake` and does nothing but :meth:`recover`, then :meth:`look` and sleep. What goes
    wrong with one run stays with that run; what goes wrong with all of them is logged, and it looks again.

    Args:
        max_concurrent: runs at once, over all servers on this home. clock: seconds that only ever grow. disk_budget: GB
            that the runs may take, 0 for any number; beyond it the oldest kept epochs go.

    Attributes:
        workers: those we started, by run id. adopted: runs in the hands of a worker that another process started.
    """

    def __init__(
        self,
        store: RunStore,
        queue: Queue,
        executor: Executor,
        max_concurrent: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        disk_budget: float = 0.0,
    ) -> None:
        self._disk_budget = disk_budget
        self.store, self.queue, self.executor = store, queue, executor
        self.max_concurrent = max_concurrent or (2 if (os.cpu_count() or 1) >= 4 else 1)
        self.workers: dict[str, Worker] = {}
        self.ended_by_hand: set[str] = set()
        self.adopted: set[str] = set()
        self._clock = clock
        self._spare_due: float | None = None  # None: no spare is wanted
        self._queue_due = clock()
        self._waiting = False
        self._bell = 0
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._trouble = ""

    # --- from other threads ------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something has changed: look now. Begins the watch the first time, and again should it have ended by itself."""
        with self._guard:
            if not self._closing and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._watch, name="mfcore-runs", daemon=True)
                self._thread.start()
        self._queue_due = self._clock()
        self._wake.set()

    @property
    def trouble(self) -> str:
        """Why runs that wait may not begin; empty where nothing is wrong, or nobody has asked for anything yet."""
        if self._thread is not None and not self._thread.is_alive() and not self._closing:
            return "nobody watches over the runs (its thread has ended)"
        return self._trouble or self.executor.trouble

    def warm(self) -> None:
        """Start watching (recovers what an earlier server left behind) and have a spare worker ready."""
        self._spare_due = self._clock()
        self.wake()

    def close(self, *, put_back: bool = False) -> list[str]:
        """Stop watching. Runs go on without us, and the next watcher adopts them; or, with ``put_back``, they wait for it.

        Returns the ids of runs that were put back.
        """
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        returned = leaving.put_back(self.store, {**self._orphans(), **self.workers}) if put_back else []
        for worker in self.workers.values():
            worker.let_go()
        self.executor.close()
        return returned

    def _orphans(self) -> dict[str, Worker]:
        """Workers of a server that died without a word: they are ours now."""
        found: dict[str, Worker] = {}
        for run_id in self.adopted:
            folder = RunFolder(self.store.runs / run_id)
            with isolated(run_id), suppress(UnusableRequest):
                if folder.status().orphaned:
                    found[run_id] = self.executor.find(folder)
        return found

    # --- the watch ---------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        recovered = False
        while not self._closing:
            self._wake.clear()
            self._trouble = ""
            if not recovered:
                recovered = self._attempt(self.recover)
            # Runs begin also where nothing could be recovered: then somebody has them, or they are looked at again later.
            pause = self.pause() if self._attempt(self.look) and recovered else _QUEUE_TICK
            self._wake.wait(pause)

    def _attempt(self, do: Callable[[], None]) -> bool:
        try:
            do()
        except Exception as error:  # a full disk or a vanished folder must not end the watch
            self._trouble = f"the watch over the runs met an error ({reason(error)})"
            log.event("watch failed, goes on", level="error", error=error)
            return False
        return True

    def recover(self) -> None:
        """At start-up: runs without a worker are interrupted, orphan workers adopted; queued runs simply are in the queue."""
        sweep(self.store)
        found = {run.run_id for run in self.store.list() if run.state in LIVE_STATES}
        for run_id in sorted(found - self.adopted):
            log.event("run adopted", run=run_id, pid=RunFolder(self.store.runs / run_id).status().pid)
        self.adopted |= found

    def look(self) -> None:
        """One round: whose worker is gone, who can start, is a spare wanted."""
        self._reap()
        bell = self.store.bell()
        if self._clock() >= self._queue_due or bell != self._bell:
            self._bell = bell
            self._start_queued()
            busy = self.workers or self.adopted
            self._queue_due = self._clock() + (_WAITING_TICK if self._waiting else _QUEUE_TICK if busy else _IDLE_TICK)
        if self._spare_due is not None and (not self.workers or self._clock() >= self._spare_due):
            self._spare_due = None
            self.executor.warm()

    def pause(self) -> float:
        """Seconds to sleep until the next round."""
        if self.workers or self.adopted or self._spare_due is not None:
            return _TICK
        # Another server on this home may have the queue, or may have died with it: look again now and then.
        return _WAITING_TICK if self._waiting else _BELL_TICK

    def _reap(self) -> None:
        for run_id, worker in list(self.workers.items()):
            code = worker.exit_code()
            if code is not None:
                with isolated(run_id):
                    self._settle(RunFolder(self.store.runs / run_id), code)
                    _log_end(RunFolder(self.store.runs / run_id), code=code, pid=getattr(worker, "pid", None))
                del self.workers[run_id]
                self._queue_due = self._clock()
        for run_id in list(self.adopted):
            going = False
            with isolated(run_id):
                folder = RunFolder(self.store.runs / run_id)
                by_hand = ENDED_BY_HAND if run_id in self.ended_by_hand else LOST_WORKER
                going = folder.exists() and not self.store.mark_if_lost(folder, by_hand)
                if not going:
                    _log_end(folder)
            if not going:
                self.adopted.discard(run_id)
                self.ended_by_hand.discard(run_id)
                self._queue_due = self._clock()

    def _settle(self, folder: RunFolder, code: int) -> None:
        """A worker of ours is gone: a status that still says it runs, or is about to, is set right."""
        if not folder.exists():
            log.event("run lost", level="warning", run=folder.run_id, reason="its folder was removed while it was trained")
            return
        by_hand = folder.run_id in self.ended_by_hand
        self.ended_by_hand.discard(folder.run_id)
        self.store.mark_if_lost(folder, ENDED_BY_HAND if by_hand else _last_words(code))
        _fail_unstarted(folder, f"the worker could not start (exit code {code}); the file worker.log of this run says why")

    def _start_queued(self) -> None:
        for run_id in make_room(self.store, self._disk_budget):
            log.event("kept epochs removed", run=run_id)
        queued = self.queue.waiting()
        self._waiting = bool(queued)
        if not queued:
            return
        with suppress(Timeout), self.queue.lock():
            room = self.max_concurrent - self.queue.busy(self.workers)
            for folder in queued:
                with isolated(folder.run_id):
                    if room > 0 and self._start(folder):
                        room -= 1

    def _start(self, folder: RunFolder) -> bool:
        """False if there is nothing to start, or it cannot be."""
        if not claim(folder, self.max_concurrent):
            return False
        try:
            self.workers[folder.run_id] = self.executor.start(folder)
        except OSError as error:  # else it would be claimed and tried again for ever
            _fail_unstarted(folder, f"the worker could not start ({reason(error)})")
            _log_end(folder)
            return False
        self._spare_due = self._clock() + _SPARE_DELAY
        return True


def _fail_unstarted(folder: RunFolder, why: str) -> None:
    """A run that was claimed and whose worker never took it up has failed."""
    with suppress(Timeout), folder.lock():
        status = folder.status()
        if status.state == "queued" and status.claimed_by:
            failed = dataclasses.replace(status, state="failed", ended=time.time(), reason=why, claimed_by="", claimed_at=0.0)
            folder.write_status(failed)


def _log_end(folder: RunFolder, *, code: int | None = None, pid: int | None = None) -> None:
    """What became of a run, ``seconds`` after it began, and how its process ended."""
    if not folder.exists():  # it has been deleted meanwhile, and the log knows
        return
    status = folder.status()
    seconds = None if status.started is None or status.ended is None else status.ended - status.started
    level = "info" if status.state in ("finished", "stopped", "queued") else "warning"
    words: dict[str, Any] = {"state": status.state, "reason": status.reason or None, "seconds": seconds}
    log.event("run ended", level=level, run=folder.run_id, **words, pid=pid or status.pid, code=code or None)


def _last_words(code: int) -> str:
    if code == -9:
        return "its worker process was killed (signal 9); usually the machine ran out of memory"
    return f"its worker process was ended by signal {-code}" if code < 0 else LOST_WORKER
