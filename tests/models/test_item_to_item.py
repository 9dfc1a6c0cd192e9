"""EASE against regressions solved one by one, item-kNN against neighbours sought by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mfcore import UnusableRequest
from mfcore.models import item_to_item
from mfcore.models.item_to_item import EASE, ItemKNN
from tests.evaluation.examples import interactions

RNG = np.random.default_rng(2)
SEEN = RNG.random((25, 9)) < 0.35
SEEN[:, 4] = False  # an item nobody has
SEEN[3] = False  # a user without anything
TRAIN = interactions([(int(u), int(i), 3.0) for u, i in np.argwhere(SEEN)], 25, 9)
X = SEEN.astype(np.float64)


def test_ease_predicts_each_item_from_the_others_by_ridge_regression() -> None:
    weights = np.zeros((9, 9))
    for item in range(9):
        others = np.delete(np.arange(9), item)
        left = X[:, others]
        weights[others, item] = np.linalg.solve(left.T @ left + 2.0 * np.eye(8), left.T @ X[:, item])
    found = EASE(TRAIN, regularisation=2.0)
    assert found.similarity == pytest.approx(weights, abs=1e-6)
    assert found.score_items(np.arange(25)) == pytest.approx(X @ weights, abs=1e-5)


@pytest.mark.parametrize("neighbours", [1, 3, 8, 50])
def test_knn_by_hand(neighbours: int) -> None:
    norms = np.maximum(np.linalg.norm(X, axis=0), 1e-12)
    cosine = (X.T @ X) / np.outer(norms, norms)
    np.fill_diagonal(cosine, -1.0)
    found = ItemKNN(TRAIN, neighbours).similarity.toarray()  # [j, i]: what having j says for i
    assert np.diag(found) == pytest.approx(0.0)
    for item in range(9):
        best = np.sort(cosine[item])[::-1][: min(neighbours, 8)]
        kept = np.sort(found[:, item])[::-1][: len(best)]
        assert kept == pytest.approx(best, abs=1e-6)
        chosen = np.flatnonzero(found[:, item] > 1e-9)
        assert found[chosen, item] == pytest.approx(cosine[item, chosen], abs=1e-6)


@pytest.mark.parametrize("kind", [ItemKNN, EASE])
def test_the_shape_of_a_model(kind: type[item_to_item.ItemToItem]) -> None:
    model = kind(TRAIN)
    users = torch.tensor([2, 3, 2])
    table = model.score_items(users)
    assert (table.shape, table.dtype) == ((3, 9), np.float32)
    assert np.array_equal(table[0], table[2])
    assert not table[1].any()
    assert np.array_equal(model.predict(users, torch.tensor([1, 5, 0])), table[[0, 1, 2], [1, 5, 0]])
    assert model.score_items(np.zeros(0, np.int64)).shape == (0, 9)
    assert not model.predicts_ratings


def test_a_catalogue_of_one_item() -> None:
    train = interactions([(0, 0, 3.0)], 2, 1)
    assert ItemKNN(train).score_items([0, 1]).tolist() == [[0.0], [0.0]]
    assert EASE(train).score_items([0, 1]).tolist() == [[0.0], [0.0]]


def test_unusable_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableRequest, match="neighbours must be >= 1"):
        ItemKNN(TRAIN, 0)
    with pytest.raises(UnusableRequest, match="regularisation must be > 0"):
        EASE(TRAIN, 0.0)
    monkeypatch.setattr(item_to_item, "MOST_ITEMS", 8)
    with pytest.raises(UnusableRequest, match="EASE compares all pairs of items and takes 8 at most; here are 9"):
        EASE(TRAIN)
