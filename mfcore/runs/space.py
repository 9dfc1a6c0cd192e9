"""The vectors of a run as points that move from epoch to epoch, on axes that stand still."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mfcore.data.interactions import Ints
from mfcore.projection import Projection
from mfcore.runs.folder import open_folder
from mfcore.runs.frame_sources import FrameSource, frames_of
from mfcore.runs.snapshot_files import Snapshot
from mfcore.validate import integer, require

Floats = npt.NDArray[np.float32]
Frame = tuple[Floats, Floats, Floats, Floats]
"""Coordinates of items and of users, lengths of items and of users."""
MOST_COMPONENTS = 16
_KEPT = 12


@dataclass(frozen=True, eq=False)
class Space:
    """F epochs of n items and m users on c fixed axes.

    Attributes:
        epochs: ascending, those with a frame here. available: all epochs there are.
        items: (F, n, c) float32 coordinates. users: (F, m, c), on the same axes.
        item_norms: (F, n), user_norms: (F, m) float32 lengths of the whole vectors.
        item_idx: (n,), user_idx: (m,) int64. note: says in words whose points are missing, if any are.
        basis: the epoch whose item vectors the axes were fitted to. projection: the axes themselves.
    """

    epochs: list[int]
    available: list[int]
    items: Floats
    users: Floats
    item_norms: Floats
    user_norms: Floats
    item_idx: Ints
    user_idx: Ints
    basis: int
    projection: Projection
    note: str = ""

    @property
    def explained_variance_ratio(self) -> npt.NDArray[np.float64]:
        """(c,) share of the variance of the basis epoch's item vectors that each axis holds."""
        return self.projection.explained_variance_ratio


@dataclass(eq=False)
class _View:
    """Axes once fitted, and the frames already put on them."""

    basis: int
    stamp: int
    projection: Projection
    frames: dict[int, tuple[int, Frame]] = field(default_factory=dict)


_views: OrderedDict[Hashable, _View] = OrderedDict()
_guard = threading.Lock()


def load_space(
    run_id: str,
    home: str | Path | None = None,
    *,
    basis: str | int = "final",
    components: int = 3,
    since: int = 0,
    every: bool = False,
) -> Space:
    """The space of a run, also while it is being trained; what was computed before is kept in memory.

    Args:
        basis: "final", or the epoch whose item vectors give the axes (the last one before it where that one is not kept).
            A live view passes the number it was given first, and its axes stay. components: axes, fewer where vectors are
            narrower. since: only frames of this epoch or later. every: all items and users, and only the model as it is.

    Raises:
        UnusableRequest: no such run, nothing to show yet, or vectors that are not finite.
    """
    return space_of(frames_of(open_folder(run_id, home), every=every), basis=basis, components=components, since=since)


def space_of(source: FrameSource, *, basis: str | int = "final", components: int = 3, since: int = 0) -> Space:
    """As :func:`load_space`, for frames from anywhere."""
    wanted = integer("components", components, low=1, high=MOST_COMPONENTS)
    stamps = source.stamps()
    require(bool(stamps), "there are no vectors to show yet; wait for the first epoch")
    view = _view(source, basis, wanted, stamps)
    epochs = [epoch for epoch in sorted(stamps) if epoch >= since]
    frames = {epoch: frame for epoch in epochs if (frame := _frame(source, view, epoch, stamps[epoch])) is not None}
    for gone in set(view.frames) - set(stamps):
        view.frames.pop(gone, None)
    items, users, item_norms, user_norms = _stacked(list(frames.values()), source, len(view.projection.components))
    return Space(
        list(frames),
        sorted(stamps),
        items,
        users,
        item_norms,
        user_norms,
        source.item_idx,
        source.user_idx,
        view.basis,
        view.projection,
        source.note,
    )


def _stacked(frames: list[Frame], source: FrameSource, axes: int) -> Frame:
    """Frames one behind the other, also when there are none."""
    if not frames:
        n, m = len(source.item_idx), len(source.user_idx)
        return tuple(np.zeros((0, *shape), np.float32) for shape in ((n, axes), (m, axes), (n,), (m,)))  # type: ignore[return-value]
    return tuple(np.stack(column) for column in zip(*frames, strict=True))  # type: ignore[return-value]


def _view(source: FrameSource, basis: str | int, components: int, stamps: dict[int, int]) -> _View:
    epochs = sorted(stamps)
    wanted = epochs[-1] if basis == "final" else integer("basis", basis, low=0)
    key = (source.key, wanted, components)
    with _guard:
        view = _views.get(key)
        # Axes outlive the snapshot they came from: one that is thinned out under a live view must not turn it over.
        if view is not None and stamps.get(view.basis, view.stamp) == view.stamp:
            _views.move_to_end(key)
            return view
    there = max((epoch for epoch in epochs if epoch <= wanted), default=epochs[0])
    snapshot = source.load(there)
    require(snapshot is not None, "the vectors of this epoch have just been thinned out; ask again")
    assert snapshot is not None
    view = _View(there, stamps[there], Projection.fit(snapshot.items, min(components, *snapshot.items.shape)))
    view.frames[there] = (stamps[there], _project(view.projection, snapshot))
    with _guard:
        _views[key] = view
        while len(_views) > _KEPT:
            _views.popitem(last=False)
    return view


def _frame(source: FrameSource, view: _View, epoch: int, stamp: int) -> Frame | None:
    known = view.frames.get(epoch)
    if known is not None and known[0] == stamp:
        return known[1]
    snapshot = source.load(epoch)
    if snapshot is None or snapshot.items.shape[1] != len(view.projection.mean):
        return None
    frame = _project(view.projection, snapshot)
    view.frames[epoch] = (stamp, frame)
    return frame


def _project(projection: Projection, snapshot: Snapshot) -> Frame:
    return (
        projection.transform(snapshot.items),
        projection.transform(snapshot.users),
        np.linalg.norm(snapshot.items, axis=1),
        np.linalg.norm(snapshot.users, axis=1),
    )
