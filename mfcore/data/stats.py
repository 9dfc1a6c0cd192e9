"""What a dataset and its split look like, in numbers: ratings, the long tail, a corner of the table, who is cold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mfcore.data.interactions import Interactions
from mfcore.data.split import Split
from mfcore.typing import Float32, Float64, Int64


def most_first(counts: Int64) -> Int64:
    """(n,) int64 indices of ``counts`` (n,), from the largest to the smallest; equal ones by index."""
    return np.argsort(-counts, kind="stable").astype(np.int64)


def mean_by(index: Int64, values: NDArray[Any], size: int) -> Float64:
    """Mean of ``values`` per index; NaN where there are none. index, values: (n,) → (size,) float64."""
    count = np.bincount(index, minlength=size)
    total = np.bincount(index, values, minlength=size)
    means: Float64 = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return means


def rating_histogram(data: Interactions, bins: int = 20) -> pd.DataFrame:
    """Columns rating (float64), count (int64) and width (float64, in rating units).

    One row per rating, of width 0, where at most ``bins`` different ones occur; else ``bins`` equal intervals of the scale,
    each named by its middle.
    """
    values, number = np.unique(data.rating, return_counts=True)
    width = 0.0
    if len(values) > bins:
        number, edges = np.histogram(data.rating, bins=bins, range=data.rating_scale)
        values, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    return pd.DataFrame({"rating": values.astype(np.float64), "count": number.astype(np.int64), "width": width})


def long_tail(data: Interactions) -> pd.DataFrame:
    """Items, most rated first (ties by index): columns item_idx, count, item_share and rating_share, both cumulative, 0 to 1.

    rating_share is NaN where there are no interactions.
    """
    number = data.popularity()
    order = most_first(number)
    cumulative = np.cumsum(number[order]).astype(np.float64)
    return pd.DataFrame(
        {
            "item_idx": order,
            "count": number[order],
            "item_share": np.arange(1, len(order) + 1) / len(order),
            "rating_share": cumulative / len(data) if len(data) else np.full(len(order), np.nan),
        }
    )


def head_share(tail: pd.DataFrame, head: float = 0.2) -> float:
    """Share of all ratings, 0 to 1, that the most rated ``head`` of the items hold (one item at least).

    ``tail``: as :func:`long_tail` gives it.
    """
    return float(tail["rating_share"].iloc[max(1, round(head * len(tail))) - 1])


def item_summary(data: Interactions) -> pd.DataFrame:
    """One row per item, by index: item_id, title, year, genres, count, mean_rating (NaN where never rated)."""
    table = data.item_table[["title", "year", "genres"]].copy()
    table.insert(0, "item_id", data.items.ids)
    table["count"] = data.popularity()
    table["mean_rating"] = mean_by(data.item_idx, data.rating, data.num_items)
    return table


def most_rated(data: Interactions, n: int | None = None) -> pd.DataFrame:
    """The ``n`` items with the most interactions (all, unless told), most first, with the columns of :func:`item_summary`
    and the items' indices as index."""
    table = item_summary(data)
    return table.iloc[most_first(table["count"].to_numpy())[:n]]


def block(data: Interactions, values: NDArray[Any], users: Int64, items: Int64) -> Float32:
    """The cells users × items of the table: (len(users), len(items)) float32, NaN where there is no interaction.

    Args:
        values: (n,) what to put in the cell of each interaction, such as its rating.
        users, items: the indices wanted, each once, in the order of rows and columns.
    """
    row, column = np.full(data.num_users, -1), np.full(data.num_items, -1)
    row[users], column[items] = np.arange(len(users)), np.arange(len(items))
    at = row[data.user_idx], column[data.item_idx]
    inside = (at[0] >= 0) & (at[1] >= 0)
    cells = np.full((len(users), len(items)), np.nan, dtype=np.float32)
    cells[at[0][inside], at[1][inside]] = values[inside]
    return cells


def part_of_rows(split: Split) -> Float32:
    """(n,) float32: 0, 1, 2 for an interaction in train, valid, test; NaN for one in none of them."""
    part = np.full(len(split.data), np.nan, dtype=np.float32)
    for number, rows in enumerate(split.rows.values()):
        part[rows] = number
    return part


def split_summary(split: Split) -> pd.DataFrame:
    """One row per part (train, valid, test), with columns

    rows, share (of all interactions, 0 to 1), users, items, cold_users, cold_items (who occur in this part, but never in
    train: nothing could be learnt about them), first, last (moments in UTC; missing without timestamps or rows).
    """
    return pd.DataFrame.from_dict({name: _part_facts(split, rows) for name, rows in split.rows.items()}, orient="index")


def _part_facts(split: Split, rows: Int64) -> dict[str, Any]:
    data = split.data
    facts: dict[str, Any] = {"rows": len(rows), "share": len(rows) / len(data)}
    for name, index in (("users", data.user_idx), ("items", data.item_idx)):
        there = np.unique(index[rows])
        facts[name] = len(there)
        facts[f"cold_{name}"] = len(np.setdiff1d(there, index[split.train_rows]))
    times = None if data.timestamp is None or len(rows) == 0 else data.timestamp[rows]
    for name, end in (("first", np.min), ("last", np.max)):
        facts[name] = None if times is None else pd.Timestamp(int(end(times)), unit="s", tz="UTC")
    return facts
