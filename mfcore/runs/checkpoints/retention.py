"""Checkpoints of single epochs, from which to branch: their names, how many there may be, and which go first."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

MOST_FILES = 64
MOST_BYTES = 24 * 1024**2
"""Of all of a run's kept epochs together; what is over it is thinned out evenly. The untrained, best and latest epochs stay
whatever they take: three files for a model of which not even one fits."""
_NAME = re.compile(r"epoch-(\d{5,9})\.safetensors")


def kept_path(checkpoints: Path, epoch: int) -> Path:
    """Where the end of ``epoch`` is kept, or would be."""
    return checkpoints / f"epoch-{epoch:05d}.safetensors"


def kept_epochs(checkpoints: Path) -> list[int]:
    """Epochs kept, in order; 0 is the untrained model."""
    if not checkpoints.is_dir():
        return []
    found = (_NAME.fullmatch(path.name) for path in checkpoints.iterdir())
    return sorted(int(name[1]) for name in found if name)


def spacing(asked: int, epoch: int, size: int) -> int:
    """Every how many epochs to keep one when ``epoch`` are done: as ``asked``; or (0) each, then every second, every fourth …

    so that all fit, at ``size`` bytes each, with room for the best and the last.
    """
    room, every = min(MOST_FILES, MOST_BYTES // max(size, 1)), asked or 1
    while not asked and epoch // every > max(room - 3, 1):
        every *= 2
    return every


def thin_out(checkpoints: Path, spare: Collection[int], every: int = 1) -> None:
    """Remove kept epochs until they are few and small enough: first every second multiple of ``every``, then of twice that …

    The first, the last and those in ``spare`` stay.
    """
    sizes = {epoch: kept_path(checkpoints, epoch).stat().st_size for epoch in kept_epochs(checkpoints)}
    inner = [epoch for epoch in list(sizes)[1:-1] if epoch not in spare]
    for epoch in sorted(inner, key=lambda epoch: (_roundness(epoch, every), epoch)):
        if len(sizes) <= MOST_FILES and sum(sizes.values()) <= MOST_BYTES:
            return
        kept_path(checkpoints, epoch).unlink(missing_ok=True)
        del sizes[epoch]


def drop_after(checkpoints: Path, epoch: int) -> None:
    """Remove what was kept of epochs after ``epoch``: they are going to be trained again."""
    for kept in kept_epochs(checkpoints):
        if kept > epoch:
            kept_path(checkpoints, kept).unlink(missing_ok=True)


def _roundness(epoch: int, every: int) -> int:
    """The largest power of two that divides ``epoch / every``; 0 where that is no whole number."""
    times, left = divmod(epoch, every)
    return 0 if left else times & -times
