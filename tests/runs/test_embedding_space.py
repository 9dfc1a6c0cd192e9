"""The embeddings of a run: what was kept while it was trained, what it shows of them, and what it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mfcore.embeddings.axes import axis_names
from mfcore.embeddings.snapshot_writer import SnapshotWriter
from mfcore.embeddings.snapshots import SnapshotFiles, read_arrays, write_arrays
from mfcore.embeddings.spectrum import norms_over_time, spectra
from mfcore.embeddings.trajectories import View, trajectories
from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder
from mfcore.runs.checkpoints.files import load_weights
from mfcore.runs.embedding_space import run_space
from mfcore.runs.events import SnapshotEvent
from mfcore.runs.export.archive import pack, unpack
from tests.runs.tiny_runs import tiny


@pytest.fixture
def run(train: Callable) -> RunFolder:
    folder, status = train(tiny(num_epochs=12, **{"dataset.noise": 0.1, "dataset.rank": 2, "learning_rate": 0.02}))
    assert status.state == "finished", status.reason
    return folder


def test_a_run_says_what_its_vectors_are(home: Path, run: RunFolder) -> None:
    opened = run_space(run.run_id, home)
    space, points = trajectories(opened.snapshots(), View(components=2)), opened.points()
    assert space.items.shape == (len(space.epochs), 40, 2)
    assert len(points["items"]["title"]) == 40 and len(points["users"]["label"]) == 60
    assert points["items"]["title"][0] == "Item 1"
    assert points["items"]["year"][0] is None
    assert sum(points["items"]["ratings"]) == sum(points["users"]["ratings"]) == round(0.3 * 60 * 40)
    last = SnapshotFiles(run.path).load(space.epochs[-1])
    assert last is not None and last.item_biases is not None
    assert points["items"]["bias"] == pytest.approx(last.item_biases.tolist(), abs=1e-4)


def test_every_item_of_the_model_in_one_frame(home: Path, run: RunFolder) -> None:
    whole = trajectories(run_space(run.run_id, home).snapshots(every=True))
    assert whole.epochs == [run.result()["best_epoch"]]
    assert whole.items.shape == (1, 40, 3)


def test_the_planted_space_is_found_epoch_by_epoch(home: Path, run: RunFolder) -> None:
    found = run_space(run.run_id, home).recovery()
    epochs = sorted(found)
    assert epochs == SnapshotFiles(run.path).epochs()
    assert found[0].score < 0.35  # untrained: chance is 2/40
    assert found[epochs[-1]].score > 0.8
    assert found[epochs[-1]].score > found[0].score
    assert found[0].chance == pytest.approx(2 / 40)


def test_spectrum_and_norms_over_epochs(home: Path, run: RunFolder) -> None:
    opened = run_space(run.run_id, home)
    source = opened.snapshots()
    found = spectra(source)
    assert found[0].effective_rank > 3.5  # four random dimensions
    assert all(1 <= one.effective_rank <= 4 for one in found.values())
    norms = norms_over_time(source, opened.data_for(source).popularity())
    assert list(norms) == list(found) == SnapshotFiles(run.path).epochs()
    assert norms[12].norm.shape == (40,)


def test_axes_are_put_into_words(home: Path, run: RunFolder) -> None:
    opened = run_space(run.run_id, home)
    source = opened.snapshots()
    named = axis_names(source, opened.data_for(source), View(components=2))
    assert [one.sentence.split(" ")[1] for one in named] == ["1", "2"]
    assert "Item " in named[0].sentence
    often = opened.data_for(source).popularity()
    assert often[source.item_idx[[*named[0].low, *named[0].high]]].min() >= np.median(often), "ends that somebody has heard of"
    chosen = tuple(range(12))
    assert len(axis_names(source, opened.data_for(source), View(items=chosen, components=1))) == 1


def test_the_rating_block_follows_training(home: Path, run: RunFolder) -> None:
    opened = run_space(run.run_id, home)
    whole = opened.rating_block()
    assert whole["epoch"] == 12
    assert (len(whole["users"]), len(whole["items"])) == (40, 40)
    assert whole["unit"] == "points" and (whole["low"], whole["high"]) == (1.0, 5.0)
    known = [(rating, row, column) for row, line in enumerate(whole["known"]) for column, rating in enumerate(line) if rating]
    error = {
        epoch: np.mean([(opened.rating_block(epoch=epoch)["predicted"][r][c] - rating) ** 2 for rating, r, c in known[:200]])
        for epoch in (0, 12)
    }
    assert error[12] < 0.5 * error[0]
    assert set(opened.rating_block(epoch=0, static=False)) == {"epoch", "step", "predicted"}
    assert opened.rating_block(epoch=10_000)["epoch"] == 12


def test_a_run_without_snapshots_shows_its_model(home: Path, run: RunFolder) -> None:
    shutil.rmtree(run.path / "snapshots")
    opened = run_space(run.run_id, home)
    assert trajectories(opened.snapshots()).items.shape[0] == 1
    picture = opened.rating_block()
    assert picture["epoch"] == run.result()["best_epoch"]
    assert len(picture["predicted"]) == 40


def test_what_has_not_begun_is_refused_in_words(home: Path) -> None:
    folder = RunFolder.create(home, tiny())
    opened = run_space(folder.run_id, home)
    for ask in (opened.snapshots, opened.rating_block, opened.points, opened.recovery):
        with pytest.raises(UnusableRequest, match="wait for its first epoch"):
            ask()


# --- what a run keeps -----------------------------------------------------------------------------------------------


def test_a_run_keeps_the_untrained_model_the_best_and_the_last(train: Callable) -> None:
    folder, status = train(tiny(num_epochs=5))
    assert status.state == "finished", status.reason
    files, result = SnapshotFiles(folder.path), folder.result()
    assert {0, 5, result["best_epoch"]} <= set(files.epochs())
    told = {event.epoch: event.step for event in folder.events.of(SnapshotEvent)}
    assert set(told) == set(files.epochs())
    best, _ = load_weights(folder.checkpoints / "best.safetensors")
    kept = files.load(result["best_epoch"])
    assert kept is not None
    assert kept.items == pytest.approx(best["item_factors"].numpy(), abs=1e-3 * float(best["item_factors"].abs().max()))


def test_the_refit_is_not_mixed_in(train: Callable) -> None:
    folder, status = train(tiny(num_epochs=4, refit=True))
    assert status.state == "finished", status.reason
    best, refit = (
        load_weights(folder.checkpoints / f"{name}.safetensors")[0]["item_factors"].numpy() for name in ("best", "refit")
    )
    kept = SnapshotFiles(folder.path).load(folder.result()["best_epoch"])
    assert kept is not None
    assert np.abs(kept.items - best).max() < 2e-3 * np.abs(best).max() < np.abs(kept.items - refit).max()


def test_training_is_the_same_with_snapshots_and_without(train: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny(model="neumf", mlp_layers="8,4", dropout=0.2, num_epochs=3)
    with_them, _ = train(config)
    monkeypatch.setattr(SnapshotWriter, "write", lambda *_, **__: False)
    monkeypatch.setattr(SnapshotWriter, "write_now", lambda *_, **__: False)
    without, _ = train(config)
    weights = [load_weights(folder.checkpoints / "last.safetensors")[0] for folder in (with_them, without)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_snapshots_travel_with_an_exported_run(train: Callable, tmp_path: Path) -> None:
    folder, _ = train(tiny(num_epochs=3))
    taken_in = unpack(pack(folder), tmp_path / "elsewhere")
    assert SnapshotFiles(taken_in.path).epochs() == SnapshotFiles(folder.path).epochs()
    assert SnapshotFiles(taken_in.path).metadata() is not None


def rewritten(folder: RunFolder, name: str, **arrays: np.ndarray) -> None:
    path = folder.path / "snapshots" / name
    found = read_arrays(path)
    assert found is not None
    write_arrays(path, found[0] | arrays, found[1])


def test_imported_snapshots_that_do_not_fit_are_refused_and_nothing_breaks(train: Callable, home: Path) -> None:
    folder, _ = train(tiny(num_epochs=3))
    rewritten(folder, "epoch-00003.safetensors", items=np.zeros((3, 4), np.float16))
    opened = run_space(folder.run_id, home)
    assert 3 not in trajectories(opened.snapshots(), View(basis=0)).epochs
    far = np.arange(1000, 1040)
    rewritten(folder, "about.safetensors", item_idx=far, block_item_idx=far)
    for ask in (opened.points, opened.rating_block, opened.recovery):
        with pytest.raises(UnusableRequest, match="do not fit its dataset"):
            ask()
    rewritten(folder, "about.safetensors", item_idx=far[::-1].copy())
    assert SnapshotFiles(folder.path).metadata() is None
