"""When numbers stop being numbers: notice it, and say why."""

from __future__ import annotations

import math

import torch
from torch import nn

from mfcore.registry import OPTIMIZERS
from mfcore.training.config import TrainConfig
from mfcore.training.events import TrainingDiverged
from mfcore.training.schedule import batch_factor

MOST_SENSIBLE = 100.0
"""No learning rate above this is worth trying next, however large the one that failed was."""


def diverged(value: float, *, epoch: int, step: int, rate: float, config: TrainConfig, what: str = "loss") -> TrainingDiverged:
    """The error for a ``what`` of ``value`` (NaN or ±∞) at 1-based ``epoch`` and ``step``."""
    became = "not a number" if math.isnan(value) else "infinite"
    if config.optimizer == "als":
        cause = "the equations cannot be solved in these numbers; try a larger weight_decay, such as 0.05"
    elif step <= 1:
        cause = "the starting weights are too large already; try a smaller init_std, such as 0.1"
    else:
        advice = _short(min(rate / 10, MOST_SENSIBLE) / batch_factor(config))
        follows = "" if config.lr_scaling == "none" else f" at batches of {config.batch_size:,}"
        instead = advice if not follows else f"learning_rate {advice}, which follows the batch size"
        optimizer = OPTIMIZERS[config.optimizer].label
        cause = f"learning rate {_short(rate)}{follows} is too large for {optimizer} here; try {instead}"
    message = f"{what} became {became} in epoch {epoch} at step {step}: {cause}"
    return TrainingDiverged(message, epoch=epoch, step=step, what=what)


def _short(rate: float) -> str:
    """Three digits are enough to act on: 96.1, 1000, 0.002."""
    return f"{float(f'{rate:.3g}'):g}"


def unfinite_weight(model: nn.Module) -> float | None:
    """A NaN or infinite weight's value, or None if all are finite. One look an epoch; it makes a GPU wait."""
    total = torch.stack([p.detach().abs().max() for p in model.parameters()]).sum()
    value = float(total)
    return None if math.isfinite(value) else value
