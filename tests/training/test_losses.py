"""Losses against formulas worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from mfcore.models import ModelConfig
from mfcore.models.dot import MF
from mfcore.training.losses import batch_loss, loss_on
from mfcore.training.samples import Samples


@pytest.fixture
def model() -> MF:
    """One dimension: p = (1, 2), q = (1, 3, −1)."""
    model = MF(ModelConfig("mf", embedding_dim=1), 2, 3)
    with torch.no_grad():
        model.user_factors[:, 0] = torch.tensor([1.0, 2.0])
        model.item_factors[:, 0] = torch.tensor([1.0, 3.0, -1.0])
    return model


def samples(target: list[float], negative: list[int]) -> Samples:
    """Scores of the pairs: 1·1 = 1 and 2·3 = 6."""
    return Samples(torch.tensor([0, 1]), torch.tensor([0, 1]), torch.tensor(target), torch.tensor(negative, dtype=torch.int64))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


CASES = {
    "mse": (samples([2.0, 3.0], []), ((1 - 2) ** 2 + (6 - 3) ** 2) / 2),
    "bce": (samples([1.0, 0.0], []), -(math.log(sigmoid(1)) + math.log(1 - sigmoid(6))) / 2),
    # negatives score 1·(−1) = −1 and 2·1 = 2
    "bpr": (samples([], [2, 0]), -(math.log(sigmoid(1 + 1)) + math.log(sigmoid(6 - 2))) / 2),
}


@pytest.mark.parametrize("loss", CASES)
def test_loss_by_hand(model: MF, loss: str) -> None:
    batch, expected = CASES[loss]
    value, rows = batch_loss(model, loss, batch)
    assert value.item() == pytest.approx(expected, rel=1e-5)
    assert len(rows[0]) == (4 if loss == "bpr" else 2)
    assert loss_on(model, loss, batch) == pytest.approx(expected, rel=1e-5)


def test_no_samples_no_loss(model: MF) -> None:
    empty = torch.empty(0, dtype=torch.int64)
    assert math.isnan(loss_on(model, "mse", Samples(empty, empty, torch.empty(0), empty)))


@pytest.mark.parametrize("loss", CASES)
def test_gradients(model: MF, loss: str) -> None:
    model.double()
    batch = CASES[loss][0]
    batch = Samples(batch.user_idx, batch.item_idx, batch.target.double(), batch.negative_idx)
    tables = (model.user_factors, model.item_factors)

    def value(*_: torch.Tensor) -> torch.Tensor:
        return batch_loss(model, loss, batch)[0]

    assert torch.autograd.gradcheck(value, tables)
