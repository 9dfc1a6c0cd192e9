"""Who trains, who holds still, who waits: a pause gives up its place, the order can be changed, nothing is stuck."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import cast

import pytest

from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunManager, RunStatus, RunStore
from mfcore.runs.checkpoints.manager import CheckpointManager
from mfcore.runs.commands import Command
from mfcore.runs.events import EventLog
from mfcore.runs.manager.queue import Queue, claim
from mfcore.runs.worker.controller import Controller, Requests, Timing
from mfcore.runs.worker.event_log import EventWriter
from mfcore.training import Trainer
from tests.runs.test_controller import Inbox, NotingCheckpoints, NotingTrainer
from tests.runs.test_watcher import Stage
from tests.runs.tiny_runs import FakeClock, epochs, equal, tiny, wait_until, weights


def put(folder: RunFolder, state: str, **fields: object) -> None:
    folder.write_status(dataclasses.replace(folder.status(), state=state, **fields))  # type: ignore[arg-type]


def queued(home: Path, count: int) -> list[RunFolder]:
    """Runs that wait, created one second after the other."""
    folders = [RunFolder.create(home, tiny()) for _ in range(count)]
    for age, folder in enumerate(folders):
        folder.write_status(RunStatus("queued", created=100.0 + age))
    return folders


def ids(folders: list[RunFolder]) -> list[str]:
    return [folder.run_id for folder in folders]


# --- a pause gives up its place --------------------------------------------------------------------------------------


def test_a_paused_run_lets_the_next_one_begin(home: Path) -> None:
    stage = Stage(home)
    first, second = stage.queue(), stage.queue()
    stage.look()
    stage.look()
    assert list(stage.executor.workers) == [first.run_id]
    put(first, "paused")
    stage.look(1.0)
    assert stage.states() == {first.run_id: "paused", second.run_id: "running"}


def test_a_run_that_was_told_to_go_on_is_before_those_that_have_not_begun(home: Path) -> None:
    stage = Stage(home)
    first, second, third = stage.queue(), stage.queue(), stage.queue()
    stage.look()
    put(first, "paused")
    stage.look()
    put(first, "resuming", queued=5.0)
    assert not stage.watcher.queue.may_go_on(first.run_id, at_once=1)
    assert stage.watcher.queue.may_go_on(first.run_id, at_once=2)
    stage.executor.workers[second.run_id].leaves(state="finished")
    stage.look()
    assert third.run_id not in stage.executor.workers
    assert stage.watcher.queue.may_go_on(first.run_id, at_once=1)


def test_runs_that_go_on_take_turns_in_the_order_in_which_they_were_told(home: Path) -> None:
    first, second = queued(home, 2)
    with first.lock(), second.lock():
        put(first, "resuming", queued=9.0)
        put(second, "resuming", queued=8.0)
        queue = Queue(RunStore(home))
        assert (queue.may_go_on(first.run_id, 1), queue.may_go_on(second.run_id, 1)) == (False, True)
        assert ids([*map(queue.store.folder, (run.run_id for run in queue.line().order))]) == ids([second, first])
        put(second, "paused")
        assert queue.may_go_on(first.run_id, 1), "whoever is paused again stands in nobody's way"


def test_a_worker_that_died_while_it_was_paused_or_waited_stands_in_nobodys_way(home: Path) -> None:
    dead, other, third = queued(home, 3)
    put(dead, "resuming", queued=1.0)
    put(other, "paused")
    with third.lock():
        put(third, "resuming", queued=2.0)
        queue = Queue(RunStore(home))
        assert queue.may_go_on(third.run_id, 1)
    assert (dead.status().state, other.status().state) == ("interrupted", "interrupted")


class HeldDesk:
    """A controller that may go on only once ``room`` says so."""

    def __init__(self, path: Path, room_at: float) -> None:
        self.clock, self.trainer, self.states, self.asked = FakeClock(), NotingTrainer(), list[str](), list[float]()
        self.inbox = Inbox(self.clock)

        def go_on() -> bool:
            self.asked.append(self.clock.now)
            self.states.append("running" if self.clock.now >= room_at else "resuming")
            return self.clock.now >= room_at

        self.controller = Controller(
            cast(Trainer, self.trainer),
            cast(CheckpointManager, NotingCheckpoints()),
            self.inbox,
            EventWriter(EventLog(path), lambda event: None),
            set_state=self.states.append,
            requests=Requests(interrupted=lambda: self.clock.now > 1000),
            timing=Timing(self.clock, self.clock.sleep),
            go_on=go_on,
        )

    def step(self) -> bool:
        self.clock.now += 0.1
        return self.controller.should_stop()


def test_it_waits_its_turn_and_goes_on_by_itself(tmp_path: Path) -> None:
    desk = HeldDesk(tmp_path / "events.jsonl", room_at=20.0)
    desk.inbox.at(0.0, Command("pause"))
    desk.inbox.at(5.0, Command("resume"))
    assert not desk.step()
    assert 20.0 <= desk.clock.now < 20.5 and list(dict.fromkeys(desk.states)) == ["paused", "resuming", "running"]
    assert len(desk.asked) < 70, "four times a second, not at every look for commands"


@pytest.mark.parametrize("what", ["pause", "stop", "step_epoch", "step_batch"])
def test_while_it_waits_everything_else_can_be_asked(tmp_path: Path, what: str) -> None:
    desk = HeldDesk(tmp_path / "events.jsonl", room_at=500.0)
    desk.inbox.at(0.0, Command("pause"), Command("resume"))
    desk.inbox.at(5.0, Command(what))
    desk.inbox.at(9.0, Command("stop"))
    over = desk.step()
    if what == "step_epoch":
        assert not over and desk.states[-1] == "running" and desk.clock.now < 6
    elif what == "step_batch":
        assert not over and desk.trainer.noted == ["one step"] and desk.states[-1] == "paused"
    else:
        assert over and desk.clock.now < (6 if what == "stop" else 10)
        assert (desk.states[-1] == "paused") == (what == "pause")


def test_pause_queue_resume_with_real_workers_is_bit_for_bit(manager: RunManager) -> None:
    """One is paused, the next trains meanwhile; told to go on it waits for the other, and ends as if nothing had been."""
    config = tiny(num_epochs=12, pace=15)
    held = manager.folder(manager.submit(config))
    other = manager.folder(manager.submit(tiny(num_epochs=100_000, pace=50)))
    wait_until(lambda: 2 in epochs(held))
    manager.command(held.run_id, "pause")
    wait_until(lambda: other.status().state == "running")
    at = len(epochs(held))
    manager.command(held.run_id, "resume")
    wait_until(lambda: held.status().state == "resuming")
    assert len(epochs(held)) == at and other.status().state == "running"
    manager.stop(other.run_id)
    assert manager.wait(held.run_id).state == "finished"
    undisturbed = manager.submit(config.with_flat({"pace": 0}))
    assert manager.wait(undisturbed).state == "finished"
    assert equal(weights(held), weights(manager.folder(undisturbed)))


# --- order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "to", "order"), [(2, 1, "201"), (0, 2, "102"), (0, 9, "120"), (1, 2, "012"), (2, -5, "201")])
def test_the_order_can_be_changed_and_another_server_sees_it(home: Path, who: int, to: int, order: str) -> None:
    folders = queued(home, 3)
    Queue(RunStore(home)).move(folders[who].run_id, to)
    assert ids(Queue(RunStore(home)).waiting()) == [folders[int(n)].run_id for n in order]


def test_only_what_waits_can_be_moved(home: Path) -> None:
    (folder,) = queued(home, 1)
    assert claim(folder)
    with pytest.raises(UnusableRequest, match="does not wait"):
        Queue(RunStore(home)).move(folder.run_id, 1)


def test_who_comes_back_into_the_queue_goes_behind_those_who_wait(home: Path) -> None:
    old, waiting = queued(home, 2)
    put(old, "interrupted")
    store = RunStore(home)
    store.requeue(old.run_id)
    assert ids(Queue(store).waiting()) == ids([waiting, old])


def test_what_was_taken_out_of_the_queue_can_be_put_back(manager: RunManager, home: Path) -> None:
    (folder,) = queued(home, 1)
    manager.watcher.max_concurrent = 0
    manager.stop(folder.run_id)
    with pytest.raises(UnusableRequest, match="is over"):
        manager.stop(folder.run_id)
    manager.resume(folder.run_id)
    assert folder.status().state == "queued"


def test_the_line_tells_who_waits_at_which_place(home: Path) -> None:
    running, paused, first, last = queued(home, 4)
    with running.lock(), paused.lock():
        put(running, "running")
        put(paused, "paused")
        line = Queue(RunStore(home)).line()
    assert [run.run_id for run in line.running + line.paused] == ids([running, paused])
    assert [line.position(folder.run_id) for folder in (running, first, last)] == [0, 1, 2]
    assert line and not Queue(RunStore(home / "elsewhere")).line()
