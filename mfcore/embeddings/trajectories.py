"""The snapshots of a source as points that move from epoch to epoch, on axes that stand still."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mfcore.cache import LRU
from mfcore.embeddings.projection import Direction, Projection, direction_between, on_sphere
from mfcore.embeddings.snapshots import Snapshot, SnapshotSource
from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import integer, present, require

MOST_NUMBERS = 32_000_000
"""Coordinates in one answer, all epochs together."""
MOST_COMPONENTS = 512
_MOST_NAMED = 200
"""Films on one side of an axis."""
_WIDE = 8
"""Epochs on more components than this are computed anew each time: memory for 200 of them would be better used."""


@dataclass(frozen=True)
class View:
    """How to look at a space.

    Attributes:
        basis: the epoch whose item vectors give the axes (the last kept one before it, if it is not kept); None: the latest.
            A live view passes the number it was given first, and its axes stay.
        components: principal components, 1 to 512; fewer where vectors are narrower.
        sphere: every vector at length 1 before anything else, so that only directions count.
        items: item_idx to look at alone, with components of their own; empty: all.
        start, end: item_idx on the two sides of an axis of one's own, which then comes last; empty: none.

    Raises:
        UnusableRequest: a number is out of range, or an axis has one side only.
    """

    basis: int | None = None
    components: int = 3
    sphere: bool = False
    items: tuple[int, ...] = ()
    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.basis is not None:
            integer("basis", self.basis, low=0)
        integer("components", self.components, low=1, high=MOST_COMPONENTS)
        require(bool(self.start) == bool(self.end), "an axis goes from some items to others; name items on both sides")
        require(max(len(self.start), len(self.end)) <= _MOST_NAMED, f"at most {_MOST_NAMED} items on each side of an axis")
        require(len(self.items) == 0 or len(set(self.items)) >= 3, "choose at least 3 items to look at them alone")

    def selected(self, source: SnapshotSource) -> SnapshotSource:
        """``source`` with no other items than ``items``."""
        return _Selected(source, self.items) if self.items else source


class _Selected:
    """Some items of another source; all its users."""

    def __init__(self, source: SnapshotSource, items: tuple[int, ...]) -> None:
        self._source = source
        chosen = tuple(sorted(set(items)))
        self._rows = np.array(places(source.item_idx, chosen), dtype=np.int64)
        self.key: Hashable = (source.key, chosen)
        self.item_idx, self.user_idx, self.note = source.item_idx[self._rows], source.user_idx, source.note

    def stamps(self) -> dict[int, int]:
        return self._source.stamps()

    def load(self, epoch: int) -> Snapshot | None:
        whole = self._source.load(epoch)
        if whole is None:
            return None
        biases = None if whole.item_biases is None else whole.item_biases[self._rows]
        return dataclasses.replace(whole, items=whole.items[self._rows], item_biases=biases)


def places(index: Int64, wanted: tuple[int, ...], what: str = "item") -> list[int]:
    """Where in ascending ``index`` (n,), item_idx or user_idx, the ``wanted`` are. ``what``: the word for one of them.

    Raises:
        UnusableRequest: one is not there.
    """
    missing = sorted(set(wanted).difference(index.tolist()))
    first = missing[0] if missing else ""
    require(not missing, f"{what} {first} is not in this space, which may have those with the most ratings only")
    return [int(place) for place in np.searchsorted(index, wanted)]


@dataclass(frozen=True, eq=False)
class Trajectories:
    """F epochs of n items and m users on c fixed axes.

    Attributes:
        epochs: ascending, those that are here. available: all epochs there are.
        items: (F, n, c) float32 coordinates. users: (F, m, c), on the same axes.
        item_norms: (F, n), user_norms: (F, m) float32 lengths of the whole vectors.
        item_idx: (n,), user_idx: (m,) int64. note: says in words whose points are missing, if any are.
        basis: the epoch whose item vectors the axes were fitted to. projection: the axes themselves.
        columns: a name for each of the c: "1", "2" … for principal components, "between" for an axis of one's own, the last.
    """

    epochs: list[int]
    available: list[int]
    items: Float32
    users: Float32
    item_norms: Float32
    user_norms: Float32
    item_idx: Int64
    user_idx: Int64
    basis: int
    projection: Projection
    columns: list[str]
    note: str = ""

    @property
    def explained_variance_ratio(self) -> Float64:
        """Share of the variance of the basis epoch's item vectors that each principal component holds."""
        return self.projection.explained_variance_ratio


class _Placed(NamedTuple):
    """One snapshot on the axes: coordinates (n, c), (m, c) and lengths (n,), (m,) of items and users."""

    items: Float32
    users: Float32
    item_norms: Float32
    user_norms: Float32


