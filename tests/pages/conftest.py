"""Pages are driven through the front door script, on homes of their own: one without runs, one with a run of each kind."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mfcore.runs import RunConfig, RunFolder
from mfcore.runs.manager.watcher import Watcher
from mfcore.runs.worker.session import train_run
from tests.pages.reading import OpenPage

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "dataset": "planted",
    "dataset.num_users": 40,
    "dataset.num_items": 30,
    "dataset.density": 0.4,
    "split": "random",
    "embedding_dim": 4,
    "batch_size": 64,
    "num_epochs": 3,
}


def train_tiny(home: Path, **changes: object) -> str:
    """Train a run of a second or less in this process; returns its id."""
    folder = RunFolder.create(home, RunConfig().with_flat({**TINY, **changes}))
    train_run(folder, home)
    return folder.run_id


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with one run of each fate: ranking, rating (a hostile name), failed, interrupted. Copied before use."""
    home = tmp_path_factory.mktemp("trained")
    ids = {
        "failed": train_tiny(home, model="mf", optimizer="sgd", learning_rate=1e9, batch_size=1, name="explodes"),
        "rating": train_tiny(home, name="[a *name*](http://x) <b>"),
        "ranking": train_tiny(home, model="mf", loss="bce", name="ranks"),
        "interrupted": train_tiny(home, name="cut off", seed=1),
    }
    folder = RunFolder(home / "runs" / ids["interrupted"])
    folder.write_status(dataclasses.replace(folder.status(), state="interrupted", reason="the machine went down"))
    assert RunFolder(home / "runs" / ids["failed"]).status().state == "failed"
    return home, ids


@pytest.fixture
def runs(trained: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The page's home holds runs; ids by what became of each."""
    home, ids = trained
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path / "home"))
    return ids


@pytest.fixture
def no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's home is empty: no runs, no MovieLens."""
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submitted runs stay in the queue: no worker process is started."""
    monkeypatch.setattr(Watcher, "wake", lambda self: None)


@pytest.fixture
def running(runs: dict[str, str]) -> Iterator[str]:
    """A run that looks as if a worker held it: this test holds its lock."""
    from mfcore.runs.manager.manager import manager_for

    folder = manager_for().folder(runs["rating"])
    (folder.path / "result.json").unlink()
    events = folder.events.path.read_text().splitlines(keepends=True)
    folder.events.path.write_text(
        "".join(line for line in events if '"kind": "end"' not in line and '"kind":"end"' not in line)
    )
    with folder.lock():
        folder.write_status(dataclasses.replace(folder.status(), state="running", ended=None))
        yield folder.run_id


@pytest.fixture
def open_page() -> OpenPage:
    """``open_page("runs", run=…)``: the page, drawn once, with these query parameters."""

    def open_(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
        app.run()  # navigation must know its pages before one can be chosen
        app.switch_page(str(ROOT / "pages" / f"{page}.py"))
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception, [error.value for error in app.exception]
        return app

    return open_
