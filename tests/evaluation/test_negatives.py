"""Sampled negatives: never interacted with, no repetition, uniform, repeatable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore.evaluation import negatives
from mfcore.evaluation.negatives import sample_negatives, seed_for


def _csr(taken: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    indptr = np.concatenate(([0], np.cumsum([len(items) for items in taken]))).astype(np.int64)
    return indptr, np.array([item for items in taken for item in sorted(items)], np.int64)


@pytest.mark.parametrize("few", [0, 256])
@given(st.data())
def test_negatives_are_distinct_free_items_and_as_many_as_there_are(few: int, data: st.DataObject) -> None:
    num_items = data.draw(st.integers(1, 12))
    taken = data.draw(st.lists(st.sets(st.integers(0, num_items - 1)), min_size=1, max_size=6))
    users = np.array(data.draw(st.lists(st.integers(0, len(taken) - 1), unique=True, max_size=6)), np.int64)
    count = data.draw(st.integers(1, 14))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(negatives, "FEW", few)  # 0: always by shuffling
        drawn = sample_negatives(users, *_csr(taken), num_items, count, seed=data.draw(st.integers(0, 99)))
    assert drawn.shape == (len(users), count)
    for user, row in zip(users.tolist(), drawn.tolist(), strict=True):
        items = [item for item in row if item >= 0]
        free = set(range(num_items)) - taken[user]
        assert len(items) == len(set(items)) == min(count, len(free))
        assert set(items) <= free
        assert row[len(items) :] == [-1] * (count - len(items))


@pytest.mark.parametrize("few", [0, 256])
def test_every_free_item_is_as_likely_as_every_other(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negatives, "FEW", few)
    taken = [{0, 3, 4, 9}] * 4000
    drawn = sample_negatives(np.arange(4000), *_csr(taken), 10, 2, seed=5)
    share = np.bincount(drawn.ravel(), minlength=10) / 4000
    free = [1, 2, 5, 6, 7, 8]
    assert share[[0, 3, 4, 9]].sum() == 0
    assert np.abs(share[free] - 2 / 6).max() < 0.03  # four standard deviations


def test_the_same_seed_repeats_and_another_differs() -> None:
    csr = _csr([set()] * 20)
    first, again, other = (sample_negatives(np.arange(20), *csr, 50, 10, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_seed_depends_on_every_part_and_not_on_how_they_join() -> None:
    rows = np.array([1, 2], np.int64)
    seeds = {seed_for(1, "test", rows), seed_for(2, "test", rows), seed_for(1, "valid", rows), seed_for(1, "test", rows[::-1])}
    assert len(seeds) == 4
    assert seed_for("ab", "c") != seed_for("a", "bc")
    assert seed_for(1, "test", rows) == seed_for(1, "test", rows.copy())
