"""How far predicted ratings are from the ratings given, in rating units.

NaN when nothing was measured or a prediction is not finite.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mfcore.evaluation.metrics import MAE, RMSE
from mfcore.registry import METRICS, MetricSpec
from mfcore.typing import Float64


def _errors(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> Float64:
    """predicted, actual: (n,) in rating units → (n,) float64."""
    guesses: Float64 = np.asarray(predicted, np.float64)
    truth: Float64 = np.asarray(actual, np.float64)
    if guesses.shape != truth.shape:  # otherwise numpy would broadcast, and the figure would be wrong without a word
        raise ValueError(f"predicted and actual must have the same shape, got {guesses.shape} and {truth.shape}")
    return guesses - truth


def clipped(predicted: npt.ArrayLike, scale: tuple[float, float]) -> Float64:
    """Predicted ratings held within ``scale`` (low, high), as they are shown and measured: nobody gives 7.5 of 5 stars.
    (n,) → (n,) float64. What is not finite stays so: it is a model that diverged, and must not look like a top rating."""
    values: Float64 = np.asarray(predicted, np.float64)
    return np.where(np.isfinite(values), np.clip(values, *scale), values)


def rmse(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """√ mean (r̂ − r)²."""
    return _figure(RMSE, _errors(predicted, actual))


def mae(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """mean |r̂ − r|."""
    return _figure(MAE, _errors(predicted, actual))


def rating_errors(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> dict[str, float]:
    """Every defined metric of rating prediction, by name."""
    errors = _errors(predicted, actual)
    found = {name: _figure(spec, errors) for name, spec in METRICS.items() if spec.of_errors is not None}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _figure(spec: MetricSpec, errors: Float64) -> float:
    if spec.of_errors is None or errors.size == 0 or not np.isfinite(errors).all():
        return math.nan
    return spec.finish(float(np.mean(spec.of_errors(errors))))
