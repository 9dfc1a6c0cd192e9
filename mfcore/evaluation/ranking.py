"""Ranking metrics from ranks.

A rank is 0 for the best candidate and may end in .5, because ties count half. A NaN rank (nothing to compete with) is left
out of every mean, and the mean of nothing is NaN. ``case_values`` looks at one held-out item at a time (sampled ranking);
``user_values`` at a user's whole list with all relevant items (full ranking). With one relevant item a user the two agree.
"""

from __future__ import annotations

import math

import numpy as np

from mfcore.registry import METRICS, Found
from mfcore.typing import Bool, Float64, Int64


def gain(rank: Float64, k: int) -> Float64:
    """1/log₂(r+2) where r < K, else 0. rank: (n,) → (n,)."""
    return np.where(rank < k, 1.0 / np.log2(rank + 2.0), 0.0)


def ideal_dcg(num_relevant: Int64, k: int) -> Float64:
    """DCG@K of a list that has all relevant items on top. num_relevant: (n,) ≥ 1 → (n,)."""
    best = np.cumsum(1.0 / np.log2(np.arange(k, dtype=np.float64) + 2.0))
    return np.asarray(best[np.minimum(num_relevant, k) - 1])


def hit(rank: Float64, k: int) -> Float64:
    """1 where r < K, else 0. rank: any shape → the same."""
    return (rank < k).astype(np.float64)


def reciprocal_rank(rank: Float64, k: int) -> Float64:
    """1/(r+1) where r < K, else 0. rank: any shape → the same. (With one relevant item, average precision is this.)"""
    return np.where(rank < k, 1.0 / (rank + 1.0), 0.0)


def found_by_user(user: Int64, rank: Float64) -> tuple[Int64, Found]:
    """Cases gathered by user. user, rank: (C,), no NaN → users (U,) ascending, and where their items stand."""
    users, index, num_relevant = np.unique(user, return_inverse=True, return_counts=True)
    best = np.full(len(users), np.inf)
    np.minimum.at(best, index, rank)
    return users, Found(index, rank, num_relevant, best)


def hits(found: Found, k: int) -> Float64:
    """(U,): relevant items in the first K. Relevant items tied with one another share a middle rank, so more than K of them can
    seem to fit in K places: no more than K count."""
    return np.minimum(np.bincount(found.index, found.rank < k, minlength=len(found.best)), k)


def ndcg(found: Found, k: int) -> Float64:
    """(U,): DCG@K / IDCG@K."""
    dcg = np.bincount(found.index, gain(found.rank, k), minlength=len(found.best))
    return np.minimum(dcg / ideal_dcg(found.num_relevant, k), 1.0)


def average_precision(found: Found, k: int) -> Float64:
    """(U,): mean over min(relevant, K) of the precision at each relevant item in the first K."""
    order = np.lexsort((found.rank, found.index))
    owner, place = found.index[order], found.rank[order]
    so_far = np.arange(len(owner)) - np.searchsorted(owner, owner) + 1  # relevant items down to this one
    precision = np.where(place < k, so_far / (place + 1.0), 0.0)
    total = np.bincount(owner, precision, minlength=len(found.best))
    return np.minimum(total / np.minimum(found.num_relevant, k), 1.0)


def case_values(rank: Float64, k: int) -> dict[str, Float64]:
    """Each metric of sampled ranking at K, of each case. rank: any shape, no NaN → the same shape."""
    return {name: spec.of_cases(rank, spec.k(k)) for name, spec in METRICS.items() if spec.of_cases is not None}


def user_values(user: Int64, rank: Float64, k: int) -> tuple[Int64, dict[str, Float64]]:
    """Each metric of full ranking at K, of each user. user, rank: (C,), no NaN → users (U,) ascending, values (U,)."""
    users, found = found_by_user(user, rank)
    values = {name: spec.of_lists(found, spec.k(k)) for name, spec in METRICS.items() if spec.of_lists is not None}
    return users, values


def case_auc(half_rank: Float64, num_candidates: Int64) -> Float64:
    """Share of the other candidates that score less, ties half; NaN without any. half_rank: (…, C), num_candidates: (C,)."""
    others = num_candidates - 1.0
    return np.where(others > 0, 1.0 - half_rank / np.maximum(others, 1.0), np.nan)


def user_auc(user: Int64, half_rank: Float64, num_candidates: Int64) -> tuple[Int64, Float64]:
    """Area under the ROC curve of each user: share of (relevant, other) pairs in the right order, ties half.

    user, half_rank, num_candidates: (C,), the rank among all other candidates, relevant ones included, which among
    themselves cost m(m−1)/2 places whatever their order. NaN where every candidate is relevant.
    """
    users, first, index, relevant = np.unique(user, return_index=True, return_inverse=True, return_counts=True)
    passed = np.bincount(index, half_rank, minlength=len(users)) - relevant * (relevant - 1) / 2.0
    pairs = relevant * (num_candidates[first] - relevant).astype(np.float64)
    return users, np.where(pairs > 0, np.clip(1.0 - passed / np.maximum(pairs, 1.0), 0.0, 1.0), np.nan)


def per_case(rank: Float64, k: int) -> dict[str, float]:
    """hr, ndcg, mrr at K, as means over cases (and draws). rank: any shape."""
    return {name: _mean(values) for name, values in case_values(rank[~np.isnan(rank)], k).items()}


def per_user(user: Int64, rank: Float64, k: int) -> dict[str, float]:
    """hr, ndcg, mrr, recall, precision, map at K, as means over users with at least one case. user, rank: (C,)."""
    known = ~np.isnan(rank)
    return {name: _mean(values) for name, values in user_values(user[known], rank[known], k)[1].items()}


def expected_random(num_candidates: Int64, num_relevant: Int64, k: int) -> dict[str, float]:
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


def _mean(values: Float64 | Bool) -> float:
    return float(values.mean()) if values.size else math.nan
