"""Two runs on the same held-out interactions: which is better, and could it be chance?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.metrics import lower_is_better, read_key
from mfcore.evaluation.summary import user_sums
from mfcore.evaluation.uncertainty import REPLICATES, bounds, resampled
from mfcore.validate import require

A_IS_BETTER, B_IS_BETTER, CANNOT_TELL = "A is better", "B is better", "can't tell"
SAMPLING = ("sampled_negatives", "negatives_seed", "draws")


@dataclass(frozen=True)
class Comparison:
    """One metric of two runs. difference: a − b, within low … high in ``level`` of the resamples of users.

    num_users: users for whom the metric is defined; a_better, b_better: how many of them each run serves better.
    """

    metric: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    num_users: int
    a_better: int
    b_better: int
    verdict: str
    level: float = 0.95


def compare(
    a: EvaluationDetails,
    b: EvaluationDetails,
    k: int | None = None,
    *,
    level: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Comparison]:
    """Metric → paired comparison, for every metric both have: the same users are drawn for both, so that what is easy or hard
    about a user cancels out. A verdict needs the whole interval on one side of zero.

    Sampled metrics are left out where the two met different negatives. K: default that of ``a``.

    Raises:
        UnusableRequest: different splits, parts, or held-out interactions; or different tie policies.
    """
    _check_comparable(a, b)
    k = a.k if k is None else k
    sums_a, sums_b = user_sums(a, k), user_sums(b, k)
    if not np.array_equal(sums_a.users, sums_b.users):  # only one predicts ratings, and some users have nothing but those
        both = np.intersect1d(sums_a.users, sums_b.users)
        sums_a, sums_b = sums_a.of(both), sums_b.of(both)
    names = [
        name
        for name in sums_a.total
        if name in sums_b.total
        and (_same_negatives(a, b) or "/" in name or _of_ratings(name))
        and math.isfinite(sums_a.figure(name) - sums_b.figure(name))
    ]
    samples_a = resampled(sums_a, names, replicates=replicates, seed=seed)
    samples_b = resampled(sums_b, names, replicates=replicates, seed=seed)
    found = {}
    for name in names:
        sign = -1.0 if lower_is_better(name) else 1.0
        counted = sums_a.count[name] > 0
        gain = sign * (sums_a.total[name] - sums_b.total[name])[counted]
        figure_a, figure_b = sums_a.figure(name), sums_b.figure(name)
        low, high = bounds(samples_a[name] - samples_b[name], level) if counted.sum() > 1 else (math.nan, math.nan)
        found[name] = Comparison(
            name,
            figure_a,
            figure_b,
            figure_a - figure_b,
            low,
            high,
            num_users=int(counted.sum()),
            a_better=int((gain > 1e-12).sum()),
            b_better=int((gain < -1e-12).sum()),
            verdict=_verdict(low, high, sign),
            level=level,
        )
    return found


def identical(a: EvaluationDetails, b: EvaluationDetails) -> bool:
    """Whether two runs predicted and ranked the very same, case by case, to the last digit. For comparable ones only."""
    names = ("greater_sampled", "equal_sampled", "greater_full", "equal_full", "predicted")
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in names)


def _of_ratings(name: str) -> bool:
    spec = read_key(name).spec
    return spec is not None and spec.of_errors is not None


def _verdict(low: float, high: float, sign: float) -> str:
    worst, best = sorted((sign * low, sign * high))
    if worst > 0:
        return A_IS_BETTER
    return B_IS_BETTER if best < 0 else CANNOT_TELL


def _same_negatives(a: EvaluationDetails, b: EvaluationDetails) -> bool:
    if a.about and b.about:
        return all(a.about.get(name) == b.about.get(name) for name in SAMPLING)
    return np.array_equal(a.num_sampled, b.num_sampled) and len(a.greater_sampled) == len(b.greater_sampled)


def _check_comparable(a: EvaluationDetails, b: EvaluationDetails) -> None:
    for name, words in (("split_hash", "splits"), ("on", "parts")):
        first, second = a.about.get(name), b.about.get(name)
        require(
            first is None or second is None or first == second,
            f"these runs were scored on different {words}; only runs on the same one can be compared user by user",
        )
    same = np.array_equal(a.case_user, b.case_user) and np.array_equal(a.case_item, b.case_item)
    require(
        same and np.array_equal(a.num_full, b.num_full),
        "these runs were scored on different held-out interactions; compare runs with the same split and relevance threshold",
    )
    if len(a.predicted) and len(b.predicted):
        same = np.array_equal(a.rating_user, b.rating_user) and np.array_equal(a.rating_item, b.rating_item)
        require(same, "these runs predict different held-out ratings; compare runs with the same split")
    require(a.ties == b.ties, f"these runs count ties differently ({a.ties}, {b.ties}); bring both to one tie policy first")
