"""What is known about items, as columns to compare coordinates with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfcore.data import Interactions
from mfcore.typing import Float32, Float64, Int64

_RARE = 10
"""A genre of fewer films is no property to follow an axis by."""


@dataclass(frozen=True, eq=False)
class Attribute:
    """``name`` as read in a sentence; ``values`` (n,) float64, NaN where unknown; ``kind``: "number", or "genre" for 0/1."""

    name: str
    values: Float64
    kind: str = "number"


def item_attributes(data: Interactions, item_idx: Int64, biases: Float32 | None = None) -> list[Attribute]:
    """Popularity, mean rating, year, item bias and each genre of these items ((n,) indices), as far as the data knows them.

    ``biases``: (n,) of the model, or None.
    """
    table = data.item_table.iloc[item_idx]
    count = np.bincount(data.item_idx, minlength=data.num_items).astype(np.float64)
    total = np.bincount(data.item_idx, data.rating.astype(np.float64), minlength=data.num_items)
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    found = [Attribute("popularity", count[item_idx]), Attribute("mean rating", mean[item_idx])]
    found.append(Attribute("year", table["year"].astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)))
    if biases is not None:
        found.append(Attribute("item bias", np.asarray(biases, dtype=np.float64)))
    has = [set(genres) for genres in table["genres"]]
    for genre in sorted(set().union(*has)) if has else []:
        flags = np.array([genre in genres for genres in has], dtype=np.float64)
        if _RARE <= flags.sum() <= len(flags) - _RARE:
            found.append(Attribute(genre, flags, "genre"))
    return [one for one in found if _varies(one.values)]


def _varies(values: Float64) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 2 and bool(known.max() > known.min())
