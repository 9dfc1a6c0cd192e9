"""Snapshots come back as they were written, go along with a branch, and damaged ones count as absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mfcore.embeddings.snapshot_writer import SnapshotWriter
from mfcore.embeddings.snapshots import ModelSnapshot, SnapshotFiles, copy_snapshots
from tests.embeddings.tiny_models import MODELS, SPLIT, model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.mark.parametrize("name", MODELS)
def test_every_models_vectors_come_back(folder: Path, name: str) -> None:
    made = model(name)
    assert SnapshotWriter(folder, SPLIT, made).write(made, 3, 17)
    files = SnapshotFiles(folder)
    assert files.epochs() == [3]
    kept, about = files.load(3), files.metadata()
    assert kept is not None and about is not None
    assert kept.step == 17
    assert kept.items == pytest.approx(made.item_vectors().numpy(), rel=1e-3, abs=1e-3 * float(made.item_vectors().abs().max()))
    assert kept.users == pytest.approx(made.user_vectors().numpy(), rel=1e-3, abs=1e-3 * float(made.user_vectors().abs().max()))
    biases = made.item_biases()
    assert (kept.item_biases is None) == (biases is None)
    if biases is not None:
        assert kept.item_biases == pytest.approx(biases.numpy())
    truth = made.predict(np.repeat(about.block.user_idx, 40), np.tile(about.block.item_idx, len(about.block.user_idx)))
    shown = truth.numpy().clip(about.block.low, about.block.high)  # as ratings are shown
    assert kept.block == pytest.approx(shown.reshape(kept.block.shape), abs=1e-6)


def test_a_branch_gets_the_past_and_no_more(tmp_path: Path, folder: Path) -> None:
    made = model()
    writer = SnapshotWriter(folder, SPLIT, made)
    for epoch in range(4):
        writer.write(made, epoch, keep=True)
    child, grandchild = tmp_path / "child", tmp_path / "grandchild"
    child.mkdir()
    grandchild.mkdir()
    copy_snapshots(folder, child, 2)
    assert SnapshotFiles(child).epochs() == [0, 1, 2]
    assert SnapshotFiles(child).metadata() is not None
    copy_snapshots(child, grandchild, 5)
    assert SnapshotFiles(grandchild).epochs() == [0, 1, 2]
    copy_snapshots(tmp_path / "nothing there", tmp_path / "other", 5)


def test_damaged_files_count_as_absent(folder: Path) -> None:
    made = model()
    SnapshotWriter(folder, SPLIT, made).write(made, 0)
    files = SnapshotFiles(folder)
    files.file_of(0).write_bytes(b"torn")
    assert files.load(0) is None
    (files.path / "about.safetensors").write_bytes(b"")
    assert files.metadata() is None
    assert SnapshotFiles(folder / "nowhere").epochs() == []


def test_a_model_is_a_source_of_one_snapshot() -> None:
    made = model()
    source = ModelSnapshot(made, epoch=7, key="model", stamp=5)
    assert source.stamps() == {7: 5}
    found = source.load(7)
    assert found is not None and source.load(6) is None
    np.testing.assert_array_equal(found.items, made.item_vectors().numpy())
    assert (len(source.item_idx), len(source.user_idx)) == (len(found.items), len(found.users)) == (40, 60)
