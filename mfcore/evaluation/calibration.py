"""When a model says 4 stars, is it 4 stars on average?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfcore.evaluation.details import EvaluationDetails
from mfcore.validate import integer


@dataclass(frozen=True, eq=False)
class Calibration:
    """table: one row per bin that holds predictions: low, high (edges, rating units), predicted, actual (means), count.
    gap: mean over predictions of |mean predicted − mean actual| of their bin, in rating units; NaN without any."""

    table: pd.DataFrame
    gap: float


def calibration_table(details: EvaluationDetails, bins: int = 10) -> Calibration:
    """Predictions in ``bins`` of equal width over the range of the ratings given; what lies outside joins the outer bins.

    Empty for models that do not predict ratings. A prediction that is not a number is left out.

    Raises:
        UnusableRequest: ``bins`` is not a whole number ≥ 1.
    """
    bins = integer("bins", bins, low=1)
    known = np.isfinite(details.predicted)
    predicted, actual = details.predicted[known].astype(np.float64), details.actual[known].astype(np.float64)
    columns = ["low", "high", "predicted", "actual", "count"]
    if not len(predicted):
        return Calibration(pd.DataFrame(columns=columns, dtype="float64").astype({"count": "int64"}), math.nan)
    edges = np.linspace(actual.min(), actual.max(), bins + 1)
    place = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    means = [np.bincount(place, values, minlength=bins)[filled] / count[filled] for values in (predicted, actual)]
    table = pd.DataFrame(dict(zip(columns, (edges[:-1][filled], edges[1:][filled], *means, count[filled]), strict=True)))
    gap = float(count[filled] @ np.abs(means[0] - means[1]) / len(predicted))
    return Calibration(table, gap)
