"""What the rows of a source of snapshots are: titles, years, ratings. Plain lists, ready for JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.data import Interactions
from mfcore.embeddings.rating_block import RatingBlock
from mfcore.embeddings.snapshots import Points, SnapshotSource
from mfcore.typing import Float32, Int64
from mfcore.validate import require


def check_fits(rows: SnapshotSource | RatingBlock, data: Interactions, whose: str) -> None:
    """Refuse snapshots of ``whose`` run that have items or users which its dataset does not know.

    Raises:
        UnusableRequest: they are of another dataset.
    """
    known = rows.item_idx.max(initial=-1) < data.num_items and rows.user_idx.max(initial=-1) < data.num_users
    require(bool(known), f"the snapshots of run {whose} do not fit its dataset; train it again")


def points_of(source: SnapshotSource, data: Interactions) -> Points:
    """``{"items": {idx, id, title, year, genres, ratings, mean, bias}, "users": {idx, id, label, ratings, mean, bias}}``.

    Rows in the order of ``source``; unknown values are None; biases are those of the latest epoch.
    """
    newest = source.load(max(source.stamps(), default=0))
    biases = (None, None) if newest is None else (newest.item_biases, newest.user_biases)
    items, users = source.item_idx, source.user_idx
    table = data.item_table.iloc[items]
    return {
        "items": {
            "idx": items.tolist(),
            "id": data.items.ids[items].tolist(),
            "title": data.item_titles(items),
            "year": [None if missing else int(year) for year, missing in zip(table["year"], table["year"].isna(), strict=True)],
            "genres": [list(genres) for genres in table["genres"]],
            **_ratings(data.item_idx, data.rating, data.num_items, items, biases[0]),
        },
        "users": {
            "idx": users.tolist(),
            "id": data.users.ids[users].tolist(),
            "label": _labels(data, users),
            **_ratings(data.user_idx, data.rating, data.num_users, users, biases[1]),
        },
    }


def block_points(block: RatingBlock, data: Interactions) -> dict[str, Any]:
    """``{users, items, known, heldout, low, high, unit, filled}``: names of rows and columns, and what is known.

    ``filled``: ``{here, whole}``, which share of the block, and of the whole table, is known; None where that is not.
    """
    here, whole = plain(np.array([block.here, block.whole]))
    return {
        "users": _labels(data, block.user_idx),
        "items": data.item_titles(block.item_idx),
        "known": plain_table(block.known),
        "heldout": block.heldout.astype(int).tolist(),
        "low": block.low,
        "high": block.high,
        "unit": block.unit,
        "filled": {"here": here, "whole": whole},
    }


def plain(values: npt.NDArray[Any], digits: int = 4) -> list[float | None]:
    """Numbers for JSON: rounded, and None where they are not finite."""
    return [
        round(value, digits) if finite else None for value, finite in zip(values.tolist(), np.isfinite(values), strict=True)
    ]


def plain_table(values: Float32) -> list[list[float | None]]:
    """(r, c) numbers for JSON, in four decimals: what a single step moves is to be seen."""
    return [plain(row.astype(np.float64), 4) for row in values]


def _labels(data: Interactions, users: Int64) -> list[str]:
    return [f"user {raw}" for raw in data.users.ids[users].tolist()]


def _ratings(index: Int64, rating: Float32, size: int, chosen: Int64, bias: Float32 | None) -> dict[str, list[Any]]:
    from mfcore.data.stats import mean_by  # here: it loads pandas, and every server imports this module

    return {
        "ratings": np.bincount(index, minlength=size)[chosen].tolist(),
        "mean": plain(mean_by(index, rating, size)[chosen]),
        "bias": [None] * len(chosen) if bias is None else plain(bias),
    }
