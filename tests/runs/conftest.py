"""Runs small enough to train in a blink."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mfcore.runs import RunConfig, RunFolder, RunManager, RunStatus
from tests.runs.tiny_runs import tiny


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def train(home: Path) -> Callable[..., tuple[RunFolder, RunStatus]]:
    """Trains a tiny run in this process."""
    from mfcore.runs.worker.session import train_run

    def run(config: RunConfig | None = None, folder: RunFolder | None = None, **how: Any) -> tuple[RunFolder, RunStatus]:
        folder = folder or RunFolder.create(home, config or tiny())
        return folder, train_run(folder, home, **how)

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that has finished; tests copy it."""
    from mfcore.runs.worker.session import train_run

    home = tmp_path_factory.mktemp("finished")
    folder = RunFolder.create(home, tiny())
    assert train_run(folder, home).state == "finished"
    return folder


@pytest.fixture
def manager(home: Path) -> Iterator[RunManager]:
    """A manager whose workers end with the test."""
    made = RunManager(home, max_concurrent=1)
    yield made
    made.shutdown()
    for summary in made.list():
        if not summary.over and made.folder(summary.run_id).locked():
            made.kill(summary.run_id)
