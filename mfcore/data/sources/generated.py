"""Ratings made here: some with nothing to learn, some with a known answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfcore.data.interactions import Interactions, make_item_table
from mfcore.data.sources.long_tail import long_tailed_cells
from mfcore.data.vocabulary import Vocabulary
from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import require

MAX_INTERACTIONS = 40_000_000
MOST_CELLS = 20_000_000
"""Cells of a matrix of which all are made."""
_RATINGS_AT_ONCE = 1_000_000


def synthetic(*, num_users: int = 1000, num_items: int = 1000, density: float = 0.01, seed: int = 0) -> Interactions:
    """Whole-number ratings 1 to 4, each as likely, at random places: there is nothing to learn.

    The best possible RMSE is that of always saying 2.5: √1.25 = 1.118.
    """
    rng = np.random.default_rng(seed)
    user_idx, item_idx = _places(rng, num_users, num_items, density)
    rating = rng.integers(1, 5, size=len(user_idx)).astype(np.float32)
    return _made("synthetic", user_idx, item_idx, rating, num_users, num_items, (1.0, 4.0))


def planted(
    *,
    num_users: int = 500,
    num_items: int = 300,
    density: float = 0.1,
    rank: int = 4,
    noise: float = 0.25,
    popularity: float = 0.0,
    selection: float = 0.0,
    seed: int = 0,
) -> Interactions:
    """Real-valued ratings 3 + p_u·q_i + e with known factors and e ~ N(0, noise²), kept within 1 to 5.

    A model of at least ``rank`` dimensions that knows the mean can reach an RMSE of ``noise`` and no less. The signal is
    scaled down to leave three standard deviations of noise inside the scale, so few ratings are cut; beyond a noise of 0.5
    the cut shows.
    ``planted`` holds (P (num_users, rank), Q (num_items, rank)), float64.

    ``popularity``: 0 rates any place as likely; above that, items and users have a long tail
    (:func:`mfcore.data.sources.long_tail.long_tailed_cells`).

    ``selection``: 0 observes a rating whatever it is. Above that ratings are missing not at random, as in life, where people
    rate what they like: a rating one higher is e^selection times as likely to be observed, as long as few are. The observed
    mean is then above the mean of all ratings, by selection · variance for small values. Not together with
    ``popularity``.
    """
    rng = np.random.default_rng(seed)
    reach = 2.0 - min(3.0 * noise, 1.5)
    p, q = (np.sqrt(reach) * _within_unit_ball(rng, size, rank) for size in (num_users, num_items))
    if selection:
        return _selected(rng, p, q, density, noise, popularity, selection)
    user_idx, item_idx = _places(rng, num_users, num_items, density, popularity)
    rating = np.empty(len(user_idx), np.float32)
    for start in range(0, len(rating), _RATINGS_AT_ONCE):
        some = slice(start, start + _RATINGS_AT_ONCE)
        exact = 3.0 + np.einsum("nd,nd->n", p[user_idx[some]], q[item_idx[some]])
        rating[some] = np.clip(exact + noise * rng.standard_normal(len(exact)), 1.0, 5.0)
    return _made("planted", user_idx, item_idx, rating, num_users, num_items, (1.0, 5.0), (p, q))


def _selected(
    rng: np.random.Generator, p: Float64, q: Float64, density: float, noise: float, popularity: float, selection: float
) -> Interactions:
    """Planted ratings of which those are observed that have the largest score s·r + Gumbel noise: a draw without replacement
    in proportion to e^(s·r), which is the exact way to say that (Efraimidis and Spirakis 2006). All cells are made."""
    num_users, num_items = len(p), len(q)
    cells = num_users * num_items
    wanted = max(1, round(density * cells))
    require(
        cells <= MOST_CELLS and not popularity,
        f"selection makes every cell of the matrix, at most {MOST_CELLS:,}, and goes without popularity; "
        f"got {num_users} users x {num_items} items, popularity {popularity:g}",
    )
    rating = np.clip(3.0 + (p @ q.T).ravel() + noise * rng.standard_normal(cells), 1.0, 5.0).astype(np.float32)
    score = selection * rating + rng.gumbel(size=cells)
    chosen = np.argpartition(-score, wanted - 1)[:wanted]
    cell = rng.permutation(chosen).astype(np.int64)
    return _made("planted", cell // num_items, cell % num_items, rating[cell], num_users, num_items, (1.0, 5.0), (p, q))


def communities(
    *,
    num_users: int = 400,
    num_items: int = 240,
    density: float = 0.1,
    groups: int = 4,
    strength: float = 1.5,
    noise: float = 0.5,
    loyalty: float = 0.5,
    seed: int = 0,
) -> Interactions:
    """Users and items in ``groups`` groups of equal size; a user's rating is 3 + strength/2 within their own group and
    3 − strength/2 elsewhere, plus e ~ N(0, noise²), kept within 1 to 5.

    Who knows the groups reaches an RMSE of ``noise``, less where the scale cuts it. ``loyalty``: share of a user's ratings
    that stay within the group by intent; the others fall anywhere, so that 0 rates all alike. Groups are dealt out at random:
    neither users nor items are in their order. ``planted`` holds (P (num_users, groups), Q (num_items, groups)), such that
    3 + P·Qᵀ is the rating without noise.
    """
    rng = np.random.default_rng(seed)
    of_user, of_item = (rng.permutation(np.arange(size) % groups) for size in (num_users, num_items))
    cells = num_users * num_items
    wanted = max(1, round(density * cells))
    require(cells <= MOST_CELLS, f"communities makes every cell of the matrix, at most {MOST_CELLS:,}; got {cells:,}")
    inside = (of_user[:, None] == of_item[None, :]).ravel()
    share = float(inside.mean()) or 1.0
    weight = np.where(inside, (1.0 - loyalty) + loyalty / share, 1.0 - loyalty)
    with np.errstate(divide="ignore"):  # a weight of 0 is a score of minus infinity: last of all
        score = np.log(weight) + rng.gumbel(size=cells)
    cell = rng.permutation(np.argpartition(-score, wanted - 1)[:wanted]).astype(np.int64)
    exact = 3.0 + strength * (inside[cell] - 0.5)
    rating = np.clip(exact + noise * rng.standard_normal(wanted), 1.0, 5.0).astype(np.float32)
    user, item = (np.eye(groups)[of] for of in (of_user, of_item))
    factors = (strength * (user - 0.5), item)
    return _made("communities", cell // num_items, cell % num_items, rating, num_users, num_items, (1.0, 5.0), factors)


def _within_unit_ball(rng: np.random.Generator, size: int, rank: int) -> Float64:
    """(size, rank) directions at random with lengths 0.7 to 1: no dot product of two exceeds 1."""
    vectors = rng.standard_normal((size, rank))
    lengths = rng.uniform(0.7, 1.0, size=(size, 1))
    scaled: Float64 = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * lengths
    return scaled


def _places(
    rng: np.random.Generator, num_users: int, num_items: int, density: float, popularity: float = 0.0
) -> tuple[Int64, Int64]:
    cells = num_users * num_items
    wanted = max(1, round(density * cells))
    require(
        wanted <= MAX_INTERACTIONS,
        f"{num_users} users x {num_items} items at density {density:g} are {wanted:,} ratings; at most {MAX_INTERACTIONS:,}",
    )
    cell = long_tailed_cells(rng, num_users, num_items, wanted, popularity) if popularity else _distinct(rng, cells, wanted)
    return cell // num_items, cell % num_items


def _distinct(rng: np.random.Generator, below: int, wanted: int) -> Int64:
    """(wanted,) distinct whole numbers below ``below``, any set as likely, in random order. Memory grows with ``wanted``
    only, unlike Generator.choice, which may list all of them first."""
    if wanted * 2 > below:
        return rng.permutation(below)[:wanted].astype(np.int64)
    drawn = np.unique(rng.integers(below, size=wanted))
    while len(drawn) < wanted:
        drawn = np.unique(np.concatenate([drawn, rng.integers(below, size=wanted)]))
    return rng.permutation(drawn)[:wanted].astype(np.int64)


def _made(
    name: str,
    user_idx: Int64,
    item_idx: Int64,
    rating: Float32,
    num_users: int,
    num_items: int,
    scale: tuple[float, float],
    factors: Any = None,
) -> Interactions:
    return Interactions(
        user_idx=user_idx,
        item_idx=item_idx,
        rating=rating,
        timestamp=None,
        users=Vocabulary(np.arange(1, num_users + 1), "user"),
        items=Vocabulary(np.arange(1, num_items + 1), "item"),
        item_table=make_item_table([f"Item {number}" for number in range(1, num_items + 1)]),
        rating_scale=scale,
        name=name,
        planted=factors,
    )
