"""Vectors of a run after each epoch, kept to be looked at: written beside training without slowing it."""

from __future__ import annotations

import dataclasses
import shutil
import time
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.data import Split
from mfcore.embeddings.rating_block import Picture, most
from mfcore.embeddings.snapshot_files import About, SnapshotFiles, write_arrays
from mfcore.embeddings.thinning import Budget, superfluous
from mfcore.runs.layout import RunFolder
from mfcore.typing import Float32

MOST_ITEMS, MOST_USERS = 4000, 1000
MOST_NUMBERS = 1_000_000
"""Numbers in one snapshot, about; wide vectors are kept of fewer items and users."""
MOST_FRAMES = 200
MOST_BYTES = 128 * 1024**2
"""Of all snapshots of a run together."""
_PAUSE, _LIVING = 0.01, 0.2
"""Seconds between snapshots, and between pictures inside an epoch, at least."""


class SnapshotWriter:
    """Writes the snapshots of one run: bounded in size and number, and in the time they take.

    What is over ``MOST_FRAMES`` or ``MOST_BYTES`` is thinned out evenly; the first, the last and those written with
    ``keep`` stay.
    """

    def __init__(self, folder: RunFolder, split: Split, model: Any) -> None:
        self._files = SnapshotFiles(folder)
        self._files.path.mkdir(exist_ok=True)
        width = int(model.item_vectors().shape[1])
        items, users = _bounds(width, split.data.num_items, split.data.num_users)
        self._item_idx, self._user_idx = most(split.train.popularity(), items), most(split.train.activity(), users)
        self._picture = Picture(split, implicit=not model.predicts_ratings)
        self._limit = max(10, min(MOST_FRAMES, MOST_BYTES // max(1, 2 * width * (items + users))))
        self._keep = {0}
        self._epochs = self._files.epochs()
        self._budget = Budget()
        self._due = self._living_due = 0.0
        self._write_about(split, model)

    def write(self, model: Any, epoch: int, step: int = 0, *, keep: bool = False) -> bool:
        """Keep the model's vectors as those of ``epoch``. ``keep``: whatever the clock says, and never thin it out.

        Returns whether it was written: not when the last one is too recent, the vectors are not finite, or the disk will not
        have it. A run does not end for want of a snapshot.
        """
        if keep:
            self._keep.add(epoch)
        began = time.monotonic()
        if epoch in self._epochs or not (keep or (began >= self._due and self._budget.left(began) > 0)):
            return False
        arrays, info = self._arrays(model, epoch, step)
        if not all(np.isfinite(value) for value in info.values()):
            return False
        try:
            write_arrays(self._files.place(epoch), arrays, info)
        except OSError:
            return False
        self._note(epoch)
        self._due, self._living_due = began + _PAUSE, began + _LIVING
        self._budget.spend(time.monotonic() - began)
        return True

    def write_now(self, model: Any, epoch: float, step: int) -> bool:
        """Renew the living picture inside an epoch; a few times a second at most. Returns whether that was done."""
        began = time.monotonic()
        if began < self._living_due or self._budget.left(began) <= 0:
            return False
        block = self._picture.predicted(model)
        with suppress(OSError):
            before = self._files.pictures()
            path = self._files.path / f"now-{step:012d}.safetensors"
            write_arrays(path, {"block": block}, {"epoch": epoch, "step": step})
            for old in before:
                if old != path:
                    old.unlink(missing_ok=True)
        self._living_due = began + _LIVING
        self._budget.spend(time.monotonic() - began)
        return True

    def take_back(self, epoch: int) -> None:
        """Training goes on from the end of ``epoch``, or from a step after it: what was kept of later epochs goes."""
        for later in [e for e in self._epochs if e > epoch]:
            self._files.place(later).unlink(missing_ok=True)
        for picture in self._files.pictures():
            picture.unlink(missing_ok=True)
        self._epochs = self._files.epochs()

    def _arrays(self, model: Any, epoch: int, step: int) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        vectors = {"items": model.item_vectors(), "users": model.user_vectors()}
        arrays: dict[str, npt.NDArray[Any]] = {}
        info: dict[str, Any] = {"epoch": epoch, "step": step}
        for name, index in (("items", self._item_idx), ("users", self._user_idx)):
            arrays[name], info[f"{name[:-1]}_scale"] = _halved(np.asarray(vectors[name])[index])
        for name, biases, index in (
            ("item_biases", model.item_biases(), self._item_idx),
            ("user_biases", model.user_biases(), self._user_idx),
        ):
            if biases is not None:
                arrays[name] = np.asarray(biases)[index]
        arrays["block"] = self._picture.predicted(model)
        return arrays, info

    def _note(self, epoch: int) -> None:
        self._epochs = sorted([*self._epochs, epoch])
        while len(self._epochs) > self._limit:
            doomed = superfluous(self._epochs, self._keep)
            self._files.place(doomed).unlink(missing_ok=True)
            self._epochs.remove(doomed)

    def _write_about(self, split: Split, model: Any) -> None:
        picture, data = self._picture, split.data
        kept = (len(self._item_idx), len(self._user_idx))
        note = f"the {kept[0]:,} most rated of {data.num_items:,} items and {kept[1]:,} most active of {data.num_users:,} users"
        rating = bool(model.predicts_ratings)
        low, high = data.rating_scale if rating else (0.0, 1.0)
        about = About(
            self._item_idx,
            self._user_idx,
            picture.user_idx,
            picture.item_idx,
            picture.known,
            picture.heldout,
            low,
            high,
            "stars" if rating else "probability",
            "" if kept == (data.num_items, data.num_users) else note,
        )
        values = {field.name: getattr(about, field.name) for field in dataclasses.fields(about)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        arrays["heldout"] = about.heldout.astype(np.uint8)
        write_arrays(
            self._files.path / "about.safetensors", arrays, {n: v for n, v in values.items() if not isinstance(v, np.ndarray)}
        )


def copy_snapshots(parent: RunFolder, child: RunFolder, epoch: int) -> None:
    """Give a branch its parent's snapshots up to ``epoch``; copies, so that either may be deleted."""
    source, target = SnapshotFiles(parent), SnapshotFiles(child)
    if not source.path.is_dir():
        return
    target.path.mkdir(exist_ok=True)
    wanted = [source.place(kept) for kept in source.epochs() if kept <= epoch]
    for path in [source.path / "about.safetensors", *wanted]:
        if path.is_file():
            shutil.copyfile(path, target.path / path.name)


def _bounds(width: int, num_items: int, num_users: int) -> tuple[int, int]:
    """How many items and users to keep of vectors of this width: items get four fifths of the room, at least a few hundred."""
    room = MOST_NUMBERS // max(1, width)
    items = min(num_items, MOST_ITEMS, max(500, room * 4 // 5))
    return items, min(num_users, MOST_USERS, max(100, room // 5))


def _halved(vectors: Float32) -> tuple[npt.NDArray[np.float16], float]:
    """float16 of vectors divided by their largest magnitude, and that: float16 alone ends at 65,504."""
    scale = float(np.abs(vectors).max(initial=0.0))
    if not np.isfinite(scale) or scale == 0.0:
        return np.zeros(vectors.shape, np.float16), scale
    return (vectors / np.float32(scale)).astype(np.float16), scale
