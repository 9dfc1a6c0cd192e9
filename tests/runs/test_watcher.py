"""The watch, round by round: with workers that are only played, a clock that is set, and runs that are damaged."""

from __future__ import annotations

import dataclasses
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunManager, RunStatus, RunStore
from mfcore.runs.manager.executor import LocalExecutor
from mfcore.runs.manager.queue import Queue, claim
from mfcore.runs.manager.watcher import Watcher
from mfcore.runs.summary import RunReader, RunSummary
from tests.runs.tiny_runs import tiny, wait_until


class PlayedWorker:
    """A worker that does what the test says."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.left_alone = folder, False
        self.code: int | None = None
        self.lock = folder.lock()
        self.lock.acquire(timeout=5)
        folder.write_status(dataclasses.replace(folder.status(), state="running", claimed_by=""))

    def leaves(self, code: int = 0, state: str = "") -> None:
        if state:
            self.folder.write_status(dataclasses.replace(self.folder.status(), state=state, ended=1.0))
        self.code = code
        self.lock.release()

    def exit_code(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.leaves(0, "interrupted")

    def kill(self) -> None:
        self.leaves(-9)

    def let_go(self) -> None:
        self.left_alone = True


class PlayedExecutor:
    """Writes down what it is asked to do; ``broken`` names runs for which no worker can be started."""

    def __init__(self) -> None:
        self.workers: dict[str, PlayedWorker] = {}
        self.broken: set[str] = set()
        self.trouble = ""
        self.warmed, self.closed = 0, False

    def start(self, folder: RunFolder) -> PlayedWorker:
        if folder.run_id in self.broken:
            raise OSError(11, "Resource temporarily unavailable")
        self.workers[folder.run_id] = PlayedWorker(folder)
        return self.workers[folder.run_id]

    def find(self, folder: RunFolder) -> PlayedWorker:
        raise UnusableRequest(f"run {folder.run_id} has no worker on this machine")

    def warm(self) -> None:
        self.warmed += 1

    def close(self) -> None:
        self.closed = True


class Stage:
    """A watcher with all that it works with; its thread is never begun."""

    def __init__(self, home: Path, room: int = 1) -> None:
        self.home, self.now = home, 100.0
        self.store, self.executor = RunStore(home), PlayedExecutor()
        self.watcher = Watcher(self.store, Queue(self.store), self.executor, room, clock=lambda: self.now)

    def queue(self) -> RunFolder:
        return RunFolder.create(self.home, tiny())

    def look(self, seconds: float = 5.0) -> None:
        self.now += seconds
        self.watcher.look()

    def states(self) -> dict[str, str]:
        return {run.run_id: run.state for run in self.store.list()}


@pytest.fixture
def stage(home: Path) -> Stage:
    return Stage(home)


def test_runs_take_turns(stage: Stage) -> None:
    first, second = stage.queue(), stage.queue()
    stage.look()
    assert list(stage.executor.workers) == [first.run_id]
    stage.look()
    assert len(stage.executor.workers) == 1
    stage.executor.workers[first.run_id].leaves(state="finished")
    stage.look(0.1)
    assert list(stage.executor.workers) == [first.run_id, second.run_id]
    assert stage.states() == {first.run_id: "finished", second.run_id: "running"}


def test_another_order_is_another_queue(home: Path) -> None:
    def newest_first(waiting: Sequence[RunSummary], running: Sequence[RunSummary]) -> list[RunSummary]:
        return sorted(waiting, key=lambda run: -run.created)

    folders = [RunFolder.create(home, tiny()) for _ in range(3)]
    for age, folder in enumerate(folders):
        folder.write_status(RunStatus("queued", created=float(age)))
    assert Queue(RunStore(home), newest_first).waiting() == folders[::-1]
    claim(folders[1])
    assert Queue(RunStore(home)).waiting() == [folders[0], folders[2]]
    assert Queue(RunStore(home)).busy(["mine"]) == 2


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "killed (signal 9)"), (-15, "ended by signal 15"), (1, "ended without a word")]
)
def test_a_worker_that_dies_leaves_an_interrupted_run(code: int, words: str, stage: Stage) -> None:
    folder = stage.queue()
    stage.look()
    stage.executor.workers[folder.run_id].leaves(code)
    stage.look(0.1)
    assert folder.status().state == "interrupted" and words in folder.status().reason
    assert not stage.watcher.workers


def test_a_spare_is_warmed_when_the_first_points_have_been_drawn(stage: Stage) -> None:
    stage.queue()
    stage.look()
    stage.look(1.0)
    assert stage.executor.warmed == 0
    stage.look(1.5)
    stage.look(1.5)
    assert stage.executor.warmed == 1


def test_how_long_it_sleeps(stage: Stage) -> None:
    """An idle server costs no time at all; one whose home has a queue looks again, as that may be another server's."""
    stage.look()
    assert stage.watcher.pause() == pytest.approx(1.0)
    folder = stage.queue()
    stage.look()
    assert stage.watcher.pause() == pytest.approx(0.1)
    stage.executor.workers[folder.run_id].leaves(state="finished")
    stage.queue()
    stage.watcher.max_concurrent = 0
    stage.look()
    stage.look()
    assert stage.watcher.pause() == pytest.approx(1.0)


