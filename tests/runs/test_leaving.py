"""A server is stopped while runs train: they are saved, wait for the next one before all others, and nothing is lost."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfcore.runs import RunFolder, RunManager, RunStatus
from mfcore.runs.events import EpochEvent
from mfcore.runs.manager.leaving import put_back
from mfcore.runs.store import RunStore
from tests.runs.test_branching import equal, weights
from tests.runs.test_watcher import PlayedWorker, Stage
from tests.runs.tiny_runs import FakeClock, epochs, tiny, wait_until

Train = Callable[..., tuple[RunFolder, RunStatus]]


def test_restart_with_three_runs(home: Path, train: Train) -> None:
    """One trains, one is paused, one waits. The next server goes on with them, and the weights are those of quiet runs."""
    flat: dict[str, Any] = {"num_epochs": 20, "optimizer": "adam"}
    first = RunManager(home, max_concurrent=1)
    try:
        paused = first.folder(first.submit(tiny(**flat, pace=5, seed=1)))
        wait_until(lambda: len(epochs(paused)) > 2)
        first.command(paused.run_id, "pause")
        wait_until(lambda: paused.status().state == "paused")
        running = first.folder(first.submit(tiny(**flat, pace=5, seed=2)))
        waiting = first.folder(first.submit(tiny(**flat, seed=3)))
        wait_until(lambda: len(epochs(running)) > 2)
        assert sorted(first.shutdown(put_back=True)) == sorted([paused.run_id, running.run_id])
    finally:
        first.shutdown()
    assert not any(folder.locked() for folder in (paused, running, waiting)), "a worker is still there"
    assert {folder.status().state for folder in (paused, running, waiting)} == {"queued"}
    order = [folder.run_id for folder in RunManager(home).queue.waiting()]
    assert order == [paused.run_id, running.run_id, waiting.run_id]
    second = RunManager(home, max_concurrent=1)
    try:
        second.warm()
        wait_until(lambda: paused.status().state == "paused")
        second.command(running.run_id, "pace", 0)
        assert second.wait(running.run_id, 60).state == "finished" and second.wait(waiting.run_id, 60).state == "finished"
        second.command(paused.run_id, "pace", 0)
        second.command(paused.run_id, "resume")
        assert second.wait(paused.run_id, 60).state == "finished"
    finally:
        second.shutdown(put_back=True)
    for seed, folder in enumerate((paused, running, waiting), start=1):
        quiet, _ = train(tiny(**flat, seed=seed))
        assert equal(weights(folder), weights(quiet)) and folder.result()["test"] == quiet.result()["test"]
        assert [event.epoch for event in folder.events.of(EpochEvent)] == list(range(21))


class Deaf(PlayedWorker):
    """A worker that hears no request and can only be killed."""

    def terminate(self) -> None:
        pass


def test_a_worker_that_does_not_leave_is_ended_in_time(stage: Stage) -> None:
    folder, clock = stage.queue(), FakeClock()
    worker = Deaf(folder)
    stage.executor.workers[folder.run_id] = worker
    assert put_back(stage.store, {folder.run_id: worker}, 8.0, clock, clock.sleep) == [folder.run_id]
    assert worker.code == -9 and 8.0 <= clock.now < 9.1
    assert folder.status().state == "queued"


def test_a_run_that_ended_meanwhile_has_ended(stage: Stage) -> None:
    folder = stage.queue()

    class JustFinished(PlayedWorker):
        def terminate(self) -> None:
            self.leaves(0, "finished")

    worker = JustFinished(folder)
    assert put_back(stage.store, {folder.run_id: worker}) == []
    assert folder.status().state == "finished"


def test_a_run_that_was_about_to_begin_begins_later(stage: Stage) -> None:
    """Its worker had the id, and had not yet taken the run."""
    folder = stage.queue()
    folder.write_status(folder.status().claim(1))

    class NotYet:
        def exit_code(self) -> int:
            return -15

        def terminate(self) -> None:
            pass

        kill = let_go = terminate

    assert put_back(stage.store, {folder.run_id: NotYet()}) == [folder.run_id]
    assert folder.status().state == "queued" and not folder.status().claimed


@pytest.fixture
def stage(home: Path) -> Stage:
    return Stage(home)


def test_workers_of_a_server_that_died_without_a_word_leave_with_the_next(home: Path) -> None:
    first = RunManager(home, max_concurrent=1)
    folder = first.folder(first.submit(tiny(num_epochs=400, pace=5)))
    try:
        wait_until(lambda: len(epochs(folder)) > 1)
        assert folder.status().server.endswith(f":{os.getpid()}") and not folder.status().orphaned
        status = folder.status()  # as if its server had been another process, which is gone
        folder.write_status(dataclasses.replace(status, server=status.server.rpartition(":")[0] + ":999999999"))
        second = RunManager(home, max_concurrent=1)
        second.warm()
        wait_until(lambda: folder.run_id in second.watcher.adopted)
        assert second.shutdown(put_back=True) == [folder.run_id]
        assert not folder.locked() and folder.status().state == "queued"
    finally:
        first.shutdown(put_back=True)


def test_an_idle_server_takes_up_what_another_process_queued(stage: Stage) -> None:
    """At once, by the bell, and not when it next looks by itself."""

    def quiet_for_long() -> None:
        os.utime(stage.store.runs, (1, 1))
        stage.look()
        stage.look(0.0)

    stage.store.runs.mkdir(parents=True)
    quiet_for_long()
    folder = RunFolder.create(stage.home, tiny())
    stage.look(0.0)
    assert list(stage.executor.workers) == [folder.run_id]
    stage.executor.workers.pop(folder.run_id).leaves(state="interrupted")
    quiet_for_long()
    RunStore(stage.home).requeue(folder.run_id)
    stage.look(0.0)
    assert list(stage.executor.workers) == [folder.run_id]
    assert stage.watcher.pause() <= 1.0, "an idle server sleeps for a second at most"
