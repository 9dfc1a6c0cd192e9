"""Workers as processes of their own that run the worker's own ``main``, forked from one that has loaded torch already.

A worker that starts as usual spends two seconds on importing; who kills it twenty times wants to spend them otherwise.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mfcore.runs import RunFolder, RunManager
from mfcore.runs.manager.executor import LocalExecutor, Worker


def _work(home: str, run_id: str) -> None:
    from mfcore.runs.worker.main import main

    os.setsid()
    sys.exit(main(["--home", home, run_id]))


class ForkedWorker:
    """A worker of ours."""

    def __init__(self, home: Path, folder: RunFolder) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.faults.ready"])
        self._process = context.Process(target=_work, args=(str(home), folder.run_id), daemon=True)
        self._process.start()
        self.pid = int(self._process.pid or 0)

    def exit_code(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def let_go(self) -> None:
        pass


class ForkingExecutor:
    """Starts and kills them."""

    trouble = ""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self, folder: RunFolder) -> Worker:
        return ForkedWorker(self.home, folder)

    def find(self, folder: RunFolder) -> Worker:
        return LocalExecutor(self.home).find(folder)

    def warm(self) -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def managed(home: Path, at_once: int = 1) -> Iterator[RunManager]:
    """A manager whose workers end with it."""
    made = RunManager(home, at_once, executor=ForkingExecutor(home))
    try:
        made.warm()
        yield made
    finally:
        made.shutdown(put_back=True)
