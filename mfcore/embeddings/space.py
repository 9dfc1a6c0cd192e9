"""The vectors of a run as points that move from epoch to epoch, on axes that stand still."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mfcore.embeddings.directions import Direction, direction_between, on_sphere
from mfcore.embeddings.frames import FrameSource, frames_of
from mfcore.embeddings.projection import Projection
from mfcore.embeddings.snapshot_files import Snapshot
from mfcore.embeddings.view import View
from mfcore.runs.layout import open_folder
from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import require

Frame = tuple[Float32, Float32, Float32, Float32]
"""Coordinates of items and of users, lengths of items and of users."""
MOST_NUMBERS = 32_000_000
"""Coordinates in one answer, all frames together."""
_KEPT = 8
_WIDE = 8
"""Frames of more components than this are computed anew each time: memory for 200 epochs of them would be better used."""


@dataclass(frozen=True, eq=False)
class Space:
    """F epochs of n items and m users on c fixed axes.

    Attributes:
        epochs: ascending, those with a frame here. available: all epochs there are.
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


@dataclass(eq=False)
class _Axes:
    """Axes once fitted, and the frames already put on them."""

    basis: int
    stamp: int
    sphere: bool
    projection: Projection
    own: Direction | None
    frames: dict[int, tuple[int, Frame]] = field(default_factory=dict)

    def put(self, snapshot: Snapshot) -> Frame:
        norms = [np.linalg.norm(vectors, axis=1) for vectors in (snapshot.items, snapshot.users)]
        return self._points(snapshot.items), self._points(snapshot.users), norms[0], norms[1]

    def _points(self, vectors: Float32) -> Float32:
        placed = on_sphere(vectors) if self.sphere else vectors
        points = self.projection.transform(placed)
        if self.own is None:
            return points
        return np.concatenate([points, self.own.along(placed).astype(np.float32)[:, None]], axis=1)


_known: OrderedDict[Hashable, _Axes] = OrderedDict()
_guard = threading.Lock()


def load_space(
    run_id: str,
    home: str | Path | None = None,
    view: View | None = None,
    *,
    since: int = 0,
    until: int | None = None,
    every: bool = False,
) -> Space:
    """The space of a run, also while it is being trained; what was computed before is kept in memory.

    Args:
        view: which axes (default: three principal components of the latest epoch). since, until: only frames of these epochs
        and between. every: all items and users, and only the model as it is.

    Raises:
        UnusableRequest: no such run, nothing to show yet, vectors that are not finite, or more numbers than ``MOST_NUMBERS``.
    """
    return space_of(frames_of(open_folder(run_id, home), every=every), view, since=since, until=until)


def space_of(source: FrameSource, view: View | None = None, *, since: int = 0, until: int | None = None) -> Space:
    """As :func:`load_space`, for frames from anywhere."""
    view = view or View()
    stamps = source.stamps()
    require(bool(stamps), "there are no vectors to show yet; wait for the first epoch")
    source = view.selected(source)
    axes = _axes(source, view, stamps)
    frames = {}
    epochs = [epoch for epoch in sorted(stamps) if since <= epoch and (until is None or epoch <= until)]
    numbers = len(epochs) * (len(source.item_idx) + len(source.user_idx)) * len(axes.projection.components)
    require(numbers <= MOST_NUMBERS, f"{len(epochs)} epochs are too much for one answer; ask for fewer epochs or components")
    for epoch in epochs:
        frame = _frame(source, axes, epoch, stamps[epoch])
        if frame is not None:
            frames[epoch] = frame
    for gone in set(axes.frames) - set(stamps):
        axes.frames.pop(gone, None)
    columns = [str(number + 1) for number in range(len(axes.projection.components))] + ["between"] * (axes.own is not None)
    items, users, item_norms, user_norms = _stacked(list(frames.values()), source, len(columns))
    return Space(
        epochs=list(frames),
        available=sorted(stamps),
        items=items,
        users=users,
        item_norms=item_norms,
        user_norms=user_norms,
        item_idx=source.item_idx,
        user_idx=source.user_idx,
        basis=axes.basis,
        projection=axes.projection,
        columns=columns,
        note=source.note,
    )


def _stacked(frames: list[Frame], source: FrameSource, width: int) -> Frame:
    """Frames one behind the other, also when there are none."""
    if not frames:
        n, m = len(source.item_idx), len(source.user_idx)
        return tuple(np.zeros((0, *shape), np.float32) for shape in ((n, width), (m, width), (n,), (m,)))  # type: ignore[return-value]
    return tuple(np.stack(column) for column in zip(*frames, strict=True))  # type: ignore[return-value]


def _axes(source: FrameSource, view: View, stamps: dict[int, int]) -> _Axes:
    epochs = sorted(stamps)
    wanted = epochs[-1] if view.basis is None else view.basis
    key = (source.key, wanted, view.components, view.sphere, view.start, view.end)
    with _guard:
        axes = _known.get(key)
        # Axes outlive the snapshot they came from: one that is thinned out under a live view must not turn it over.
        if axes is not None and stamps.get(axes.basis, axes.stamp) == axes.stamp:
            _known.move_to_end(key)
            return axes
    there = max((epoch for epoch in epochs if epoch <= wanted), default=epochs[0])
    snapshot = source.load(there)
    require(snapshot is not None, "the vectors of this epoch have just been thinned out; ask again")
    assert snapshot is not None
    placed = on_sphere(snapshot.items) if view.sphere else snapshot.items
    own = direction_between(placed, *view.rows(source.item_idx)) if view.start else None
    projection = Projection.fit(placed, min(view.components, *placed.shape))
    axes = _Axes(there, stamps[there], view.sphere, projection, own)
    with _guard:
        _known[key] = axes
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return axes


def _frame(source: FrameSource, axes: _Axes, epoch: int, stamp: int) -> Frame | None:
    known = axes.frames.get(epoch)
    if known is not None and known[0] == stamp:
        return known[1]
    snapshot = source.load(epoch)
    if snapshot is None or snapshot.items.shape[1] != len(axes.projection.mean):
        return None
    frame = axes.put(snapshot)
    if len(axes.projection.components) <= _WIDE:
        axes.frames[epoch] = (stamp, frame)
    return frame
