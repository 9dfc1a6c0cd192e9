"""What an axis stands for: which known property follows it, how closely, and which films lie at its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mfcore.embeddings.attributes import Attribute
from mfcore.typing import Float64
from mfcore.validate import require

WEAKEST = 0.25
"""|ρ| below this names nothing, however many films make it significant."""
_STRONG = 0.5
_RISK = 0.01
"""Chance of naming any axis by any property where nothing is related to anything."""


@dataclass(frozen=True)
class Correlation:
    """``rho``: Spearman's rank correlation of an axis with a property, over the ``count`` films it is known of; a genre counts
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
    """One axis in words. ``correlations``: strongest first. ``low``, ``high``: rows of the films at its ends, outermost first.

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
        coordinates: (n, c). titles: n. known: (n,) bool, the films to take for the ends (default all): a point at the edge that
            nobody has heard of explains nothing. ends: films named at each end.

    Raises:
        UnusableRequest: lengths disagree, or fewer than 8 films.
    """
    points = np.asarray(coordinates, dtype=np.float64)
    require(points.ndim == 2 and len(points) == len(titles), "coordinates must be a table with one row per title")
    require(len(points) >= 8, f"to name axes takes at least 8 films, got {len(points)}")
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