def test_a_run_of_an_earlier_server_is_adopted_until_its_worker_goes(stage: Stage) -> None:
    folder = stage.queue()
    folder.write_status(RunStatus("running"))
    lock = folder.lock()
    lock.acquire()
    stage.watcher.recover()
    waiting = stage.queue()
    stage.look()
    assert not stage.executor.workers, "the adopted run fills the room"
    lock.release()
    stage.look(0.1)
    assert folder.status().state == "interrupted"
    assert list(stage.executor.workers) == [waiting.run_id]


def test_closing_leaves_runs_alone(stage: Stage) -> None:
    folder = stage.queue()
    stage.look()
    stage.watcher.close()
    assert stage.executor.workers[folder.run_id].left_alone and stage.executor.closed
    assert folder.status().state == "running"


# --- one run at a time goes wrong ----------------------------------------------------------------------------------------


def test_a_run_for_which_no_worker_starts_fails_and_the_next_one_has_its_turn(home: Path) -> None:
    stage = Stage(home, room=2)
    bad, good = stage.queue(), stage.queue()
    stage.executor.broken.add(bad.run_id)
    stage.look()
    assert stage.states() == {bad.run_id: "failed", good.run_id: "running"}
    assert bad.status().reason == "the worker could not start (Resource temporarily unavailable)"
    stage.store.requeue(bad.run_id)
    stage.executor.broken.clear()
    stage.look()
    assert stage.states()[bad.run_id] == "running"


