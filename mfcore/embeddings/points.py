"""What the points of a space are: titles, years, ratings. Plain lists, ready for JSON."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.data import Interactions, load_dataset
from mfcore.embeddings.frames import FrameSource, frames_of
from mfcore.paths import data_dir
from mfcore.runs.layout import RunFolder, open_folder
from mfcore.typing import Float64, Int64
from mfcore.validate import require

_data: OrderedDict[Hashable, Interactions] = OrderedDict()
_guard = threading.Lock()
_KEPT = 2


def data_of(folder: RunFolder, home: str | Path | None = None) -> Interactions:
    """The dataset of a run; the latest ones stay in memory, for a view that asks again and again.

    Raises:
        DataUnavailable: it is not here and cannot be fetched.
    """
    config = folder.config().dataset
    options: dict[str, Any] = dict(config.options)
    key = (str(data_dir(home)), config.name, repr(sorted(options.items())))
    with _guard:
        if key in _data:
            _data.move_to_end(key)
            return _data[key]
    data = load_dataset(config.name, home=data_dir(home), **options)
    with _guard:
        _data[key] = data
        while len(_data) > _KEPT:
            _data.popitem(last=False)
    return data


def data_for(source: FrameSource, folder: RunFolder, home: str | Path | None = None) -> Interactions:
    """:func:`data_of`, checked to know every item and user of ``source``.

    Raises:
        UnusableRequest: it does not: the snapshots are of another dataset. DataUnavailable: as said there.
    """
    data = data_of(folder, home)
    known = source.item_idx.max(initial=-1) < data.num_items and source.user_idx.max(initial=-1) < data.num_users
    require(bool(known), f"the snapshots of run {folder.run_id} do not fit its dataset; train it again")
    return data


def space_points(run_id: str, home: str | Path | None = None, *, every: bool = False) -> dict[str, dict[str, list[Any]]]:
    """``{"items": {idx, id, title, year, genres, ratings, mean, bias}, "users": {idx, id, label, ratings, mean, bias}}``.

    Rows in the order of a :class:`~mfcore.embeddings.space.Space`; unknown values are None.

    Raises:
        UnusableRequest: no such run, or nothing to show yet. DataUnavailable: its dataset is not here.
    """
    folder = open_folder(run_id, home)
    source = frames_of(folder, every=every)
    data = data_for(source, folder, home)
    newest = source.load(max(source.stamps(), default=0))
    biases = (None, None) if newest is None else (newest.item_biases, newest.user_biases)
    items, users = source.item_idx, source.user_idx
    table = data.item_table.iloc[items]
    return {
        "items": {
            "idx": items.tolist(),
            "id": data.items.ids[items].tolist(),
            "title": [name_of(title, raw) for title, raw in zip(table["title"], data.items.ids[items].tolist(), strict=True)],
            "year": [None if missing else int(year) for year, missing in zip(table["year"], table["year"].isna(), strict=True)],
            "genres": [list(genres) for genres in table["genres"]],
            **_ratings(data.item_idx, data.rating, data.num_items, items, biases[0]),
        },
        "users": {
            "idx": users.tolist(),
            "id": data.users.ids[users].tolist(),
            "label": [f"user {raw}" for raw in data.users.ids[users].tolist()],
            **_ratings(data.user_idx, data.rating, data.num_users, users, biases[1]),
        },
    }


def name_of(title: Any, raw: Any) -> str:
    """The title as the data gives it; "item 17" where it gives none."""
    text = str(title).strip() if title is not None else ""
    return text if text and text.lower() not in ("nan", "<na>") else f"item {raw}"


def mean_by(index: Int64, values: npt.NDArray[Any], size: int) -> Float64:
    """Mean of ``values`` per index; NaN where there are none. index, values: (n,) → (size,) float64."""
    count = np.bincount(index, minlength=size)
    total = np.bincount(index, values, minlength=size)
    means: Float64 = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return means


def plain(values: npt.NDArray[Any], digits: int = 4) -> list[float | None]:
    """Numbers for JSON: rounded, and None where they are not finite."""
    return [
        round(value, digits) if finite else None for value, finite in zip(values.tolist(), np.isfinite(values), strict=True)
    ]


def _ratings(index: Int64, rating: npt.NDArray[Any], size: int, chosen: Int64, bias: Any) -> dict[str, list[Any]]:
    nothing = [None] * len(chosen)
    return {
        "ratings": np.bincount(index, minlength=size)[chosen].tolist(),
        "mean": plain(mean_by(index, rating, size)[chosen]),
        "bias": nothing if bias is None else plain(bias),
    }
