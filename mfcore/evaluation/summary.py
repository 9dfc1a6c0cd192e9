"""From cases to users to figures. Every headline metric is Σ total / Σ count over users, so that users can be resampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfcore.evaluation import ranking
from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.metrics import read_key
from mfcore.registry import METRICS
from mfcore.typing import Float64, Int64
from mfcore.validate import integer


@dataclass(frozen=True, eq=False)
class UserSums:
    """What each of U users adds to each metric. users: (U,) ascending; total, count: metric → (U,) float64.

    A metric's figure is Σ total / Σ count, finished as its spec says (rmse: the square root of that). Count 0: the metric is
    undefined for this user.
    """

    users: Int64
    total: dict[str, Float64]
    count: dict[str, Float64]

    def figure(self, name: str) -> float:
        """The metric over all users; NaN where it is defined for none."""
        count = self.count[name].sum()
        value = float(self.total[name].sum() / count) if count else math.nan
        return finished(name, value)

    def of(self, users: Int64) -> UserSums:
        """The same for some of the users: (m,), ascending, all of them among these."""
        place = np.searchsorted(self.users, users)
        parts = [{name: values[place] for name, values in part.items()} for part in (self.total, self.count)]
        return UserSums(users, *parts)


def finished(name: str, mean: float) -> float:
    """A metric's figure from its mean; NaN stays NaN."""
    spec = read_key(name).spec
    return mean if spec is None or math.isnan(mean) else spec.finish(mean)


def user_sums(details: EvaluationDetails, k: int | None = None) -> UserSums:
    """Totals and counts of every metric that :func:`summarise` names. K: default the details' own."""
    k = details.k if k is None else integer("k", k, low=1)
    users = np.unique(np.concatenate([details.case_user, details.rating_user]))
    sums = UserSums(users, {}, {})
    if len(details.predicted):
        error: Float64 = details.predicted.astype(np.float64) - details.actual
        for name, spec in METRICS.items():
            if spec.of_errors is not None:
                _add(sums, name, details.rating_user, spec.of_errors(error))
    contested = details.num_sampled > 1
    owner = details.case_user[contested]
    for name, values in ranking.case_values(details.places_draws[:, contested], k).items():
        _add(sums, METRICS[name].key(k), owner, values.mean(axis=0))
    half: Float64 = details.greater_sampled[:, contested] + 0.5 * details.equal_sampled[:, contested]
    _add(sums, "auc", owner, ranking.case_auc(half, details.num_sampled[contested]).mean(axis=0))
    contested = details.num_full > 1
    owner = details.case_user[contested]
    listed, by_user = ranking.user_values(details.case_user, details.tied_full, k, details.ties)
    for name, values in by_user.items():
        _add(sums, METRICS[name].key(k, full=True), listed, values)
    half = details.greater_full[contested] + 0.5 * details.equal_full[contested]
    _add(sums, "auc/full", *ranking.user_auc(owner, half, details.num_full[contested]))
    return sums


def _add(sums: UserSums, name: str, user: Int64, values: Float64) -> None:
    """Gather values by user; an undefined (NaN) AUC is not counted, a prediction that is not a number spoils the figure."""
    if name.startswith("auc"):
        known = ~np.isnan(values)
        user, values = user[known], values[known]
    place = np.searchsorted(sums.users, user)
    sums.total[name] = np.bincount(place, values, minlength=len(sums.users)).astype(np.float64)
    sums.count[name] = np.bincount(place, minlength=len(sums.users)).astype(np.float64)


def summarise(details: EvaluationDetails, k: int | None = None) -> dict[str, float]:
    """Every defined metric at ``k`` (default: the details' own).

    ``rmse``, ``mae``; sampled ranking, a mean over cases and draws: ``hr@K``, ``ndcg@K``, ``mrr@K``, ``auc``; full ranking, a
    mean over users with a case: ``hr@K/full``, ``ndcg@K/full``, ``mrr@K/full``, ``recall@K/full``, ``precision@K/full``,
    ``map@K/full``, ``auc/full``. AUC counts ties half under every tie policy: that is its definition. What is undefined is
    absent.
    """
    sums = user_sums(details, k)
    found = {name: sums.figure(name) for name in sums.total}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def user_metrics(details: EvaluationDetails, k: int | None = None) -> pd.DataFrame:
    """One row per user (index ``user_idx``), one column per metric of :func:`summarise`; NaN where undefined for that user."""
    sums = user_sums(details, k)
    columns = {}
    for name, total in sums.total.items():
        count = sums.count[name]
        value = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        columns[name] = np.array([finished(name, one) for one in value.tolist()])
    return pd.DataFrame(columns, index=pd.Index(sums.users, name="user_idx"))
