"""When numbers stop being numbers: notice it, and say why."""

from __future__ import annotations

import math

import torch
from torch import nn

from mfcore.training.config import OPTIMIZERS, TrainConfig
from mfcore.training.events import TrainingDiverged


def diverged(value: float, *, epoch: int, step: int, rate: float, config: TrainConfig, what: str = "loss") -> TrainingDiverged:
    """The error for a ``what`` of ``value`` (NaN or ±∞) at 1-based ``epoch`` and ``step``."""
    became = "not a number" if math.isnan(value) else "infinite"
    if step <= 1:
        cause = "the starting weights are too large already; try a smaller init_std, such as 0.1"
    else:
        cause = f"learning rate {rate:.3g} is too large for {OPTIMIZERS[config.optimizer]} here; try {rate / 10:.3g}"
    return TrainingDiverged(f"{what} became {became} in epoch {epoch} at step {step}: {cause}", epoch=epoch, step=step)


def unfinite_weight(model: nn.Module) -> float | None:
    """A NaN or infinite weight's value, or None if all are finite. One look an epoch; it makes a GPU wait."""
    total = torch.stack([p.detach().abs().max() for p in model.parameters()]).sum()
    value = float(total)
    return None if math.isfinite(value) else value
