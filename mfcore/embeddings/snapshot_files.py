"""What a run's ``snapshots`` folder holds, and how to read it.

``about.safetensors``: which items and users are in it, and the cells of the living picture. ``epoch-00012.safetensors``: the
vectors after that epoch, float16 of ``vector / scale``. ``now-123.safetensors``: the living picture after step 123, inside an
epoch; the one before goes. (Renaming over a file waits for the disk on ext4; a new name does not: 4 ms against 0.3.) All appear
whole; a file that cannot be read counts as absent.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mfcore.runs.layout import RunFolder
from mfcore.typing import Bool, Float32, Int64

_NAME = re.compile(r"epoch-(\d{5,})\.safetensors")


@dataclass(frozen=True, eq=False)
class About:
    """What all snapshots of a run have in common.

    Attributes:
        item_idx, user_idx: (n,), (m,) int64, ascending: whose vectors are kept. note: says so in words when that is not all.
        block_user_idx, block_item_idx: (r,), (c,) int64: rows and columns of the living picture, in the order shown.
        known: (r, c) float32, ratings of training and validation; NaN where there is none. Test stays out of sight.
        heldout: (r, c) bool, which of the known ones are validation.
        low, high: ends of the scale. unit: "stars", or "probability" for ranking models.
    """

    item_idx: Int64
    user_idx: Int64
    block_user_idx: Int64
    block_item_idx: Int64
    known: Float32
    heldout: Bool
    low: float
    high: float
    unit: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Vectors after an epoch: items (n, d), users (m, d), biases (n,), (m,) or None, block (r, c) predictions; all float32."""

    epoch: int
    step: int
    items: Float32
    users: Float32
    item_biases: Float32 | None
    user_biases: Float32 | None
    block: Float32


class SnapshotFiles:
    """Reads the snapshots of one run."""

    def __init__(self, folder: RunFolder) -> None:
        self.path = folder.path / "snapshots"

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

    def place(self, epoch: int) -> Path:
        return self.path / f"epoch-{epoch:05d}.safetensors"

    def load(self, epoch: int) -> Snapshot | None:
        """The snapshot of an epoch; None when there is none, or it is damaged."""
        found = read_arrays(self.place(epoch))
        if found is None:
            return None
        arrays, info = found
        try:
            if not (arrays["items"].ndim == arrays["users"].ndim == arrays["block"].ndim == 2):
                return None
            return Snapshot(
                epoch,
                int(info["step"]),
                arrays["items"].astype(np.float32) * np.float32(info["item_scale"]),
                arrays["users"].astype(np.float32) * np.float32(info["user_scale"]),
                arrays.get("item_biases"),
                arrays.get("user_biases"),
                arrays["block"],
            )
        except (KeyError, ValueError, TypeError):
            return None

    def about(self) -> About | None:
        """None before the first snapshot, or when the file is damaged."""
        found = read_arrays(self.path / "about.safetensors")
        if found is None:
            return None
        arrays, info = found
        try:
            if not _fits(arrays):
                return None
            return About(
                item_idx=arrays["item_idx"],
                user_idx=arrays["user_idx"],
                block_user_idx=arrays["block_user_idx"],
                block_item_idx=arrays["block_item_idx"],
                known=arrays["known"],
                heldout=arrays["heldout"].astype(bool),
                low=float(info["low"]),
                high=float(info["high"]),
                unit=str(info["unit"]),
                note=str(info["note"]),
            )
        except (KeyError, ValueError, TypeError):
            return None

    def now(self) -> tuple[float, int, Float32] | None:
        """(epoch, a fraction inside an epoch; step; block) of the living picture at its latest, or None."""
        for path in reversed(self.pictures()):
            found = read_arrays(path)
            with suppress(KeyError, ValueError, TypeError):
                if found is not None:
                    return float(found[1]["epoch"]), int(found[1]["step"]), found[0]["block"]
        return None

    def pictures(self) -> list[Path]:
        """Files of the living picture inside an epoch, oldest first: one, or two for a moment."""
        return sorted(self.path.glob("now-*.safetensors"))


def _fits(arrays: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Whether the arrays of an ``about`` agree with each other; an imported run may hold anything."""
    indices = [arrays[name] for name in ("item_idx", "user_idx", "block_user_idx", "block_item_idx")]
    whole = all(array.ndim == 1 and array.dtype == np.int64 and (array >= 0).all() for array in indices)
    ascending = all((np.diff(array) > 0).all() for array in indices[:2])
    return whole and ascending and arrays["known"].shape == arrays["heldout"].shape == (len(indices[2]), len(indices[3]))


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]] | None:
    """Arrays and information of a file written by :func:`write_arrays`; None when it is missing or damaged."""
    try:
        with safe_open(path, framework="np") as file:
            info = json.loads((file.metadata() or {})["info"])
            return {key: file.get_tensor(key) for key in file.keys()}, info  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], info: Mapping[str, Any]) -> None:
    """Replace ``path`` whole, without waiting for the disk: a snapshot lost to a power cut is only a gap in a film."""
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"info": json.dumps(dict(info))})
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
