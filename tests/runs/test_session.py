"""What training a run folder leaves behind, however it ends."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunStatus, load_run
from mfcore.runs.commands import Command
from mfcore.runs.events import CommandEvent, EndEvent, EpochEvent, Event, StartEvent
from mfcore.training import Limits, Trainer
from tests.runs.tiny_runs import FakeClock, epochs, equal, kinds, leave_unchecked, tiny, weights

Train = Callable[..., tuple[RunFolder, RunStatus]]


def test_a_finished_run_tells_everything(train: Train, home: Path) -> None:
    heard: list[Event] = []
    folder, status = train(listen=heard.append)
    assert (status.state, status.reason, status.pid) == ("finished", "all epochs done", None)
    assert folder.status() == status
    assert [event.to_json() for event in heard] == folder.events.lines()[0]
    assert epochs(folder) == [0, 1, 2, 3]
    start, end = heard[0], heard[-1]
    assert isinstance(start, StartEvent) and isinstance(end, EndEvent)
    assert start.selection_metric == "rmse" and start.num_epochs == 3 and start.device == "cpu"
    assert set(start.baselines["valid"]) >= {"global mean", "bias only", "popularity", "random"}
    untrained, first = (event for event in heard if isinstance(event, EpochEvent) and event.epoch in (0, 1))
    assert math.isnan(untrained.train_loss) and untrained.valid_loss > 0 and untrained.step == 0
    assert first.train_loss > 0 and first.samples_per_second > 0 and first.metrics["rmse"] > 0
    result = folder.result()
    expected = {"run_id", "dataset", "model", "test", "valid", "train_seconds", "epochs", "samples_per_second", "best_epoch"}
    assert expected <= set(result)
    assert end.test == result["test"] and end.state == "finished"
    assert folder.provenance()["split_hash"] and (home / "splits" / f"{folder.provenance()['split_hash']}.npz").is_file()


def test_test_is_scored_from_the_best_epoch(train: Train, home: Path) -> None:
    folder, _ = train(tiny(num_epochs=8, learning_rate=0.1, embedding_dim=16))
    best = folder.result()["best_epoch"]
    assert 0 < best < 8  # it overfits, so the last epoch is not the best
    loaded = load_run(folder.run_id, home)
    assert (loaded.checkpoint, loaded.checkpoint_epoch) == ("best", best)
    assert loaded.evaluate("test") == folder.result()["test"]
    chosen = next(e for e in folder.events.surviving() if isinstance(e, EpochEvent) and e.epoch == best)
    assert loaded.evaluate("valid") == folder.result()["valid"] == chosen.metrics
    details = loaded.evaluation()
    assert details is not None
    error = np.sqrt(np.mean((details.predicted - details.actual) ** 2))
    assert error == pytest.approx(folder.result()["test"]["rmse"], rel=1e-6)


def test_a_run_is_loaded_once_and_anew_when_it_has_learned_more(train: Train, home: Path) -> None:
    folder, _ = train()
    loaded = load_run(folder.run_id, home)
    assert load_run(folder.run_id, home) is loaded
    path = folder.checkpoints / "best.safetensors"
    path.write_bytes(path.read_bytes())
    assert load_run(folder.run_id, home) is not loaded


def test_refit_keeps_both_figures(train: Train, home: Path) -> None:
    folder, status = train(tiny(refit=True))
    result = folder.result()
    assert status.state == "finished"
    assert result["test"] != result["test_before_refit"]
    loaded = load_run(folder.run_id, home)
    assert (loaded.checkpoint, loaded.checkpoint_epoch) == ("refit", result["best_epoch"])
    assert loaded.evaluate("test") == result["test"]
    plain, _ = train(tiny())
    assert plain.result()["test"] == result["test_before_refit"]


def test_the_same_run_twice_gives_the_same_numbers(train: Train) -> None:
    first, second = train()[0], train()[0]
    assert first.result()["test"] == second.result()["test"]
    assert equal(weights(first), weights(second))


def test_a_command_stops_the_run_and_test_is_scored_all_the_same(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=10_000))
    folder.add_command(Command("stop"))
    folder, status = train(folder=folder)
    assert (status.state, status.reason) == ("stopped", "stopped by request")
    command = next(event for event in folder.events.read()[0] if isinstance(event, CommandEvent))
    assert command.name == "stop" and command.number == 1 and command.step >= 0
    assert folder.result()["test"]["rmse"] > 0


def test_commands_are_applied_in_order_logged_and_refused_in_words(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=3))
    folder.add_command(Command("learning_rate", 0.5))
    leave_unchecked(folder, "learning_rate", value=-1)
    leave_unchecked(folder, "dance")
    leave_unchecked(folder, "pace", value="fast")
    folder, status = train(folder=folder)
    assert status.state == "finished"
    commands = [event for event in folder.events.read()[0] if isinstance(event, CommandEvent)]
    assert [command.name for command in commands] == ["learning_rate", "learning_rate", "dance", "pace"]
    assert commands[0].refused is None
    assert all("must be" in (command.refused or "") for command in commands[1:])
    first = next(event for event in folder.events.surviving() if isinstance(event, EpochEvent) and event.epoch == 1)
    assert first.learning_rate == pytest.approx(0.5)


def test_the_pace_is_kept_is_no_training_time_and_gives_way_to_commands(train: Train, home: Path) -> None:
    clock = FakeClock()
    folder, _ = train(tiny(num_epochs=4, pace=0.01), timing=clock.timing())
    assert 300 <= clock.now < 400 and folder.result()["train_seconds"] < 60
    slow = RunFolder.create(home, tiny(num_epochs=1000, pace=0.01))
    asked: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 1:
            asked.append(clock.now)
            slow.add_command(Command("pace", 0))
        elif isinstance(event, EpochEvent) and event.epoch == 3 and len(asked) == 1:
            asked.append(clock.now)
            slow.add_command(Command("stop"))

    _, status = train(folder=slow, listen=listen, timing=clock.timing())
    assert status.state == "stopped"
    assert asked[1] - asked[0] < 1  # not 100 s


def test_a_pause_holds_and_lets_go(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=10, pace=50))
    seen: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 2:
            folder.add_command(Command("pause"))
        if isinstance(event, CommandEvent):
            seen.append(folder.status().state)
            if event.name == "pause":
                folder.add_command(Command("resume"))

    _, status = train(folder=folder, listen=listen)
    assert status.state == "finished"
    assert seen == ["paused", "running"]


@pytest.mark.parametrize(
    "flat", [{}, {"optimizer": "adagrad", "schedule": "cosine", "model": "neumf", "dropout": 0.2, "refit": True}]
)
@pytest.mark.parametrize("steps", [0, 3, 13])
def test_an_interrupted_run_resumed_ends_with_the_same_weights(
    flat: dict[str, Any], steps: int, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted before anything, within the first epoch, and later, each time twice."""
    step_by_step = partial(Trainer, limits=Limits(stretch_seconds=0.0))  # look for an interruption after every step
    monkeypatch.setattr("mfcore.runs.worker.session.Trainer", step_by_step)
    config = tiny(num_epochs=4, **flat)
    whole, _ = train(config)
    polled = 0

    def interrupted() -> bool:
        nonlocal polled
        polled += 1
        return polled > steps

    folder, status = train(config, interrupted=interrupted)
    for life in range(2):
        assert status.state == "interrupted"
        folder.write_status(RunStatus("queued", created=status.created))
        polled = 0
        _, status = train(folder=folder, interrupted=interrupted if life == 0 else lambda: False)
    assert status.state == "finished"
    assert "resume" in kinds(folder)
    assert epochs(folder) == epochs(whole) == [0, 1, 2, 3, 4]
    assert equal(weights(folder), weights(whole)) and equal(weights(folder, "best"), weights(whole, "best"))
    assert folder.result()["test"] == whole.result()["test"]


