"""How far a figure can be trusted: other users might have been asked, other seeds drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.summary import UserSums, finished, user_sums
from mfcore.typing import Float64
from mfcore.validate import integer, number

REPLICATES = 2000
WEIGHTS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds that ``level`` (0.95: 95 %) of the resamples fall within, over ``num_users`` users."""

    value: float
    low: float
    high: float
    num_users: int
    level: float = 0.95


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n − 1; NaN for a single value) over ``count`` runs that differ by their seed."""

    mean: float
    sd: float
    count: int


def bootstrap_intervals(
    details: EvaluationDetails, k: int | None = None, *, level: float = 0.95, replicates: int = REPLICATES, seed: int = 0
) -> dict[str, Interval]:
    """Percentile bootstrap over users of every defined metric of :func:`mfcore.evaluation.summarise`.

    Users are drawn with replacement, each with all their cases and ratings. It says how figures would vary with other users of
    the same kind; not how they vary with the seed of training. NaN bounds where only one user has the metric.
    """
    sums = user_sums(details, k)
    values = {name: sums.figure(name) for name in sums.total}
    names = [name for name, value in values.items() if math.isfinite(value)]
    samples = resampled(sums, names, replicates=replicates, seed=seed)
    found = {}
    for name in names:
        users = int((sums.count[name] > 0).sum())
        low, high = bounds(samples[name], level) if users > 1 else (math.nan, math.nan)
        found[name] = Interval(values[name], low, high, users, level)
    return found


def over_seeds(results: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Metric → mean and standard deviation over runs; a metric that some lack is taken over the rest."""
    names = dict.fromkeys(name for result in results for name in result)
    found = {}
    for name in names:
        values = np.array([result[name] for result in results if name in result], np.float64)
        sd = float(values.std(ddof=1)) if len(values) > 1 else math.nan
        found[name] = Spread(float(values.mean()), sd, len(values))
    return found


def resampled(sums: UserSums, names: Sequence[str], *, replicates: int, seed: int) -> dict[str, Float64]:
    """Metric → its figure in each resample, (replicates,); NaN where nobody drawn has it. Same users and seed, same draws."""
    replicates = integer("replicates", replicates, low=1)
    if not names or not len(sums.users):
        return {}
    total = np.stack([sums.total[name] for name in names], axis=1)
    count = np.stack([sums.count[name] for name in names], axis=1)
    figures = []
    for weights in _weights(len(sums.users), replicates, seed):
        times = weights @ count
        figures.append(np.divide(weights @ total, times, out=np.full_like(times, np.nan), where=times > 0))
    table = np.concatenate(figures)
    return {name: np.array([finished(name, one) for one in table[:, i].tolist()]) for i, name in enumerate(names)}


def bounds(samples: Float64, level: float) -> tuple[float, float]:
    """The central ``level`` of the defined samples."""
    level = number("level", level, above=0.0, below=1.0)
    known = samples[~np.isnan(samples)]
    if not known.size:
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _weights(users: int, replicates: int, seed: int) -> Iterator[Float64]:
    """How often each user is drawn, (r, users) at a time."""
    rng = np.random.default_rng(seed)
    at_once = max(1, WEIGHTS_AT_ONCE // users)
    for start in range(0, replicates, at_once):
        size = (min(at_once, replicates - start), users)
        drawn = rng.integers(0, users, size) + users * np.arange(size[0])[:, None]
        yield np.bincount(drawn.ravel(), minlength=size[0] * users).reshape(size).astype(np.float64)
