"""What is trained once more on train + validation has gone through the same changes, and is as good as the best epoch was."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mfcore.runs import RunConfig, RunFolder, RunStatus
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.events import EpochEvent, Event, RefitEvent
from mfcore.runs.history import RunHistory
from mfcore.runs.store import RunStore
from tests.runs.tiny_runs import equal, messages, tiny, weights

Train = Callable[..., tuple[RunFolder, RunStatus]]
LEARNING: dict[str, Any] = {
    "dataset.num_users": 150, "dataset.num_items": 80, "num_epochs": 20, "learning_rate": 0.02, "refit": True,
    "weight_decay": 0.02, "batch_size": 128, "embedding_dim": 4,
}  # fmt: skip


@pytest.fixture
def steered(train: Train, home: Path) -> Callable[..., RunFolder]:
    """Trains a run and sends it commands when given epochs have been told of."""

    def run(config: RunConfig | RunFolder, commands: dict[int, Iterable[Command]]) -> RunFolder:
        folder = config if isinstance(config, RunFolder) else RunFolder.create(home, config)

        def listen(event: Event) -> None:
            if isinstance(event, EpochEvent) and not event.inherited:
                for command in commands.get(event.epoch, ()):
                    folder.add_command(command)

        _, status = train(folder=folder, listen=listen)
        assert status.state == "finished", status.reason
        return folder

    return run


def refitted_over_best(folder: RunFolder) -> float:
    result = folder.result()
    return float(result["test"]["rmse"] / result["test_before_refit"]["rmse"])


def any_steering(chance: random.Random) -> dict[int, list[Command]]:
    wishes: list[Callable[[], Command]] = [
        lambda: Command("learning_rate", 10 ** chance.uniform(-4, -1.7)),
        lambda: Command("weight_decay", 10 ** chance.uniform(-4, -1)),
        lambda: Command("batch_size", chance.choice([32, 64, 256, 1000])),
        lambda: Command("bias_lr_multiplier", chance.uniform(0.3, 3)),
        lambda: Command("extend", chance.randint(1, 10)),
    ]
    return {epoch: [chance.choice(wishes)()] for epoch in chance.sample(range(1, 18), chance.randint(1, 3))}


@pytest.mark.parametrize("seed", range(20))
def test_a_steered_run_is_refitted_as_it_was_trained(seed: int, steered: Callable[..., RunFolder]) -> None:
    """Twenty random steerings, of several optimizers and schedules: never worse than the best epoch by more than noise."""
    chance = random.Random(seed)
    flat = {
        "optimizer": chance.choice(["adam", "adagrad"]),
        "schedule": chance.choice(["constant", "cosine", "step", "plateau", "one-cycle"]),
        "model": chance.choice(["mf", "biased-mf"]),
    }
    flat |= {"init_std": 0.5, "output_range": True} if flat["model"] == "mf" else {}
    folder = steered(tiny(**LEARNING, **flat), any_steering(chance))
    assert refitted_over_best(folder) < 1.02, RunHistory.read(folder).on_the_way


def test_a_rate_cut_late_is_cut_late_again(steered: Callable[..., RunFolder]) -> None:
    """The fault this was found by: refitting at the last rate from the first epoch on hardly learns at all."""
    folder = steered(tiny(**LEARNING), {10: [Command("learning_rate", 0.0002)]})
    assert refitted_over_best(folder) < 1.01
    (stage,) = RunHistory.read(folder).line or ()
    (change,) = RunHistory.read(folder).in_flight
    assert stage.config.learning_rate == 0.02 and stage.config.plan == f"{change.at:.17g}: learning_rate=0.0002"


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_steered_to_the_rate_it_has_a_run_ends_bit_for_bit_the_same(schedule: str, steered: Callable[..., RunFolder]) -> None:
    """Also the other settings that can be changed; the refit as well."""
    config = tiny(**LEARNING, schedule=schedule)
    plain = steered(config, {})
    same = [Command("weight_decay", 0.02), Command("batch_size", 128), Command("factor_lr_multiplier", 1.0)]
    same += [Command("learning_rate", 0.02)] if schedule == "constant" else []
    told = steered(config, {3: same, 10: same})
    for name in ("last", "best", "refit"):
        assert equal(weights(plain, name), weights(told, name))
    assert plain.result()["test"] == told.result()["test"]


def test_a_branch_is_refitted_from_the_first_step_of_its_line(steered: Callable[..., RunFolder], home: Path) -> None:
    root = steered(tiny(**LEARNING), {4: [Command("batch_size", 64)]})
    child = branch_folder(home, root, branch_config(root, 12, {"learning_rate": 0.0005, "num_epochs": 18}, ""))
    steered(child, {15: [Command("weight_decay", 0.1)]})
    assert refitted_over_best(child) < 1.01
    grandchild = branch_folder(home, child, branch_config(child, 16, {"optimizer": "adagrad", "num_epochs": 22}, ""))
    RunStore(home).delete(root.run_id)
    steered(grandchild, {})
    assert refitted_over_best(grandchild) < 1.02, "it knows by itself how its line began"
    stages = RunHistory.read(grandchild).line or ()
    assert [stage.until for stage in stages] == [12, 16, None]
    assert [stage.config.optimizer for stage in stages] == ["adam", "adam", "adagrad"]


def test_where_the_first_settings_are_forgotten_there_is_no_refit_and_that_is_said(
    steered: Callable[..., RunFolder], home: Path
) -> None:
    """Branches that were made before they remembered, of a run that was deleted since."""
    root = steered(tiny(**LEARNING), {})
    child = branch_folder(home, root, branch_config(root, 12, {"learning_rate": 0.0005}, ""))
    child.write_provenance({key: value for key, value in child.provenance().items() if key != "begun_with"})
    RunStore(home).delete(root.run_id)
    steered(child, {})
    assert "test_before_refit" not in child.result() and not (child.checkpoints / "refit.safetensors").exists()
    assert any("not trained once more" in text and root.run_id in text for text in messages(child))


def test_how_far_it_is_is_told(steered: Callable[..., RunFolder]) -> None:
    folder = steered(tiny(refit=True, num_epochs=3), {})
    told = folder.events.of(RefitEvent)
    assert {event.epochs for event in told} == {folder.result()["best_epoch"]}
    assert told[0].epoch == 0 and told[-1].epoch == told[-1].epochs
