"""What a dataset and its split look like, in numbers: counts, ratings, the long tail, who is cold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mfcore.data.interactions import Interactions
from mfcore.data.split import Split


@dataclass(frozen=True)
class Counts:
    """The size and emptiness of a dataset. Means, medians and extremes are of interactions per user and per item."""

    interactions: int
    users: int
    items: int
    density: float
    mean_rating: float
    per_user: tuple[int, float, int]
    per_item: tuple[int, float, int]
    first: pd.Timestamp | None
    last: pd.Timestamp | None


def counts(data: Interactions) -> Counts:
    """Counts of ``data``; ``per_user`` and ``per_item`` are (fewest, median, most); mean rating is NaN without ratings."""
    first, last = _dates(data)
    return Counts(
        interactions=len(data),
        users=data.num_users,
        items=data.num_items,
        density=data.density,
        mean_rating=_mean_rating(data),
        per_user=_spread(np.bincount(data.user_idx, minlength=data.num_users)),
        per_item=_spread(data.popularity()),
        first=first,
        last=last,
    )


def rating_histogram(data: Interactions, bins: int = 20) -> pd.DataFrame:
    """Columns rating, count. One row per rating where there are at most ``bins`` of them, else ``bins`` equal intervals of the
    scale, each named by its middle."""
    values, number = np.unique(data.rating, return_counts=True)
    if len(values) > bins:
        number, edges = np.histogram(data.rating, bins=bins, range=data.rating_scale)
        values = (edges[:-1] + edges[1:]) / 2
    return pd.DataFrame({"rating": values.astype(np.float64), "count": number.astype(np.int64)})


def long_tail(data: Interactions) -> pd.DataFrame:
    """Items, most rated first (ties by index): columns item_idx, count, item_share and rating_share, both cumulative, 0 to 1.

    rating_share is NaN where there are no interactions.
    """
    number = data.popularity()
    order = np.argsort(-number, kind="stable")
    cumulative = np.cumsum(number[order]).astype(np.float64)
    return pd.DataFrame(
        {
            "item_idx": order.astype(np.int64),
            "count": number[order],
            "item_share": np.arange(1, len(order) + 1) / len(order),
            "rating_share": cumulative / len(data) if len(data) else np.full(len(order), np.nan),
        }
    )


def item_summary(data: Interactions) -> pd.DataFrame:
    """One row per item, by index: item_id, title, year, genres, count, mean_rating (NaN where never rated)."""
    number = data.popularity()
    total = np.bincount(data.item_idx, weights=data.rating, minlength=data.num_items)
    table = data.item_table[["title", "year", "genres"]].copy()
    table.insert(0, "item_id", data.items.ids)
    table["count"] = number
    table["mean_rating"] = np.divide(total, number, out=np.full(len(number), np.nan), where=number > 0)
    return table


def most_rated(data: Interactions, n: int = 10) -> pd.DataFrame:
    """The ``n`` items with the most interactions, most first, with the columns of :func:`item_summary`."""
    table = item_summary(data)
    return table.iloc[long_tail(data)["item_idx"].to_numpy()[:n]]


def split_summary(split: Split) -> pd.DataFrame:
    """One row per part (train, valid, test), with columns

    rows, share (of all interactions), users, items, mean_rating, first, last (dates, missing without timestamps),
    cold_users, cold_items (who occur in this part, but never in train: nothing could be learnt about them).
    """
    seen_users, seen_items = set(split.train.user_idx.tolist()), set(split.train.item_idx.tolist())
    rows: dict[str, dict[str, Any]] = {}
    for name, part in (("train", split.train), ("valid", split.valid), ("test", split.test)):
        users, items = set(part.user_idx.tolist()), set(part.item_idx.tolist())
        first, last = _dates(part)
        rows[name] = {
            "rows": len(part),
            "share": len(part) / len(split.data),
            "users": len(users),
            "items": len(items),
            "mean_rating": _mean_rating(part),
            "first": first,
            "last": last,
            "cold_users": len(users - seen_users),
            "cold_items": len(items - seen_items),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _mean_rating(data: Interactions) -> float:
    return float(data.rating.mean(dtype=np.float64)) if len(data) else float("nan")


def _spread(number: Any) -> tuple[int, float, int]:
    return int(number.min()), float(np.median(number)), int(number.max())


def _dates(data: Interactions) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """First and last moment (UTC), None where there is none."""
    if data.timestamp is None or len(data) == 0:
        return None, None
    first, last = int(data.timestamp.min()), int(data.timestamp.max())
    return pd.Timestamp(first, unit="s", tz="UTC"), pd.Timestamp(last, unit="s", tz="UTC")
