"""Snapshots: what is kept, within which bounds, and that training never notices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data import Interactions, Vocabulary, random_split
from mfcore.data.interactions import make_item_table
from mfcore.data.sources.generated import planted
from mfcore.embeddings import snapshots
from mfcore.embeddings.living import living_picture
from mfcore.embeddings.points import space_points
from mfcore.embeddings.rating_block import Picture, most
from mfcore.embeddings.report import norms_over_time
from mfcore.embeddings.snapshot_files import SnapshotFiles, read_arrays, write_arrays
from mfcore.embeddings.snapshots import SnapshotWriter, copy_snapshots
from mfcore.embeddings.space import load_space
from mfcore.embeddings.thinning import IN_HAND, SHARE, Budget, superfluous
from mfcore.embeddings.view import View
from mfcore.errors import UnusableRequest
from mfcore.models import RecommenderModel, build_model
from mfcore.runs import RunFolder
from mfcore.runs.checkpoints.files import load_weights
from mfcore.runs.events import SnapshotEvent
from mfcore.runs.export.archive import pack, unpack
from tests.runs.tiny_runs import tiny

SPLIT = random_split(planted(num_users=60, num_items=40, density=0.4), test=0.2, valid=0.1, seed=0)
MODELS = ["mf", "biased-mf", "gmf", "mlp", "neumf"]


def model(name: str = "biased-mf", **options: object) -> RecommenderModel:
    options = (
        {"embedding_dim": 4, "mlp_layers": (8, 4), **options} if name in ("mlp", "neumf") else {"embedding_dim": 4, **options}
    )
    made = build_model(name, SPLIT.train, seed=0, **options)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return made


@pytest.fixture
def folder(home: Path) -> RunFolder:
    return RunFolder.create(home, tiny())


@pytest.mark.parametrize("name", MODELS)
def test_every_models_vectors_come_back(folder: RunFolder, name: str) -> None:
    made = model(name)
    assert SnapshotWriter(folder, SPLIT, made).write(made, 3, 17)
    files = SnapshotFiles(folder)
    assert files.epochs() == [3]
    kept, about = files.load(3), files.about()
    assert kept is not None and about is not None
    assert kept.step == 17
    assert kept.items == pytest.approx(made.item_vectors().numpy(), rel=1e-3, abs=1e-3 * float(made.item_vectors().abs().max()))
    assert kept.users == pytest.approx(made.user_vectors().numpy(), rel=1e-3, abs=1e-3 * float(made.user_vectors().abs().max()))
    biases = made.item_biases()
    assert (kept.item_biases is None) == (biases is None)
    if biases is not None:
        assert kept.item_biases == pytest.approx(biases.numpy())
    truth = made.predict(np.repeat(about.block_user_idx, 40), np.tile(about.block_item_idx, len(about.block_user_idx)))
    assert kept.block == pytest.approx(truth.numpy().reshape(kept.block.shape), abs=1e-6)


def test_float16_takes_vectors_beyond_its_own_range(folder: RunFolder) -> None:
    made = model("mf")
    with torch.no_grad():
        made.item_factors.mul_(1e7)
        made.user_factors.mul_(1e-9)
    SnapshotWriter(folder, SPLIT, made).write(made, 0)
    kept = SnapshotFiles(folder).load(0)
    assert kept is not None
    assert kept.items == pytest.approx(made.item_vectors().numpy(), rel=2e-3, abs=1e4)
    assert kept.users == pytest.approx(made.user_vectors().numpy(), rel=2e-3, abs=1e-12)


def test_vectors_that_are_no_numbers_are_not_kept(folder: RunFolder) -> None:
    made = model("mf")
    with torch.no_grad():
        made.item_factors[3, 1] = float("nan")
    assert not SnapshotWriter(folder, SPLIT, made).write(made, 1, keep=True)
    assert SnapshotFiles(folder).epochs() == []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The writer's clock: stands still until ``now`` is changed, so that writing takes no time."""
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(snapshots, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def test_writing_is_bounded_in_time_but_what_must_be_kept_is(folder: RunFolder, clock: SimpleNamespace) -> None:
    made = model()
    writer = SnapshotWriter(folder, SPLIT, made)
    assert writer.write(made, 0)
    clock.now += 0.005
    assert not writer.write(made, 1)  # at most a hundred a second
    assert writer.write(made, 2, keep=True)
    assert not writer.write(made, 2, keep=True)  # is there already
    clock.now += 0.011
    assert writer.write(made, 3)
    assert SnapshotFiles(folder).epochs() == [0, 2, 3]


def test_slow_writing_is_paid_for_with_time(folder: RunFolder, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        clock.now += 0.5

    made = model()
    writer = SnapshotWriter(folder, SPLIT, made)
    monkeypatch.setattr(snapshots, "write_arrays", slow)
    written = 0
    for epoch in range(1000):  # ten epochs a second
        written += writer.write(made, epoch)
        clock.now += 0.1
    assert 1 <= written <= 1 + (clock.now - 100) * SHARE / 0.5


def test_the_budget_is_a_share_of_the_time_that_passes() -> None:
    budget = Budget()
    spent, now = 0.0, 100.0
    for _ in range(10_000):
        now += 0.01
        if budget.left(now) > 0:
            budget.spend(0.004)
            spent += 0.004
    assert spent <= SHARE * 100 + IN_HAND + 0.004
    assert spent >= 0.95 * SHARE * 100
    assert SHARE < 0.02


def test_numbers_are_bounded_and_thinned_out_evenly(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MOST_FRAMES", 20)
    made = model()
    writer = SnapshotWriter(folder, SPLIT, made)
    for epoch in range(301):
        writer._due = 0.0
        writer._budget = Budget()
        writer.write(made, epoch, keep=epoch == 77)
    kept = SnapshotFiles(folder).epochs()
    assert len(kept) == 20
    assert {0, 77, 300} <= set(kept)
    assert np.diff(kept).max() <= 3 * 300 / 19


@given(count=st.integers(3, 400), limit=st.integers(3, 60))
def test_thinning_keeps_both_ends_and_even_gaps(count: int, limit: int) -> None:
    epochs: list[int] = []
    for epoch in range(count):
        epochs.append(epoch)
        while len(epochs) > limit:
            epochs.remove(superfluous(epochs, {0}))
    assert epochs[0] == 0 and epochs[-1] == count - 1
    gaps = np.diff(epochs)
    assert gaps.max() <= max(1.0, 3.0 * (count - 1) / (len(epochs) - 1))


def test_wide_vectors_are_kept_of_the_most_rated(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MOST_ITEMS", 10)
    monkeypatch.setattr(snapshots, "MOST_USERS", 7)
    made = model()
    SnapshotWriter(folder, SPLIT, made).write(made, 0)
    about, kept = SnapshotFiles(folder).about(), SnapshotFiles(folder).load(0)
    assert about is not None and kept is not None
    popular = SPLIT.train.popularity()
    assert popular[about.item_idx].min() >= np.delete(popular, about.item_idx).max()
    assert (len(kept.items), len(kept.users)) == (10, 7)
    assert kept.items == pytest.approx(made.item_vectors().numpy()[about.item_idx], abs=2e-3)
    assert "10 most rated of 40 items" in about.note


@pytest.mark.parametrize(("width", "items", "users"), [(8, 4000, 1000), (64, 4000, 1000), (512, 1562, 390), (4096, 500, 100)])
def test_a_snapshot_is_bounded_in_size(width: int, items: int, users: int) -> None:
    assert snapshots._bounds(width, 100_000, 100_000) == (items, users)


def test_a_picture_shows_training_and_validation_but_never_test() -> None:
    picture = Picture(SPLIT, implicit=False)
    place = {(u, i): rating for u, i, rating in zip(SPLIT.data.user_idx, SPLIT.data.item_idx, SPLIT.data.rating, strict=True)}
    part = {
        (u, i): name
        for name, one in (("train", SPLIT.train), ("valid", SPLIT.valid), ("test", SPLIT.test))
        for u, i in zip(one.user_idx.tolist(), one.item_idx.tolist(), strict=True)
    }
    hidden = 0
    for row, user in enumerate(picture.user_idx.tolist()):
        for column, item in enumerate(picture.item_idx.tolist()):
            known, where = picture.known[row, column], part.get((user, item))
            assert np.isnan(known) == (where not in ("train", "valid"))
            assert picture.heldout[row, column] == (where == "valid")
            hidden += where == "test"
            if where in ("train", "valid"):
                assert known == place[user, item]
    assert hidden > 10  # there were cells of test to give away
    assert picture.known.shape == (40, 40)


def test_a_picture_of_ranking_shows_what_happened_and_probabilities() -> None:
    made = model("mf", output_range=False)
    made.predicts_ratings = False
    picture = Picture(SPLIT, implicit=True)
    assert set(np.unique(picture.known[~np.isnan(picture.known)])) == {1.0}
    predicted = picture.predicted(made)
    scores = made.score_items(picture.user_idx).numpy()[:, picture.item_idx]
    assert predicted == pytest.approx(1 / (1 + np.exp(-scores)), abs=1e-6)


def test_a_pictures_order_brings_likes_together() -> None:
    """Two kinds of users and items, mixed up: a block pattern must come out of the ordering."""
    rng = np.random.default_rng(0)
    kinds = rng.permutation(np.repeat([0, 1], 20)), rng.permutation(np.repeat([0, 1], 20))
    users, items = (array.ravel() for array in np.meshgrid(np.arange(40), np.arange(40), indexing="ij"))
    rating = np.where(kinds[0][users] == kinds[1][items], 5.0, 1.0).astype(np.float32)
    vocabularies = (Vocabulary(np.arange(40), kind) for kind in ("user", "item"))
    data = Interactions(users, items, rating, None, *vocabularies, make_item_table(["x"] * 40), (1.0, 5.0))
    picture = Picture(random_split(data, test=0.2, valid=0.1, seed=0), implicit=False)
    for chosen, kind in ((picture.user_idx, kinds[0]), (picture.item_idx, kinds[1])):
        assert np.abs(np.diff(kind[chosen])).sum() == 1


def test_most_takes_the_highest_counts_first_come_first() -> None:
    assert most(np.array([3, 9, 3, 1, 9]), 3).tolist() == [0, 1, 4]


def test_the_picture_inside_an_epoch_is_replaced_and_goes_with_a_resume(folder: RunFolder, clock: SimpleNamespace) -> None:
    made = model()
    writer = SnapshotWriter(folder, SPLIT, made)
    writer.write(made, 1, 10, keep=True)
    for step, epoch in ((11, 1.25), (12, 1.5)):
        clock.now += 0.21
        assert writer.write_now(made, epoch, step)
        assert not writer.write_now(made, epoch, step + 1)  # five a second
    files = SnapshotFiles(folder)
    now = files.now()
    assert now is not None
    assert now[:2] == (1.5, 12)
    assert len(files.pictures()) == 1
    writer.write(made, 2, 20, keep=True)
    writer.take_back(1)
    assert files.epochs() == [1]
    assert files.now() is None


def test_a_branch_gets_the_past_and_no_more(home: Path, folder: RunFolder) -> None:
    made = model()
    writer = SnapshotWriter(folder, SPLIT, made)
    for epoch in range(4):
        writer.write(made, epoch, keep=True)
    child = RunFolder.create(home, tiny())
    copy_snapshots(folder, child, 2)
    assert SnapshotFiles(child).epochs() == [0, 1, 2]
    assert SnapshotFiles(child).about() is not None
    copy_snapshots(child, RunFolder.create(home, tiny()), 5)


def test_damaged_files_count_as_absent(folder: RunFolder) -> None:
    made = model()
    SnapshotWriter(folder, SPLIT, made).write(made, 0)
    files = SnapshotFiles(folder)
    files.place(0).write_bytes(b"torn")
    assert files.load(0) is None
    (files.path / "about.safetensors").write_bytes(b"")
    assert files.about() is None
    assert SnapshotFiles(RunFolder(folder.path / "nowhere")).epochs() == []


def test_a_full_disk_costs_a_snapshot_and_not_the_run(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    made = model()
    writer = SnapshotWriter(folder, SPLIT, made)

    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(snapshots, "write_arrays", full)
    assert not writer.write(made, 0, keep=True)
    assert writer.write_now(made, 0.5, 1)


# --- in a run --------------------------------------------------------------------------------------------------------


def test_a_run_keeps_the_untrained_model_the_best_and_the_last(train: Callable) -> None:
    folder, status = train(tiny(num_epochs=5))
    assert status.state == "finished", status.reason
    files, result = SnapshotFiles(folder), folder.result()
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
    kept = SnapshotFiles(folder).load(folder.result()["best_epoch"])
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


# --- from elsewhere --------------------------------------------------------------------------------------------------


def test_snapshots_travel_with_an_exported_run(train: Callable, tmp_path: Path) -> None:
    folder, _ = train(tiny(num_epochs=3))
    taken_in = unpack(pack(folder), tmp_path / "elsewhere")
    assert SnapshotFiles(taken_in).epochs() == SnapshotFiles(folder).epochs()
    assert SnapshotFiles(taken_in).about() is not None


def rewritten(folder: RunFolder, name: str, **arrays: np.ndarray) -> None:
    path = folder.path / "snapshots" / name
    found = read_arrays(path)
    assert found is not None
    write_arrays(path, found[0] | arrays, found[1])


def test_imported_snapshots_that_do_not_fit_are_refused_and_nothing_breaks(train: Callable, home: Path) -> None:
    folder, _ = train(tiny(num_epochs=3))
    rewritten(folder, "epoch-00003.safetensors", items=np.zeros((3, 4), np.float16))
    assert 3 not in load_space(folder.run_id, home, View(basis=0)).epochs
    far = np.arange(1000, 1040)
    rewritten(folder, "about.safetensors", item_idx=far, block_item_idx=far)
    for ask in (space_points, living_picture, norms_over_time):
        with pytest.raises(UnusableRequest, match="do not fit its dataset"):
            ask(folder.run_id, home)
    rewritten(folder, "about.safetensors", item_idx=far[::-1].copy())
    assert SnapshotFiles(folder).about() is None
