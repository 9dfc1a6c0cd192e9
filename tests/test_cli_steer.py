"""Branching, extending and steering from the command line: the same checks, the same words, the same files as the pages."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import pytest

from mfcore.runs import RunFolder, RunStore
from mfcore.runs.commands import read_commands
from mfcore.runs.events import EpochEvent
from tests.runs.tiny_runs import tiny
from tests.test_cli import TINY, Cli


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path / "home", capsys)


def losses(cli: Cli, result: dict[str, Any]) -> list[float]:
    """Training loss of every epoch."""
    events = RunStore(cli.home).folder(result["run_id"]).events.of(EpochEvent)
    return [event.train_loss for event in events if event.epoch]


def test_a_branch_is_trained_here_and_its_command_repeats_it(cli: Cli) -> None:
    parent = cli.json("train", *TINY, "--epochs", "4")
    same = cli.json("branch", "latest", "--epoch", "2")
    assert same["test"] == parent["test"] and same["run_id"] != parent["run_id"]
    other = cli.json(
        "branch", parent["run_id"], "--epoch", "2", "--lr", "0.05", "--epochs", "6", "--set", "momentum=0", "--name", "x"
    )
    assert other["epochs"] == 6 and losses(cli, other)[2:4] != losses(cli, parent)[2:4]
    assert losses(cli, other)[:2] == losses(cli, parent)[:2]
    summary = RunStore(cli.home).get(other["run_id"])
    assert (summary.name, summary.parent_run_id, summary.parent_epoch) == ("x", parent["run_id"], 2)
    assert cli("runs", "show", other["run_id"]) == 0
    line = next(line for line in cli.out.splitlines() if line.startswith("repeat"))
    again = cli.json(*shlex.split(line)[4:])
    assert losses(cli, again) == losses(cli, other)


def test_an_ended_run_is_extended_here(cli: Cli) -> None:
    first = cli.json("train", *TINY)
    longer = cli.json("extend", "latest", "--epochs", "3")
    assert longer["run_id"] == first["run_id"] and longer["epochs"] == 5
    assert longer["scored_before"] == [{"epochs": 2, "test": first["test"]}]
    assert longer["test"] == cli.json("train", *TINY, "--epochs", "5")["test"]


def test_a_wish_is_left_for_the_worker_as_the_pages_leave_it(cli: Cli) -> None:
    folder = RunFolder.create(cli.home, tiny(), claimed=True)
    told = cli.json("tell", "latest", "learning_rate", "0.01")
    assert told == {"run_id": folder.run_id, "command": "learning_rate", "value": 0.01}
    assert cli("tell", folder.run_id, "pause") == 0 and cli.out == f"run {folder.run_id} was told: pause\n"
    assert cli("extend", folder.run_id, "--epochs", "2") == 0
    wishes = [(wish.kind, wish.value) for wish in read_commands(folder.commands)]
    assert wishes == [("learning_rate", 0.01), ("pause", None), ("extend", 2)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tell", "latest", "dance"], "command must be one of stop, pause, resume, step_batch, step_epoch"),
        (["tell", "latest", "batch_size", "0.5"], "batch_size must be a whole number"),
        (["tell", "latest", "pause", "3"], "pause takes no value"),
        (["branch", "latest", "--epoch", "1"], "epoch 1 of run"),
        (["branch", "latest", "--epoch", "x"], "epoch must be a whole number"),
        (["extend", "latest", "--epochs", "0"], "extend must be >= 1"),
    ],
)
def test_refusals_are_one_line(words: list[str], expected: str, cli: Cli) -> None:
    RunFolder.create(cli.home, tiny(), claimed=True)
    assert cli(*words) == 2
    assert expected in cli.err and cli.err.count("\n") == 1 and cli.out == ""


def test_the_queue_is_listed_reordered_and_left(cli: Cli) -> None:
    folders = [RunFolder.create(cli.home, tiny()) for _ in range(3)]
    for age, folder in enumerate(folders):
        folder.write_status(dataclasses.replace(folder.status(), place=100.0 + age))
    last = folders[2].run_id
    assert cli("runs") == 0 and "queued, number 3" in cli.out
    assert cli.json("runs", "next", last) == {"run_id": last, "position": 1}
    assert {run["run_id"]: run["position"] for run in cli.json("runs")["runs"]}[folders[0].run_id] == 2
    assert cli("tell", last, "cancel") == 0 and folders[2].status().state == "stopped"
    assert cli("tell", last, "cancel") == 2 and "does not wait in the queue" in cli.err
    assert cli("tell", folders[0].run_id, "stop") == 0 and folders[0].status().state == "stopped"
    assert cli("runs", "next", last) == 2 and "does not wait" in cli.err
