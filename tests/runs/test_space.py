"""A space: frames of many epochs on one set of axes that stand still, also while training goes on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from mfcore.embeddings.living import living_picture
from mfcore.embeddings.points import space_points
from mfcore.embeddings.report import axis_sentences, norm_against_popularity, recovery, spectrum, spoken
from mfcore.embeddings.snapshot_files import Snapshot, SnapshotFiles
from mfcore.embeddings.space import load_space, space_of
from mfcore.embeddings.view import View
from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder
from tests.runs.tiny_runs import tiny


@dataclass
class Made:
    """Frames of random vectors, to be added to and taken from."""

    key: object = field(default_factory=lambda: time.perf_counter_ns())
    note: str = ""
    n: int = 30
    m: int = 8
    d: int = 6
    frames: dict[int, tuple[int, Snapshot]] = field(default_factory=dict)
    loads: int = 0

    def __post_init__(self) -> None:
        self.item_idx, self.user_idx = np.arange(100, 100 + self.n), np.arange(self.m)

    def add(self, epoch: int, stamp: int = 1) -> Snapshot:
        rng = np.random.default_rng((epoch, stamp))
        items, users = (rng.standard_normal((size, self.d)).astype(np.float32) for size in (self.n, self.m))
        one = Snapshot(epoch, epoch, items * np.arange(1, self.d + 1), users, None, None, np.zeros((0, 0), np.float32))
        self.frames[epoch] = (stamp, one)
        return one

    def stamps(self) -> dict[int, int]:
        return {epoch: stamp for epoch, (stamp, _) in self.frames.items()}

    def load(self, epoch: int) -> Snapshot | None:
        self.loads += 1
        return self.frames[epoch][1] if epoch in self.frames else None


@pytest.fixture
def made() -> Made:
    source = Made()
    for epoch in range(4):
        source.add(epoch)
    return source


def test_the_axes_are_the_principal_components_of_the_basis_epochs_items(made: Made) -> None:
    space = space_of(made, View(components=3))
    assert (space.basis, space.epochs, space.columns) == (3, [0, 1, 2, 3], ["1", "2", "3"])
    pca = PCA(3).fit(made.frames[3][1].items)
    sign = np.sign((pca.components_ * space.projection.components).sum(axis=1))
    for epoch in range(4):
        one = made.frames[epoch][1]
        assert space.items[epoch] == pytest.approx(pca.transform(one.items) * sign, abs=1e-4)
        assert space.users[epoch] == pytest.approx(pca.transform(one.users) * sign, abs=1e-4)
        assert space.item_norms[epoch] == pytest.approx(np.linalg.norm(one.items, axis=1), rel=1e-6)
    assert space.explained_variance_ratio == pytest.approx(pca.explained_variance_ratio_, rel=1e-5)


def test_axes_asked_for_by_number_never_turn_while_training_goes_on(made: Made) -> None:
    first = space_of(made)
    made.add(9)
    followed = space_of(made, View(basis=first.basis), since=4)
    assert (followed.epochs, followed.basis) == ([9], 3)
    np.testing.assert_array_equal(followed.projection.components, first.projection.components)
    assert space_of(made).basis == 9
    del made.frames[3]  # thinned out under the viewer
    again = space_of(made, View(basis=3))
    np.testing.assert_array_equal(again.projection.components, first.projection.components)
    assert again.available == [0, 1, 2, 9]


def test_a_basis_that_was_never_seen_is_the_last_one_before(made: Made) -> None:
    made.frames.pop(2)
    assert space_of(made, View(basis=2)).basis == 1
    assert space_of(made, View(basis=50)).basis == 3


def test_epochs_that_were_trained_again_are_read_again(made: Made) -> None:
    before = space_of(made, View(basis=1)).items[2]
    made.add(2, stamp=2)
    after = space_of(made, View(basis=1)).items[2]
    assert not np.allclose(before, after)
    made.add(1, stamp=2)  # the basis itself
    pca = PCA(3).fit(made.frames[1][1].items)
    assert np.abs(space_of(made, View(basis=1)).items[1]) == pytest.approx(
        np.abs(pca.transform(made.frames[1][1].items)), abs=1e-4
    )


def test_what_was_put_on_the_axes_is_not_read_again(made: Made) -> None:
    space_of(made)
    loads = made.loads
    space_of(made)
    space_of(made, since=2)
    assert made.loads == loads


def test_frames_between_two_epochs_and_none(made: Made) -> None:
    assert space_of(made, since=1, until=2).epochs == [1, 2]
    nothing = space_of(made, since=7)
    assert nothing.items.shape == (0, 30, 3)
    assert nothing.user_norms.shape == (0, 8)


def test_on_the_sphere_directions_count(made: Made) -> None:
    space = space_of(made, View(sphere=True))
    vectors = made.frames[3][1].items
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.abs(space.items[3]) == pytest.approx(np.abs(PCA(3).fit_transform(unit)), abs=1e-5)
    assert space.item_norms[3] == pytest.approx(np.linalg.norm(vectors, axis=1))


def test_a_selection_has_components_of_its_own(made: Made) -> None:
    space = space_of(made, View(items=(125, 103, 110, 111), components=2))
    assert space.item_idx.tolist() == [103, 110, 111, 125]
    chosen = made.frames[3][1].items[[3, 10, 11, 25]]
    assert np.abs(space.items[3]) == pytest.approx(np.abs(PCA(2).fit_transform(chosen)), abs=1e-4)


def test_an_axis_between_films_is_a_last_column_fixed_at_the_basis(made: Made) -> None:
    space = space_of(made, View(start=(100,), end=(101, 102)))
    vectors = made.frames[3][1].items.astype(np.float64)
    end = (vectors[1] + vectors[2]) / 2
    unit = (end - vectors[0]) / np.linalg.norm(end - vectors[0])
    assert space.columns == ["1", "2", "3", "between"]
    for epoch in range(4):
        expected = (made.frames[epoch][1].items - (vectors[0] + end) / 2) @ unit
        assert space.items[epoch][:, 3] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ({"components": 0}, "components"),
        ({"basis": -1}, "basis"),
        ({"start": (100,)}, "both sides"),
        ({"items": (100, 101)}, "at least 3"),
    ],
)
def test_views_that_make_no_sense_are_refused(view: dict, words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        View(**view)


def test_films_that_are_not_there_are_refused(made: Made) -> None:
    for view in (View(items=(100, 101, 999)), View(start=(5,), end=(100,))):
        with pytest.raises(UnusableRequest, match="not in this space"):
            space_of(made, view)


def test_an_answer_is_bounded(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfcore.embeddings.space.MOST_NUMBERS", 300)
    with pytest.raises(UnusableRequest, match="fewer epochs or components"):
        space_of(made)
    assert space_of(made, since=2, until=3, view=View(components=1)).epochs == [2, 3]


def test_vectors_that_diverged_are_refused_in_words(made: Made) -> None:
    stamp, one = made.frames[3]
    made.frames[3] = (stamp, replace(one, items=np.full_like(one.items, np.nan)))
    with pytest.raises(UnusableRequest, match="diverged"):
        space_of(made)


# --- of runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(train: Callable) -> RunFolder:
    folder, status = train(tiny(num_epochs=12, **{"dataset.noise": 0.1, "dataset.rank": 2, "learning_rate": 0.02}))
    assert status.state == "finished", status.reason
    return folder


def test_a_run_says_what_its_vectors_are(home: Path, run: RunFolder) -> None:
    space = load_space(run.run_id, home, View(components=2))
    points = space_points(run.run_id, home)
    assert space.items.shape == (len(space.epochs), 40, 2)
    assert len(points["items"]["title"]) == 40 and len(points["users"]["label"]) == 60
    assert points["items"]["title"][0] == "Item 1"
    assert points["items"]["year"][0] is None
    assert sum(points["items"]["ratings"]) == sum(points["users"]["ratings"]) == round(0.3 * 60 * 40)
    last = SnapshotFiles(run).load(space.epochs[-1])
    assert last is not None and last.item_biases is not None
    assert points["items"]["bias"] == pytest.approx(last.item_biases.tolist(), abs=1e-4)


def test_every_item_of_the_model_in_one_frame(home: Path, run: RunFolder) -> None:
    whole = load_space(run.run_id, home, every=True)
    assert whole.epochs == [run.result()["best_epoch"]]
    assert whole.items.shape == (1, 40, 3)


def test_the_planted_space_is_found_epoch_by_epoch(home: Path, run: RunFolder) -> None:
    found = recovery(run.run_id, home)
    epochs = sorted(found)
    assert epochs == SnapshotFiles(run).epochs()
    assert found[0].score < 0.35  # untrained: chance is 2/40
    assert found[epochs[-1]].score > 0.8
    assert found[epochs[-1]].score > found[0].score
    assert found[0].chance == pytest.approx(2 / 40)


def test_spectrum_and_norms_over_epochs(home: Path, run: RunFolder) -> None:
    spectra = spectrum(run.run_id, home)
    assert spectra[0].effective_rank > 3.5  # four random dimensions
    assert all(1 <= one.effective_rank <= 4 for one in spectra.values())
    epoch, norms = norm_against_popularity(run.run_id, home)
    assert epoch == max(spectra)
    assert norms.norm.shape == (40,)
    with pytest.raises(UnusableRequest, match="epoch 99"):
        norm_against_popularity(run.run_id, home, epoch=99)


def test_axes_are_put_into_words(home: Path, run: RunFolder) -> None:
    named = axis_sentences(run.run_id, home, View(components=2))
    assert [one.sentence.split(" ")[1] for one in named] == ["1", "2"]
    assert "Item " in named[0].sentence
    chosen = tuple(range(12))
    assert len(axis_sentences(run.run_id, home, View(items=chosen, components=1))) == 1


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Usual Suspects, The (1995)", "The Usual Suspects"),
        ("Clockwork Orange, A (1971)", "A Clockwork Orange"),
        ("Star Wars (1977)", "Star Wars"),
        ("8 1/2 (1963)", "8 1/2"),
        ("Good, the Bad", "Good, the Bad"),
        ("Item 3", "Item 3"),
        ("(x)", "(x)"),
    ],
)
def test_titles_as_one_says_them(title: str, said: str) -> None:
    assert spoken(title) == said


def test_the_living_picture_follows_training(home: Path, run: RunFolder) -> None:
    whole = living_picture(run.run_id, home)
    assert whole["epoch"] == 12
    assert (len(whole["users"]), len(whole["items"])) == (40, 40)
    assert whole["unit"] == "stars" and (whole["low"], whole["high"]) == (1.0, 5.0)
    known = [(rating, row, column) for row, line in enumerate(whole["known"]) for column, rating in enumerate(line) if rating]
    error = {
        epoch: np.mean(
            [(living_picture(run.run_id, home, epoch=epoch)["predicted"][r][c] - rating) ** 2 for rating, r, c in known[:200]]
        )
        for epoch in (0, 12)
    }
    assert error[12] < 0.5 * error[0]
    assert set(living_picture(run.run_id, home, epoch=0, static=False)) == {"epoch", "step", "predicted"}
    assert living_picture(run.run_id, home, epoch=10_000)["epoch"] == 12


def test_a_run_without_snapshots_shows_its_model(home: Path, run: RunFolder) -> None:
    shutil.rmtree(run.path / "snapshots")
    space = load_space(run.run_id, home)
    assert space.items.shape[0] == 1
    picture = living_picture(run.run_id, home)
    assert picture["epoch"] == run.result()["best_epoch"]
    assert len(picture["predicted"]) == 40


def test_what_has_not_begun_is_refused_in_words(home: Path) -> None:
    folder = RunFolder.create(home, tiny())
    for ask in (load_space, living_picture, space_points, spectrum, recovery, axis_sentences):
        with pytest.raises(UnusableRequest, match="wait for its first epoch"):
            ask(folder.run_id, home)
