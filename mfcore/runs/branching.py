"""A new run that goes on from the end of another's epoch, with other settings or the same: made here, trained by a worker."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.runs.checkpoints.info import read_info
from mfcore.runs.checkpoints.retention import kept_epochs, kept_path
from mfcore.runs.config import RunConfig
from mfcore.runs.events import CommandEvent, EpochEvent, SnapshotEvent, StartEvent, StepEvent
from mfcore.runs.history import BEGUN_WITH, RunHistory
from mfcore.runs.layout import RunFolder
from mfcore.settings import SETTINGS, known
from mfcore.validate import integer, require

_INHERITED = (StartEvent, EpochEvent, StepEvent, CommandEvent, SnapshotEvent)


def branch_config(parent: RunFolder, epoch: Any, changes: Mapping[str, Any], name: str) -> RunConfig:
    """The configuration of a branch: the parent's as in force at the end of ``epoch``, with flat keys changed.

    Raises:
        UnusableRequest: the epoch was not kept, or something is to be changed that cannot.
    """
    epoch = integer("epoch", epoch, low=0)
    kept = kept_epochs(parent.checkpoints)
    listed = f"kept are {', '.join(map(str, kept))}" if kept else "none is kept yet; wait for its first epoch"
    require(epoch in kept, f"epoch {epoch} of run {parent.run_id} was not kept to branch from; {listed}")
    for key in changes:
        changeable = not key.startswith("dataset.") and known(key).in_branch
        require(
            changeable, f"{key} cannot change in a branch, which goes on with the parent's weights; train a new run for that"
        )
    before = read_info(kept_path(parent.checkpoints, epoch)).settings(parent.config())
    changed = before.with_flat(changes)
    total = changed.training.num_epochs
    require(
        total > epoch, f"num_epochs must be > {epoch}, the epochs the branch begins with, got {total}; give it a larger one"
    )
    differs = {
        key: value for key, value in changed.to_flat(defaults=True).items() if before.to_flat(defaults=True)[key] != value
    }
    real = [key for key in differs if SETTINGS[key].changes_weights]
    own_name = name.strip() or _called(parent, epoch)
    origin = {"run_id": parent.run_id, "epoch": epoch, "changes": differs}
    return dataclasses.replace(changed, name=own_name, preset="" if real else before.preset, parent=origin)


def branch_folder(
    home: Path,
    parent: RunFolder,
    config: RunConfig,
    *,
    claimed: bool = False,
    owner: str = "",
    asked_by: str = "",
    place: float | None = None,
) -> RunFolder:
    """Make the folder of a branch, which stands on its own: the checkpoint, the past's events and pictures are copied.

    Raises:
        UnusableRequest: the epoch is no longer there.
    """
    epoch = int(config.parent["epoch"])

    def fill(child: RunFolder) -> None:
        _copy(kept_path(parent.checkpoints, epoch), kept_path(child.checkpoints, epoch))
        known = {key: value for key, value in parent.provenance().items() if key != "scored_before"}
        history = RunHistory.read(parent)
        begun_with = {BEGUN_WITH: history.begun_with.to_dict()} if history.complete else {}
        child.write_provenance({**known, **begun_with})
        past = read_info(kept_path(child.checkpoints, epoch)).past(parent.events.surviving())
        child.events.begin(dataclasses.replace(event, inherited=True) for event in past if isinstance(event, _INHERITED))
        with suppress(OSError):  # a branch does not fail for want of pictures
            from mfcore.embeddings.snapshots import copy_snapshots

            copy_snapshots(parent.path, child.path, epoch)

    try:
        return RunFolder.create(home, config, claimed=claimed, owner=owner, asked_by=asked_by, place=place, fill=fill)
    except FileNotFoundError:
        raise UnusableRequest(f"epoch {epoch} of run {parent.run_id} is no longer kept; choose another") from None


def _called(parent: RunFolder, epoch: int) -> str:
    name = str(parent.meta()["name"])
    return f"{name}, from epoch {epoch}"[:200] if name else ""


def _copy(source: Path, target: Path) -> None:
    """The same bytes under another name: at no cost where the file system can, as checkpoints are replaced, never changed."""
    link: Callable[[Path, Path], None] = os.link
    try:
        link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
