"""Checkpoints give back what they were given, bit for bit, or say clearly that they cannot."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mfcore.errors import UnusableRequest
from mfcore.runs.checkpoints.files import load_state, load_weights, save_checkpoint


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
