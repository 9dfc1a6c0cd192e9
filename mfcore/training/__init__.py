"""Training: losses, samplers, optimizers, schedules, the Trainer. Names load on first use, because they need torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfcore.training.config import TrainConfig as TrainConfig
    from mfcore.training.device import DeviceChoice as DeviceChoice
    from mfcore.training.device import available_devices as available_devices
    from mfcore.training.device import default_threads as default_threads
    from mfcore.training.device import resolve_device as resolve_device
    from mfcore.training.events import EpochEnd as EpochEnd
    from mfcore.training.events import StepEnd as StepEnd
    from mfcore.training.events import TrainingDiverged as TrainingDiverged
    from mfcore.training.events import TrainingStopped as TrainingStopped
    from mfcore.training.refitting import refit as refit
    from mfcore.training.trainer import Trainer as Trainer

_HOME_OF = {
    "config": ("TrainConfig",),
    "device": ("DeviceChoice", "available_devices", "default_threads", "resolve_device"),
    "events": ("EpochEnd", "StepEnd", "TrainingDiverged", "TrainingStopped"),
    "refitting": ("refit",),
    "trainer": ("Trainer",),
}
_MODULE_OF = {name: module for module, names in _HOME_OF.items() for name in names}
__all__ = [*sorted(_MODULE_OF)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mfcore.training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mfcore.training.{_MODULE_OF[name]}"), name)
