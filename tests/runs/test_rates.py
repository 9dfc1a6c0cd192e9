"""The planned learning rate is the one that a training really has: runs are trained, and their epochs tell what it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcore.registry import OPTIMIZERS
from mfcore.runs import RunFolder
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.events import EpochEvent, Event
from mfcore.runs.history import BEGUN_WITH, RunHistory
from mfcore.runs.rates import Points, planned_rates
from mfcore.runs.store import RunStore
from mfcore.settings import SETTINGS
from tests.runs.tiny_runs import tiny

SCHEDULES = list(SETTINGS["schedule"].options() or {})
STEERED = {2: [Command("learning_rate", 0.004)], 3: [Command("batch_size", 16)], 5: [Command("extend", 4)]}


@pytest.fixture
def trained(train: Callable[..., Any], home: Path) -> Callable[..., RunFolder]:
    """Trains a run and sends it commands when given epochs have been told of."""

    def run(folder: RunFolder | None = None, commands: dict[int, list[Command]] | None = None, **flat: Any) -> RunFolder:
        folder = folder or RunFolder.create(home, tiny(num_epochs=8, batch_size=8, learning_rate=0.02, **flat))

        def listen(event: Event) -> None:
            if isinstance(event, EpochEvent) and not event.inherited:
                for command in (commands or {}).get(event.epoch, []):
                    folder.add_command(command)

        _, status = train(folder=folder, listen=listen)
        assert status.state == "finished", status.reason
        return folder

    return run


def line_of(folder: RunFolder) -> Points:
    return planned_rates(RunHistory.read(folder), folder.events.of(EpochEvent))


def agrees(folder: RunFolder) -> None:
    """At the end of every epoch the line has the rate of its last step; a step is a sixtieth of an epoch at the most."""
    line, highest = line_of(folder), max(rate for _, rate in line_of(folder))
    epochs = [event for event in folder.events.of(EpochEvent) if event.epoch > 0]
    for event in epochs:
        drawn = float(np.interp(event.epoch - 1 / 60, *zip(*line, strict=True)))
        assert math.isclose(drawn, event.learning_rate, rel_tol=0.05, abs_tol=0.01 * highest), event.epoch
    assert line[-1][0] == epochs[-1].epoch and [place for place, _ in line] == sorted(place for place, _ in line)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("commands", [{}, STEERED], ids=["left alone", "steered"])
def test_the_line_is_what_training_did(
    schedule: str, commands: dict[int, list[Command]], trained: Callable[..., RunFolder]
) -> None:
    agrees(trained(commands=commands, schedule=schedule, schedule_every=2))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    "changes", [{"learning_rate": 0.1}, {"num_epochs": 12}, {"schedule": "cosine"}, {"weight_decay": 0.1}], ids=str
)
def test_a_branch_keeps_its_place_in_the_schedule(
    schedule: str, changes: dict[str, Any], trained: Callable[..., RunFolder], home: Path
) -> None:
    """Its past has the rates that its parents had; from there on it is as far in its schedule as they were."""
    parent = trained(commands={2: STEERED[2]}, schedule=schedule, schedule_every=2)
    agrees(trained(branch_folder(home, parent, branch_config(parent, 5, changes, ""))))


def test_what_is_still_ahead_is_drawn(home: Path) -> None:
    waiting = RunFolder.create(home, tiny(num_epochs=8, learning_rate=0.02, plan="3: learning_rate=0.005; 8: num_epochs=10"))
    line = line_of(waiting)
    assert line[-1][0] == 10
    assert np.interp([2.9, 4.0], *zip(*line, strict=True)).tolist() == pytest.approx([0.02, 0.005])


def test_where_the_first_settings_are_forgotten_the_line_begins_with_the_branch(
    trained: Callable[..., RunFolder], home: Path
) -> None:
    parent = trained(schedule="cosine")
    branch = branch_folder(home, parent, branch_config(parent, 5, {"learning_rate": 0.1}, ""))
    branch.write_provenance({key: value for key, value in branch.provenance().items() if key != BEGUN_WITH})
    RunStore(home).delete(parent.run_id)
    assert min(place for place, _ in line_of(branch)) >= 5


def test_what_solves_has_no_rate(home: Path) -> None:
    for name, spec in OPTIMIZERS.items():
        if spec.solves:
            assert line_of(RunFolder.create(home, tiny(model="mf", optimizer=name))) == []
