"""Numbers nobody can use, wishes at the wrong moment, and processes that die half-way: told in words, and nothing is lost."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunStatus
from mfcore.runs.branching import branch_config
from mfcore.runs.checkpoints.files import load_state, save_checkpoint
from mfcore.runs.checkpoints.manager import CheckpointManager
from mfcore.runs.checkpoints.retention import kept_path
from mfcore.runs.commands import Command
from mfcore.runs.events import CommandEvent, DivergedEvent, EpochEvent, Event, StartEvent
from mfcore.runs.manager.queue import sweep
from mfcore.runs.store import RunStore
from mfcore.runs.worker import finish as ending
from mfcore.training import TrainingDiverged
from mfcore.training.samples import put_state
from tests.runs.test_branching import branch
from tests.runs.tiny_runs import epochs, kinds, tiny

Train = Callable[..., tuple[RunFolder, RunStatus]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 10**400),
        ("weight_decay", 1e300),
        ("weight_decay", 10**400),
        ("factor_lr_multiplier", 1e31),
        ("batch_size", 10**30),
        ("num_epochs", 10**30),
        ("pace", 10**400),
    ],
)
def test_numbers_beyond_all_use_are_refused_in_one_short_line(name: str, value: float, train: Train) -> None:
    parent, _ = train(tiny(num_epochs=1))
    with pytest.raises(UnusableRequest, match=f"{name} must be") as refused:
        branch_config(parent, 1, {"num_epochs": 3, name: value}, "")
    assert len(str(refused.value)) < 120 and "\n" not in str(refused.value)
    if name != "num_epochs":
        with pytest.raises(UnusableRequest, match=f"{name} must be"):
            Command(name, value)


@pytest.mark.parametrize("name", ["\ud800", 5])
def test_a_name_that_cannot_be_written_down_is_refused(name: Any) -> None:
    with pytest.raises(UnusableRequest, match="name must be text"):
        tiny(name=name)
    assert tiny(name="Amélie 🎬").name == "Amélie 🎬"


def test_a_run_that_could_not_be_made_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: RunFolder, status: RunStatus) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RunFolder, "write_status", full)
    with pytest.raises(OSError, match="No space"):
        RunFolder.create(home, tiny())
    assert list((home / "runs").iterdir()) == []


def test_a_branch_of_a_run_out_of_patience_has_patience_of_its_own(train: Train, home: Path) -> None:
    parent, status = train(tiny(num_epochs=60, patience=2, learning_rate=0.3))
    assert "no better" in status.reason
    last = epochs(parent)[-1]
    child, status = train(folder=branch(home, parent, last, {"learning_rate": 0.001}))
    assert status.state == "finished" and epochs(child)[-1] >= last + 2
    same, status = train(folder=branch(home, parent, last))
    assert "no better" in status.reason and epochs(same)[-1] == last


def test_epochs_asked_for_while_the_last_one_is_validated_are_trained(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=3))

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 3:
            folder.add_command(Command("extend", 2))

    _, status = train(folder=folder, listen=listen)
    assert status.state == "finished" and epochs(folder) == [0, 1, 2, 3, 4, 5]


def test_a_wish_that_comes_while_test_is_scored_is_answered(train: Train, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, score = RunFolder.create(home, tiny(num_epochs=1)), ending.score_test

    def late(*args: Any) -> dict[str, Any]:
        folder.add_command(Command("extend", 2))
        return score(*args)

    monkeypatch.setattr(ending, "score_test", late)
    _, status = train(folder=folder)
    [answer] = folder.events.of(CommandEvent)
    assert status.state == "finished" and "ending" in (answer.refused or "") and kinds(folder)[-1] == "end"


def test_a_divergence_seen_only_after_the_stop_is_told_all_the_same(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU losses are read late: the last checkpoint may be the first to see that they ran away."""
    asked, save, late = iter(range(1000)), CheckpointManager.save, [True]

    def reads_losses(checkpoints: CheckpointManager, *, force: bool = False) -> None:
        done = checkpoints.trainer
        if force and done.step > 0 and late and late.pop():
            raise TrainingDiverged("the loss became nan", epoch=done.epoch + 1, step=done.step)
        save(checkpoints, force=force)

    monkeypatch.setattr(CheckpointManager, "save", reads_losses)
    folder, status = train(tiny(num_epochs=5), stop=lambda: next(asked) > 4)
    assert (status.state, status.error) == ("failed", "TrainingDiverged")
    [told] = folder.events.of(DivergedEvent)
    assert told.last_good_epoch == epochs(folder)[-1] and told.last_good_epoch in folder.kept_epochs()


