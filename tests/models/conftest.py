"""Small real interactions for the models' tests."""

from __future__ import annotations

import pytest

from mfcore.data import Interactions, load_dataset


@pytest.fixture(scope="session")
def small() -> Interactions:
    """13 users, 9 items, about half of the pairs rated."""
    return load_dataset("planted", num_users=13, num_items=9, density=0.5, rank=2, seed=1)
