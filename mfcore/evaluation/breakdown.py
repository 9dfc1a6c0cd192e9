"""For whom, and for what, a model works: metrics by how active users are and how popular items are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mfcore.data import Split
from mfcore.evaluation import ranking
from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.summary import UserSums, user_sums
from mfcore.typing import Int64
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
    drawn, whole = details.rank_draws, details.rank_full
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
