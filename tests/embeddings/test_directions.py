"""Own axes, the sphere and neighbours, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from mfcore.embeddings.projection import direction_between, nearest, on_sphere
from mfcore.errors import UnusableRequest

SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0], [4.0, 3.0]])


def test_an_axis_between_two_films_puts_them_half_its_length_from_the_middle() -> None:
    axis = direction_between(SQUARE, [0], [3])
    assert axis.length == pytest.approx(5.0)
    assert axis.unit == pytest.approx([0.8, 0.6])
    assert axis.along(SQUARE) == pytest.approx([-2.5, 0.7, -0.7, 2.5])


def test_an_axis_between_two_sets_joins_their_means() -> None:
    axis = direction_between(SQUARE, [0, 2], [1, 3])
    assert axis.unit == pytest.approx([1.0, 0.0])
    assert axis.along(SQUARE) == pytest.approx([-2.0, 2.0, -2.0, 2.0])


@pytest.mark.parametrize(
    ("start", "end", "words"), [([], [1], "first side"), ([0], [9], "second side"), ([1], [1], "same place")]
)
def test_an_axis_that_is_none_is_refused(start: list[int], end: list[int], words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        direction_between(SQUARE, np.array(start, int), np.array(end, int))


def test_on_the_sphere_every_vector_has_length_one_but_nothing() -> None:
    scaled = on_sphere(SQUARE.astype(np.float32))
    assert np.linalg.norm(scaled, axis=1) == pytest.approx([0, 1, 1, 1])
    assert scaled[3] == pytest.approx([0.8, 0.6])


def test_neighbours_are_those_of_scikit_learn() -> None:
    vectors = np.random.default_rng(0).standard_normal((40, 6))
    truth = cosine_similarity(vectors)[7]
    rows, values = nearest(vectors, vectors[7], 5, without=7)
    truth[7] = -9
    assert rows.tolist() == np.argsort(-truth)[:5].tolist()
    assert values == pytest.approx(truth[rows])


def test_a_user_finds_items_by_dot_product() -> None:
    rows, values = nearest(SQUARE, [1.0, 2.0], 2, "dot")
    assert rows.tolist() == [3, 2]
    assert values == pytest.approx([10.0, 6.0])


def test_nothing_is_near_a_vector_of_zeros_by_angle() -> None:
    assert nearest(SQUARE, SQUARE[0], 3)[0].tolist() == []
    assert 0 not in nearest(SQUARE, SQUARE[1], 4)[0]


@pytest.mark.parametrize("bad", [{"n": 0}, {"by": "euclid"}, {"to": [1.0]}])
def test_what_makes_no_sense_is_refused(bad: dict) -> None:
    with pytest.raises(UnusableRequest):
        nearest(SQUARE, bad.get("to", SQUARE[1]), bad.get("n", 3), bad.get("by", "cosine"))