def test_an_epoch_kept_but_not_told_of_yet_is_part_of_its_branch(train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=4))
    lines = parent.events.path.read_text(encoding="utf-8").splitlines(keepends=True)
    told = next(n for n, line in enumerate(lines) if '"kind": "epoch"' in line and '"epoch": 3' in line)
    parent.events.path.write_text("".join(lines[:told]), encoding="utf-8")
    child, _ = train(folder=branch(home, parent, 3))
    assert epochs(child) == [0, 1, 2, 3, 4]
    assert all(event.inherited for event in child.events.of(EpochEvent)[:4])


def test_a_branch_is_continued_only_after_it_has_told_of_its_beginning(train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=2))
    made, seen = branch(home, parent, 1), []

    def listen(event: Event) -> None:
        if isinstance(event, StartEvent):
            seen.append((made.checkpoints / "last.safetensors").is_file())

    train(folder=made, listen=listen)
    assert seen == [False]


def test_what_dead_processes_left_is_swept_up(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=1))
    torn = folder.checkpoints / ".last.safetensors.abc.tmp"
    torn.write_bytes(b"half")
    train(folder=folder)
    assert not torn.exists()
    store = RunStore(home)
    old, fresh = store.runs / ".new-x-1", store.runs / ".new-y-2"
    for path in (old, fresh):
        (path / "checkpoints").mkdir(parents=True)
    os.utime(old, (time.time() - 7200,) * 2)
    sweep(store)
    assert not old.exists() and fresh.is_dir() and folder.exists()


def test_a_run_of_before_settings_could_change_goes_on(train: Train, home: Path) -> None:
    """Its checkpoint says nothing of changes or schedules, and there is none of a single epoch."""
    folder, _ = train(tiny(num_epochs=2))
    last = folder.checkpoints / "last.safetensors"
    state, info = load_state(last)
    old = {key: value for key, value in state.items() if key not in ("changed", "schedule")}
    save_checkpoint(last, state["model"], {"epoch": 2, "step": info["step"], "best_saved": info["best_saved"]}, old)
    for path in folder.checkpoints.glob("epoch-*"):
        path.unlink()
    RunStore(home).requeue(folder.run_id, epochs=2)
    _, status = train(folder=folder)
    assert status.state == "finished", status.reason
    assert epochs(folder) == [0, 1, 2, 3, 4] and folder.kept_epochs() == [3, 4]
    child, status = train(folder=branch(home, folder, 4, {"num_epochs": 5}))
    assert status.state == "finished" and epochs(child)[-1] == 5


def test_a_kept_epoch_cut_short_is_refused_before_a_run_is_made(train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=2))
    path = kept_path(parent.checkpoints, 1)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UnusableRequest, match=r"epoch-00001.*cannot be read.*not fully covered.*branch from another epoch"):
        branch(home, parent, 1)


def test_frozen_biases_do_not_hide_the_learning_rate(train: Train) -> None:
    folder, _ = train(tiny(num_epochs=2, bias_lr_multiplier=0, learning_rate=0.03))
    assert [event.learning_rate for event in folder.events.of(EpochEvent)[1:]] == pytest.approx([0.03, 0.03])


def test_the_state_of_another_devices_generator_decides_a_seed() -> None:
    state = torch.arange(16, dtype=torch.uint8)  # as CUDA's are
    drawn = []
    for _ in range(2):
        generator = torch.Generator().manual_seed(1)
        put_state(generator, state)
        drawn.append(torch.randperm(50, generator=generator))
    assert torch.equal(*drawn)
    put_state(generator, state + 1)
    assert not torch.equal(drawn[0], torch.randperm(50, generator=generator))


def test_a_folder_that_is_removed_meanwhile_is_one_clear_line(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=50))

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 2:
            home.rename(home.with_name("elsewhere"))

    with pytest.raises(
        UnusableRequest, match=rf"the folder of run {folder.run_id} was removed while it was trained.*train it again"
    ):
        train(folder=folder, listen=listen)
    assert not home.exists(), "nothing is made anew where somebody has cleared away"
