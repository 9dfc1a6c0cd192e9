"""Snapshots: the vectors of a model after an epoch, kept in files to be looked at.

A run's folder has them in ``snapshots/``. ``about.safetensors``: which items and users are in them, and the cells of the rating
block. ``epoch-00012.safetensors``: the vectors after that epoch, float16 of ``vector / scale``. ``now-123.safetensors``: the
rating block after step 123, inside an epoch; the one before goes. (Renaming over a file waits for the disk on ext4; a new name
does not: 4 ms against 0.3.) All appear whole; a file that cannot be read counts as absent.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mfcore.embeddings.rating_block import RatingBlock
from mfcore.files import loads, replace_file
from mfcore.typing import Float32, Int64
from mfcore.validate import present, require

if TYPE_CHECKING:
    from mfcore.models import RecommenderModel

_NAME = re.compile(r"epoch-(\d{5,})\.safetensors")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Vectors after an epoch: items (n, d), users (m, d), biases (n,), (m,) or None, block (r, c) predictions; all float32."""

    epoch: int
    step: int
    items: Float32
    users: Float32
    item_biases: Float32 | None = None
    user_biases: Float32 | None = None
    block: Float32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))


class SnapshotSource(Protocol):
    """Snapshots by epoch. ``key`` tells sources apart in a cache; ``item_idx`` (n,), ``user_idx`` (m,): whose vectors they are,
    ascending; ``note`` says so in words where that is not all."""

    @property
    def key(self) -> Hashable: ...
    @property
    def item_idx(self) -> Int64: ...
    @property
    def user_idx(self) -> Int64: ...
    @property
    def note(self) -> str: ...

    def stamps(self) -> dict[int, int]:
        """Epoch → a number that changes when the vectors of that epoch do."""

    def load(self, epoch: int) -> Snapshot | None:
        """None when there is none, or it has gone meanwhile."""


Points = dict[str, dict[str, list[Any]]]
"""What the rows of a source are, as columns; see :func:`mfcore.embeddings.points.points_of`."""


class EmbeddingSpace(Protocol):
    """Embeddings that are stored in a folder, whoever made them: a run of ours, or embeddings that were imported."""

    @property
    def path(self) -> Path: ...

    def snapshots(self, *, every: bool = False) -> SnapshotSource:
        """``every``: all items and users of the model as it is, in place of those kept while it was trained."""

    def points(self, *, every: bool = False) -> Points: ...


def latest(source: SnapshotSource) -> Snapshot:
    """The snapshot of the last epoch.

    Raises:
        UnusableRequest: there is none yet.
    """
    return present(source.load(max(source.stamps(), default=0)), "there are no vectors to show yet; wait for the first epoch")


@dataclass(frozen=True, eq=False)
class SnapshotMetadata:
    """What all snapshots of a run have in common: ``item_idx`` (n,), ``user_idx`` (m,) int64, ascending, and ``note`` as of a
    :class:`SnapshotSource`; and the cells of the rating block."""

    item_idx: Int64
    user_idx: Int64
    block: RatingBlock
    note: str = ""


