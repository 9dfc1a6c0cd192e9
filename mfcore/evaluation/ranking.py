"""Ranking metrics from places.

A place is 0 for the best candidate. An item with the same score as others stands in any of their places, and what counts is the
mean over all orders of those that tie, exactly: so a model that scores everything alike is as good as a ranking drawn by lot.
Nothing to compete with is left out of every mean, and the mean of nothing is NaN. ``case_values`` looks at one held-out item at
a time (sampled ranking); ``user_values`` at a user's whole list with all relevant items (full ranking). With one relevant item
a user the two agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.registry import METRICS, Found
from mfcore.typing import Bool, Float64, Int64

OfPlace = Callable[[Float64], Float64]
"""A function of places from 0, (n,) → (n,)."""


# --- what a place is worth ---------------------------------------------------------------------------------------------------


def gain(place: Float64, k: int) -> Float64:
    """1/log₂(r+2) where r < K, else 0. place: any shape → the same."""
    return np.where(place < k, 1.0 / np.log2(place + 2.0), 0.0)


def hit(place: Float64, k: int) -> Float64:
    """1 where r < K, else 0. place: any shape → the same."""
    return (place < k).astype(np.float64)


def reciprocal_rank(place: Float64, k: int) -> Float64:
    """1/(r+1) where r < K, else 0. place: any shape → the same. (With one relevant item, average precision is this.)"""
    return np.where(place < k, 1.0 / (place + 1.0), 0.0)


def ideal_dcg(num_relevant: Int64, k: int) -> Float64:
    """DCG@K of a list that has all relevant items on top. num_relevant: (n,) ≥ 1 → (n,)."""
    best = np.cumsum(1.0 / np.log2(np.arange(k, dtype=np.float64) + 2.0))
    return np.asarray(best[np.minimum(num_relevant, k) - 1])


# --- one item at a time ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Places:
    """Where items stand among other candidates. All: any shape, the same.

    Attributes:
        above: int64, candidates that score more. tied: int64, others that score the same and may stand on either side.
        known: bool, whether there was anything to compete with.
    """

    above: Int64
    tied: Int64
    known: Bool

    def __getitem__(self, which: Any) -> Places:
        return Places(self.above[which], self.tied[which], self.known[which])

    def under(self, ties: str) -> Places:
        """Without ties: all that tie come after these (optimistic) or before them (pessimistic); as they are for ``mean``."""
        if ties == "mean":
            return self
        return Places(self.above + (self.tied if ties == "pessimistic" else 0), np.zeros_like(self.tied), self.known)

    @property
    def mean(self) -> Float64:
        """The mean place of each; NaN where nothing competed."""
        return np.where(self.known, self.above + self.tied / 2.0, np.nan)

    def expected(self, worth: OfPlace) -> Float64:
        """The mean of ``worth`` over the places that each may have; NaN where nothing competed."""
        table, sums = _tabulated(worth, int((self.above + self.tied).max(initial=0)) + 1)
        tied = (sums[self.above + self.tied + 1] - sums[self.above]) / (self.tied + 1.0)
        return np.where(self.known, np.where(self.tied == 0, table[self.above], tied), np.nan)


def case_values(places: Places, k: int) -> dict[str, Float64]:
    """Each metric of sampled ranking at K, of each case; NaN where nothing competed."""
    return {name: _expected(spec.of_cases, spec.k(k), places) for name, spec in METRICS.items() if spec.of_cases is not None}


def _expected(of_cases: Callable[[Float64, int], Float64], k: int, places: Places) -> Float64:
    return places.expected(lambda place: of_cases(place, k))


def case_auc(half_rank: Float64, num_candidates: Int64) -> Float64:
    """Share of the other candidates that score less, ties half; NaN without any. half_rank: (…, C), num_candidates: (C,)."""
    others = num_candidates - 1.0
    return np.where(others > 0, 1.0 - half_rank / np.maximum(others, 1.0), np.nan)


def per_case(places: Places, k: int) -> dict[str, float]:
    """hr, ndcg, mrr at K, as means over cases (and draws)."""
    return {name: _mean(values[places.known]) for name, values in case_values(places, k).items()}


# --- whole lists -------------------------------------------------------------------------------------------------------------


def found_by_user(user: Int64, places: Places, ties: str = "mean") -> tuple[Int64, Found]:
    """Cases gathered by user. user: (C,), places: of each among all candidates, all known → users (U,) ascending, and where
    their items stand. Relevant items of one score have the same ``above``; others that tie come after them if ``ties`` is
    optimistic, before if it is pessimistic.
    """
    users, index, num_relevant = np.unique(user, return_inverse=True, return_counts=True)
    order = np.lexsort((places.above, index))
    owner, above, tied = index[order], places.above[order], places.tied[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (owner[1:] != owner[:-1]) | (above[1:] != above[:-1])
    starts = np.flatnonzero(begins)
    relevant = np.diff(np.append(starts, len(order)))
    first, size = above[starts], np.maximum(tied[starts] + 1, relevant)  # several that are not finite all stand last
    if ties != "mean":
        first = first + (size - relevant if ties == "pessimistic" else 0)
        size = relevant
    before = starts - np.searchsorted(owner, owner[starts])
    return users, Found(num_relevant, owner[starts], first, size, relevant, before)


def of_all(found: Found, worth: OfPlace) -> Float64:
    """(U,): the sum of ``worth`` over the places of all relevant items, a mean over all orders of those that tie."""
    _, sums = _tabulated(worth, int((found.first + found.size).max(initial=0)))
    each = found.relevant / found.size * (sums[found.first + found.size] - sums[found.first])
    return np.bincount(found.user, each, minlength=len(found.num_relevant)).astype(np.float64)


def of_first(found: Found, worth: OfPlace, k: int) -> Float64:
    """(U,): ``worth`` of the place of the first relevant item, a mean over all orders; ``worth`` is 0 from place K on."""
    top = found.before == 0  # one group a user
    first, size, relevant = found.first[top], found.size[top].astype(np.float64), found.relevant[top].astype(np.float64)
    table = worth(np.arange(k, dtype=np.float64))
    value = np.zeros(len(first))
    chance, left = relevant / size, np.ones(len(first))  # that it stands here, and that it does not stand above
    for step in range(k):
        place = first + step
        open_ = (place < k) & (left > 0.0)
        if not open_.any():
            break
        value[open_] += (left * chance)[open_] * table[place[open_]]
        left = left * (1.0 - chance)
        rest = size - step - 1.0
        chance = np.where(rest > 0, np.minimum(relevant / np.maximum(rest, 1.0), 1.0), 0.0)
    return value


def hits(found: Found, k: int) -> Float64:
    """(U,): relevant items in the first K."""
    return of_all(found, lambda place: hit(place, k))


def ndcg(found: Found, k: int) -> Float64:
    """(U,): DCG@K / IDCG@K."""
    return of_all(found, lambda place: gain(place, k)) / ideal_dcg(found.num_relevant, k)


def average_precision(found: Found, k: int) -> Float64:
    """(U,): mean over min(relevant, K) of the precision at each relevant item in the first K.

    A relevant item at place a + j of a group of t that holds s relevant ones and begins at a has, on average,
    j (s − 1)/(t − 1) of the others before it in the group.
    """
    first, size, relevant = (part.astype(np.float64) for part in (found.first, found.size, found.relevant))
    each = np.zeros(len(first))
    share = (relevant - 1.0) / np.maximum(size - 1.0, 1.0)
    for place in range(k):
        inside = (first <= place) & (place < first + size)
        so_far = found.before + 1.0 + (place - first) * share
        each += np.where(inside, relevant / size * so_far / (place + 1.0), 0.0)
    total = np.bincount(found.user, each, minlength=len(found.num_relevant))
    return np.asarray(total / np.minimum(found.num_relevant, k))


def user_values(user: Int64, places: Places, k: int, ties: str = "mean") -> tuple[Int64, dict[str, Float64]]:
    """Each metric of full ranking at K, of each user with a case that had competitors → users (U,) ascending, values (U,)."""
    users, found = found_by_user(user[places.known], places[places.known], ties)
    values = {name: spec.of_lists(found, spec.k(k)) for name, spec in METRICS.items() if spec.of_lists is not None}
    return users, values


def user_auc(user: Int64, half_rank: Float64, num_candidates: Int64) -> tuple[Int64, Float64]:
    """Area under the ROC curve of each user: share of (relevant, other) pairs in the right order, ties half.

    user, half_rank, num_candidates: (C,), the rank among all other candidates, relevant ones included, which among
    themselves cost m(m−1)/2 places whatever their order. NaN where every candidate is relevant.
    """
    users, first, index, relevant = np.unique(user, return_index=True, return_inverse=True, return_counts=True)
    passed = np.bincount(index, half_rank, minlength=len(users)) - relevant * (relevant - 1) / 2.0
    pairs = relevant * (num_candidates[first] - relevant).astype(np.float64)
    return users, np.where(pairs > 0, np.clip(1.0 - passed / np.maximum(pairs, 1.0), 0.0, 1.0), np.nan)


def per_user(user: Int64, places: Places, k: int, ties: str = "mean") -> dict[str, float]:
    """hr, ndcg, mrr, recall, precision, map at K, as means over users with at least one case. user, places: (C,)."""
    return {name: _mean(values) for name, values in user_values(user, places, k, ties)[1].items()}


# --- by lot ------------------------------------------------------------------------------------------------------------------


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


def _tabulated(worth: OfPlace, places: int) -> tuple[Float64, Float64]:
    """``worth`` of the first places, and its sums: (n,) and (n + 1,)."""
    table = np.asarray(worth(np.arange(max(places, 1), dtype=np.float64)), np.float64)
    return table, np.concatenate([[0.0], np.cumsum(table)])


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if values.size else math.nan
