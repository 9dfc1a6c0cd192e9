"""Checkpoints give back what they were given, bit for bit, or say clearly that they cannot."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mfcore.data import random_split
from mfcore.data.sources.generated import planted
from mfcore.errors import UnusableRequest
from mfcore.models import ModelConfig, build_model
from mfcore.runs import RunFolder
from mfcore.runs.checkpoints.files import load_state, load_weights, save_checkpoint
from mfcore.runs.checkpoints.info import CheckpointInfo, read_info
from mfcore.runs.checkpoints.manager import CheckpointManager
from mfcore.runs.events import EpochEvent, StepEvent
from mfcore.training import TrainConfig, Trainer
from tests.runs.tiny_runs import FakeClock, tiny


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b) or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def test_any_training_state_comes_back(tmp_path: Path) -> None:
    weight = torch.randn(5, 3)
    state = {
        "model": {"weight": weight},
        "optimizer": {
            "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(5, 3)}},
            "groups": [{"betas": (0.9, 0.999)}],
        },
        "rng": torch.Generator().manual_seed(1).get_state(),
        "view": weight[1:, ::2],
        "empty": torch.zeros(0, 4),
        "array": np.arange(3, dtype=np.int64),
        "odd": [math.nan, math.inf, -math.inf, 0.1 + 0.2, 1e-320, None, True, "text", 2**60, (), [], {}],
    }
    save_checkpoint(tmp_path / "c", {"weight": weight}, {"epoch": 3}, state)
    back, info = load_state(tmp_path / "c")
    assert info == {"epoch": 3}
    assert same(state, back)
    weights, info = load_weights(tmp_path / "c")
    assert list(weights) == ["weight"] and torch.equal(weights["weight"], weight)


def test_weights_that_are_also_in_the_state_are_stored_once(tmp_path: Path) -> None:
    weight = torch.randn(1000, 100)
    save_checkpoint(tmp_path / "c", {"weight": weight}, {}, {"model": {"weight": weight}})
    assert (tmp_path / "c").stat().st_size < 1.1 * weight.numel() * 4


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_checkpoint_is_refused_in_words(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, {"weight": torch.randn(50, 50)}, {}, {})
    path.write_bytes(path.read_bytes()[:3000] if damage is None else damage)
    for load in (load_weights, load_state):
        with pytest.raises(UnusableRequest, match=r"last\.safetensors cannot be read"):
            load(path)
    with pytest.raises(UnusableRequest, match="cannot be read"):
        load_weights(tmp_path / "absent")


def test_what_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        save_checkpoint(tmp_path / "c", {}, {}, {"a": object()})
    assert not (tmp_path / "c").exists()


def test_fast_epochs_are_not_slowed_by_checkpoints(home: Path) -> None:
    """Eight epochs a second, by a clock of our own: written are the first, one a second, and what is asked for."""
    clock = FakeClock()
    folder = RunFolder.create(home, tiny())
    split = random_split(planted(num_users=20, num_items=20, density=0.3))
    trainer = Trainer(build_model(ModelConfig("mf", 2), split.train), split, TrainConfig(num_epochs=1000, device="cpu"))
    checkpoints = CheckpointManager(folder, trainer, every=10_000, clock=clock)
    last, written = folder.checkpoints / "last.safetensors", list[int]()
    for epoch in range(1, 45):
        trainer.train_epoch()
        before = last.stat().st_ino if last.exists() else 0
        checkpoints.epoch_ends(EpochEvent(epoch=epoch))
        if last.stat().st_ino != before:
            written.append(epoch)
        clock.sleep(0.125)
    assert written == [1, 9, 17, 25, 33, 41]
    checkpoints.save(force=True)
    assert read_info(last).epoch == 44 and read_info(last).told == EpochEvent(epoch=44)


def test_what_a_checkpoint_says_is_read_without_torch_and_cut_ends_are_noticed(tmp_path: Path) -> None:
    info = CheckpointInfo("a", 3, 30, 2, {"weight_decay": 0.1}, EpochEvent(epoch=3, step=30, metrics={"rmse": 1.0}))
    path = tmp_path / "epoch-00003.safetensors"
    save_checkpoint(path, {"weight": torch.zeros(3)}, info.to_json())
    assert read_info(path).to_json() == info.to_json()
    code = f"import sys, pathlib; from mfcore.runs.checkpoints.info import read_info; read_info(pathlib.Path({str(path)!r}))"
    code += "; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:20], whole + b"x", b"", b"nonsense"):
        path.write_bytes(damaged)
        with pytest.raises(UnusableRequest, match=r"epoch-00003\.safetensors cannot be read.*branch from another epoch"):
            read_info(path)
    save_checkpoint(path, {}, {"told": 5})
    with pytest.raises(UnusableRequest, match="cannot be read"):
        read_info(path)


def test_what_counts_where_a_checkpoint_was_taken() -> None:
    events = [StepEvent(step=5), EpochEvent(epoch=1, step=10), StepEvent(step=12), EpochEvent(epoch=2, step=20)]
    assert CheckpointInfo(epoch=1, step=12).past(events) == events[:3]
    told = EpochEvent(epoch=2, step=20, train_loss=0.5)
    assert CheckpointInfo(epoch=2, step=20, told=told).past(events) == events
    untold = CheckpointInfo(epoch=2, step=20, told=told).past(events[:3])
    assert untold[:3] == events[:3] and [event.to_json() | {"time": 0} for event in untold[3:]] == [
        told.to_json() | {"time": 0}
    ]
    assert CheckpointInfo(changed={"weight_decay": 0.1}).settings(tiny()).training.weight_decay == 0.1