class SnapshotFiles:
    """The snapshots in a run's folder, ``<folder>/snapshots/``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "snapshots"

    def epochs(self) -> list[int]:
        """Epochs there is a snapshot of, ascending."""
        return sorted(self.stamps())

    def stamps(self) -> dict[int, int]:
        """Epoch → when its file was written (ns): changes when training is taken back and done again."""
        found = {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    match = _NAME.fullmatch(entry.name)
                    if match:
                        found[int(match[1])] = entry.stat().st_mtime_ns
        except OSError:
            return found  # no folder, or a file that was thinned out while we looked
        return found

    def file_of(self, epoch: int) -> Path:
        return self.path / f"epoch-{epoch:05d}.safetensors"

    def load(self, epoch: int) -> Snapshot | None:
        """The snapshot of an epoch; None when there is none, or it is damaged."""
        found = read_arrays(self.file_of(epoch))
        if found is None:
            return None
        arrays, info = found
        with suppress(KeyError, ValueError, TypeError):
            if arrays["items"].ndim == arrays["users"].ndim == arrays["block"].ndim == 2:
                return Snapshot(
                    epoch,
                    int(info["step"]),
                    _scaled(arrays["items"], info["item_scale"]),
                    _scaled(arrays["users"], info["user_scale"]),
                    arrays.get("item_biases"),
                    arrays.get("user_biases"),
                    arrays["block"],
                )
        return None

    def metadata(self) -> SnapshotMetadata | None:
        """None before the first snapshot, or when the file is damaged."""
        found = read_arrays(self.path / "about.safetensors")
        if found is None:
            return None
        arrays, info = found
        with suppress(KeyError, ValueError, TypeError):
            if _fits(arrays):
                rows, columns, heldout = arrays["block_user_idx"], arrays["block_item_idx"], arrays["heldout"].astype(bool)
                scale = (float(info["low"]), float(info["high"]), str(info["unit"]))
                block = RatingBlock(rows, columns, arrays["known"], heldout, *scale, float(info.get("whole", "nan")))
                return SnapshotMetadata(arrays["item_idx"], arrays["user_idx"], block, str(info["note"]))
        return None

    def write_metadata(self, metadata: SnapshotMetadata) -> None:
        """Begin the folder. Raises OSError when it cannot be written to."""
        self.path.mkdir(exist_ok=True)
        block = metadata.block
        arrays: dict[str, npt.NDArray[Any]] = {
            "item_idx": metadata.item_idx,
            "user_idx": metadata.user_idx,
            "block_user_idx": block.user_idx,
            "block_item_idx": block.item_idx,
            "known": block.known,
            "heldout": block.heldout.astype(np.uint8),
        }
        info = {"low": block.low, "high": block.high, "unit": block.unit, "whole": block.whole, "note": metadata.note}
        write_arrays(self.path / "about.safetensors", arrays, info)

    def source(self) -> SnapshotSource | None:
        """The snapshots as a source; None before there is one."""
        metadata = self.metadata()
        return _StoredSnapshots(self, metadata) if metadata is not None and self.stamps() else None

    def blocks_within_epoch(self) -> list[Path]:
        """Files of the rating block inside an epoch, oldest first: one, or two for a moment."""
        return sorted(self.path.glob("now-*.safetensors"))

    def block(self, epoch: int | None = None) -> tuple[float, int, Float32]:
        """(epoch, a fraction inside an epoch; step; predictions (r, c)) of the rating block.

        ``epoch``: that one, or the last before it, as a slider may stand where a snapshot was thinned out; None: the latest.

        Raises:
            UnusableRequest: there is none yet, or it has just gone.
        """
        epochs = self.epochs()
        require(bool(epochs), "there is no picture yet; wait for the first epoch")
        now = self._block_now() if epoch is None else None
        if now is not None and now[0] > epochs[-1]:
            return now
        near = epochs[-1] if epoch is None else max((e for e in epochs if e <= epoch), default=epochs[0])
        found = present(self.load(near), f"epoch {near} has no snapshot")
        return near, found.step, found.block

    def _block_now(self) -> tuple[float, int, Float32] | None:
        for path in reversed(self.blocks_within_epoch()):
            found = read_arrays(path)
            with suppress(KeyError, ValueError, TypeError):
                if found is not None:
                    return float(found[1]["epoch"]), int(found[1]["step"]), found[0]["block"]
        return None


class _StoredSnapshots:
    """All that was kept while a run was trained, as a source."""

    def __init__(self, files: SnapshotFiles, metadata: SnapshotMetadata) -> None:
        self._files = files
        self.key: Hashable = ("snapshots", str(files.path), files.path.stat().st_ino)
        self.item_idx, self.user_idx, self.note = metadata.item_idx, metadata.user_idx, metadata.note

    def stamps(self) -> dict[int, int]:
        return self._files.stamps()

    def load(self, epoch: int) -> Snapshot | None:
        found = self._files.load(epoch)
        fits = found is not None and (len(found.items), len(found.users)) == (len(self.item_idx), len(self.user_idx))
        return found if fits else None


class ModelSnapshot:
    """One snapshot, of every item and user: a ``model`` as it is after ``epoch``. ``stamp``: changes when its weights do."""

    note = ""

    def __init__(self, model: RecommenderModel, *, epoch: int, key: Hashable, stamp: int) -> None:
        items, users = np.asarray(model.item_vectors()), np.asarray(model.user_vectors())
        biases = [None if bias is None else np.asarray(bias) for bias in (model.item_biases(), model.user_biases())]
        self._snapshot, self._stamp, self.key = Snapshot(epoch, 0, items, users, biases[0], biases[1]), stamp, key
        self.item_idx, self.user_idx = np.arange(len(items)), np.arange(len(users))

    def stamps(self) -> dict[int, int]:
        return {self._snapshot.epoch: self._stamp}

    def load(self, epoch: int) -> Snapshot | None:
        return self._snapshot if epoch == self._snapshot.epoch else None


def copy_snapshots(parent: Path, child: Path, epoch: int) -> None:
    """Give the folder of a branch its parent's snapshots up to ``epoch``; copies, so that either may be deleted."""
    source, target = SnapshotFiles(parent), SnapshotFiles(child)
    if not source.path.is_dir():
        return
    target.path.mkdir(exist_ok=True)
    wanted = [source.file_of(kept) for kept in source.epochs() if kept <= epoch]
    for path in [source.path / "about.safetensors", *wanted]:
        if path.is_file():
            shutil.copyfile(path, target.path / path.name)


def _scaled(vectors: npt.NDArray[Any], scale: float) -> Float32:
    """Raises TypeError, ValueError: these are no vectors, or that is no scale."""
    with np.errstate(all="ignore"):  # those of a model whose numbers ran away
        factor = np.float32(scale)
        if vectors.dtype.kind != "f" or not np.isfinite(factor):
            raise ValueError("no vectors")
        product: Float32 = vectors.astype(np.float32) * factor
        return product


def _fits(arrays: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Whether the arrays of the metadata agree with each other; an imported run may hold anything."""
    indices = [arrays[name] for name in ("item_idx", "user_idx", "block_user_idx", "block_item_idx")]
    whole = all(array.ndim == 1 and array.dtype == np.int64 and (array >= 0).all() for array in indices)
    ascending = all((np.diff(array) > 0).all() for array in indices[:2])
    return whole and ascending and arrays["known"].shape == arrays["heldout"].shape == (len(indices[2]), len(indices[3]))


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]] | None:
    """Arrays and information of a file written by :func:`write_arrays`; None when it is missing or damaged."""
    try:
        with safe_open(path, framework="np") as file:
            info = loads((file.metadata() or {})["info"])
            return {key: file.get_tensor(key) for key in file.keys()}, info  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], info: Mapping[str, Any]) -> None:
    """Replace ``path`` whole, without waiting for the disk: a snapshot lost to a power cut is only a gap in a film.

    Raises:
        OSError: the place cannot be written to, or the disk is full.
    """
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"info": json.dumps(dict(info))})
    replace_file(path, content, durable=False)