def test_an_old_stop_does_not_stop_a_resumed_run(train: Train, home: Path) -> None:
    folder, status = train(tiny(num_epochs=5), interrupted=lambda: True)
    folder.add_command(Command("stop"))
    folder.write_status(RunStatus("queued", commands_seen=folder.last_command()))
    _, status = train(folder=folder)
    assert status.state == "finished"


def test_divergence_ends_as_failed_and_the_last_good_model_stays(train: Train, home: Path) -> None:
    folder, status = train(tiny(optimizer="sgd", learning_rate=1e6, num_epochs=20))
    assert status.state == "failed" and status.error == "TrainingDiverged"
    assert "learning rate" in status.reason and "step" in status.reason
    end = folder.events.read()[0][-1]
    assert (end.kind, end.state, end.reason) == ("end", "failed", status.reason)
    assert folder.result() == {}
    loaded = load_run(folder.run_id, home)
    assert torch.isfinite(loaded.model.score_items(torch.tensor([0]))).all()


def test_an_unusable_request_fails_with_its_one_line(train: Train, home: Path) -> None:
    folder, status = train(tiny(device="cuda:7"))
    assert status.state == "failed" and status.error == "UnusableRequest" and "cuda:7" in status.reason
    assert "\n" not in status.reason
    with pytest.raises(UnusableRequest, match="left no weights"):
        load_run(folder.run_id, home)
    _, status = train(tiny(embedding_dim=10**9))
    assert status.state == "failed" and "embedding_dim" in status.reason


