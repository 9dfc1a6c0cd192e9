"""The controller alone: commands that come at given moments of a made-up time, a trainer and checkpoints that only note."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from mfcore.errors import UnusableRequest
from mfcore.runs.checkpoints.manager import CheckpointManager
from mfcore.runs.commands import Command, PendingCommand
from mfcore.runs.events import CheckpointEvent, CommandEvent, Event, EventLog, MessageEvent
from mfcore.runs.worker.controller import Controller, Requests, Timing
from mfcore.runs.worker.event_log import EventWriter
from mfcore.training import TrainConfig, Trainer
from tests.runs.tiny_runs import FakeClock


class Inbox:
    """Commands by the moment at which they come; what is refused when it is read, as a text."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.coming, self.number = clock, list[tuple[float, Command | str]](), 0

    def at(self, moment: float, *commands: Command | str) -> None:
        self.coming += [(moment, command) for command in commands]

    def take(self) -> list[PendingCommand]:
        due = [command for moment, command in self.coming if moment <= self.clock.now]
        self.coming = [entry for entry in self.coming if entry[0] > self.clock.now]
        return [self._pending(command) for command in due]

    def _pending(self, command: Command | str) -> PendingCommand:
        self.number += 1
        if isinstance(command, str):
            return PendingCommand(self.number, "dance", refused=command)
        return PendingCommand(self.number, command.kind, command.value, command)


class NotingTrainer:
    def __init__(self) -> None:
        self.config = TrainConfig(num_epochs=10)
        self.step = self.epoch = 0
        self.progress = 0.0
        self.engine, self.engine_reason = "autograd", "as always"
        self.noted: list[Any] = []

    def setting(self, name: str) -> Any:
        return getattr(self.config, name)

    def set_learning_rate(self, rate: float) -> None:
        self.noted.append(("rate", rate))

    def change(self, **settings: Any) -> None:
        if settings.get("weight_decay") == 666:
            raise UnusableRequest("not this one")
        self.noted.append(settings)
        if settings.get("batch_size") == 1:
            self.engine, self.engine_reason = "native", "one at a time"

    def extend(self, num_epochs: int) -> None:
        self.config = dataclasses.replace(self.config, num_epochs=num_epochs)

    def take_one_step(self) -> None:
        self.noted.append("one step")


class NotingCheckpoints:
    def __init__(self) -> None:
        self.saved, self.kept = 0, False

    def save(self, *, force: bool = False) -> None:
        self.saved += force

    def keep_end(self) -> bool:
        was, self.kept = self.kept, True
        return not was


class Desk:
    """A controller and all that it talks to."""

    def __init__(self, path: Path, pace: float = 0.0) -> None:
        self.clock, self.trainer, self.checkpoints = FakeClock(), NotingTrainer(), NotingCheckpoints()
        self.inbox, self.states, self.told = Inbox(self.clock), list[str](), list[Event]()
        self.asked_to_leave = False
        self.controller = Controller(
            cast(Trainer, self.trainer),
            cast(CheckpointManager, self.checkpoints),
            self.inbox,
            EventWriter(EventLog(path), self.told.append),
            set_state=self.states.append,
            requests=Requests(interrupted=lambda: self.asked_to_leave or self.clock.now > 1000),
            pace=pace,
            timing=Timing(self.clock, self.clock.sleep),
        )

    def step(self, seconds: float = 0.1) -> bool:
        """Train one stretch of steps and ask the controller."""
        self.clock.now += seconds
        self.trainer.step += 1
        return self.controller.should_stop()

    def commands(self) -> list[CommandEvent]:
        return [event for event in self.told if isinstance(event, CommandEvent)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "events.jsonl")


def test_a_pause_lasts_until_somebody_resumes(desk: Desk) -> None:
    desk.inbox.at(0.05, Command("pause"))
    desk.inbox.at(7.0, Command("resume"))
    assert not desk.step()
    assert 7.0 <= desk.clock.now < 7.1 and desk.states == ["paused", "running"]
    assert [event.kind for event in desk.told] == ["checkpoint", "command", "command"], "to branch from while it waits"
    assert [(event.name, event.step, event.epoch) for event in desk.commands()] == [("pause", 1, 0), ("resume", 1, 0)]
    assert isinstance(desk.told[0], CheckpointEvent)


