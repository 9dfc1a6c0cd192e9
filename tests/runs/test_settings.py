"""The table of settings: whole, in step with the configurations, and right about what has no effect."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from mfcore.__main__ import main
from mfcore.data import random_split
from mfcore.data.config import DatasetConfig, SplitConfig
from mfcore.data.sources.generated import planted
from mfcore.evaluation import Protocol
from mfcore.models import ModelConfig, build_model
from mfcore.runs.config import RunConfig
from mfcore.runs.presets import PRESETS, preset_config
from mfcore.settings import GROUPS, SETTINGS, chosen, without_effect
from mfcore.settings.table import Setting
from mfcore.training import TrainConfig, Trainer


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ({"momentum": 0.9}, "momentum 0.9 has no effect: only SGD and RMSprop have one"),
        ({"model": "mf", "dropout": 0.5}, "dropout 0.5 has no effect: only mlp and neumf have a tower"),
        ({"negatives": 8}, "negatives 8 has no effect: only the losses bce and bpr draw negatives"),
        (
            {"optimizer": "rmsprop", "momentum": 0.9, "nesterov": True},
            "nesterov True has no effect: only SGD can look ahead",
        ),
        (
            {"schedule": "cosine", "schedule_factor": 0.1},
            "schedule_factor 0.1 has no effect: only schedules step and plateau cut",
        ),
        (
            {"split": "leave-one-out", "loss": "bpr", "test_fraction": 0.3},
            "test_fraction 0.3 has no effect: the split fixes what is tested",
        ),
        ({"optimizer": "als", "batch_size": 64}, "batch_size 64 has no effect: ALS takes no steps, it solves"),
    ],
)
def test_a_setting_without_effect_is_named(flat: dict[str, Any], words: str) -> None:
    assert without_effect(RunConfig().with_flat(flat).to_flat()) == [words]


@pytest.mark.parametrize(
    "flat",
    [
        {},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
        {"model": "neumf", "dropout": 0.5, "loss": "bce", "negatives": 8, "mlp_layers": "64,32"},
        {"schedule": "step", "schedule_every": 2},
        {"model": "mf", "output_range": True, "global_mean": False},
        {"split": "official", "fold": 2, "split_seed": 1},
    ],
)
def test_what_is_used_is_not_named(flat: dict[str, Any]) -> None:
    assert without_effect(RunConfig().with_flat(flat).to_flat()) == []


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_carries_what_it_does_not_use(name: str) -> None:
    assert without_effect(preset_config(name).to_flat()) == []


def test_table_and_configurations_hold_the_same_fields() -> None:
    parts: dict[str, Any] = {
        "dataset": DatasetConfig, "split": SplitConfig, "model": ModelConfig, "training": TrainConfig, "protocol": Protocol,
        "": RunConfig,
    }  # fmt: skip
    held = {
        (section, field.name) for section, part in parts.items() for field in dataclasses.fields(part)
    } - {("dataset", "options"), ("", "parent"), *(("", name) for name in parts)}  # fmt: skip
    assert {(setting.section, setting.attribute) for setting in SETTINGS.values()} == held


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_is_whole(setting: Setting) -> None:
    assert setting.label and setting.help
    assert setting.read(setting.default) == setting.default
    assert setting.group in ("", *GROUPS)
    assert setting.effect in ("weights", "rounding", "none")
    assert setting.idle(chosen({})) == "" or setting.key not in RunConfig().to_flat()
    assert not setting.flag or [other.flag for other in SETTINGS.values()].count(setting.flag) == 1
    assert not setting.live or setting.in_branch
    options = setting.options()
    assert options is None or as_typed(setting.default) in options or setting.offered


def as_typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_nothing_typed_wrongly_makes_the_form_fall_over() -> None:
    for key in SETTINGS:
        for typed in ("", "abc", "-1", "1e999", "\ud800", "nan"):
            for setting in SETTINGS.values():
                assert isinstance(setting.idle(chosen({key: typed})), str)


def test_what_only_describes_a_run_is_told_apart_from_what_changes_it() -> None:
    assert {key for key, setting in SETTINGS.items() if setting.effect == "none"} == {
        "preset", "name", "pace", "checkpoint_every",
    }  # fmt: skip
    assert {key for key, setting in SETTINGS.items() if setting.effect == "rounding"} == {"device", "threads"}


OTHER_VALUES: dict[str, Any] = {
    "learning_rate": 0.1, "lr_scaling": "linear", "batch_size": 50, "schedule": "cosine", "factor_lr_multiplier": 3.0,
    "momentum": 0.9, "nesterov": True, "negatives": 2, "negative_sampling": "popularity", "unobserved_weight": 0.7,
    "schedule_every": 2, "schedule_factor": 0.1, "weight_decay_scaling": "sqrt-count", "bias_lr_multiplier": 3.0,
    "bias_std": 0.5, "mlp_lr_multiplier": 3.0, "mlp_layers": "8,4", "dropout": 0.5, "embedding_dim": 3, "init_std": 0.5,
    "global_mean": False, "confidence": "log",
}  # fmt: skip


@pytest.mark.parametrize("key", OTHER_VALUES)
@pytest.mark.parametrize(
    "base",
    [
        {"model": "biased-mf", "optimizer": "adam"},
        {"model": "mf", "optimizer": "sgd", "loss": "bce", "init": "uniform"},
        {"model": "mlp", "optimizer": "rmsprop", "loss": "bpr", "schedule": "step", "schedule_every": 1},
        {"model": "gmf", "optimizer": "adagrad", "weight_decay": 0.1, "init": "uniform"},
        {"model": "biased-mf", "optimizer": "als", "weight_decay": 0.05},
    ],
)
def test_named_settings_change_nothing_and_others_do(base: dict[str, Any], key: str) -> None:
    """Trained twice, with and without: the weights are the same exactly where the setting was called idle."""
    if key in base:
        base = {name: value for name, value in base.items() if name != key}
    changes = {key: OTHER_VALUES[key], **({"momentum": 0.9} if key == "nesterov" else {})}
    changed = RunConfig().with_flat({**base, **changes})
    plain = RunConfig().with_flat({**base, **({"momentum": 0.9} if key == "nesterov" else {})})
    idle = any(sentence.startswith(f"{key} ") for sentence in without_effect(changed.to_flat()))
    assert same(weights(plain), weights(changed)) == idle


def weights(config: RunConfig) -> dict[str, torch.Tensor]:
    split = random_split(planted(num_users=30, num_items=20, density=0.3, rank=2, noise=0.1, seed=0), seed=0)
    trainer = Trainer(
        build_model(config.model, split.train), split, RunConfig().with_flat({**config.to_flat(), "num_epochs": 3}).training
    )
    for _ in range(3):
        trainer.train_epoch()
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return all(one[name].shape == two[name].shape and torch.equal(one[name], two[name]) for name in one)


def test_the_command_line_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up = ["--dataset", "planted", "--set", "dataset.num_users=30", "--set", "dataset.num_items=20"]
    status = main(["train", "--model", "mf", "--epochs", "1", "--set", "momentum=0.9", "--json", "--home", str(home), *made_up])
    told = capsys.readouterr()
    assert status == 0
    assert "momentum 0.9 has no effect: only SGD and RMSprop have one" in told.err
    assert "has no effect" not in told.out


@pytest.mark.parametrize(("text", "flag"), [("true", True), ("yes", True), ("on", True), ("false", False), ("off", False)])
def test_a_flag_may_be_text(text: str, flag: bool) -> None:
    assert RunConfig().with_flat({"refit": text}).training.refit is flag
