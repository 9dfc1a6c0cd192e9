"""Devices that are here, and those that are not."""

from __future__ import annotations

import os

import pytest
import torch

from mfcore.errors import UnusableRequest
from mfcore.training import available_devices, default_threads, resolve_device


def test_every_kind_of_device_is_listed_with_a_reason_where_absent() -> None:
    choices = available_devices()
    names = [choice.name for choice in choices]
    assert names[:2] == ["auto", "cpu"]
    assert any(name.startswith("cuda") for name in names)
    assert "mps" in names
    assert all(bool(choice.reason) is not choice.available for choice in choices)
    assert all(choice.label for choice in choices)


def test_cpu_and_auto_resolve() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type in ("cpu", "cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_absent_gpu_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(UnusableRequest, match=rf"device {name} cannot be used: .*; available: auto, cpu"):
        resolve_device(name)


def test_nonsense_is_refused() -> None:
    with pytest.raises(UnusableRequest, match="device 'tpu' is not on this machine; available: auto, cpu"):
        resolve_device("tpu")


def test_one_core_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid, cores=cores: set(range(cores)), raising=False)
        assert default_threads() == threads
