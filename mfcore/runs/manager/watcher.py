"""The watch over a home's runs: which is trained when, and what became of its worker."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from filelock import Timeout

from mfcore.paths import reason
from mfcore.runs.layout import RunFolder
from mfcore.runs.manager.executor import Executor, Worker
from mfcore.runs.manager.queue import Queue, claim, sweep
from mfcore.runs.status import LIVE_STATES
from mfcore.runs.store import LOST_WORKER, RunStore, isolated

_TICK = 0.1
"""Seconds between looks at workers while any run is on; with none on, the watcher sleeps until it is called."""
_QUEUE_TICK = 5.0
"""Seconds between looks into the queue when nobody here has changed it; other servers may have."""
_SPARE_DELAY = 2.0
"""Seconds a run has the processor to itself before the next spare is warmed: its first points come first."""


class Watcher:
    """Starts queued runs while there is room, and notices workers that are gone. Several may share a home.

    Its thread begins with the first :meth:`wake` and does nothing but :meth:`recover`, then :meth:`look` and sleep. What goes
    wrong with one run stays with that run; what goes wrong with all of them is logged, and it looks again.

    Args:
        max_concurrent: runs at once, over all servers on this home. clock: seconds that only ever grow.
    """

    def __init__(
        self,
        store: RunStore,
        queue: Queue,
        executor: Executor,
        max_concurrent: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store, self.queue, self.executor = store, queue, executor
        self.max_concurrent = max_concurrent or (2 if (os.cpu_count() or 1) >= 4 else 1)
        self.workers: dict[str, Worker] = {}
        self._adopted: set[str] = set()
        self._clock = clock
        self._spare_due: float | None = None  # None: no spare is wanted
        self._queue_due = clock()
        self._waiting = False
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._closing = False

    # --- from other threads ------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something has changed: look now. Begins the watch the first time."""
        with self._guard:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._watch, name="mfcore-runs", daemon=True)
                self._thread.start()
        self._queue_due = self._clock()
        self._wake.set()

    def warm(self) -> None:
        """Start watching (recovers what an earlier server left behind) and have a spare worker ready."""
        self._spare_due = self._clock()
        self.wake()

    def close(self) -> None:
        """Stop watching. Runs go on without us; the next watcher adopts them."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        for worker in self.workers.values():
            worker.let_go()
        self.executor.close()

    # --- the watch ---------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        recovered = False
        while not self._closing:
            self._wake.clear()
            try:
                if not recovered:
                    self.recover()
                    recovered = True
                self.look()
                pause = self.pause()
            except Exception:  # a full disk or a vanished folder must not end the watch
                logging.getLogger(__name__).exception("the run manager met an error and goes on")
                pause = _QUEUE_TICK
            self._wake.wait(pause)

    def recover(self) -> None:
        """At start-up: runs without a worker are interrupted, orphan workers adopted; queued runs simply are in the queue."""
        sweep(self.store)
        self._adopted |= {run.run_id for run in self.store.list() if run.state in LIVE_STATES}

    def look(self) -> None:
        """One round: whose worker is gone, who can start, is a spare wanted."""
        self._reap()
        if self._clock() >= self._queue_due:
            self._queue_due = self._clock() + _QUEUE_TICK
            self._start_queued()
        if self._spare_due is not None and (not self.workers or self._clock() >= self._spare_due):
            self._spare_due = None
            self.executor.warm()

    def pause(self) -> float | None:
        """Seconds to sleep until the next round; None, for ever, when nothing runs and nothing waits."""
        if self.workers or self._adopted or self._spare_due is not None:
            return _TICK
        # Another server on this home may have the queue, or may have died with it: look again now and then.
        return _QUEUE_TICK if self._waiting else None

    def _reap(self) -> None:
        for run_id, worker in list(self.workers.items()):
            code = worker.exit_code()
            if code is not None:
                with isolated(run_id):
                    self._settle(RunFolder(self.store.runs / run_id), code)
                del self.workers[run_id]
                self._queue_due = self._clock()
        for run_id in list(self._adopted):
            going = False
            with isolated(run_id):
                folder = RunFolder(self.store.runs / run_id)
                going = folder.exists() and not self.store.mark_if_lost(folder)
            if not going:
                self._adopted.discard(run_id)
                self._queue_due = self._clock()

    def _settle(self, folder: RunFolder, code: int) -> None:
        """A worker of ours is gone: a status that still says it runs, or is about to, is set right."""
        if not folder.exists():
            return
        self.store.mark_if_lost(folder, _last_words(code))
        _fail_unstarted(folder, f"the worker could not start (exit code {code}); the file worker.log of this run says why")

    def _start_queued(self) -> None:
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
        if not claim(folder):
            return False
        try:
            self.workers[folder.run_id] = self.executor.start(folder)
        except OSError as error:  # else it would be claimed and tried again for ever
            _fail_unstarted(folder, f"the worker could not start ({reason(error)})")
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


def _last_words(code: int) -> str:
    if code == -9:
        return "its worker process was killed (signal 9); usually the machine ran out of memory"
    return f"its worker process was ended by signal {-code}" if code < 0 else LOST_WORKER
