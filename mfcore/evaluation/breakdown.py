"""For whom, and for what, a model works: metrics by how active users are and how popular items are."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mfcore.data import Split
from mfcore.evaluation import ranking
from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.summary import UserSums, user_sums
from mfcore.evaluation.uncertainty import bootstrap_intervals
from mfcore.registry import METRICS
from mfcore.typing import Bool, Int64
from mfcore.validate import integer

DECILES = 10


def by_user_activity(details: EvaluationDetails, split: Split, k: int | None = None) -> pd.DataFrame:
    """Evaluated users in ten groups by their number of training interactions, least active first.

    Columns: decile (1 … 10), low, high (fewest and most interactions in it), num_users, hr, ndcg (sampled), hr_full, ndcg_full,
    rmse (NaN where undefined), users ((m,) int64 user_idx, least active first). Users as active as each other stay together,
    so groups differ in size, and a decile without any is absent.
    """
    sums = user_sums(details, k)
    k = details.k if k is None else k
    activity = np.bincount(split.train.user_idx, minlength=split.data.num_users)[sums.users]
    names = {"hr": f"hr@{k}", "ndcg": f"ndcg@{k}", "hr_full": f"hr@{k}/full", "ndcg_full": f"ndcg@{k}/full", "rmse": "rmse"}
    rows = []
    for decile, members in _groups(activity):
        part = sums.of(sums.users[np.sort(members)])
        figures = [_figure(part, name) for name in names.values()]
        low, high = activity[members[[0, -1]]].tolist()
        rows.append((decile, low, high, len(members), *figures, sums.users[members]))
    return _frame(rows, ["decile", "low", "high", "num_users", *names, "users"])


def by_item_popularity(details: EvaluationDetails, split: Split, k: int | None = None) -> pd.DataFrame:
    """The whole catalogue in ten groups by training interactions, least popular first: how well are items found when they are
    what somebody held out?

    Columns: decile, low, high (interactions), num_items, num_cases, hr, ndcg (sampled), hr_full, ndcg_full (per case: each
    held-out item on its own), rmse, items ((m,) int64 item_idx, least popular first). Undefined is NaN.
    """
    k = details.k if k is None else integer("k", k, low=1)
    popularity = split.train.popularity()
    drawn, whole = details.places_draws, details.places_full
    error = (details.predicted.astype(np.float64) - details.actual) ** 2
    rows = []
    for decile, members in _groups(popularity):
        chosen = np.zeros(len(popularity), np.bool_)
        chosen[members] = True
        case, rated = chosen[details.case_item], chosen[details.rating_item]
        sampled, full = ranking.per_case(drawn[:, case], k), ranking.per_case(whole[case], k)
        rmse = float(np.sqrt(error[rated].mean())) if rated.any() else np.nan
        figures = [sampled["hr"], sampled["ndcg"], full["hr"], full["ndcg"], rmse]
        low, high = popularity[members[[0, -1]]].tolist()
        rows.append((decile, low, high, len(members), int(case.sum()), *figures, members))
    columns = ["decile", "low", "high", "num_items", "num_cases", "hr", "ndcg", "hr_full", "ndcg_full", "rmse", "items"]
    return _frame(rows, columns)


def _groups(values: Int64) -> list[tuple[int, Int64]]:
    """(decile, positions by ascending value). Equal values share the decile of their middle."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    below = np.searchsorted(ordered, ordered)
    middle = (below + np.searchsorted(ordered, ordered, side="right")) / 2.0
    decile = np.ceil(DECILES * middle / max(1, len(values))).astype(np.int64).clip(1, DECILES)
    return [(number, order[decile == number]) for number in range(1, DECILES + 1) if (decile == number).any()]


def _figure(sums: UserSums, name: str) -> float:
    return sums.figure(name) if name in sums.total else np.nan


