"""Writes snapshots beside training without slowing it: bounded in number, in size, and in the time they take."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mfcore.data import Split
from mfcore.embeddings.rating_block import RatingBlock, most
from mfcore.embeddings.snapshots import SnapshotFiles, SnapshotMetadata, write_arrays
from mfcore.typing import Float32

if TYPE_CHECKING:
    from mfcore.models import RecommenderModel

SHARE = 1 / 100
"""Of the time that passes, what writing may take."""
IN_HAND = 0.03
"""Seconds of writing that may be saved up: one slow write must not stop the next ones."""
_PAUSE, _BLOCK_PAUSE = 0.01, 0.2
"""Seconds between snapshots, and between rating blocks inside an epoch, at least."""


@dataclass(frozen=True)
class Limits:
    """What is kept, at most. ``items``, ``users``: of how many. ``numbers``: in one snapshot, about; wide vectors are kept of
    fewer items and users. ``snapshots``: how many, ``disk``: bytes of all together.
    """

    items: int = 4000
    users: int = 1000
    numbers: int = 1_000_000
    snapshots: int = 200
    disk: int = 128 * 1024**2

    def rows(self, width: int, num_items: int, num_users: int) -> tuple[int, int]:
        """How many items and users to keep of vectors of this width: items get four fifths of the room."""
        room = self.numbers // max(1, width)
        items = min(num_items, self.items, max(500, room * 4 // 5))
        return items, min(num_users, self.users, max(100, room // 5))

    def count(self, numbers: int) -> int:
        """How many snapshots of so many float16 numbers to keep."""
        return max(10, min(self.snapshots, self.disk // max(1, 2 * numbers)))


class SnapshotWriter:
    """Writes the snapshots of one run into its ``folder``.

    What is over the ``limits`` is thinned out evenly; the first, the last and those written with ``keep`` stay.

    Args:
        clock: seconds that pass. store: writes one file; raises OSError when the disk will not have it.
    """

    def __init__(
        self,
        folder: Path,
        split: Split,
        model: RecommenderModel,
        *,
        limits: Limits = Limits(),
        clock: Callable[[], float] = time.monotonic,
        store: Callable[..., None] = write_arrays,
    ) -> None:
        self._files, self._clock, self._store = SnapshotFiles(folder), clock, store
        width, data = int(model.item_vectors().shape[1]), split.data
        items, users = limits.rows(width, data.num_items, data.num_users)
        note = f"the {items:,} most rated of {data.num_items:,} items and {users:,} most active of {data.num_users:,} users"
        self._about = SnapshotMetadata(
            most(split.train.popularity(), items),
            most(split.train.activity(), users),
            RatingBlock.of(split, implicit=not model.predicts_ratings),
            "" if (items, users) == (data.num_items, data.num_users) else note,
        )
        self._files.write_metadata(self._about)
        self._limit = limits.count(width * (items + users))
        self._keep: set[int] = set()
        self._epochs = self._files.epochs()
        self._budget = Budget()
        self._due = self._block_due = float("-inf")

    def write(self, model: RecommenderModel, epoch: int, step: int = 0, *, keep: bool = False) -> bool:
        """Keep the model's vectors as those of ``epoch``. ``keep``: whatever the clock says, and never thin it out.

        Returns whether it was written: not when the last one is too recent, the vectors are not finite, or the disk will not
        have it. A run does not end for want of a snapshot.
        """
        if keep:
            self._keep.add(epoch)
        began = self._clock()
        if epoch in self._epochs or not (keep or (began >= self._due and self._budget.left(began) > 0)):
            return False
        arrays, info = self._arrays(model, epoch, step)
        if not all(np.isfinite(value) for value in info.values()):
            return False
        try:
            self._store(self._files.file_of(epoch), arrays, info)
        except OSError:
            return False
        self._epochs = sorted([*self._epochs, epoch])
        self._thin_out()
        self._due, self._block_due = began + _PAUSE, began + _BLOCK_PAUSE
        self._budget.spend(self._clock() - began)
        return True

    def write_now(self, model: RecommenderModel, epoch: float, step: int, *, asked: bool = False) -> bool:
        """Renew the rating block inside an epoch; a few times a second at most. Returns whether that was done.

        ``asked``: somebody waits to see it, so it is not put off.
        """
        began = self._clock()
        if not asked and (began < self._block_due or self._budget.left(began) <= 0):
            return False
        block = self._about.block.predicted(model)
        with suppress(OSError):
            before = self._files.blocks_within_epoch()
            path = self._files.path / f"now-{step:012d}.safetensors"
            self._store(path, {"block": block}, {"epoch": epoch, "step": step})
            for old in before:
                if old != path:
                    old.unlink(missing_ok=True)
        self._block_due = began + _BLOCK_PAUSE
        self._budget.spend(self._clock() - began)
        return True

    def take_back(self, epoch: int) -> None:
        """Training goes on from the end of ``epoch``, or from a step after it: what was kept of later epochs goes."""
        later = [self._files.file_of(kept) for kept in self._epochs if kept > epoch]
        for path in [*later, *self._files.blocks_within_epoch()]:
            path.unlink(missing_ok=True)
        self._epochs = self._files.epochs()

    def _arrays(self, model: RecommenderModel, epoch: int, step: int) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        arrays: dict[str, npt.NDArray[Any]] = {}
        info: dict[str, Any] = {"epoch": epoch, "step": step}
        for name, rows, vectors, biases in (
            ("item", self._about.item_idx, model.item_vectors(), model.item_biases()),
            ("user", self._about.user_idx, model.user_vectors(), model.user_biases()),
        ):
            arrays[f"{name}s"], info[f"{name}_scale"] = _halved(np.asarray(vectors)[rows])
            if biases is not None:
                arrays[f"{name}_biases"] = np.asarray(biases)[rows]
        return {**arrays, "block": self._about.block.predicted(model)}, info

    def _thin_out(self) -> None:
        while len(self._epochs) > self._limit:
            doomed = superfluous(self._epochs, self._keep)
            self._files.file_of(doomed).unlink(missing_ok=True)
            self._epochs.remove(doomed)


class Budget:
    """Seconds that may be spent: a fixed share of those that pass, saved up to a limit."""

    def __init__(self) -> None:
        self._left = IN_HAND
        self._at: float | None = None

    def left(self, now: float) -> float:
        """``now``: any clock, in seconds."""
        earned = 0.0 if self._at is None else (now - self._at) * SHARE
        self._left, self._at = min(IN_HAND, self._left + earned), now
        return self._left

    def spend(self, seconds: float) -> None:
        self._left -= seconds


def superfluous(epochs: list[int], keep: set[int]) -> int:
    """Which of ``epochs`` (ascending, at least 3) to drop: the one whose neighbours are closest to each other.

    Neither the first nor the last, nor, while there are others, those in ``keep``. Dropping one at a time keeps gaps even.
    """
    inner = range(1, len(epochs) - 1)
    free = [place for place in inner if epochs[place] not in keep] or list(inner)
    return epochs[min(free, key=lambda place: epochs[place + 1] - epochs[place - 1])]


def _halved(vectors: Float32) -> tuple[npt.NDArray[np.float16], float]:
    """float16 of vectors divided by their largest magnitude, and that: float16 alone ends at 65,504."""
    scale = float(np.abs(vectors).max(initial=0.0))
    if not np.isfinite(scale) or scale == 0.0:
        return np.zeros(vectors.shape, np.float16), scale
    return (vectors / np.float32(scale)).astype(np.float16), scale