@dataclass(eq=False)
class _Axes:
    """Axes once fitted, and the snapshots already put on them: epoch → (stamp, coordinates)."""

    basis: int
    stamp: int
    sphere: bool
    projection: Projection
    own: Direction | None
    placed: dict[int, tuple[int, _Placed]] = field(default_factory=dict)

    @classmethod
    def fit(cls, source: SnapshotSource, view: View, epoch: int, stamp: int) -> _Axes:
        snapshot = present(source.load(epoch), "the vectors of this epoch have just been thinned out; ask again")
        vectors = on_sphere(snapshot.items) if view.sphere else snapshot.items
        rows = places(source.item_idx, view.start), places(source.item_idx, view.end)
        own = direction_between(vectors, *rows) if view.start else None
        return cls(epoch, stamp, view.sphere, Projection.fit(vectors, min(view.components, *vectors.shape)), own)

    @property
    def columns(self) -> list[str]:
        numbered = [str(number + 1) for number in range(len(self.projection.components))]
        return numbered if self.own is None else [*numbered, "between"]

    def place(self, source: SnapshotSource, epoch: int, stamp: int) -> _Placed | None:
        """The snapshot of ``epoch`` on these axes; None when it has gone, or is of another width."""
        known = self.placed.get(epoch)
        if known is not None and known[0] == stamp:
            return known[1]
        snapshot = source.load(epoch)
        if snapshot is None or snapshot.items.shape[1] != len(self.projection.mean):
            return None
        norms = (np.linalg.norm(vectors, axis=1) for vectors in (snapshot.items, snapshot.users))
        placed = _Placed(self._points(snapshot.items), self._points(snapshot.users), *norms)
        if len(self.projection.components) <= _WIDE:
            self.placed[epoch] = (stamp, placed)
        return placed

    def forget_all_but(self, epochs: Collection[int]) -> None:
        for gone in set(self.placed) - set(epochs):
            self.placed.pop(gone, None)

    def _points(self, vectors: Float32) -> Float32:
        vectors = on_sphere(vectors) if self.sphere else vectors
        points = self.projection.transform(vectors)
        if self.own is None:
            return points
        return np.concatenate([points, self.own.along(vectors).astype(np.float32)[:, None]], axis=1)


_fitted: LRU[Hashable, _Axes] = LRU(8)


def trajectories(
    source: SnapshotSource,
    view: View | None = None,
    *,
    since: int = 0,
    until: int | None = None,
    most_numbers: int = MOST_NUMBERS,
) -> Trajectories:
    """Put the snapshots of ``source`` on fixed axes, also while there come more; what was computed before is kept in memory.

    Args:
        view: which axes (default: three principal components of the latest epoch). since, until: only these epochs and between.
        most_numbers: coordinates in one answer.

    Raises:
        UnusableRequest: nothing to show yet, vectors that are not finite, or more than ``most_numbers``.
    """
    view = view or View()
    stamps = source.stamps()
    require(bool(stamps), "there are no vectors to show yet; wait for the first epoch")
    source = view.selected(source)
    axes = _axes(source, view, stamps)
    epochs = [epoch for epoch in sorted(stamps) if since <= epoch and (until is None or epoch <= until)]
    numbers = len(epochs) * (len(source.item_idx) + len(source.user_idx)) * len(axes.projection.components)
    require(numbers <= most_numbers, f"{len(epochs)} epochs are too much for one answer; ask for fewer epochs or components")
    found = {epoch: axes.place(source, epoch, stamps[epoch]) for epoch in epochs}
    placed = {epoch: one for epoch, one in found.items() if one is not None}
    axes.forget_all_but(stamps)
    return Trajectories(
        epochs=list(placed),
        available=sorted(stamps),
        **_stacked(list(placed.values()), len(source.item_idx), len(source.user_idx), len(axes.columns)),
        item_idx=source.item_idx,
        user_idx=source.user_idx,
        basis=axes.basis,
        projection=axes.projection,
        columns=axes.columns,
        note=source.note,
    )


def _axes(source: SnapshotSource, view: View, stamps: dict[int, int]) -> _Axes:
    epochs = sorted(stamps)
    wanted = epochs[-1] if view.basis is None else view.basis
    key = (source.key, wanted, view.components, view.sphere, view.start, view.end)
    axes = _fitted.get(key)
    # Axes outlive the snapshot they came from: one that is thinned out under a live view must not turn it over.
    if axes is not None and stamps.get(axes.basis, axes.stamp) == axes.stamp:
        return axes
    kept = max((epoch for epoch in epochs if epoch <= wanted), default=epochs[0])
    return _fitted.put(key, _Axes.fit(source, view, kept, stamps[kept]))


def _stacked(placed: list[_Placed], n: int, m: int, width: int) -> dict[str, Float32]:
    """Epochs one behind the other, also when there are none."""
    if not placed:
        shapes = ((n, width), (m, width), (n,), (m,))
        return {name: np.zeros((0, *shape), np.float32) for name, shape in zip(_Placed._fields, shapes, strict=True)}
    return {name: np.stack([getattr(one, name) for one in placed]) for name in _Placed._fields}
