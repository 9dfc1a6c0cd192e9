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
_AT_ONCE = 100_000


def sampled_curve(details: EvaluationDetails, num_negatives: Iterable[int] | None = None, k: int | None = None) -> pd.DataFrame:
    """Expected hr and ndcg at K over all draws of N never-interacted negatives; columns num_negatives (int), hr, ndcg (float).

    Exact: of a case's M never-interacted items, g score more and e the same; of those e, any number from 0 to e stands above it
    (see ties). How many of those above are among N drawn is hypergeometric. The last point, N = all, is a case's rank among
    everything its user never touched. Where a user has fewer than N such items, all of them are taken. Means over cases, NaN
    without any.

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
    # Where all score the same, as with a model that knows nothing of a user, every place is as likely.
    alike = (kinds[1] == kinds[2]) & (details.ties == "mean")
    above, share, kind = _placed(kinds[0], np.where(alike, 0, kinds[1]), details.ties)
    places = np.arange(k, dtype=np.float64)
    worths = (ranking.hit(places, k), ranking.gain(places, k))
    logs = _log_factorials(most)
    rows = []
    for count in asked:
        found = np.zeros((2, len(weight)))
        for start in range(0, len(above), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            of = kinds[2][kind[some]]
            chance = _hypergeometric(of, above[some], np.minimum(count, of), k, logs)
            for row, worth in enumerate(worths):
                found[row] += np.bincount(kind[some], share[some] * (chance @ worth), minlength=len(weight))
        for row, worth in enumerate(worths):
            found[row, alike] = _by_lot(worth, np.minimum(count, kinds[2][alike]))
        rows.append((count, _mean(found[0], weight), _mean(found[1], weight)))
    frame = pd.DataFrame(rows, columns=["num_negatives", "hr", "ndcg"])
    return frame.astype({"num_negatives": "int64", "hr": float, "ndcg": float})


def _spaced(most: int) -> list[int]:
    if most <= FEWEST:
        return [most]
    return sorted(set(np.geomspace(FEWEST, most, POINTS).round().astype(int).tolist()))


def _placed(greater: Int64, equal: Int64, ties: str) -> tuple[Int64, Float64, Int64]:
    """Kinds of cases with their ties resolved: all (n,), how many stand above, with which share, and the kind they belong to.

    An item that ties with E others has 0 … E of them above, each as likely as any; among those drawn it then stands after as
    many as are drawn of those above.
    """
    each = equal + 1 if ties == "mean" else np.ones_like(equal)
    kind = np.repeat(np.arange(len(each)), each)
    step = np.arange(len(kind)) - np.repeat(np.cumsum(each) - each, each)
    more = equal[kind] if ties == "pessimistic" else step
    return greater[kind] + more, 1.0 / each[kind], kind


def _by_lot(worth: Float64, drawn: Int64) -> Float64:
    """The mean of ``worth`` (K,), 0 from place K on, over the places 0 … n of an item among n drawn. drawn: (n,) → (n,)."""
    sums = np.cumsum(worth)
    return np.asarray(sums[np.minimum(drawn, len(worth) - 1)] / (drawn + 1.0))


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
