"""Ranking metrics from ranks.

A rank is 0 for the best candidate and may end in .5, because ties count half. A NaN rank (nothing to compete with) is left
out of every mean, and the mean of nothing is NaN. ``per_case`` metrics look at one held-out item at a time (sampled ranking);
``per_user`` metrics look at a user's whole list with all relevant items (full ranking). With one relevant item a user the
two agree.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def gain(rank: Floats, k: int) -> Floats:
    """1/log₂(r+2) where r < K, else 0. rank: (n,) → (n,)."""
    return np.where(rank < k, 1.0 / np.log2(rank + 2.0), 0.0)


def ideal_dcg(num_relevant: Ints, k: int) -> Floats:
    """DCG@K of a list that has all relevant items on top. num_relevant: (n,) ≥ 1 → (n,)."""
    best = np.cumsum(1.0 / np.log2(np.arange(k, dtype=np.float64) + 2.0))
    return np.asarray(best[np.minimum(num_relevant, k) - 1])


def per_case(rank: Floats, k: int) -> dict[str, float]:
    """hr, ndcg, mrr at K, as means over cases. rank: (C,)."""
    rank = rank[~np.isnan(rank)]
    return {
        "hr": _mean(rank < k),
        "ndcg": _mean(gain(rank, k)),
        "mrr": _mean(np.where(rank < k, 1.0 / (rank + 1.0), 0.0)),
    }


def per_user(user: Ints, rank: Floats, k: int) -> dict[str, float]:
    """hr, ndcg, mrr, recall, precision at K, as means over users with at least one case. user, rank: (C,).

    hr: any relevant item in the first K; ndcg: DCG/IDCG; mrr: of the best-placed relevant item; recall: share of the relevant
    items in the first K; precision: share of the first K that is relevant. Relevant items tied with one another share a
    middle rank, so more than K of them can seem to fit in K places: shares are held to at most what fits.
    """
    known = ~np.isnan(rank)
    rank = rank[known]
    _, index, num_relevant = np.unique(user[known], return_inverse=True, return_counts=True)
    users = len(num_relevant)
    hits = np.minimum(np.bincount(index, rank < k, minlength=users), k)
    dcg = np.bincount(index, gain(rank, k), minlength=users)
    best = np.full(users, np.inf)
    np.minimum.at(best, index, rank)
    return {
        "hr": _mean(hits > 0),
        "ndcg": _mean(np.minimum(dcg / ideal_dcg(num_relevant, k), 1.0)),
        "mrr": _mean(np.where(best < k, 1.0 / (best + 1.0), 0.0)),
        "recall": _mean(hits / num_relevant),
        "precision": _mean(hits / k),
    }


def expected_random(num_candidates: Ints, num_relevant: Ints, k: int) -> dict[str, float]:
    """hr, ndcg at K that a ranking drawn by lot attains in expectation, exactly; means over lists.

    num_candidates: (n,), relevant ones included; num_relevant: (n,) ≥ 1. Of n candidates with m relevant,
    hr = 1 − C(n−m, K)/C(n, K) and ndcg = (m/n) Σ_{r < min(K, n)} 1/log₂(r+2) / IDCG.
    """
    contested = num_candidates > 1  # a list of one candidate says nothing
    n, m = num_candidates[contested].astype(np.float64), num_relevant[contested]
    if n.size == 0:
        return {"hr": math.nan, "ndcg": math.nan}
    places = np.arange(min(k, int(n.max())), dtype=np.float64)
    miss = np.ones_like(n)
    mass = np.zeros_like(n)
    for place in places:
        left = n - place
        miss *= np.where(left > 0, np.clip(left - m, 0.0, None) / np.maximum(left, 1.0), 1.0)
        mass += np.where(left > 0, 1.0 / np.log2(place + 2.0), 0.0)
    return {"hr": _mean(1.0 - miss), "ndcg": _mean(m / n * mass / ideal_dcg(m, k))}


def _mean(values: npt.NDArray[np.float64] | npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else math.nan
