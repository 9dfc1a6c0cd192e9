"""PCA: the same as scikit-learn's, with signs that stay put and refusals in plain words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from mfcore import Projection, UnusableRequest


def _cloud(n: int = 60, d: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * np.arange(d, 0, -1) + rng.normal(size=d)).astype(np.float32)


@given(st.integers(4, 40), st.integers(4, 40), st.integers(1, 4), st.integers(0, 9))
def test_agrees_with_scikit_learn_but_for_signs(n: int, d: int, c: int, seed: int) -> None:
    cloud = _cloud(n, d, seed)
    found, known = Projection.fit(cloud, c), PCA(c, svd_solver="full").fit(cloud.astype(np.float64))
    assert found.explained_variance_ratio == pytest.approx(known.explained_variance_ratio_, abs=1e-9)
    signs = np.sign((found.components * known.components_).sum(axis=1, keepdims=True))
    if c < n - 1:  # n points span n−1 axes; beyond that any direction will do
        np.testing.assert_allclose(found.components, known.components_ * signs, atol=1e-5)
        np.testing.assert_allclose(found.coordinates, known.transform(cloud) * signs.T, atol=1e-3)


def test_shapes_and_types() -> None:
    found = Projection.fit(torch.from_numpy(_cloud()).requires_grad_())
    assert found.coordinates.shape == (60, 3)
    assert found.coordinates.dtype == np.float32
    assert found.explained_variance_ratio.shape == (3,)
    assert (np.diff(found.explained_variance_ratio) <= 0).all()


def test_transform_places_what_was_fitted_where_it_was() -> None:
    cloud = _cloud()
    found = Projection.fit(cloud, 2)
    np.testing.assert_allclose(found.transform(cloud), found.coordinates, rtol=1e-6)
    assert found.transform(torch.zeros(1, 8)).shape == (1, 2)
    assert found.transform(found.mean[None]).tolist() == [[0.0, 0.0]]


@given(st.permutations(range(60)))
def test_the_map_does_not_flip_when_rows_come_in_another_order(order: list[int]) -> None:
    cloud = _cloud()
    found, shuffled = Projection.fit(cloud), Projection.fit(cloud[order])
    np.testing.assert_allclose(shuffled.coordinates, found.coordinates[order], atol=1e-4)
    largest = np.abs(found.components).argmax(axis=1)
    assert (found.components[np.arange(3), largest] > 0).all()


def test_vectors_that_are_all_the_same_have_no_variance_to_explain() -> None:
    found = Projection.fit(np.ones((5, 4)), 2)
    assert np.isnan(found.explained_variance_ratio).all()
    assert found.coordinates.tolist() == [[0.0, 0.0]] * 5


@pytest.mark.parametrize(
    ("vectors", "components", "message"),
    [
        (np.zeros((2, 8)), 3, "3 axes needs at least 3 vectors, got 2"),
        (np.zeros((8, 2)), 3, "3 axes needs embedding_dim >= 3, this model has 2"),
        (np.zeros(8), 1, "must be a table"),
        (np.zeros((8, 8)), 0, "num_components must be >= 1, got 0"),
        (np.full((8, 8), np.nan), 2, "training diverged"),
        (np.where(np.eye(8), np.inf, 0), 2, "training diverged"),
    ],
)
def test_what_cannot_be_mapped_is_refused(vectors: np.ndarray, components: int, message: str) -> None:
    with pytest.raises(UnusableRequest, match=message):
        Projection.fit(vectors, components)


def test_a_transform_of_other_vectors_is_refused() -> None:
    found = Projection.fit(_cloud(), 2)
    with pytest.raises(UnusableRequest, match="vectors of 8 numbers, got 5"):
        found.transform(np.zeros((3, 5)))
    with pytest.raises(UnusableRequest, match="training diverged"):
        found.transform(np.full((3, 8), np.nan))
