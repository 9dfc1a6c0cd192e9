"""Branches share a past and nothing else; ended runs go on; a divergence is told by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mfcore.errors import UnusableRequest
from mfcore.runs import RunConfig, RunFolder, RunManager, RunStatus, load_run
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.checkpoints.files import load_weights
from mfcore.runs.checkpoints.retention import kept_path
from mfcore.runs.commands import Command
from mfcore.runs.events import CheckpointEvent, CommandEvent, DivergedEvent, EpochEvent, Event, StartEvent
from mfcore.runs.store import RunStore
from mfcore.runs.worker.failure import last_good
from mfcore.settings.table import SCHEDULES
from tests.runs.tiny_runs import epochs, equal, kinds, messages, tiny, weights

Train = Callable[..., tuple[RunFolder, RunStatus]]
SETTINGS: dict[str, dict[str, Any]] = {
    "adam": {},
    "momentum, schedule": {"optimizer": "sgd", "momentum": 0.9, "schedule": "cosine", "weight_decay": 0.02},
    "neumf, dropout": {"model": "neumf", "loss": "bce", "dropout": 0.3, "optimizer": "adagrad", "schedule": "one-cycle"},
    "one rating at a time": {"optimizer": "sgd", "batch_size": 1, "learning_rate": 0.02},
}


def branch(home: Path, parent: RunFolder, epoch: int, changes: dict[str, Any] | None = None) -> RunFolder:
    return branch_folder(home, parent, branch_config(parent, epoch, changes or {}, ""))


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_branch_without_changes_is_its_parent(setting: str, train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=6, **SETTINGS[setting]))
    assert parent.kept_epochs() == [0, 1, 2, 3, 4, 5, 6]
    for epoch in (0, 4):
        child, status = train(folder=branch(home, parent, epoch))
        assert status.state == "finished", status.reason
        assert equal(weights(child), weights(parent)) and equal(weights(child, "best"), weights(parent, "best"))
        assert child.result()["test"] == parent.result()["test"]
        told = [[(e.epoch, e.metrics) for e in run.events.of(EpochEvent)] for run in (child, parent)]
        assert told[0] == told[1]


def test_a_branch_with_another_rate_shares_the_past_and_parts(train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=6))
    made = branch(home, parent, 3, {"learning_rate": 0.05, "num_epochs": 8})
    RunStore(home).delete(parent.run_id)  # it must not be needed
    child, status = train(folder=made)
    assert status.state == "finished" and epochs(child) == list(range(9))
    past = [event for event in child.events.read()[0] if event.inherited]
    assert {event.kind for event in past} <= {"start", "epoch", "step", "command", "snapshot"}
    assert [event.epoch for event in past if isinstance(event, EpochEvent)] == [0, 1, 2, 3]
    start = next(event for event in child.events.read()[0] if isinstance(event, StartEvent) and not event.inherited)
    assert (start.parent["run_id"], start.parent["epoch"]) == (parent.run_id, 3)
    assert start.parent["changes"] == {"learning_rate": 0.05, "num_epochs": 8}
    rates = [event.learning_rate for event in child.events.of(EpochEvent)]
    assert rates[1:4] == [0.005] * 3 and rates[4:] == pytest.approx([0.05] * 5)
    summary = RunStore(home).get(child.run_id)
    assert (summary.parent_run_id, summary.parent_epoch, summary.num_epochs) == (parent.run_id, 3, 8)
    fresh, _ = train(tiny(num_epochs=8, learning_rate=0.05))
    assert not equal(weights(child), weights(fresh))
    again, _ = train(folder=branch(home, child, 3))  # its own beginning is kept, under its own settings
    assert equal(weights(again), weights(child))


@pytest.mark.parametrize(
    "changes", [{"optimizer": "sgd", "learning_rate": 0.1}, {"batch_size": 16}, {"seed": 5}, {"weight_decay": 0.5}]
)
def test_what_may_change_changes(changes: dict[str, Any], train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=5))
    child, status = train(folder=branch(home, parent, 2, changes))
    assert status.state == "finished", status.reason
    ends = [{e.epoch: e.train_loss for e in run.events.of(EpochEvent) if e.epoch} for run in (child, parent)]
    assert ends[0][2] == ends[1][2] and ends[0][3] != ends[1][3]


def test_a_branch_takes_over_what_was_changed_by_hand(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=6))

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 2:
            folder.add_command(Command("weight_decay", 0.3))
            folder.add_command(Command("learning_rate", 0.02))
            folder.add_command(Command("batch_size", 32))

    parent, _ = train(folder=folder, listen=listen)
    assert branch_config(parent, 1, {}, "").training.weight_decay == 0.0
    config = branch_config(parent, 4, {"weight_decay": 0.3}, "")
    assert (config.training.weight_decay, config.training.batch_size) == (0.3, 32)
    assert config.parent["changes"] == {}  # it is so already
    for epoch in (2, 4):
        child, _ = train(folder=branch(home, parent, epoch))
        assert equal(weights(child), weights(parent))


REFUSED: list[tuple[int, dict[str, Any], str]] = [
    (9, {}, "epoch 9 of run .* was not kept to branch from; kept are 0, 1, 2, 3"),
    (2, {"dataset": "synthetic"}, "dataset cannot change in a branch"),
    (2, {"dataset.noise": 0.5}, "dataset.noise cannot change in a branch"),
    (2, {"embedding_dim": 8}, "embedding_dim cannot change"),
    (2, {"split_seed": 8}, "split_seed cannot change"),
    (2, {"loss": "bpr"}, "loss cannot change"),
    (2, {"k": 5}, "k cannot change"),
    (2, {"learning_rate": -1}, "learning_rate must be > 0"),
    (2, {"wheels": 4}, "unknown setting 'wheels'"),
    (3, {}, "num_epochs must be > 3"),
    (2, {"num_epochs": 2}, "num_epochs must be > 2"),
]


def test_what_cannot_be_is_refused_in_words_and_leaves_nothing(train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=3))
    manager = RunManager(home)
    for epoch, changes, words in REFUSED:
        with pytest.raises(UnusableRequest, match=words):
            manager.branch(parent.run_id, epoch, changes)
    assert [entry.name for entry in (home / "runs").iterdir() if entry.is_dir()] == [parent.run_id]


def test_a_branch_of_a_paused_run_is_trained_beside_it(manager: RunManager, home: Path) -> None:
    from tests.runs.tiny_runs import wait_until

    parent = manager.folder(manager.submit(tiny(num_epochs=1000, pace=50)))
    wait_until(lambda: 3 in epochs(parent))
    manager.command(parent.run_id, "pause")
    wait_until(lambda: parent.status().state == "paused")
    manager.watcher.max_concurrent = 2
    child = manager.branch(parent.run_id, 3, {"num_epochs": 5, "pace": 0}, name="a way of its own")
    assert manager.wait(child).state == "finished"
    assert manager.get(child).name == "a way of its own" and parent.status().state == "paused"
    manager.stop(parent.run_id)
    assert manager.wait(parent.run_id).state == "stopped"


@pytest.mark.parametrize("flat", [{}, {"schedule": "cosine"}, {"patience": 1, "learning_rate": 0.1, "embedding_dim": 16}])
def test_a_finished_run_goes_on_and_the_result_says_so(flat: dict[str, Any], train: Train, home: Path) -> None:
    folder, _ = train(tiny(**{"num_epochs": 4, "refit": True, **flat}))
    store, before, done = RunStore(home), folder.result(), max(epochs(folder))
    store.requeue(folder.run_id, epochs=3)
    _, status = train(folder=folder)
    assert status.state == "finished" and status.extend_to == 0
    assert epochs(folder) == list(range(done + 4)) or flat.get("patience")
    assert max(epochs(folder)) > done
    result = folder.result()
    assert result["scored_before"] == [{"epochs": before["epochs"], "test": before["test"]}]
    assert any("scored before" in text for text in messages(folder))
    assert store.get(folder.run_id).num_epochs == done + 3
    rate = [event.learning_rate for event in folder.events.of(EpochEvent)]
    if "schedule" in flat:
        assert rate[done] < 0.3 * rate[1] and rate[done + 1] > 2 * rate[done]  # it begins anew
        assert any("schedule restarts" in text for text in messages(folder))
    if not flat:
        whole, _ = train(tiny(num_epochs=7, refit=True))
        assert equal(weights(folder), weights(whole)) and result["test"] == whole.result()["test"]


def test_a_run_that_is_going_is_given_more_epochs(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=3))

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 1:
            folder.add_command(Command("extend", 2))

    _, status = train(folder=folder, listen=listen)
    assert status.state == "finished" and epochs(folder) == [0, 1, 2, 3, 4, 5]
    command = next(event for event in folder.events.read()[0] if isinstance(event, CommandEvent))
    assert (command.name, command.value, command.num_epochs) == ("extend", 2, 5)
    assert RunStore(home).get(folder.run_id).num_epochs == 5 and "scored_before" not in folder.result()


def test_divergence_names_the_rating_and_keeps_the_last_good_epoch(train: Train, home: Path) -> None:
    """The rate is far too high from the third epoch on; the blame is checked against the weights the run had."""
    folder = RunFolder.create(home, tiny(optimizer="sgd", learning_rate=0.01, num_epochs=30))

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 2:
            folder.add_command(Command("learning_rate", 50.0))

    _, status = train(folder=folder, listen=listen)
    assert status.state == "failed" and status.error == "TrainingDiverged"
    told = next(event for event in folder.events.read()[0] if isinstance(event, DivergedEvent))
    good = told.last_good_epoch
    assert told.learning_rate == 50.0 and told.epoch > good and good in folder.kept_epochs()
    last, info = load_weights(folder.checkpoints / "last.safetensors")
    assert info["epoch"] == told.epoch - 1 and all(torch.isfinite(table).all() for table in last.values())
    loaded = load_run(folder.run_id, home)
    data = loaded.data
    rated = (data.user_idx == data.users.index(told.user_id)) & (data.item_idx == data.items.index(told.item_id))
    assert data.rating[rated].tolist() == [pytest.approx(told.rating)]
    assert told.title == data.item_table["title"][data.items.index(told.item_id)]
    assert (math.isnan(told.predicted) or abs(told.predicted) > 1e15) and told.user_norm * told.item_norm > 1e15
    child, status = train(folder=branch(home, folder, good, {"learning_rate": 0.005}))
    assert status.state == "finished" and max(epochs(child)) == 30


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_banner_and_log_name_the_same_rates(train: Train, schedule: str) -> None:
    """The rate as it was set, and what to set it to: not where the schedule stood by chance."""
    folder, status = train(tiny(optimizer="sgd", learning_rate=30.0, schedule=schedule, num_epochs=6))
    told = next(event for event in folder.events.read()[0] if isinstance(event, DivergedEvent))
    assert (told.learning_rate, told.advice) == (30.0, 3.0)
    assert "learning rate 30 is too large" in status.reason and status.reason.endswith("try 3")


def test_an_epoch_that_is_finite_but_running_away_is_not_good(train: Train, home: Path) -> None:
    """One step an epoch: the loss takes several epochs from sensible to infinite; no rate saves those."""
    flat = {"model": "biased-mf", "optimizer": "sgd", "batch_size": 100_000, "num_epochs": 20}
    folder, status = train(tiny(**flat, learning_rate=100.0))
    told = next(event for event in folder.events.read()[0] if isinstance(event, DivergedEvent))
    losses = {
        event.epoch: math.inf if math.isnan(event.valid_loss) else event.valid_loss for event in folder.events.of(EpochEvent)
    }
    good = told.last_good_epoch
    assert good < told.epoch - 1 and losses[good] < 4 * losses[0] < 1e3 < losses[told.epoch - 2]
    child, status = train(folder=branch(home, folder, good, {"learning_rate": told.learning_rate / 10}))
    assert status.state == "finished" and child.events.of(EpochEvent)[-1].valid_loss < losses[good]


def test_the_last_good_epoch_is_kept_and_not_far_above_the_lowest_loss() -> None:
    def told(*losses: float | None) -> list[EpochEvent]:
        return [EpochEvent(epoch=n, valid_loss=math.nan if loss is None else loss) for n, loss in enumerate(losses)]

    assert last_good(told(1.0, 0.8, 0.7, 2.9, 1e9, None), range(6), 5) == 2
    assert last_good(told(1.0, 0.8, 0.7, 2.7, 1e9, None), range(6), 5) == 3, "that is only learning by heart"
    assert last_good(told(1.0, 0.8, 0.7, 2.9, 1e9, None), [0, 1, 5], 5) == 1, "kept, to be branched from"
    assert last_good(told(1.0, 0.5, 9.0, 0.6, None), range(5), 4) == 3, "it had come back"
    assert last_good(told(1.0, 9.0), [1], 1) == 1 and last_good([], [], None) is None
    trained = told(1.0) + [EpochEvent(epoch=n, train_loss=loss) for n, loss in enumerate([0.9, 0.5, 7.0, 1e27], 1)]
    assert last_good(trained, range(5), 4) == 2, "validation is not measured in every epoch"


def test_one_rating_at_a_time_diverges_at_one_rating(train: Train) -> None:
    folder, _ = train(tiny(optimizer="sgd", batch_size=1, learning_rate=5.0, num_epochs=3))
    told = next(event for event in folder.events.read()[0] if isinstance(event, DivergedEvent))
    assert told.last_good_epoch == 0
    assert {"user_id", "item_id", "rating", "user_norm", "item_norm"} <= set(told.to_json())
    assert kinds(folder)[-1] == "end"


def test_kept_epochs_stay_few_and_even(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfcore.runs.checkpoints.retention.MOST_FILES", 9)
    folder, _ = train(tiny(num_epochs=100, patience=0))
    assert folder.kept_epochs()[0] == 0 and folder.kept_epochs()[-1] == 100
    assert len(folder.kept_epochs()) <= 9
    asked, _ = train(tiny(num_epochs=100, checkpoint_every=1))
    kept = asked.kept_epochs()
    assert len(kept) == 9 and kept[0] == 0 and kept[-1] == 100
    best = asked.result()["best_epoch"]
    assert [epoch for epoch in kept if epoch != best] == [0, 16, 32, 48, 64, 80, 96, 100] and best in kept
    told = [event.epoch for event in asked.events.of(CheckpointEvent)]
    assert set(kept) <= set(told)
    size = kept_path(asked.checkpoints, 100).stat().st_size
    monkeypatch.setattr("mfcore.runs.checkpoints.retention.MOST_BYTES", 4 * size)
    small, _ = train(tiny(num_epochs=100))
    assert sum(kept_path(small.checkpoints, e).stat().st_size for e in small.kept_epochs()) <= 4 * size


def test_a_branch_travels_as_a_zip_without_its_kept_epochs(train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=4))
    child, _ = train(folder=branch(home, parent, 2, {"weight_decay": 0.1}))
    store = RunStore(home)
    copy = store.folder(store.import_zip(store.export_zip(child.run_id)))
    assert copy.kept_epochs() == [] and equal(weights(copy), weights(child))
    assert store.get(copy.run_id).parent_run_id == parent.run_id
    assert json.loads((copy.path / "config.json").read_text())["parent"]["epoch"] == 2
    assert RunConfig.from_dict(copy.config().to_dict()) == child.config()
