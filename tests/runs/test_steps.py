"""Single batches and epochs, asked for while a run is on: exactly those are trained, then the run waits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mfcore.runs import RunFolder, RunManager, RunStatus
from mfcore.runs.commands import Command
from mfcore.runs.events import CommandEvent, EpochEvent, Event, MessageEvent, StepEvent
from mfcore.runs.worker.controller import Timing
from tests.runs.test_branching import equal, weights
from tests.runs.tiny_runs import epochs, leave_unchecked, messages, tiny, wait_until

Train = Callable[..., tuple[RunFolder, RunStatus]]


def soon() -> Callable[[], bool]:
    """As ``interrupted``: a run that waits for ever because of a mistake is a failure, not a hanging test."""
    deadline = time.monotonic() + 60
    return lambda: time.monotonic() > deadline


def steps(folder: RunFolder) -> list[int]:
    return [event.step for event in folder.events.read()[0] if isinstance(event, StepEvent)]


@pytest.mark.parametrize("fields", [{}, {"batch_size": 1, "optimizer": "sgd"}])
def test_batches_then_epochs_then_on(fields: dict[str, Any], manager: RunManager, train: Train) -> None:
    """Paused before the first step by a command that was there first; from two tabs; the weights come out the same."""
    config = tiny(num_epochs=4, **fields)
    folder = RunFolder.create(manager.home, config)
    folder.add_command(Command("pause"))
    manager.watcher.wake()
    wait_until(lambda: folder.status().state == "paused")
    for done in (1, 2):
        manager.command(folder.run_id, "step_batch")
        wait_until(lambda done=done: len(steps(folder)) == done)  # type: ignore[misc]
    for _tab in range(2):
        manager.command(folder.run_id, "step_batch")
    wait_until(lambda: len(steps(folder)) == 4 and folder.status().state == "paused")
    assert steps(folder) == [1, 2, 3, 4] and epochs(folder) == [0]
    manager.command(folder.run_id, "step_epoch")
    wait_until(lambda: epochs(folder) == [0, 1] and folder.status().state == "paused")
    manager.command(folder.run_id, "step_epoch")
    wait_until(lambda: epochs(folder) == [0, 1, 2] and folder.status().state == "paused")
    manager.command(folder.run_id, "step_batch")
    wait_until(lambda: steps(folder)[-1] == folder.events.of(EpochEvent)[-1].step + 1)
    manager.command(folder.run_id, "resume")
    assert manager.wait(folder.run_id).state == "finished"
    whole, _ = train(config)
    assert equal(weights(folder), weights(whole))
    told = {event.epoch: event for event in folder.events.of(EpochEvent)}
    assert sum(told[e].seconds for e in (1, 2)) == pytest.approx(told[2].wall, abs=1e-3)
    assert told[4].wall < 5  # waiting is not training


def test_a_step_asked_of_a_running_run_pauses_it_and_another_wish_lets_it_go(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=6))
    seen: list[tuple[str, str]] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 1:
            folder.add_command(Command("step_epoch"))
        if isinstance(event, EpochEvent) and event.epoch == 2:
            folder.add_command(Command("step_batch"))
        if (
            isinstance(event, StepEvent)
            and event.step == folder.events.of(EpochEvent)[-1].step + 1
            and len(epochs(folder)) == 3
        ):
            seen.append(("after the batch", folder.status().state))
            folder.add_command(Command("resume"))

    _, status = train(folder=folder, listen=listen, interrupted=soon())
    assert status.state == "finished" and epochs(folder) == list(range(7))
    assert seen and [e.name for e in folder.events.of(CommandEvent)] == ["step_epoch", "step_batch", "resume"]


def test_steering_is_heard_only_while_there_is_something_to_steer(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=200, refit=True))

    def listen(event: Event) -> None:
        if isinstance(event, MessageEvent) and "once more" in event.text:
            folder.add_command(Command("weight_decay", 1.0))
            folder.add_command(Command("step_batch"))

    at_once = Timing(poll=0.0)  # a refit of milliseconds is over before the usual next look
    _, status = train(folder=folder, listen=listen, interrupted=soon(), timing=at_once)
    assert status.state == "finished"
    commands = folder.events.of(CommandEvent)
    assert all("the epochs are over" in (command.refused or "") for command in commands) and len(commands) == 2


def test_changes_are_logged_with_what_they_bring(train: Train, home: Path) -> None:
    pytest.importorskip("numba")
    folder = RunFolder.create(home, tiny(num_epochs=4, optimizer="sgd"))

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 1:
            folder.add_command(Command("batch_size", 1))
            leave_unchecked(folder, "batch_size", value=0)
            folder.add_command(Command("bias_lr_multiplier", 2))

    train(folder=folder, listen=listen, interrupted=soon())
    first, wrong, third = folder.events.of(CommandEvent)
    assert (first.value, first.engine, first.epoch) == (1, "native", 1)
    assert "batch_size must be >= 1" in (wrong.refused or "") and third.refused is None
    assert any("compiled engine" in text for text in messages(folder))
    ends = [event.step for event in folder.events.of(EpochEvent)]
    per_epoch = [b - a for a, b in pairwise(ends)]
    samples = folder.events.of(EpochEvent)[-1].samples
    assert per_epoch == [math.ceil(samples / 64), samples, samples, samples]
