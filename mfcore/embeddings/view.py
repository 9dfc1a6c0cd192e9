"""Which axes to look along: how many components, of which films, on the sphere, and one of one's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from mfcore.embeddings.frames import FrameSource
from mfcore.embeddings.snapshot_files import Snapshot
from mfcore.typing import Int64
from mfcore.validate import integer, require

MOST_COMPONENTS = 512
_MOST_NAMED = 200
"""Films on one side of an axis."""


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
        require(bool(self.start) == bool(self.end), "an axis goes from some films to others; name films on both sides")
        require(max(len(self.start), len(self.end)) <= _MOST_NAMED, f"at most {_MOST_NAMED} films on each side of an axis")
        require(len(self.items) == 0 or len(set(self.items)) >= 3, "choose at least 3 films to look at them alone")

    def selected(self, source: FrameSource) -> FrameSource:
        """``source`` with no other items than ``items``."""
        return Selected(source, self.items) if self.items else source

    def rows(self, item_idx: Int64) -> tuple[list[int], list[int]]:
        """``start`` and ``end`` as rows of a space of these items.

        Raises:
            UnusableRequest: one of them is not in it.
        """
        return places(item_idx, self.start), places(item_idx, self.end)


class Selected:
    """Some items of another source; all its users."""

    def __init__(self, source: FrameSource, items: tuple[int, ...]) -> None:
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


def places(item_idx: Int64, wanted: tuple[int, ...]) -> list[int]:
    """Where in ascending ``item_idx`` (n,) the ``wanted`` are.

    Raises:
        UnusableRequest: one is not there.
    """
    found = np.searchsorted(item_idx, wanted).clip(max=len(item_idx) - 1)
    missing = [item for item, place in zip(wanted, found.tolist(), strict=True) if item_idx[place] != item]
    require(not missing, f"item {missing[0] if missing else ''} is not in this space; it is kept for the most rated ones only")
    return [int(place) for place in found]
