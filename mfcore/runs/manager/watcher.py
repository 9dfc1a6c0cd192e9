"""The watch over a home's runs: which is trained when, and what became of its worker."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from mfcore.runs.layout import LIVE_STATES, RunFolder, RunStatus
from mfcore.runs.manager.executor import LocalExecutor, LocalWorker
from mfcore.runs.manager.queue import busy, claim, queue_lock, sweep, waiting
from mfcore.runs.store import LOST_WORKER, RunStore

_TICK = 0.1
"""Seconds between looks at workers while any run is on; with none on, the manager sleeps until it is called."""
_QUEUE_TICK = 5.0
"""Seconds between looks into the queue when nobody here has changed it; other servers may have."""
_SPARE_DELAY = 2.0
"""Seconds a run has the processor to itself before the next spare is warmed: its first points come first."""


class RunWatcher(RunStore):
    """Starts queued runs while there is room, and notices workers that are gone. Several may share a home."""

    def __init__(self, home: str | Path | None = None, max_concurrent: int | None = None) -> None:
        super().__init__(home)
        self.max_concurrent = max_concurrent or (2 if (os.cpu_count() or 1) >= 4 else 1)
        self.executor = LocalExecutor(self.home)
        self._workers: dict[str, LocalWorker] = {}
        self._adopted: set[str] = set()
        self._warm_wanted = False
        self._last_start = 0.0
        self._wake = threading.Event()
        self._closing = False
        self._queue_due = 0.0
        self._waiting = False
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()

    def warm(self) -> None:
        """Start watching (recovers what an earlier server left behind) and have a spare worker ready."""
        self._warm_wanted = True
        self._last_start = 0.0
        self._call()

    def shutdown(self) -> None:
        """Stop watching. Runs go on without us; the next manager adopts them."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        for worker in self._workers.values():
            worker.let_go()
        self.executor.close()

    def wait(self, run_id: str, timeout: float = 60.0) -> RunStatus:
        """Block until a run is over and its worker gone; for scripts and tests.

        Raises:
            TimeoutError: it is still going after ``timeout`` seconds.
        """
        folder, deadline = self.folder(run_id), time.monotonic() + timeout
        while not (folder.status().over and run_id not in self._workers):
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {run_id} is still {folder.status().state} after {timeout:g} s")
            time.sleep(0.02)
        return folder.status()

    def _call(self) -> None:
        """Wake the watching thread; start it the first time."""
        with self._start_lock:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._watch, name="mfcore-runs", daemon=True)
                self._thread.start()
        self._queue_due = 0.0
        self._wake.set()

    def _watch(self) -> None:
        self._recover()
        while not self._closing:
            self._wake.clear()
            try:
                self._look()
            except Exception:  # a full disk or a vanished folder must not end the watch; it looks again
                logging.getLogger(__name__).exception("the run manager met an error and goes on")
                self._waiting = True
            self._wake.wait(self._pause())

    def _look(self) -> None:
        """One round: whose worker is gone, who can start, is a spare wanted."""
        self._reap()
        if time.monotonic() >= self._queue_due:
            self._queue_due = time.monotonic() + _QUEUE_TICK
            self._start_queued()
        if self._warm_wanted and (not self._workers or time.monotonic() >= self._last_start + _SPARE_DELAY):
            self.executor.warm()
            self._warm_wanted = False

    def _pause(self) -> float | None:
        """How long to sleep: for ever when nothing runs and nothing waits."""
        if self._workers or self._adopted or self._warm_wanted:
            return _TICK
        # Another server on this home may have the queue, or may have died with it: look again now and then.
        return _QUEUE_TICK if self._waiting else None

    def _recover(self) -> None:
        """At start-up: runs without a worker are interrupted, orphan workers adopted; queued runs simply are in the queue."""
        sweep(self)
        for summary in self.list():
            if summary.state in LIVE_STATES:
                self._adopted.add(summary.run_id)

    def _reap(self) -> None:
        for run_id, worker in list(self._workers.items()):
            code = worker.exit_code()
            if code is not None:
                self._settle(run_id, code)
                del self._workers[run_id]
                self._queue_due = 0.0
        for run_id in list(self._adopted):
            folder = RunFolder(self.runs / run_id)
            if not folder.exists() or self._mark_if_lost(folder):
                self._adopted.discard(run_id)
                self._queue_due = 0.0

    def _settle(self, run_id: str, code: int) -> None:
        """A worker of ours is gone: a status that still says it runs, or is about to, is set right."""
        folder = RunFolder(self.runs / run_id)
        if not folder.exists():
            return
        self._mark_if_lost(folder, _last_words(code))
        with suppress(Timeout), folder.lock():
            status = folder.status()
            if status.state == "queued" and status.claimed_by:
                reason = f"the worker could not start (exit code {code}); the file worker.log of this run says why"
                folder.write_status(RunStatus("failed", created=status.created, ended=time.time(), reason=reason))

    def _start_queued(self) -> None:
        queued = waiting(self)
        self._waiting = bool(queued)
        if not queued:
            return
        with suppress(Timeout), queue_lock(self):
            room = self.max_concurrent - busy(self, self._workers)
            for folder in queued[: max(room, 0)]:
                if claim(folder):
                    self._workers[folder.run_id] = self.executor.start(folder)
                    self._last_start, self._warm_wanted = time.monotonic(), True


def _last_words(code: int) -> str:
    if code == -9:
        return "its worker process was killed (signal 9); usually the machine ran out of memory"
    return f"its worker process was ended by signal {-code}" if code < 0 else LOST_WORKER
