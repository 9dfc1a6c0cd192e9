"""What an axis stands for: which known property of items follows it, how closely, and which of them lie at its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mfcore.data import Interactions
from mfcore.data.titles import spoken_title
from mfcore.embeddings.snapshots import SnapshotSource, latest
from mfcore.embeddings.trajectories import View, trajectories
from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import require

WEAKEST = 0.25
"""|ρ| below this names nothing, however many items make it significant."""
_STRONG = 0.5
_RISK = 0.01
"""Chance of naming any axis by any property where nothing is related to anything."""
_RARE = 10
"""A genre of fewer items is no property to follow an axis by."""


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
    from mfcore.data.stats import mean_by  # here: it loads pandas, and every server imports this module

    table = data.item_table.iloc[item_idx]
    mean = mean_by(data.item_idx, data.rating, data.num_items)[item_idx]
    found = [Attribute("popularity", data.popularity()[item_idx].astype(np.float64)), Attribute("mean rating", mean)]
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


@dataclass(frozen=True)
class Correlation:
    """``rho``: Spearman's rank correlation of an axis with a property, over the ``count`` items it is known of; a genre counts
    as 0 and 1. ``p``: two-sided, by Student's t with count − 2 degrees of freedom, times the comparisons made (Bonferroni).
    """

    name: str
    kind: str
    rho: float
    p: float
    count: int

    @property
    def tells(self) -> bool:
        """Strong enough to speak of, and not by chance."""
        return abs(self.rho) >= WEAKEST and self.p < _RISK


@dataclass(frozen=True)
class AxisName:
    """One axis in words. ``correlations``: strongest first. ``low``, ``high``: rows of the items at its ends, outermost first.

    Attributes as said; ``axis`` counts from 0.
    """

    axis: int
    correlations: tuple[Correlation, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    sentence: str


def name_axes(
    coordinates: npt.ArrayLike,
    attributes: Sequence[Attribute],
    titles: Sequence[str],
    *,
    known: npt.ArrayLike | None = None,
    ends: int = 3,
) -> list[AxisName]:
    """Put each axis into words.

    Args:
        coordinates: (n, c). titles: n. known: (n,) bool, the items to take for the ends (default all): a point at the edge that
            nobody has heard of explains nothing. ends: items named at each end.

    Raises:
        UnusableRequest: lengths disagree, or fewer than 8 items.
    """
    points = np.asarray(coordinates, dtype=np.float64)
    require(points.ndim == 2 and len(points) == len(titles), "coordinates must be a table with one row per title")
    require(len(points) >= 8, f"to name axes takes at least 8 items, got {len(points)}")
    table = correlations(points, attributes)
    allowed = np.flatnonzero(np.ones(len(points), bool) if known is None else np.asarray(known, dtype=bool))
    named = []
    for axis in range(points.shape[1]):
        order = allowed[np.argsort(points[allowed, axis], kind="stable")]
        low, high = tuple(order[:ends].tolist()), tuple(order[::-1][:ends].tolist())
        found = tuple(sorted(table[axis], key=lambda one: -abs(one.rho)))
        named.append(
            AxisName(axis, found, low, high, _sentence(axis, found, [titles[r] for r in low], [titles[r] for r in high]))
        )
    return named


def axis_names(source: SnapshotSource, data: Interactions, view: View | None = None) -> list[AxisName]:
    """Each axis of a view in words, at the latest epoch there is (see :func:`name_axes`).

    Rows in ``low`` and ``high`` are those of the view's items. Films for the ends are taken from the more rated half.

    Raises:
        UnusableRequest: nothing to show yet, or a selection of fewer than 8 items.
    """
    chosen = source if view is None else view.selected(source)
    newest = latest(chosen)
    seen = trajectories(source, view, since=newest.epoch)
    require(bool(seen.epochs), "the latest vectors are of another width than those that gave the axes; choose another basis")
    often = data.popularity()[seen.item_idx]
    titles = [spoken(title) for title in data.item_titles(seen.item_idx)]
    attributes = item_attributes(data, seen.item_idx, newest.item_biases)
    return name_axes(seen.items[-1], attributes, titles, known=often >= np.median(often))


def spoken(title: str) -> str:
    """A title as one would say it: "Usual Suspects, The (1995)" → "The Usual Suspects"."""
    name = title[: title.rfind(" (")] if title.endswith(")") and title[-6:-1].lstrip("(").isdigit() else title
    return spoken_title(name)


def correlations(points: Float64, attributes: Sequence[Attribute]) -> list[list[Correlation]]:
    """For each axis, Spearman's ρ with each attribute (see :class:`Correlation`). points: (n, c)."""
    from scipy import stats

    comparisons = max(1, points.shape[1] * len(attributes))
    found: list[list[Correlation]] = [[] for _ in range(points.shape[1])]
    whole = stats.rankdata(points, axis=0)
    for attribute in attributes:
        there = np.isfinite(attribute.values)
        ranks = whole if there.all() else stats.rankdata(points[there], axis=0)
        rho = _pearson(ranks, stats.rankdata(attribute.values[there]))
        p = np.minimum(1.0, comparisons * two_sided(rho, int(there.sum())))
        for axis, (r, chance) in enumerate(zip(rho.tolist(), p.tolist(), strict=True)):
            found[axis].append(Correlation(attribute.name, attribute.kind, r, chance, int(there.sum())))
    return found


def two_sided(rho: Float64, count: int) -> Float64:
    """Chance of a rank correlation at least this far from 0 between ``count`` unrelated pairs."""
    from scipy import special

    if count < 3:
        return np.ones_like(rho)
    t = np.abs(rho) * np.sqrt((count - 2) / np.maximum(1e-300, 1.0 - rho**2))
    return np.asarray(2.0 * special.stdtr(count - 2, -t), dtype=np.float64)


def _pearson(columns: Float64, values: Float64) -> Float64:
    """(n, c) against (n,) → (c,); 0 where either does not vary."""
    a, b = columns - columns.mean(axis=0), values - values.mean()
    length = np.linalg.norm(a, axis=0) * np.linalg.norm(b)
    rho: Float64 = np.divide(b @ a, length, out=np.zeros(columns.shape[1]), where=length > 0).clip(-1, 1)
    return rho


def _sentence(axis: int, found: Sequence[Correlation], low: Sequence[str], high: Sequence[str]) -> str:
    telling = [one for one in found if one.tells][:2]
    both = f"{_list(low)} at one end; {_list(high)} at the other"
    if not telling:
        nearest = f" (nearest: {_word(found[0])}, {_signed(found[0].rho)})" if found else ""
        return f"Axis {axis + 1} has no simple name{nearest}: {both}."
    first, *rest = telling
    more = f", and somewhat {_word(rest[0])} ({_signed(rest[0].rho)})" if rest else ""
    much = "mostly" if abs(first.rho) >= _STRONG else "partly"
    return f"Axis {axis + 1} is {much} {_word(first)} (rank correlation {_signed(first.rho)}){more}: {both}."


def _word(one: Correlation) -> str:
    return f"genre {one.name}" if one.kind == "genre" else one.name


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _list(titles: Sequence[str]) -> str:
    return ", ".join(titles)
