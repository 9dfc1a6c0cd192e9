"""Recorded steps compute what steps taken one by one compute.

Without a GPU the recording is played by a stand-in that runs the recorded step anew; all around it is the real thing: the
places that batches and rates are read from, weights and state put back after recording, ragged last batches, checkpoints.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from mfcore.data import Split
from mfcore.models import RecommenderModel, build_model
from mfcore.training import TrainConfig, Trainer
from mfcore.training.engines.autograd import AutogradEngine
from mfcore.training.engines.base import EngineKind, TrainingContext
from mfcore.training.engines.cuda_graph import Recorder, Step, why_not_recorded
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import build_optimizers

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "neumf, bce, adam": ("neumf", {"loss": "bce", "negatives": 2, "weight_decay": 0.01, "schedule": "one-cycle"}),
    "biased, bpr, momentum": ("biased-mf", {"loss": "bpr", "negatives": 1, "optimizer": "sgd", "momentum": 0.9}),
    "mf, mse, adamw": ("mf", {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "cosine"}),
    "by row, multipliers": (
        "biased-mf",
        {"weight_decay": 0.3, "weight_decay_scaling": "sqrt-count", "bias_lr_multiplier": 0.3, "optimizer": "adam"},
    ),
}


def make(split: Split, setting: str, device: str = "cpu", engine: EngineKind = AutogradEngine) -> Trainer:
    name, settings = SETTINGS[setting]
    config = TrainConfig(**{"batch_size": 200, "num_epochs": 3, "learning_rate": 0.01, "device": device, **settings})
    return Trainer(build_model(name, split.train, embedding_dim=4, init_std=0.3, seed=1), split, config, engines=[engine])


def recording(recorder: Recorder | None) -> type[AutogradEngine]:
    """Engines that record with ``recorder`` wherever they run; None: that never record. Gradients are found by autograd."""

    class Recording(AutogradEngine):
        def __init__(self, context: TrainingContext) -> None:
            super().__init__(context, written=False, recorder_for=lambda device: recorder)

    return Recording


class StandIn:
    """Records as if this were a GPU. ``recorded``: every step that was."""

    def __init__(self) -> None:
        self.recorded: list[Step] = []
        self.engine = recording(self.record)

    def record(self, step: Step) -> Step:
        for _ in range(3):
            step()
        self.recorded.append(step)
        return step


def assert_close(one: Trainer, two: Trainer) -> None:
    """Rates are rounded to float32 in a recording, so the last digits may differ."""
    for name, weights in one.model.state_dict().items():
        torch.testing.assert_close(two.model.state_dict()[name], weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_recorded_training_ends_where_a_plain_one_does(planted: Split, setting: str) -> None:
    stand_in, plain = StandIn(), make(planted, setting, engine=recording(None))
    expected = list(plain.fit())
    trainer = make(planted, setting, engine=stand_in.engine)
    assert len(stand_in.recorded) == 1
    assert trainer.engine_reason.endswith("steps are replayed as a CUDA graph")
    ends = list(trainer.fit())
    assert [end.step for end in ends] == [end.step for end in expected]
    assert [end.train_loss for end in ends] == pytest.approx([end.train_loss for end in expected], rel=1e-4)
    assert_close(plain, trainer)


@pytest.mark.parametrize("setting", SETTINGS)
def test_recording_changes_neither_weights_nor_state(planted: Split, setting: str) -> None:
    """At the start, and when another engine takes over in the middle of a run."""
    stand_in = StandIn()
    trainer = make(planted, setting, engine=stand_in.engine)
    fresh = build_model(SETTINGS[setting][0], planted.train, embedding_dim=4, init_std=0.3, seed=1)
    for parameter, drawn in zip(trainer.model.parameters(), fresh.parameters(), strict=True):
        assert torch.equal(parameter, drawn)
    trainer.train_epoch()
    before = trainer.state_dict()
    optimizers, meter = trainer.state.optimizers, LossMeter(trainer.device)
    stand_in.engine(TrainingContext(trainer.model, trainer.config, optimizers, meter, planted.train, 1))
    after = trainer.state_dict()
    assert len(stand_in.recorded) == 2
    for name, weights in before["model"].items():
        assert torch.equal(weights, after["model"][name]), name
    for one, two in zip(before["optimizers"], after["optimizers"], strict=True):
        assert [group["lr"] for group in one["param_groups"]] == [group["lr"] for group in two["param_groups"]]
        for place, entries in one["state"].items():
            for name, value in entries.items():
                assert value is None or torch.equal(value, two["state"][place][name]), name


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_recorded_training_resumes_exactly(planted: Split, setting: str) -> None:
    """A loaded checkpoint brings other state tensors; steps recorded on the old ones would go on from an old state."""
    stand_in = StandIn()
    whole, first, second = (make(planted, setting, engine=stand_in.engine) for _ in range(3))
    list(whole.fit())
    first.train_epoch()
    second.train_epoch()
    second.train_epoch()
    recordings = len(stand_in.recorded)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    list(second.fit())
    assert len(stand_in.recorded) == recordings + 1
    for name, weights in whole.model.state_dict().items():
        assert torch.equal(weights, second.model.state_dict()[name]), name


def test_a_recording_that_fails_leaves_plain_steps_and_says_so(planted: Split) -> None:
    def fail(step: Step) -> Step:
        step()  # the run that warms up already moves weights
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    setting = "neumf, bce, adam"
    plain = make(planted, setting)
    failed = make(planted, setting, engine=recording(fail))
    assert failed.engine_reason.endswith(
        "steps are started one by one, because recording one failed (operation not permitted when stream is capturing)"
    )
    list(plain.fit())
    list(failed.fit())
    for name, weights in plain.model.state_dict().items():
        assert torch.equal(weights, failed.model.state_dict()[name]), name


@pytest.mark.parametrize(
    ("model", "shape", "fields", "words"),
    [
        ("neumf", {}, {"optimizer": "adam"}, ""),
        ("biased-mf", {}, {"optimizer": "sgd", "momentum": 0.9}, ""),
        ("biased-mf", {"dropout": 0.5}, {"optimizer": "adamw"}, ""),
        ("neumf", {"dropout": 0.5}, {"optimizer": "adam"}, "dropout draws anew in each step"),
        ("mf", {}, {"optimizer": "adagrad"}, "Adagrad cannot be recorded"),
        ("mf", {}, {"optimizer": "rmsprop"}, "RMSprop cannot be recorded"),
        ("neumf", {}, {"optimizer": "sparse-adam"}, "sparse gradients have a size of their own each time"),
        ("mf", {}, {"optimizer": "sgd", "sparse_gradients": True}, "sparse gradients have a size of their own each time"),
    ],
)
def test_what_cannot_be_recorded_is_named(
    planted: Split, model: str, shape: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    config = TrainConfig(**fields)
    built: RecommenderModel = build_model(model, planted.train, embedding_dim=4, **shape)
    context = TrainingContext(built, config, build_optimizers(built, config), LossMeter(torch.device("cpu")), planted.train, 1)
    assert why_not_recorded(context) == words


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("setting", SETTINGS)
def test_on_a_gpu_replayed_steps_equal_plain_ones(planted: Split, setting: str) -> None:
    replayed = make(planted, setting, "cuda")
    assert replayed.engine_reason.endswith("steps are replayed as a CUDA graph")
    first = list(replayed.fit())
    again = make(planted, setting, "cuda")
    list(again.fit())
    for name, weights in replayed.model.state_dict().items():
        assert torch.equal(weights, again.model.state_dict()[name]), name
    plain = make(planted, setting, "cuda", recording(None))
    expected = list(plain.fit())
    assert [end.train_loss for end in first] == pytest.approx([end.train_loss for end in expected], rel=1e-4)
    assert_close(plain, replayed)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("setting", SETTINGS)
def test_on_a_gpu_a_replayed_training_resumes_exactly(planted: Split, setting: str) -> None:
    whole, first, second = (make(planted, setting, "cuda") for _ in range(3))
    list(whole.fit())
    first.train_epoch()
    second.train_epoch()
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    list(second.fit())
    for name, weights in whole.model.state_dict().items():
        assert torch.equal(weights, second.model.state_dict()[name]), name
