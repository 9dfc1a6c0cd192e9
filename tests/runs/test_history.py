"""A run's history agrees with what its trainer was told, in branches of branches, and with some of its line gone."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfcore.__main__ import main
from mfcore.runs import RunFolder, RunStatus
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.checkpoints.info import read_info
from mfcore.runs.checkpoints.retention import kept_path
from mfcore.runs.commands import Command
from mfcore.runs.events import CheckpointEvent, CommandEvent, EpochEvent, Event
from mfcore.runs.export.card import card_facts
from mfcore.runs.export.script import run_script
from mfcore.runs.history import Ancestor, Change, RunHistory
from mfcore.runs.store import RunStore
from tests.runs.test_session import equal, weights
from tests.runs.tiny_runs import leave_unchecked, tiny

Train = Callable[..., tuple[RunFolder, RunStatus]]


@pytest.fixture
def steered(train: Train, home: Path) -> Callable[..., RunFolder]:
    """Trains a run and sends it commands when given epochs have been told of."""

    def run(folder: RunFolder, commands: dict[int, list[Command]]) -> RunFolder:
        def listen(event: Event) -> None:
            if isinstance(event, EpochEvent) and not event.inherited:
                for command in commands.get(event.epoch, []):
                    folder.add_command(command)
                if event.epoch == 2:
                    leave_unchecked(folder, "batch_size", value=0)  # refused: changes nothing

        _, status = train(folder=folder, listen=listen)
        assert status.state == "finished", status.reason
        return folder

    return run


def steps(folder: RunFolder) -> dict[int, int]:
    return {event.epoch: event.step or 0 for event in folder.events.of(EpochEvent)}


def agrees_with_checkpoints(folder: RunFolder) -> None:
    history, at = RunHistory.read(folder), steps(folder)
    for epoch in [epoch for epoch in folder.kept_epochs() if epoch >= folder.config().parent.get("epoch", 0)]:
        info = read_info(kept_path(folder.checkpoints, epoch))
        expected = info.settings(folder.config()).training
        assert info.step == at[epoch]
        # Kept before the commands that came at the end of the same epoch, or after.
        assert expected in (history.settings_at(at[epoch]).training, history.settings_at(at[epoch] - 1).training)


def test_a_run_that_nobody_touched_is_its_configuration(train: Train) -> None:
    folder, _ = train()
    history = RunHistory.read(folder)
    assert history == RunHistory(folder.run_id, folder.config(), folder.config(), True)
    assert history.settings_at(0) == history.settings_at(10**9) == folder.config()


@pytest.mark.parametrize("scaling", ["none", "linear"])
def test_what_was_changed_on_the_way_is_dated(scaling: str, steered: Callable[..., RunFolder], home: Path) -> None:
    flat: dict[str, Any] = {"lr_scaling": scaling, "batch_size": 128, "optimizer": "sgd", "learning_rate": 0.001}
    folder = RunFolder.create(home, tiny(num_epochs=4, **flat))
    asked = {
        1: [Command("weight_decay", 0.3), Command("learning_rate", 0.02), Command("batch_size", 32)],
        3: [Command("extend", 2)],
    }
    steered(folder, asked)
    history, at = RunHistory.read(folder), steps(folder)
    assert [(c.epoch, c.step, c.name) for c in history.changes] == [
        (1, at[1], "weight_decay"),
        (1, at[1], "learning_rate"),
        (1, at[1], "batch_size"),
        (3, at[3], "num_epochs"),
    ]
    assert [(c.before, c.after) for c in history.changes if c.name != "learning_rate"] == [(0.0, 0.3), (128, 32), (4, 6)]
    assert history.settings_at(at[1] - 1) == folder.config()
    last = read_info(folder.checkpoints / "last.safetensors")
    assert history.settings_at(at[6]) == last.settings(folder.config())
    agrees_with_checkpoints(folder)


def test_a_branch_of_a_branch_knows_its_line(steered: Callable[..., RunFolder], home: Path) -> None:
    root = RunFolder.create(home, tiny(num_epochs=4))
    steered(root, {1: [Command("weight_decay", 0.3)]})
    child = branch_folder(home, root, branch_config(root, 2, {"learning_rate": 0.02}, ""))
    waiting = RunHistory.read(child)
    steered(child, {3: [Command("weight_decay", 0.1)]})
    grandchild = branch_folder(home, child, branch_config(child, 4, {"num_epochs": 6, "learning_rate": 0.01}, ""))
    steered(grandchild, {5: [Command("pace", 500)]})
    at = steps(grandchild)
    line = [
        Change(1, at[1], "weight_decay", 0.0, 0.3),
        Change(2, at[2], "learning_rate", 0.005, 0.02),
        Change(3, at[3], "weight_decay", 0.3, 0.1),
        Change(4, at[4], "num_epochs", 4, 6),
        Change(4, at[4], "learning_rate", 0.02, 0.01),
        Change(5, at[5], "pace", 0.0, 500.0),
    ]
    history = RunHistory.read(grandchild)
    assert sorted(history.changes, key=str) == sorted(line, key=str) and history.complete
    assert [c.step for c in history.changes] == sorted(c.step for c in history.changes)
    parents = (
        Ancestor(child.run_id, 4, {"num_epochs": 6, "learning_rate": 0.01}, True),
        Ancestor(root.run_id, 2, {"learning_rate": 0.02}, True),
    )
    assert history.ancestry == parents and history.begun_with == root.config()
    assert history.settings_at(at[4]).training == grandchild.config().training
    assert waiting.settings_at(at[2]).training == child.config().training, "also before its worker has begun"
    for folder in (root, child, grandchild):
        agrees_with_checkpoints(folder)

    RunStore(home).delete(child.run_id)
    without = RunHistory.read(grandchild)
    assert without.changes == history.changes and [parent.present for parent in without.ancestry] == [False, True]
    RunStore(home).delete(root.run_id)
    remembered = RunHistory.read(grandchild)
    assert remembered.complete and remembered.changes == history.changes and remembered.begun_with == history.begun_with
    known = grandchild.provenance()
    grandchild.write_provenance({key: value for key, value in known.items() if key != "begun_with"})  # as early branches
    alone = RunHistory.read(grandchild)
    assert not alone.complete and alone.begun_with == grandchild.config()
    assert [(c.step, c.name, c.after) for c in alone.changes] == [(c.step, c.name, c.after) for c in history.changes]
    firsts = {c.name: c.before for c in reversed(alone.changes)}
    assert firsts == dict.fromkeys(("weight_decay", "learning_rate", "num_epochs", "pace")), "nobody knows any more"
    assert alone.settings_at(at[4]).training == grandchild.config().training


class Killed(BaseException):
    """Ends a worker as SIGKILL does: nothing is written any more."""


@pytest.mark.parametrize(
    "command",
    [Command("weight_decay", 0.3), Command("learning_rate", 0.02), Command("batch_size", 32), Command("extend", 2)],
    ids=lambda command: command.kind,
)
def test_a_change_that_only_the_checkpoint_knows_is_told_by_the_next_worker(
    command: Command, train: Train, steered: Callable[..., RunFolder], home: Path
) -> None:
    flat: dict[str, Any] = {"lr_scaling": "linear", "batch_size": 128, "optimizer": "sgd", "num_epochs": 4}
    whole = steered(RunFolder.create(home, tiny(**flat)), {1: [command]})
    folder = RunFolder.create(home, tiny(**flat))

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 1:
            folder.add_command(command)
        if isinstance(event, CommandEvent):  # the checkpoint is there; its event was never written
            lines = folder.events.path.read_bytes().splitlines(keepends=True)
            folder.events.path.write_bytes(b"".join(lines[:-1]))
            raise Killed

    with pytest.raises(Killed):
        train(folder=folder, listen=listen)
    for _ in range(2):  # once it is told, nobody tells it again
        folder.write_status(RunStatus("queued", commands_seen=folder.last_command()))
        _, status = train(folder=folder)
        assert status.state == "finished", status.reason
    histories = [RunHistory.read(run) for run in (folder, whole)]
    assert histories[0].changes == histories[1].changes != ()
    assert histories[0].in_flight == histories[0].changes
    agrees_with_checkpoints(folder)
    assert equal(weights(folder), weights(whole))


def test_an_epoch_is_told_to_be_kept_only_when_it_is(train: Train, home: Path) -> None:
    folder, told = RunFolder.create(home, tiny(num_epochs=3)), []

    def listen(event: Event) -> None:
        if isinstance(event, CheckpointEvent):
            told.append(event.epoch)
            info = read_info(kept_path(folder.checkpoints, event.epoch))
            assert (info.epoch, info.step) == (event.epoch, event.step)

    train(folder=folder, listen=listen)
    assert told == [0, 1, 2, 3]


def test_card_script_and_command_line_tell_what_was_changed(
    steered: Callable[..., RunFolder], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = steered(RunFolder.create(home, tiny(num_epochs=4)), {1: [Command("weight_decay", 0.3), Command("pace", 500)]})
    history = RunHistory.read(root)
    (change,) = history.in_flight
    assert change.words == "decay 0 → 0.3 after epoch 1"
    assert card_facts(root)["changed on the way"] == {"1": change.words}
    assert main(["runs", "show", root.run_id, "--home", str(home)]) == 0
    shown = capsys.readouterr().out
    assert change.words in shown and "--plan '1: weight_decay=0.3'" in shown
    script = run_script(root.config(), history)
    assert f"- {change.words}" in (ast.get_docstring(ast.parse(script)) or "")
    hostile = dataclasses.replace(history, changes=(dataclasses.replace(change, before='"""\nimport os\n"""'),))
    written = ast.parse(run_script(root.config(), hostile))
    assert [ast.dump(node) for node in written.body[1:]] == [ast.dump(node) for node in ast.parse(script).body[1:]]
    branch = steered(branch_folder(home, root, branch_config(root, 2, {"learning_rate": 0.02}, "")), {})
    assert RunHistory.read(branch).in_flight == (), "what came before it is in its configuration"
    assert list(card_facts(branch)["changed on the way"].values()) == [
        "decay 0 → 0.3 after epoch 1",
        "lr 0.005 → 0.02 after epoch 2",
    ]


def test_changes_that_a_resume_took_back_never_were(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=4))
    old = home / "old"

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 1:
            folder.add_command(Command("weight_decay", 0.3))
        if isinstance(event, EpochEvent) and event.epoch == 2 and not old.exists():
            old.write_bytes((folder.checkpoints / "last.safetensors").read_bytes())  # of the command
            folder.add_command(Command("weight_decay", 0.5))

    train(folder=folder, listen=listen)
    assert [change.after for change in RunHistory.read(folder).changes] == [0.3, 0.5]
    (folder.checkpoints / "last.safetensors").write_bytes(old.read_bytes())
    folder.write_status(RunStatus("queued", commands_seen=folder.last_command()))
    train(folder=folder)
    assert [change.after for change in RunHistory.read(folder).changes] == [0.3]
    agrees_with_checkpoints(folder)


def test_what_was_changed_at_the_epoch_of_a_branch_belongs_to_who_changed_it(
    steered: Callable[..., RunFolder], home: Path
) -> None:
    root = steered(RunFolder.create(home, tiny(num_epochs=4)), {2: [Command("weight_decay", 0.3)]})
    branch = branch_folder(home, root, branch_config(root, 2, {"learning_rate": 0.02}, ""))
    line = RunHistory.read(branch).line or ()
    assert [(stage.until, stage.config.plan) for stage in line] == [(2, "2: weight_decay=0.3"), (None, "")]
    assert line[-1].config.weight_decay == branch.config().training.weight_decay == 0.3