DAMAGE: dict[str, Callable[[Path], object]] = {
    "config is no object": lambda path: (path / "config.json").write_text("[1]"),
    "config of another world": lambda path: (path / "config.json").write_text('{"model": {"name": 7}, "training": 3}'),
    "labels are a list": lambda path: (path / "meta.json").write_text('{"name": ["a"], "starred": {}}'),
    "events are nonsense": lambda path: (path / "events.jsonl").write_text(
        '{"kind": "epoch", "epoch": [], "step": {}, "metrics": 5}\n{"kind": "command", "num_epochs": "x"}\n'
    ),
    "events are a folder": lambda path: (path / "events.jsonl").mkdir(),
    "result is a number": lambda path: (path / "result.json").write_text('{"test": 5}'),
    "status is gone": lambda path: (path / "status.json").unlink(),
    "the lock is a folder": lambda path: (
        (path / "status.json").write_text('{"state": "running"}'),
        (path / "run.lock").mkdir(),
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_one_bad_folder_stops_nothing(damage: str, stage: Stage) -> None:
    before, bad, after = stage.queue(), stage.queue(), stage.queue()
    bad.write_status(RunStatus("finished", created=bad.status().created))
    DAMAGE[damage](bad.path)
    stage.watcher.recover()
    stage.look()
    assert list(stage.executor.workers) == [before.run_id]
    stage.executor.workers[before.run_id].leaves(state="finished")
    stage.look(0.1)
    assert stage.states()[before.run_id] == "finished" and stage.states()[after.run_id] == "running"
    shown = stage.store.get(bad.run_id)
    assert shown.over and (shown.reason or shown.state == "finished")
    if damage == "the lock is a folder":
        with pytest.raises(UnusableRequest, match=r"cannot be deleted \(Is a directory\)"):
            stage.store.delete(bad.run_id)
    else:
        stage.store.delete(bad.run_id)
        assert bad.run_id not in stage.states()


def test_a_run_that_cannot_be_read_says_why_and_is_read_again(stage: Stage, home: Path) -> None:
    folder = stage.queue()
    (folder.path / "events.jsonl").mkdir()
    shown = stage.store.get(folder.run_id)
    assert shown.state == "damaged"
    assert shown.reason == "its files cannot be read (Is a directory)"
    (folder.path / "events.jsonl").rmdir()
    assert stage.store.get(folder.run_id).state == "queued"
    assert RunReader(folder).read().config == tiny()


def test_the_thread_outlives_whatever_happens(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The runs' folder cannot be read as the server starts, and has become readable when it looks again."""
    manager = RunManager(home, executor=PlayedExecutor())
    runs = manager.store.runs
    runs.mkdir(parents=True)
    runs.rename(home / "aside")
    runs.write_text("")
    try:
        manager.warm()
        wait_until(lambda: "goes on" in caplog.text)
        runs.unlink()
        (home / "aside").rename(runs)
        run_id = manager.submit(tiny())
        wait_until(lambda: manager.get(run_id).state == "running")
    finally:
        manager.shutdown()


def test_runs_begin_though_nothing_can_be_recovered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = RunManager(home, executor=PlayedExecutor())
    monkeypatch.setattr(manager.watcher, "recover", fail_on_a_full_disk)
    try:
        run_id = manager.submit(tiny())
        wait_until(lambda: manager.get(run_id).state == "running")
        assert manager.troubles() == ["the watch over the runs met an error (No space left on device)"]
    finally:
        manager.shutdown()


def end_thread() -> None:
    raise KeyboardInterrupt


def fail_on_a_full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watch_that_ended_by_itself_is_said_and_begun_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = RunManager(home, executor=PlayedExecutor())
    with monkeypatch.context() as broken:
        broken.setattr(manager.watcher, "pause", end_thread)  # not an Exception: nothing catches it
        manager.watcher.wake()
        wait_until(lambda: manager.watcher.trouble != "")
    try:
        assert manager.troubles() == ["nobody watches over the runs (its thread has ended)"]
        assert manager.troubles() == []
        run_id = manager.submit(tiny())
        wait_until(lambda: manager.get(run_id).state == "running")
    finally:
        manager.shutdown()


def test_what_cannot_be_written_to_and_workers_that_end_are_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = RunManager(stage.home, executor=stage.executor)
    assert manager.troubles() == []
    monkeypatch.setattr("mfcore.runs.manager.manager.write_json", fail_on_a_full_disk)
    stage.executor.trouble = "a worker process ends as soon as it starts (exit code 1)"
    monkeypatch.setattr(manager.watcher, "wake", lambda: None)
    assert manager.troubles() == [
        stage.executor.trouble,
        "the data directory cannot be written to (No space left on device)",
    ]


def test_a_worker_that_cannot_work_is_noticed_and_tried_again(home: Path) -> None:
    executor = LocalExecutor(home, python="/bin/false")
    try:
        executor.warm()
        wait_until(lambda: executor.trouble != "")
        assert executor.trouble == "a worker process ends as soon as it starts (exit code 1)"
        executor._python = sys.executable
        executor.warm()
        assert executor.trouble == ""
    finally:
        executor.close()
    nowhere = LocalExecutor(home, python=str(home / "no-python"))
    with pytest.raises(OSError):
        nowhere.warm()
    assert nowhere.trouble == "no worker process can be started (No such file or directory)"


def test_a_kill_that_was_refused_is_nobodys_hand_later(stage: Stage) -> None:
    manager = RunManager(stage.home, executor=stage.executor)
    folder = stage.queue()
    with pytest.raises(UnusableRequest, match="has no worker"):
        manager.kill(folder.run_id)
    assert not manager.watcher.ended_by_hand


def test_a_run_whose_folder_was_removed_is_told_of_in_one_line(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    folder = stage.queue()
    stage.look()
    worker = stage.executor.workers[folder.run_id]
    stage.home.rename(stage.home.with_name("elsewhere"))
    worker.leaves(1)
    stage.look()
    (told,) = caplog.records
    assert (
        told.getMessage().startswith(f"run lost run={folder.run_id} reason=")
        and "removed while it was trained" in told.getMessage()
    )
    assert not told.exc_info and not stage.watcher.workers
