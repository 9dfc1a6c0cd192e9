"""Where training can happen on this machine, and with how many threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mfcore.errors import UnusableRequest

if TYPE_CHECKING:  # loaded where it is asked: pages name devices, and torch costs a second
    import torch


@dataclass(frozen=True)
class DeviceChoice:
    """``name``: what a config says. ``label``: words for a person. ``reason``: why it is absent, empty if available."""

    name: str
    label: str
    available: bool
    reason: str = ""


def available_devices() -> list[DeviceChoice]:
    """Every device one could ask for, the absent ones with the reason why."""
    best = _best_device()
    return [
        DeviceChoice("auto", f"Automatic ({best})", True),
        DeviceChoice("cpu", f"CPU ({_cores()} cores)", True),
        *_cuda_choices(),
        _mps_choice(),
    ]


def resolve_device(name: str) -> torch.device:
    """The torch device a config's ``device`` stands for; "auto" is the first GPU, else the CPU.

    Raises:
        UnusableRequest: no such device here; the message says why and lists what there is.
    """
    import torch

    wanted = name.strip().lower()
    if wanted == "auto":
        return torch.device(_best_device())
    if wanted == "cuda":
        wanted = "cuda:0"
    choices = available_devices()
    found = next((c for c in choices if c.name == wanted or (wanted == "cuda:0" and c.name == "cuda")), None)
    here = ", ".join(c.name for c in choices if c.available)
    if found is None:
        raise UnusableRequest(f"device {name!r} is not on this machine; available: {here}")
    if not found.available:
        raise UnusableRequest(f"device {name} cannot be used: {found.reason}; available: {here}")
    return torch.device(found.name)


def default_threads() -> int:
    """One thread less than the cores, at least one: a busy core makes all threads of a training step wait."""
    return max(1, _cores() - 1)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _best_device() -> str:
    import torch

    # MPS only on request: at this size of model its steps cost more to start than to compute.
    return "cuda:0" if torch.cuda.is_available() else "cpu"


def _cuda_choices() -> list[DeviceChoice]:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return [DeviceChoice(f"cuda:{i}", f"{name} (cuda:{i})", True) for i, name in enumerate(names)]
    built = torch.backends.cuda.is_built()  # type: ignore[no-untyped-call]
    reason = "no NVIDIA GPU or driver was found" if built else "this torch was installed without CUDA"
    return [DeviceChoice("cuda", "NVIDIA GPU", False, reason)]


def _mps_choice() -> DeviceChoice:
    import torch

    if torch.backends.mps.is_available():
        return DeviceChoice("mps", "Apple GPU (MPS)", True)
    built = torch.backends.mps.is_built()
    return DeviceChoice("mps", "Apple GPU (MPS)", False, "needs macOS 14" if built else "only on Macs with Apple silicon")
