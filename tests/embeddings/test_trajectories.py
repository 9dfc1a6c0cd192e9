"""Trajectories: snapshots of many epochs on one set of axes that stand still, also while training goes on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from sklearn.decomposition import PCA

from mfcore.embeddings.snapshots import Snapshot
from mfcore.embeddings.trajectories import View, trajectories
from mfcore.errors import UnusableRequest


@dataclass
class Made:
    """A source of random vectors, to be added to and taken from."""

    key: object = field(default_factory=lambda: time.perf_counter_ns())
    note: str = ""
    n: int = 30
    m: int = 8
    d: int = 6
    kept: dict[int, tuple[int, Snapshot]] = field(default_factory=dict)
    loads: int = 0

    def __post_init__(self) -> None:
        self.item_idx, self.user_idx = np.arange(100, 100 + self.n), np.arange(self.m)

    def add(self, epoch: int, stamp: int = 1) -> Snapshot:
        rng = np.random.default_rng((epoch, stamp))
        items, users = (rng.standard_normal((size, self.d)).astype(np.float32) for size in (self.n, self.m))
        one = Snapshot(epoch, epoch, items * np.arange(1, self.d + 1), users, None, None, np.zeros((0, 0), np.float32))
        self.kept[epoch] = (stamp, one)
        return one

    def stamps(self) -> dict[int, int]:
        return {epoch: stamp for epoch, (stamp, _) in self.kept.items()}

    def load(self, epoch: int) -> Snapshot | None:
        self.loads += 1
        return self.kept[epoch][1] if epoch in self.kept else None


@pytest.fixture
def made() -> Made:
    source = Made()
    for epoch in range(4):
        source.add(epoch)
    return source


def test_the_axes_are_the_principal_components_of_the_basis_epochs_items(made: Made) -> None:
    space = trajectories(made, View(components=3))
    assert (space.basis, space.epochs, space.columns) == (3, [0, 1, 2, 3], ["1", "2", "3"])
    pca = PCA(3).fit(made.kept[3][1].items)
    sign = np.sign((pca.components_ * space.projection.components).sum(axis=1))
    for epoch in range(4):
        one = made.kept[epoch][1]
        assert space.items[epoch] == pytest.approx(pca.transform(one.items) * sign, abs=1e-4)
        assert space.users[epoch] == pytest.approx(pca.transform(one.users) * sign, abs=1e-4)
        assert space.item_norms[epoch] == pytest.approx(np.linalg.norm(one.items, axis=1), rel=1e-6)
    assert space.explained_variance_ratio == pytest.approx(pca.explained_variance_ratio_, rel=1e-5)


def test_axes_asked_for_by_number_never_turn_while_training_goes_on(made: Made) -> None:
    first = trajectories(made)
    made.add(9)
    followed = trajectories(made, View(basis=first.basis), since=4)
    assert (followed.epochs, followed.basis) == ([9], 3)
    np.testing.assert_array_equal(followed.projection.components, first.projection.components)
    assert trajectories(made).basis == 9
    del made.kept[3]  # thinned out under the viewer
    again = trajectories(made, View(basis=3))
    np.testing.assert_array_equal(again.projection.components, first.projection.components)
    assert again.available == [0, 1, 2, 9]


def test_a_basis_that_was_never_seen_is_the_last_one_before(made: Made) -> None:
    made.kept.pop(2)
    assert trajectories(made, View(basis=2)).basis == 1
    assert trajectories(made, View(basis=50)).basis == 3


def test_epochs_that_were_trained_again_are_read_again(made: Made) -> None:
    before = trajectories(made, View(basis=1)).items[2]
    made.add(2, stamp=2)
    after = trajectories(made, View(basis=1)).items[2]
    assert not np.allclose(before, after)
    made.add(1, stamp=2)  # the basis itself
    pca = PCA(3).fit(made.kept[1][1].items)
    assert np.abs(trajectories(made, View(basis=1)).items[1]) == pytest.approx(
        np.abs(pca.transform(made.kept[1][1].items)), abs=1e-4
    )


def test_what_was_put_on_the_axes_is_not_read_again(made: Made) -> None:
    trajectories(made)
    loads = made.loads
    trajectories(made)
    trajectories(made, since=2)
    assert made.loads == loads


def test_epochs_between_two_epochs_and_none(made: Made) -> None:
    assert trajectories(made, since=1, until=2).epochs == [1, 2]
    nothing = trajectories(made, since=7)
    assert nothing.items.shape == (0, 30, 3)
    assert nothing.user_norms.shape == (0, 8)


def test_on_the_sphere_directions_count(made: Made) -> None:
    space = trajectories(made, View(sphere=True))
    vectors = made.kept[3][1].items
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.abs(space.items[3]) == pytest.approx(np.abs(PCA(3).fit_transform(unit)), abs=1e-5)
    assert space.item_norms[3] == pytest.approx(np.linalg.norm(vectors, axis=1))


def test_a_selection_has_components_of_its_own(made: Made) -> None:
    space = trajectories(made, View(items=(125, 103, 110, 111), components=2))
    assert space.item_idx.tolist() == [103, 110, 111, 125]
    chosen = made.kept[3][1].items[[3, 10, 11, 25]]
    assert np.abs(space.items[3]) == pytest.approx(np.abs(PCA(2).fit_transform(chosen)), abs=1e-4)


def test_an_axis_between_films_is_a_last_column_fixed_at_the_basis(made: Made) -> None:
    space = trajectories(made, View(start=(100,), end=(101, 102)))
    vectors = made.kept[3][1].items.astype(np.float64)
    end = (vectors[1] + vectors[2]) / 2
    unit = (end - vectors[0]) / np.linalg.norm(end - vectors[0])
    assert space.columns == ["1", "2", "3", "between"]
    for epoch in range(4):
        expected = (made.kept[epoch][1].items - (vectors[0] + end) / 2) @ unit
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
            trajectories(made, view)


def test_an_answer_is_bounded(made: Made) -> None:
    with pytest.raises(UnusableRequest, match="fewer epochs or components"):
        trajectories(made, most_numbers=300)
    assert trajectories(made, View(components=1), since=2, until=3, most_numbers=300).epochs == [2, 3]


def test_vectors_that_diverged_are_refused_in_words(made: Made) -> None:
    stamp, one = made.kept[3]
    made.kept[3] = (stamp, replace(one, items=np.full_like(one.items, np.nan)))
    with pytest.raises(UnusableRequest, match="diverged"):
        trajectories(made)
