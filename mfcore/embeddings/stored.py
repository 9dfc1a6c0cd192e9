"""A space by name, whoever made it: a run of ours, or embeddings that were imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcore.embeddings.frames import FrameSource, frames_of
from mfcore.embeddings.imported import ForeignEmbeddings, open_embeddings
from mfcore.embeddings.points import space_points
from mfcore.paths import data_dir
from mfcore.runs.layout import RunFolder, open_folder
from mfcore.validate import choice

KINDS = ("runs", "embeddings")


@dataclass(frozen=True)
class StoredSpace:
    """``kind``: "runs" or "embeddings". ``path``: its folder."""

    kind: str
    name: str
    home: Path
    path: Path

    def frames(self, *, every: bool = False) -> FrameSource:
        """Its vectors by epoch. ``every``: of a run, all items and users of the model as it is.

        Raises:
            UnusableRequest: there is nothing yet, or it is damaged.
        """
        if self.kind == "embeddings":
            return ForeignEmbeddings(self.path).frames()
        return frames_of(RunFolder(self.path), every=every)

    def points(self, *, every: bool = False) -> dict[str, dict[str, list[Any]]]:
        """What the points are (see :func:`mfcore.embeddings.points.space_points`).

        Raises:
            UnusableRequest: there is nothing yet, or it is damaged. DataUnavailable: the run's dataset is not here.
        """
        if self.kind == "embeddings":
            return ForeignEmbeddings(self.path).points()
        return space_points(self.name, self.home, every=every)

    @property
    def state(self) -> str:
        """Of a run, where it stands; imported embeddings are finished."""
        return "finished" if self.kind == "embeddings" else RunFolder(self.path).status().state


def open_stored(kind: str, name: str, home: str | Path | None = None) -> StoredSpace:
    """Raises UnusableRequest: there is no such thing."""
    choice("kind", kind, KINDS)
    path = open_embeddings(name, home).path if kind == "embeddings" else open_folder(name, home).path
    return StoredSpace(kind, name, data_dir(home), path)
