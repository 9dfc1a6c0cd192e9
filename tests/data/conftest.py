"""Small ratings for the data tests, and no proxy between them and the loopback."""

from __future__ import annotations

import numpy as np
import pytest

from mfcore.data import Interactions, Vocabulary, forget_loaded, make_item_table


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(autouse=True)
def _nothing_in_memory() -> None:
    forget_loaded()


@pytest.fixture
def small() -> Interactions:
    """Users "a" (4 ratings), "b" (3), "c" (2); user "a"'s last two share their timestamp."""
    return Interactions(
        user_idx=np.array([0, 0, 1, 0, 1, 2, 0, 1, 2]),
        item_idx=np.array([0, 1, 0, 2, 1, 3, 3, 2, 0]),
        rating=np.array([1, 2, 3, 4, 5, 1, 2, 3, 4], dtype=np.float32),
        timestamp=np.array([10, 20, 30, 50, 10, 10, 50, 20, 5]),
        users=Vocabulary(["a", "b", "c"], "user"),
        items=Vocabulary([10, 20, 30, 40, 50], "item"),
        item_table=make_item_table(
            ["A (1990)", "B", "C", "D", "E"], [1990, None, None, None, None], [("Drama",), (), (), (), ()]
        ),
        rating_scale=(1.0, 5.0),
        name="small",
    )
