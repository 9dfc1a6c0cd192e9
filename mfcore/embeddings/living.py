"""The living picture of a run, ready for JSON: what is known, and what the model says about all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mfcore.embeddings.points import data_of, name_of, plain
from mfcore.embeddings.rating_block import Picture
from mfcore.embeddings.snapshot_files import About, SnapshotFiles
from mfcore.runs.layout import RunFolder, open_folder
from mfcore.typing import Float32
from mfcore.validate import require


def living_picture(
    run_id: str, home: str | Path | None = None, *, epoch: int | None = None, static: bool = True
) -> dict[str, Any]:
    """``{epoch, step, predicted}`` and, if ``static``, ``{users, items, known, heldout, low, high, unit, note}``.

    ``epoch``: which; None is the latest there is, also inside an epoch. A run without snapshots shows its model.

    Raises:
        UnusableRequest: no such run, nothing to show yet, or no such epoch.
    """
    folder = open_folder(run_id, home)
    files = SnapshotFiles(folder)
    about = files.about()
    if about is None or not files.epochs():
        return _of_model(folder, home, static)
    at, step, block = _latest(files) if epoch is None else _at(files, epoch)
    answer = {"epoch": at, "step": step, "predicted": _table(block)}
    return answer | _static(about, folder, home) if static else answer


def _latest(files: SnapshotFiles) -> tuple[float, int, Float32]:
    now, epochs = files.now(), files.epochs()
    require(bool(epochs), "there is no picture yet; wait for the first epoch")
    if now is not None and now[0] > epochs[-1]:
        return now
    return _at(files, epochs[-1])


def _at(files: SnapshotFiles, epoch: int) -> tuple[float, int, Float32]:
    """The epoch asked for, or the last one before it: a slider may stand where a snapshot was thinned out."""
    epochs = files.epochs()
    near = max((e for e in epochs if e <= epoch), default=epochs[0] if epochs else 0)
    found = files.load(near)
    require(found is not None, f"epoch {epoch} has no snapshot")
    assert found is not None
    return near, found.step, found.block


def _static(about: About, folder: RunFolder, home: str | Path | None) -> dict[str, Any]:
    data = data_of(folder, home)
    beyond = about.block_item_idx.max(initial=-1) >= data.num_items or about.block_user_idx.max(initial=-1) >= data.num_users
    require(not beyond, f"the snapshots of run {folder.run_id} do not fit its dataset; train it again")
    titles = data.item_table["title"].tolist()
    return {
        "users": [f"user {raw}" for raw in data.users.ids[about.block_user_idx].tolist()],
        "items": [name_of(titles[item], data.items.ids[item]) for item in about.block_item_idx.tolist()],
        "known": _table(about.known),
        "heldout": about.heldout.astype(int).tolist(),
        "low": about.low,
        "high": about.high,
        "unit": about.unit,
        "note": about.note,
    }


def _of_model(folder: RunFolder, home: str | Path | None, static: bool) -> dict[str, Any]:
    from mfcore.runs.loaded import load_run

    run = load_run(folder.run_id, home)
    rating = bool(run.model.predicts_ratings)
    picture = Picture(run.split, implicit=not rating)
    answer = {"epoch": run.checkpoint_epoch, "step": 0, "predicted": _table(picture.predicted(run.model))}
    if not static:
        return answer
    low, high = run.data.rating_scale if rating else (0.0, 1.0)
    unit, none = "stars" if rating else "probability", np.zeros(0, np.int64)
    block = (picture.user_idx, picture.item_idx, picture.known, picture.heldout)
    return answer | _static(About(none, none, *block, low, high, unit), folder, home)


def _table(values: Float32) -> list[list[float | None]]:
    return [plain(row.astype(np.float64), 2) for row in values]
