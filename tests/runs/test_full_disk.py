"""Looking never needs to write: a full disk, or one that cannot be written to at all, is looked at, and room is made on it."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from pathlib import Path

import pytest

from mfcore.__main__ import main
from mfcore.errors import UnusableRequest
from mfcore.runs import RunManager, RunStore
from mfcore.runs.layout import RunFolder
from mfcore.runs.manager.queue import Queue
from mfcore.runs.status import this_host
from tests.faults.disk import failing
from tests.runs.tiny_runs import tiny

DEAD = 99_999_999
"""A process number that no machine gives."""


@pytest.fixture
def runs(finished: RunFolder, home: Path) -> dict[str, RunFolder]:
    """Copies: one whole, one that says it trains though its worker is dead, one that waits."""
    place = home / "runs"
    place.mkdir(parents=True)
    found = {name: RunFolder(Path(shutil.copytree(finished.path, place / name))) for name in ("whole", "dead", "waits")}
    status = found["dead"].status()
    found["dead"].write_status(dataclasses.replace(status, state="running", ended=None, pid=DEAD, host=this_host()))
    events = (found["dead"].path / "events.jsonl").read_text().splitlines(keepends=True)
    (found["dead"].path / "events.jsonl").write_text("".join(events[:-1]))  # without the word that it ended
    found["waits"].write_status(dataclasses.replace(status, state="queued", ended=None))
    for folder in found.values():
        (folder.path / "run.lock").unlink(missing_ok=True)
    return found


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_runs_are_listed_as_they_are(error: int, runs: dict[str, RunFolder], home: Path) -> None:
    with failing(home, error=error):
        store = RunStore(home)
        states = {run.run_id: run.state for run in store.list()}
        assert states == {"whole": "finished", "dead": "interrupted", "waits": "queued"}
        assert Queue(store).busy() == 0 and [run.run_id for run in Queue(store).line().waiting] == ["waits"]
    assert runs["dead"].status().state == "running", "nothing was written"
    assert RunStore(home).get("dead").state == "interrupted" and runs["dead"].status().state == "interrupted"


def test_a_run_that_trains_is_not_taken_for_dead(runs: dict[str, RunFolder], home: Path) -> None:
    runs["dead"].write_status(dataclasses.replace(runs["dead"].status(), pid=os.getpid()))
    with failing(home):
        assert RunStore(home).get("dead").state == "running"


@pytest.mark.parametrize("name", ["whole", "dead"])
def test_room_can_be_made(name: str, runs: dict[str, RunFolder], home: Path) -> None:
    with failing(home):
        RunStore(home).delete(name)
    assert not runs[name].path.exists()


@pytest.mark.parametrize(
    "words",
    [["runs"], ["runs", "--json"], ["runs", "show", "whole"], ["runs", "show", "dead"], ["evaluate", "whole"], ["datasets"]],
)
@pytest.mark.usefixtures("runs")
def test_the_command_line_looks(words: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with failing(home):
        assert main([*words, "--home", str(home)]) == 0
    assert capsys.readouterr().err.count("error") == 0


@pytest.mark.usefixtures("runs")
def test_what_needs_room_says_so_in_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with failing(home):
        assert main(["train", "--model", "mf", "--dataset", "planted", "--epochs", "1", "--home", str(home)]) == 1
        manager = RunManager(home)
        with pytest.raises((UnusableRequest, OSError)):
            manager.submit(tiny())
        assert manager.troubles() == ["the data directory cannot be written to (No space left on device)"]
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "No space left on device" in error
    assert {path.name for path in (home / "runs").iterdir()} == {"whole", "dead", "waits"}


def test_a_home_without_runs_is_looked_at_without_making_them(tmp_path: Path) -> None:
    with failing(tmp_path):
        assert RunStore(tmp_path).list() == []
    assert list(tmp_path.iterdir()) == []
