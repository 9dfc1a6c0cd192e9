"""Configurations of runs that take milliseconds, and ways to look at what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mfcore.files import write_json
from mfcore.runs import RunConfig, RunFolder
from mfcore.runs.events import EpochEvent, MessageEvent

if TYPE_CHECKING:
    import torch

    from mfcore.runs.worker.controller import Timing

TINY = {
    "dataset": "planted",
    "dataset.num_users": 60,
    "dataset.num_items": 40,
    "dataset.density": 0.3,
    "model": "biased-mf",
    "embedding_dim": 4,
    "num_epochs": 3,
    "batch_size": 64,
    "device": "cpu",
    "threads": 1,
}


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def timing(self) -> Timing:
        from mfcore.runs.worker.controller import Timing

        return Timing(clock=self, sleep=self.sleep)


def tiny(**changes: Any) -> RunConfig:
    """A run of some milliseconds; ``changes`` are flat keys."""
    return RunConfig().with_flat({**TINY, **changes})


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.01)


def kinds(folder: RunFolder) -> list[str]:
    return [event.kind for event in folder.events.read()[0]]


def epochs(folder: RunFolder) -> list[int]:
    return [event.epoch for event in folder.events.of(EpochEvent)]


def messages(folder: RunFolder) -> list[str]:
    return [event.text for event in folder.events.read()[0] if isinstance(event, MessageEvent)]


def weights(folder: RunFolder, name: str = "last") -> dict[str, torch.Tensor]:
    from mfcore.runs.checkpoints.files import load_weights  # here: it loads torch

    return load_weights(folder.checkpoints / f"{name}.safetensors")[0]


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return list(a) == list(b) and all(a[name].equal(b[name]) for name in a)


def leave_unchecked(folder: RunFolder, kind: str, **values: Any) -> None:
    """A command file as another version, or a hand, may write it."""
    number = folder.last_command() + 1
    write_json(folder.commands / f"{number:06d}.json", {"kind": kind, **values})
