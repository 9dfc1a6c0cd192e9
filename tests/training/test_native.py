"""The compiled engine computes what the autograd engine computes at batch size 1; it is only faster."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

from mfcore.data import Split
from mfcore.models import build_model
from mfcore.training import TrainConfig, Trainer

SHAPE = {"embedding_dim": 7, "init_std": 0.3}
BASE: dict[str, Any] = {"batch_size": 1, "optimizer": "sgd", "learning_rate": 0.02, "num_epochs": 2, "device": "cpu"}
RANK = {"negatives": 1}
SETTINGS: dict[str, dict[str, Any]] = {
    "mse": {},
    "mse, output range": {"output_range": True},
    "bce": {"loss": "bce", **RANK},
    "bpr": {"loss": "bpr", **RANK},
    "bce, popular negatives": {"loss": "bce", "negative_sampling": "popularity", **RANK},
    "decay": {"weight_decay": 0.1},
    "bpr, decay": {"loss": "bpr", "weight_decay": 0.1, **RANK},
    "decay by count": {"weight_decay": 0.5, "weight_decay_scaling": "sqrt-count"},
    "bpr, decay by count": {"loss": "bpr", "weight_decay": 0.5, "weight_decay_scaling": "sqrt-count", **RANK},
    "adagrad": {"optimizer": "adagrad", "weight_decay": 0.05},
    "adagrad, output range": {"optimizer": "adagrad", "output_range": True},
    "adagrad, bce": {"optimizer": "adagrad", "loss": "bce", "weight_decay": 0.05, **RANK},
    "adagrad, bpr": {"optimizer": "adagrad", "loss": "bpr", "weight_decay": 0.05, **RANK},
    "multipliers": {"factor_lr_multiplier": 0.5, "bias_lr_multiplier": 3.0, "weight_decay": 0.05},
    "one cycle": {"schedule": "one-cycle"},
    "cosine": {"schedule": "cosine", "optimizer": "adagrad"},
    "steps": {"schedule": "step", "schedule_every": 1},
}


@pytest.fixture(scope="module")
def small() -> Split:
    """About 1,000 ratings: enough to meet every row often, and quick one by one in PyTorch."""
    from mfcore.data import load_dataset, random_split

    return random_split(load_dataset("planted", num_users=50, num_items=40, density=0.5, rank=3, noise=0.1, seed=0), seed=0)


def make(split: Split, model: str = "biased-mf", fields: dict[str, Any] | None = None, **hooks: Any) -> Trainer:
    fields = {**BASE, **(fields or {})}
    shape = {**SHAPE, "output_range": fields.pop("output_range", False)}
    config = TrainConfig(**fields)
    return Trainer(build_model(model, split.train, seed=config.seed, **shape), split, config, **hooks)


def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, as on a machine without numba."""
    for name in [name for name in sys.modules if name.startswith("mfcore.training.native")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)


def numbers(ends: list[Any]) -> list[Any]:
    return [(e.number, e.step, e.train_loss, e.valid_loss, e.metrics, e.learning_rate, e.samples, e.best) for e in ends]


def assert_same_weights(one: Trainer, two: Trainer) -> None:
    for name, weights in one.model.state_dict().items():
        assert torch.equal(weights, two.model.state_dict()[name]), name


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("model", ["mf", "biased-mf"])
def test_it_equals_autograd(small: Split, model: str, setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two passes over the same ratings, negatives and rates, one by one: the same weights, losses, optimizer states."""
    native = make(small, model, SETTINGS[setting])
    ours = [native.train_epoch(), native.train_epoch()]
    plain(monkeypatch)
    autograd = make(small, model, SETTINGS[setting])
    theirs = [autograd.train_epoch(), autograd.train_epoch()]
    assert (native.engine, autograd.engine) == ("native", "autograd")
    for name, weights in autograd.model.state_dict().items():
        torch.testing.assert_close(native.model.state_dict()[name], weights, rtol=1e-4, atol=2e-6, msg=name)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.train_loss == pytest.approx(other.train_loss, rel=1e-5)
        assert mine.valid_loss == pytest.approx(other.valid_loss, rel=1e-5)
        assert mine.learning_rate == pytest.approx(other.learning_rate, rel=1e-6)
        assert (mine.step, mine.samples, mine.best) == (other.step, other.samples, other.best)
    states = [trainer.state_dict()["optimizers"][0]["state"] for trainer in (native, autograd)]
    assert states[0].keys() == states[1].keys()
    for place in states[1]:
        torch.testing.assert_close(states[0][place], states[1][place], rtol=1e-4, atol=1e-5)
