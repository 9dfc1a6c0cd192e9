"""Where frames of a space come from: the snapshots of a run, or its model as it stands."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mfcore.embeddings.snapshot_files import About, Snapshot, SnapshotFiles
from mfcore.errors import UnusableRequest
from mfcore.runs.layout import RunFolder
from mfcore.typing import Int64

if TYPE_CHECKING:
    from mfcore.runs.loaded import LoadedRun


class FrameSource(Protocol):
    """Vectors by epoch. ``key`` tells sources apart in a cache; ``item_idx`` (n,), ``user_idx`` (m,): whose they are."""

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
        """None when it has gone meanwhile."""


class SnapshotFrames:
    """All that was kept while a run was trained."""

    def __init__(self, folder: RunFolder, about: About) -> None:
        self._files = SnapshotFiles(folder)
        self.key: Hashable = ("snapshots", str(folder.path), folder.path.stat().st_ino)
        self.item_idx, self.user_idx, self.note = about.item_idx, about.user_idx, about.note

    def stamps(self) -> dict[int, int]:
        return self._files.stamps()

    def load(self, epoch: int) -> Snapshot | None:
        found = self._files.load(epoch)
        fits = found is not None and (len(found.items), len(found.users)) == (len(self.item_idx), len(self.user_idx))
        return found if fits else None


class ModelFrames:
    """One frame: every item and user of the model that stands for a run."""

    def __init__(self, run: LoadedRun) -> None:
        self._run = run
        self._stamp = (run.folder.checkpoints / f"{run.checkpoint}.safetensors").stat().st_mtime_ns
        self.key: Hashable = ("model", str(run.folder.path), run.checkpoint)
        self.item_idx, self.user_idx = np.arange(run.data.num_items), np.arange(run.data.num_users)
        self.note = ""

    def stamps(self) -> dict[int, int]:
        return {self._run.checkpoint_epoch: self._stamp}

    def load(self, epoch: int) -> Snapshot | None:
        model = self._run.model
        biases = [None if bias is None else np.asarray(bias) for bias in (model.item_biases(), model.user_biases())]
        items, users = np.asarray(model.item_vectors()), np.asarray(model.user_vectors())
        return Snapshot(epoch, 0, items, users, biases[0], biases[1], np.zeros((0, 0), np.float32))


def frames_of(folder: RunFolder, *, every: bool = False) -> FrameSource:
    """The snapshots of a run; its model where it has none, or where ``every`` item and user is wanted.

    Raises:
        UnusableRequest: it has neither yet. DataUnavailable: the model is asked for and its dataset is not here.
    """
    from mfcore.runs.loaded import load_run

    files = SnapshotFiles(folder)
    about = None if every else files.about()
    if about is not None and files.epochs():
        return SnapshotFrames(folder, about)
    run = load_run(folder.run_id, folder.path.parent.parent)
    if run.model.item_vectors().ndim != 2:
        raise UnusableRequest(f"model {run.config.model.name} has no vectors to show")
    return ModelFrames(run)
