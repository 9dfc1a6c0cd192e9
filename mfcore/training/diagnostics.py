"""Vital signs of a training, read now and then from outside, so that no engine has to know of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mfcore.models.base import RecommenderModel, scoring
from mfcore.training.limits import USUAL, Limits
from mfcore.training.losses import pairs
from mfcore.training.samples import Samples

_MOST_SAMPLES = 2048
_MOST_NUMBERS = 1 << 18
"""Of each table followed from look to look; of larger ones every so many-th row."""
_LARGE_LOGIT = 8.0
"""σ(±8) is 0.9997 and 0.0003: there the logistic function is flat, and gradients vanish."""


class Diagnostics:
    """Looks at one model, within ``limits.diagnostics_share`` of the time; what costs more is looked at less often."""

    def __init__(self, model: RecommenderModel, loss: str, limits: Limits = USUAL) -> None:
        self._model, self._loss, self._limits = model, loss, limits
        self._parameters = list(model.parameters())
        self._before: list[Tensor] = []
        self._before_step = 0
        self._next = -math.inf

    def look(self, samples: Samples, step: int) -> dict[str, float]:
        """``gradient_norm``, ``update_ratio`` and ``saturated`` after ``step`` steps; ``samples`` were trained last.

        Nothing where it is not worth another look yet, and none that is undefined.

        gradient_norm: ‖∇‖ over all weights, of the step before, L2 included; absent where the engine keeps no gradients.
        update_ratio: ‖W − W'‖ / ‖W‖ per step, W' being the weights at the last look. saturated: share of ``samples`` predicted
        outside the rating scale (in the outer 0.03 % of it, if the model squeezes) or with a logit beyond ±8.
        """
        began = self._limits.clock()
        if began < self._next:
            return {}
        with torch.no_grad():
            seen = {
                "gradient_norm": self._gradient_norm(),
                "update_ratio": self._update_ratio(step),
                "saturated": self._saturated(samples.slice(0, _MOST_SAMPLES)),
            }
        ended = self._limits.clock()
        self._next = ended + (ended - began) / self._limits.diagnostics_share
        return {name: value for name, value in seen.items() if math.isfinite(value)}

    def _gradient_norm(self) -> float:
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        if not gradients:
            return math.nan
        parts = [(gradient.coalesce().values() if gradient.is_sparse else gradient) for gradient in gradients]
        return float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in parts])))

    def _update_ratio(self, step: int) -> float:
        now = [_some(parameter.detach()) for parameter in self._parameters]
        before, steps = self._before, step - self._before_step
        self._before, self._before_step = [part.clone() for part in now], step
        if not before or steps <= 0:
            return math.nan
        moved = sum(float((a - b).square().sum()) for a, b in zip(now, before, strict=True))
        size = sum(float(a.square().sum()) for a in now)
        return math.sqrt(moved / size) / steps if size > 0 else math.nan

    def _saturated(self, samples: Samples) -> float:
        if len(samples) == 0:
            return math.nan
        model = self._model
        with scoring(model):
            scores = model(*pairs(self._loss, samples))
        if not model.predicts_ratings:
            return float((scores.abs() > _LARGE_LOGIT).float().mean())
        edge = (model.high - model.low) / (1.0 + math.exp(_LARGE_LOGIT)) if model.config.output_range else 0.0
        return float(((scores < model.low + edge) | (scores > model.high - edge)).float().mean())


def _some(table: Tensor) -> Tensor:
    """The table, or evenly spread rows of it where it is large."""
    return table[:: max(1, math.ceil(table.numel() / _MOST_NUMBERS))]
