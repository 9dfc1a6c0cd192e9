"""Small splits with a known answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mfcore.data import Interactions, Split, SplitConfig, Vocabulary, load_dataset, make_item_table, random_split
from mfcore.training import EpochEnd, Trainer


@pytest.fixture(scope="session")
def planted() -> Split:
    """200 users × 120 items, 3 true factors, noise 0.1."""
    return random_split(load_dataset("planted", num_users=200, num_items=120, density=0.3, rank=3, noise=0.1, seed=0), seed=0)


def make_interactions(
    user_idx: np.ndarray, item_idx: np.ndarray, num_users: int, num_items: int, rating: float = 5.0
) -> Interactions:
    return Interactions(
        user_idx=user_idx,
        item_idx=item_idx,
        rating=np.full(len(user_idx), rating, dtype=np.float32),
        timestamp=None,
        users=Vocabulary(np.arange(num_users)),
        items=Vocabulary(np.arange(num_items)),
        item_table=make_item_table([f"item {i}" for i in range(num_items)]),
        rating_scale=(1.0, 5.0),
    )


@pytest.fixture(scope="session")
def checkerboard() -> Split:
    """20 × 20: user u chose the items of their own colour, but item u itself, which is withheld as test."""
    users, items = (grid.reshape(-1) for grid in np.indices((20, 20)))
    same_colour = users % 2 == items % 2
    data = make_interactions(users[same_colour], items[same_colour], 20, 20)
    rows = np.arange(len(data))
    withheld = data.user_idx == data.item_idx
    nothing = np.zeros(0, dtype=np.int64)
    return Split(data, rows[~withheld], nothing, rows[withheld], SplitConfig("random"))


def numbers(ends: list[EpochEnd]) -> list[Any]:
    """All but the clock."""
    return [(e.number, e.step, e.train_loss, e.valid_loss, e.metrics, e.learning_rate, e.samples, e.best) for e in ends]


def assert_same_weights(one: Trainer, two: Trainer) -> None:
    for name, weights in one.model.state_dict().items():
        assert torch.equal(weights, two.model.state_dict()[name]), name