def _frame(rows: Sequence[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=columns)
    whole = [name for name in ("decile", "low", "high", "num_users", "num_items", "num_cases") if name in columns]
    real = [name for name in columns if name not in (*whole, "users", "items")]
    types: dict[str, str] = dict.fromkeys(whole, "int64") | dict.fromkeys(real, "float64")
    return frame.astype(types)


# --- why one end does better than the other ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class End:
    """One end of a breakdown: ``value`` of the metric with its 95 % interval (NaN where it has none), and what was measured
    there: ``num_users``, ``num_cases``; means over its cases of ``held_popularity`` (training interactions of what is to be
    found) and ``rivals`` (other candidates of full ranking); of its ratings, the standard deviation of the true (``spread``)
    and the mean of predicted less true (``lean``). Undefined is NaN."""

    value: float
    low: float
    high: float
    num_users: int
    num_cases: int
    held_popularity: float
    rivals: float
    spread: float
    lean: float


@dataclass(frozen=True)
class Contrast:
    """The two ends of a breakdown. ``at_equal_popularity``: ``most.value − least.value`` once the cases of both are weighed so
    that what is to be found is as well known at one end as at the other; NaN where that cannot be said."""

    least: End
    most: End
    at_equal_popularity: float = math.nan

    @property
    def told_apart(self) -> bool:
        """Whether the intervals of the two ends leave each other alone."""
        least, most = self.least, self.most
        return least.high < most.low or most.high < least.low


STRATA = 10
"""Groups of like popularity, of as many cases each, within which the two ends are set against each other."""


def user_contrast(details: EvaluationDetails, split: Split, metric: str, found: pd.DataFrame) -> Contrast:
    """The least against the most active tenth of users, as :func:`by_user_activity` ``found`` them. ``metric``: as in
    :func:`mfcore.evaluation.summarise`."""
    ends = [np.asarray(found["users"].iloc[place], np.int64) for place in (0, -1)]
    parts = [only(details, np.isin(details.case_user, end), np.isin(details.rating_user, end)) for end in ends]
    popularity = split.train.popularity()
    gap = _gap_at_equal_popularity(parts[0], parts[1], popularity, metric)
    return Contrast(_end(parts[0], popularity, metric), _end(parts[1], popularity, metric), gap)


def item_contrast(details: EvaluationDetails, split: Split, metric: str, found: pd.DataFrame) -> Contrast | None:
    """The least against the most popular items that have cases, as :func:`by_item_popularity` ``found`` them; None where fewer
    than two groups have any. Full ranking counts each held-out item on its own, as the breakdown does."""
    named = metric in ("rmse", "mae")
    held = np.isin(found["items"].explode(), details.rating_item if named else details.case_item)
    there = found[pd.Series(held, index=found["items"].explode().index).groupby(level=0).any().to_numpy()]
    if len(there) < 2:
        return None
    ends = [np.asarray(there["items"].iloc[place], np.int64) for place in (0, -1)]
    parts = [only(details, np.isin(details.case_item, end), np.isin(details.rating_item, end)) for end in ends]
    if metric.endswith("/full"):
        parts, metric = [_each_alone(part) for part in parts], metric.removesuffix("/full")
    popularity = split.train.popularity()
    return Contrast(_end(parts[0], popularity, metric), _end(parts[1], popularity, metric))


def only(details: EvaluationDetails, cases: Bool, ratings: Bool) -> EvaluationDetails:
    """The evaluation of some of the cases and ratings, both masks."""
    kept: dict[str, Any] = {name: getattr(details, name)[cases] for name in _OF_CASES}
    kept |= {name: getattr(details, name)[:, cases] for name in ("greater_sampled", "equal_sampled")}
    kept |= {name: getattr(details, name)[ratings] for name in ("rating_user", "rating_item", "predicted", "actual")}
    return dataclasses.replace(details, **kept, greater_free=None, equal_free=None, num_free=None)


_OF_CASES = ("case_user", "case_item", "greater_full", "equal_full", "num_sampled", "num_full", "num_relevant")


def _each_alone(details: EvaluationDetails) -> EvaluationDetails:
    """Full ranking in the place of the sampled one, which is a mean over cases."""
    draws: dict[str, Any] = {"greater_sampled": details.greater_full[None], "equal_sampled": details.equal_full[None]}
    return dataclasses.replace(details, **draws, num_sampled=details.num_full)


def _end(details: EvaluationDetails, popularity: Int64, metric: str) -> End:
    found = bootstrap_intervals(details).get(metric)
    value, low, high = (math.nan, math.nan, math.nan) if found is None else (found.value, found.low, found.high)
    cases = len(details.case_user)
    return End(
        value,
        low,
        high,
        num_users=0 if found is None else found.num_users,
        num_cases=cases,
        held_popularity=float(popularity[details.case_item].mean()) if cases else math.nan,
        rivals=float(details.num_full.mean()) - 1 if cases else math.nan,
        spread=float(details.actual.std()) if len(details.actual) else math.nan,
        lean=float((details.predicted - details.actual).mean()) if len(details.actual) else math.nan,
    )


def _gap_at_equal_popularity(least: EvaluationDetails, most: EvaluationDetails, popularity: Int64, metric: str) -> float:
    """Most less least, a mean over strata of popularity that both have cases in; NaN unless the metric is a mean over cases."""
    name, _, rest = metric.partition("@")
    full = rest.endswith("/full")
    alone = all(len(np.unique(part.case_user)) == len(part.case_user) for part in (least, most))
    if METRICS[name].of_cases is None or (full and not alone) or not min(len(least.case_item), len(most.case_item)):
        return math.nan
    values, known = [], []
    for part in (least, most):
        places = part.places_full[None] if full else part.places_draws
        values.append(np.nan_to_num(ranking.case_values(places, part.k)[name]).mean(axis=0))
        known.append(popularity[part.case_item])
    edges = np.unique(np.quantile(np.concatenate(known), np.linspace(0, 1, STRATA + 1)[1:-1]))
    strata = [np.searchsorted(edges, counts) for counts in known]
    counts = [np.bincount(stratum, minlength=len(edges) + 1) for stratum in strata]
    both = np.minimum(*counts) > 0
    if not both.any():
        return math.nan
    sums = [np.bincount(stratum, value, minlength=len(edges) + 1) for stratum, value in zip(strata, values, strict=True)]
    gap = sums[1][both] / counts[1][both] - sums[0][both] / counts[0][both]
    weight = counts[0][both] * counts[1][both] / (counts[0][both] + counts[1][both])
    return float((weight * gap).sum() / weight.sum())
