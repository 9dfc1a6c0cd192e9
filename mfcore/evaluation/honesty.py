"""How the number of sampled negatives flatters: expected figures at any number, from one ranking, without drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from mfcore.errors import UnusableRequest
from mfcore.evaluation import ranking
from mfcore.evaluation.details import EvaluationDetails
from mfcore.typing import Float64, Int64
from mfcore.validate import integer

FEWEST = 10
POINTS = 40


def sampled_curve(details: EvaluationDetails, num_negatives: Iterable[int] | None = None, k: int | None = None) -> pd.DataFrame:
    """Expected hr and ndcg at K over all draws of N never-interacted negatives; columns num_negatives (int), hr, ndcg (float).

    Exact: of a case's M never-interacted items, g score more and e the same. The number T of those g + e among N drawn is
    hypergeometric, and so is the number of greater ones among the T. The last point, N = all, is a case's rank among everything
    its user never touched. Where a user has fewer than N such items, all of them are taken. Means over cases, NaN without any.

    Args:
        num_negatives: default: about 40 numbers evenly spaced on a log scale, from 10 to the most any user has.
        k: default the details' own.

    Raises:
        UnusableRequest: a number below 1, or an evaluation stored without these counts.
    """
    k = details.k if k is None else integer("k", k, low=1)
    if details.greater_free is None or details.equal_free is None or details.num_free is None:
        raise UnusableRequest("this evaluation was stored without what the curve needs; evaluate the run again")
    most = int(details.num_free.max(initial=1))
    asked = _spaced(most) if num_negatives is None else [integer("num_negatives", n, low=1) for n in num_negatives]
    cases = np.stack([details.greater_free, details.equal_free, details.num_free])[:, details.num_free > 0]
    # Many cases share their counts (every user's, for a model that knows no users), so each kind is worked out once.
    kinds, weight = np.unique(cases, axis=1, return_counts=True)
    hit, value = _given_passed(kinds[0], kinds[1], k, details.ties)
    passed = kinds[0] + (kinds[1] if details.ties != "optimistic" else 0)
    logs = _log_factorials(most)
    rows = []
    for count in asked:
        chance = _hypergeometric(kinds[2], passed, np.minimum(count, kinds[2]), hit.shape[1], logs)
        rows.append((count, _mean((chance * hit).sum(axis=1), weight), _mean((chance * value).sum(axis=1), weight)))
    frame = pd.DataFrame(rows, columns=["num_negatives", "hr", "ndcg"])
    return frame.astype({"num_negatives": "int64", "hr": float, "ndcg": float})


def _spaced(most: int) -> list[int]:
    if most <= FEWEST:
        return [most]
    return sorted(set(np.geomspace(FEWEST, most, POINTS).round().astype(int).tolist()))


def _given_passed(greater: Int64, equal: Int64, k: int, ties: str) -> tuple[Float64, Float64]:
    """Expected hit and gain of each kind of case when T = 0, 1, 2 … of its greater or equal items are drawn: two of (n, W);
    from W on both are 0. With half ties the rank is X + (T − X)/2 where X of the T are greater."""
    if ties != "half":
        place = np.arange(k, dtype=np.float64)
        shape = (len(greater), k)
        return np.ones(shape), np.broadcast_to(ranking.gain(place, k), shape)
    width = 2 * k  # T = 2K items that all tie make rank K
    logs = _log_factorials(int((greater + equal).max(initial=0)))
    hit, value = np.zeros((len(greater), width)), np.zeros((len(greater), width))
    for t in range(width):
        total = greater + equal
        possible = total >= t
        chance = _hypergeometric(total[possible], greater[possible], np.full(possible.sum(), t), t + 1, logs)
        rank = (np.arange(t + 1) + t) / 2.0
        hit[possible, t] = chance @ (rank < k).astype(np.float64)
        value[possible, t] = chance @ ranking.gain(rank, k)
    return hit, value


def _hypergeometric(population: Int64, marked: Int64, drawn: Int64, width: int, logs: Float64) -> Float64:
    """P(x of the ``drawn`` are marked) for x = 0 … width−1. population, marked, drawn: (n,) → (n, width)."""
    x = np.arange(width)
    m, n, d = population[:, None], marked[:, None], drawn[:, None]
    possible = (x <= n) & (x <= d) & (d - x <= m - n)
    safe = np.where(possible, x, np.maximum(0, d - (m - n)))  # any possible value, so that no index is negative
    log = (
        logs[n] - logs[safe] - logs[n - safe] + logs[m - n] - logs[d - safe] - logs[m - n - d + safe]
        - logs[m] + logs[d] + logs[m - d]
    )  # fmt: skip
    return np.where(possible, np.exp(log), 0.0)


def _log_factorials(most: int) -> Float64:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1, dtype=np.float64)))])


def _mean(values: Float64, weight: Int64) -> float:
    return float(values @ weight / weight.sum()) if weight.size else math.nan
