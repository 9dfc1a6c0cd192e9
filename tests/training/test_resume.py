"""The same seed gives the same numbers, and an interrupted run ends as if nothing had happened."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mfcore.data import Split
from mfcore.models import build_model
from mfcore.training import Limits, StepEnd, TrainConfig, Trainer, TrainingStopped

from .conftest import assert_same_weights, numbers

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "mse": ("biased-mf", {"schedule": "one-cycle", "weight_decay": 0.01}),
    "bce, dropout": ("neumf", {"loss": "bce", "negatives": 1, "schedule": "cosine"}),
    "bpr, momentum": ("mf", {"loss": "bpr", "negatives": 1, "optimizer": "sgd", "momentum": 0.9, "nesterov": True}),
    "plateau": ("mf", {"optimizer": "rmsprop", "momentum": 0.5, "schedule": "plateau", "schedule_every": 1}),
    "sparse": ("gmf", {"optimizer": "sparse-adam"}),
    "popular negatives": ("mf", {"loss": "bce", "negatives": 1, "negative_sampling": "popularity", "optimizer": "adagrad"}),
}


STEP_BY_STEP = Limits(stretch_seconds=0.0)
"""Stretches of one batch, so that a stop comes at the very step that a test asks for."""


def make(split: Split, setting: str, seed: int = 0, **hooks: Any) -> Trainer:
    name, fields = SETTINGS[setting]
    config = TrainConfig(**{"num_epochs": 4, "batch_size": 512, "learning_rate": 0.02, "seed": seed, **fields})
    dropout = {"dropout": 0.3} if name == "neumf" else {}
    model = build_model(name, split.train, embedding_dim=4, seed=seed, **dropout)
    return Trainer(model, split, config, **hooks)


@pytest.mark.parametrize("setting", SETTINGS)
def test_same_seed_same_numbers(planted: Split, setting: str) -> None:
    one, two = make(planted, setting), make(planted, setting)
    torch.manual_seed(123)  # the global generator plays no part
    first = numbers(list(one.fit()))
    torch.manual_seed(456)
    assert numbers(list(two.fit())) == first
    assert_same_weights(one, two)
    assert numbers(list(make(planted, setting, seed=1).fit())) != first


@pytest.mark.parametrize("setting", SETTINGS)
def test_resuming_after_an_epoch_is_exact(planted: Split, setting: str) -> None:
    whole, first = make(planted, setting), make(planted, setting)
    expected = numbers(list(whole.fit()))
    done = [first.train_epoch(), first.train_epoch()]
    state = first.state_dict()
    first.train_epoch()  # what happens later must not reach the stored state
    second = make(planted, setting, seed=0)
    second.load_state_dict(state)
    assert (second.epoch, second.step) == (2, done[-1].step)
    assert numbers(done + list(second.fit())) == expected
    assert_same_weights(whole, second)
    assert (second.best_epoch, second.stop_reason) == (whole.best_epoch, whole.stop_reason)
    whole.load_best()
    second.load_best()
    assert_same_weights(whole, second)


@pytest.mark.parametrize("setting", SETTINGS)
def test_resuming_in_the_middle_of_an_epoch_is_exact(planted: Split, setting: str) -> None:
    whole = make(planted, setting)
    expected = numbers(list(whole.fit()))
    stop_at = whole.steps_per_epoch + 3
    first = make(planted, setting, limits=STEP_BY_STEP)
    first.should_stop = lambda: first.step >= stop_at
    done = list(first.fit())
    assert first.stop_reason == "stopped"
    assert first.step == stop_at
    second = make(planted, setting)
    second.load_state_dict(first.state_dict())
    assert numbers(done + list(second.fit())) == expected
    assert_same_weights(whole, second)


def test_going_on_after_a_stop_in_the_same_trainer_is_exact(planted: Split) -> None:
    whole, stopped = make(planted, "mse"), make(planted, "mse", limits=STEP_BY_STEP)
    expected = whole.train_epoch()
    stopped.should_stop = lambda: stopped.step == 2
    with pytest.raises(TrainingStopped, match="epoch 1 after step 2"):
        stopped.train_epoch()
    stopped.should_stop = None
    assert numbers([stopped.train_epoch()]) == numbers([expected])


def test_a_finished_run_stays_finished(planted: Split) -> None:
    done = make(planted, "mse")
    list(done.fit())
    again = make(planted, "mse")
    again.load_state_dict(done.state_dict())
    assert list(again.fit()) == []
    assert again.stop_reason == "all epochs done"


def test_steps_are_reported_now_and_then(planted: Split) -> None:
    seen: list[StepEnd] = []
    make_quiet = make(planted, "mse", on_step=seen.append, limits=STEP_BY_STEP)
    make_quiet.train_epoch()
    assert len(seen) <= 1 + make_quiet.train_seconds / 0.1
    trainer = make(planted, "mse", on_step=seen.append, limits=Limits(stretch_seconds=0.0, report_seconds=0.0))
    seen.clear()
    end = trainer.train_epoch()
    assert [s.step for s in seen] == list(range(1, trainer.steps_per_epoch + 1))
    assert seen[-1].epoch == 1.0
    sizes = [512] * (len(seen) - 1) + [end.samples - 512 * (len(seen) - 1)]
    assert sum(s.train_loss * n for s, n in zip(seen, sizes, strict=True)) / end.samples == pytest.approx(end.train_loss)
