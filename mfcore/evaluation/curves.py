"""Ranking quality against the length of the list."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from mfcore.evaluation import ranking
from mfcore.evaluation.details import EvaluationDetails
from mfcore.validate import integer


def curve_at_k(details: EvaluationDetails, ks: Iterable[int]) -> pd.DataFrame:
    """One row per K with columns k (int), hr, ndcg (sampled, mean over draws), hr_full, ndcg_full (float; NaN where undefined).

    Raises:
        UnusableRequest: a K is not a whole number ≥ 1.
    """
    rows = []
    drawn, whole = details.places_draws, details.tied_full
    for k in [integer("k", k, low=1) for k in ks]:
        sampled = ranking.per_case(drawn, k)
        full = ranking.per_user(details.case_user, whole, k, details.ties)
        rows.append((k, sampled["hr"], sampled["ndcg"], full["hr"], full["ndcg"]))
    frame = pd.DataFrame(rows, columns=["k", "hr", "ndcg", "hr_full", "ndcg_full"])
    return frame.astype({"k": "int64", "hr": float, "ndcg": float, "hr_full": float, "ndcg_full": float})
