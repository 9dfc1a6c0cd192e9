"""How far predicted ratings are from the ratings given, in rating units.

NaN when nothing was measured or a prediction is not finite.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mfcore.typing import Float64


def _errors(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> Float64:
    """predicted, actual: (n,) in rating units → (n,) float64."""
    guesses: Float64 = np.asarray(predicted, np.float64)
    truth: Float64 = np.asarray(actual, np.float64)
    if guesses.shape != truth.shape:  # otherwise numpy would broadcast, and the figure would be wrong without a word
        raise ValueError(f"predicted and actual must have the same shape, got {guesses.shape} and {truth.shape}")
    return guesses - truth


def rmse(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """√ mean (r̂ − r)²."""
    errors = _errors(predicted, actual)
    if errors.size == 0 or not np.isfinite(errors).all():
        return math.nan
    return float(np.sqrt(np.mean(errors**2)))


def mae(predicted: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """mean |r̂ − r|."""
    errors = _errors(predicted, actual)
    if errors.size == 0 or not np.isfinite(errors).all():
        return math.nan
    return float(np.mean(np.abs(errors)))