@pytest.mark.parametrize("way_out", ["stop", "leave"])
def test_a_pause_ends_with_the_run(desk: Desk, way_out: str) -> None:
    desk.inbox.at(0.0, Command("pause"))
    if way_out == "stop":
        desk.inbox.at(3.0, Command("stop"))
    assert desk.step()
    assert (desk.controller.stop, desk.controller.interrupted) == ((True, False) if way_out == "stop" else (False, True))
    assert desk.clock.now < 4 or way_out == "leave"


def test_between_two_looks_no_command_is_heard(desk: Desk) -> None:
    assert not desk.step()
    desk.inbox.at(0.0, Command("stop"))
    assert not desk.step(0.04) and desk.step(0.02)


@pytest.mark.parametrize("pace", [0.5, 4.0])
def test_epochs_keep_the_pace(tmp_path: Path, pace: float) -> None:
    desk = Desk(tmp_path / "events.jsonl", pace)
    desk.controller.start_clock()
    begins = []
    for _ in range(4):
        desk.step(0.1)
        desk.controller.epoch_ends()
        begins.append(desk.clock.now)
    assert begins == pytest.approx([n / pace for n in range(1, 5)], abs=0.1)


def test_another_pace_is_kept_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "events.jsonl", pace=0.001)
    desk.inbox.at(5.0, Command("pace", 0.0))
    desk.controller.start_clock()
    desk.controller.epoch_ends()
    assert 5.0 <= desk.clock.now < 5.1


def test_steps_asked_for_are_taken_one_by_one_and_then_it_waits(desk: Desk) -> None:
    desk.inbox.at(0.0, Command("pause"), Command("step_batch"), Command("step_batch"))
    for taken in (1, 2):
        assert not desk.step(0.001)
        assert desk.trainer.noted == ["one step"] * taken
    desk.inbox.at(50.0, Command("step_epoch"))
    assert not desk.step(0.001)
    assert desk.clock.now >= 50.0 and desk.trainer.noted == ["one step"] * 2
    desk.inbox.at(90.0, Command("resume"))
    desk.controller.epoch_ends()
    assert desk.clock.now >= 90.0 and desk.states == ["paused", "running"] * 3


def test_many_batches_are_one_command_and_then_it_waits(desk: Desk) -> None:
    desk.inbox.at(0.0, Command("pause"), Command("step_batch", 3))
    last = []
    for taken in (1, 2, 3):
        assert not desk.step(0.001)
        assert desk.trainer.noted == ["one step"] * taken
        last.append(desk.controller.last_batch)
    assert last == [False, False, True], "whoever asked looks at the last"
    desk.inbox.at(50.0, Command("step_batch"))
    assert not desk.step(0.001)
    assert desk.clock.now >= 50.0 and desk.trainer.noted == ["one step"] * 4
    assert [event.value for event in desk.commands()] == [None, 3, None]


def test_a_change_is_saved_and_told_with_what_it_brings(desk: Desk) -> None:
    desk.inbox.at(0.0, Command("learning_rate", 0.5), Command("batch_size", 1), Command("weight_decay", 666.0), "no such thing")
    desk.inbox.at(0.0, Command("extend", 5))
    desk.step()
    rate, size, refused, unknown, extend = desk.commands()
    assert (rate.value, size.engine, refused.refused, unknown.refused) == (0.5, "native", "not this one", "no such thing")
    assert (extend.num_epochs, desk.trainer.config.num_epochs) == (15, 15)
    assert desk.trainer.noted == [("rate", 0.5), {"batch_size": 1}] and desk.checkpoints.saved == 3
    texts = [event.text for event in desk.told if isinstance(event, MessageEvent)]
    assert texts == ["one at a time", "training goes on to epoch 15"]


def test_when_the_epochs_are_over_there_is_nothing_to_steer(desk: Desk) -> None:
    desk.controller.let_go()
    desk.inbox.at(0.0, Command("learning_rate", 0.5), Command("step_batch"), Command("pace", 3.0), Command("stop"))
    assert desk.step()
    said = [event.refused or "" for event in desk.commands()]
    assert ["over" in words for words in said] == [True, True, False, False]
    assert desk.controller.pace == 3.0 and desk.trainer.noted == [] and desk.checkpoints.saved == 0


def test_a_value_of_another_type_is_told_as_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    take: Callable[[], list[PendingCommand]] = lambda: [PendingCommand(1, "pace", [1, 2], refused="no number")]  # noqa: E731
    monkeypatch.setattr(desk.inbox, "take", take)
    desk.controller.listen()
    assert desk.commands()[0].value == "[1, 2]"