def test_missing_data_fails_with_what_was_tried(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    from mfcore.errors import DataUnavailable

    def nowhere(*_args: Any, **_options: Any) -> None:
        raise DataUnavailable("ml-100k", [("GroupLens", "it said no")], "Connect to the internet")

    monkeypatch.setattr("mfcore.runs.worker.session.load_dataset", nowhere)
    _, status = train()
    assert status.state == "failed" and "GroupLens: it said no" in status.reason


def test_an_unforeseen_error_is_one_line_on_screen_and_a_traceback_in_the_log(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object) -> None:
        raise RuntimeError("a bolt is loose\nin the engine")

    monkeypatch.setattr("mfcore.runs.worker.session.Trainer.validate", broken)
    folder, status = train()
    assert status.state == "failed" and status.error == "RuntimeError"
    assert "a bolt is loose" in status.reason and "\n" not in status.reason
    assert "Traceback" in folder.log_path.read_text()


def test_a_run_that_is_held_or_over_is_left_alone(train: Train, home: Path) -> None:
    folder, status = train()
    size = folder.events.path.stat().st_size
    assert train(folder=folder)[1] == status
    assert folder.events.path.stat().st_size == size
    waiting = RunFolder.create(home, tiny())
    with waiting.lock():
        assert waiting.locked()
        assert train(folder=waiting, lock_seconds=0.1)[1].state == "queued"


def test_a_run_is_let_go_at_its_end_whoever_still_holds_its_frames(train: Train) -> None:
    frames: list[Any] = []

    def listen(event: Event) -> None:
        frame = sys._getframe()
        while frame.f_back is not None and frame.f_code.co_name != "train_run":
            frame = frame.f_back
        frames.append(frame)  # as the traceback of an error does

    folder, status = train(tiny(num_epochs=1), listen=listen)
    assert frames[0].f_code.co_name == "train_run"
    assert status.state == "finished" and not folder.locked()


def test_neumf_starts_from_two_earlier_runs(train: Train, home: Path) -> None:
    gmf, _ = train(tiny(model="gmf"))
    mlp, _ = train(tiny(model="mlp"))
    shape = {"model": "neumf", "pretrained_gmf": gmf.run_id, "pretrained_mlp": mlp.run_id}
    folder, status = train(tiny(**shape, num_epochs=1, refit=True))
    assert status.state == "finished", status.reason
    started = next(event for event in folder.events.surviving() if isinstance(event, EpochEvent))
    fresh = next(event for event in train(tiny(model="neumf"))[0].events.surviving() if isinstance(event, EpochEvent))
    assert started.metrics["rmse"] < fresh.metrics["rmse"]
    _, status = train(tiny(**{**shape, "pretrained_gmf": mlp.run_id}))
    assert status.state == "failed" and "pretrained_gmf must be a run of model gmf" in status.reason


def test_resuming_on_other_data_is_refused(train: Train) -> None:
    folder, status = train(interrupted=lambda: True)
    folder.write_provenance({**folder.provenance(), "dataset_fingerprint": "something else"})
    folder.write_status(RunStatus("queued"))
    _, status = train(folder=folder)
    assert status.state == "failed" and "has changed" in status.reason
