"""Checkpoints of single epochs, from which to branch: their names, how many there may be, and which go first."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from mfcore.validate import UnusableRequest

MOST_FILES = 64
MOST_BYTES = 256 * 1024**2
"""Of all of a run's kept epochs together; what is over it is thinned out evenly."""
_NAME = re.compile(r"epoch-(\d{5,9})\.safetensors")
_MOST_HEADER = 64 * 1024**2


def kept_path(checkpoints: Path, epoch: int) -> Path:
    """Where the end of ``epoch`` is kept, or would be."""
    return checkpoints / f"epoch-{epoch:05d}.safetensors"


def kept_epochs(checkpoints: Path) -> list[int]:
    """Epochs kept, in order; 0 is the untrained model."""
    if not checkpoints.is_dir():
        return []
    found = (_NAME.fullmatch(path.name) for path in checkpoints.iterdir())
    return sorted(int(name[1]) for name in found if name)


def spacing(asked: int, num_epochs: int, size: int) -> int:
    """Every how many epochs to keep one: as ``asked``, or (0) so that all fit, at ``size`` bytes each."""
    if asked:
        return asked
    room = min(MOST_FILES, MOST_BYTES // max(size, 1))
    return max(1, math.ceil(num_epochs / max(room - 1, 1)))


def thin_out(checkpoints: Path, spare: Collection[int]) -> None:
    """Remove kept epochs until they are few and small enough: always the one whose neighbours are closest together.

    The first, the last and those in ``spare`` stay.
    """
    sizes = {epoch: kept_path(checkpoints, epoch).stat().st_size for epoch in kept_epochs(checkpoints)}
    while len(sizes) > MOST_FILES or sum(sizes.values()) > MOST_BYTES:
        epochs = list(sizes)
        gaps = {here: after - before for before, here, after in _threes(epochs) if here not in spare}
        if not gaps:
            return
        crowded = min(gaps, key=lambda epoch: gaps[epoch])
        kept_path(checkpoints, crowded).unlink(missing_ok=True)
        del sizes[crowded]


def drop_after(checkpoints: Path, epoch: int) -> None:
    """Remove what was kept of epochs after ``epoch``: they are going to be trained again."""
    for kept in kept_epochs(checkpoints):
        if kept > epoch:
            kept_path(checkpoints, kept).unlink(missing_ok=True)


def read_info(path: Path) -> Mapping[str, Any]:
    """The ``info`` of a checkpoint, from its header alone: neither weights nor torch are loaded.

    Raises:
        UnusableRequest: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, _MOST_HEADER)))
        info = json.loads(header["__metadata__"]["info"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableRequest(f"the checkpoint {path.name} cannot be read ({error}); branch from another epoch") from None
    if not isinstance(info, dict):
        raise UnusableRequest(f"the checkpoint {path.name} says nothing about itself; branch from another epoch")
    return info


def _threes(epochs: list[int]) -> list[tuple[int, int, int]]:
    return [(a, b, c) for (a, b), (_, c) in pairwise(pairwise(epochs))]
