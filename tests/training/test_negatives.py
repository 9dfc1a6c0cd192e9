"""Negatives are never positives, every other item can come up, and as often as it should."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mfcore.training.negatives import NegativeSampler

NUM_USERS, NUM_ITEMS = 6, 7
Cells = st.sets(st.integers(0, NUM_USERS * NUM_ITEMS - 1), min_size=1)


def sampler_of(cells: list[int], popularity: bool) -> NegativeSampler:
    keys = torch.tensor(cells)
    return NegativeSampler(keys // NUM_ITEMS, keys % NUM_ITEMS, NUM_USERS, NUM_ITEMS, popularity=popularity)


@given(Cells, st.booleans(), st.integers(0, 99), st.randoms())
def test_negatives_are_never_positives(cells: set[int], popularity: bool, seed: int, shuffler: object) -> None:
    ordered = sorted(cells)
    shuffler.shuffle(ordered)  # type: ignore[attr-defined]
    sampler = sampler_of([*ordered, ordered[0]], popularity)  # a repeated interaction does no harm
    free = [NUM_ITEMS - sum(cell // NUM_ITEMS == user for cell in cells) for user in range(NUM_USERS)]
    assert sampler.num_candidates.tolist() == free
    users = torch.tensor([user for user in range(NUM_USERS) if free[user]], dtype=torch.int64).repeat(30)
    items = sampler.draw(users, torch.Generator().manual_seed(seed))
    assert items.shape == users.shape
    assert items.min() >= 0 if len(items) else True
    assert items.max() < NUM_ITEMS if len(items) else True
    assert not cells & set((users * NUM_ITEMS + items).tolist())
    assert not sampler.is_positive(users, items).any()


@given(Cells)
def test_positives_are_recognised(cells: set[int]) -> None:
    everything = torch.arange(NUM_USERS * NUM_ITEMS)
    found = sampler_of(sorted(cells), False).is_positive(everything // NUM_ITEMS, everything % NUM_ITEMS)
    assert set(everything[found].tolist()) == cells


def test_uniform_draws_are_uniform_over_what_is_left() -> None:
    sampler = sampler_of([0, 2, 3, 6, NUM_ITEMS + 1], popularity=False)  # user 0 has 1, 4 and 5 left
    items = sampler.draw(torch.zeros(30_000, dtype=torch.int64), torch.Generator().manual_seed(0))
    counts = torch.bincount(items, minlength=NUM_ITEMS)
    assert counts[[0, 2, 3, 6]].sum() == 0
    assert counts[[1, 4, 5]].tolist() == pytest.approx([10_000] * 3, rel=0.05)


def test_popular_items_come_up_in_proportion() -> None:
    # Item 0 chosen by users 1 and 2 and 3, item 1 by user 1, item 2 by user 0, who is asked about.
    users, items = torch.tensor([1, 2, 3, 1, 0]), torch.tensor([0, 0, 0, 1, 2])
    sampler = NegativeSampler(users, items, NUM_USERS, NUM_ITEMS, popularity=True)
    drawn = sampler.draw(torch.zeros(40_000, dtype=torch.int64), torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn, minlength=NUM_ITEMS).tolist()
    assert counts[:2] == pytest.approx([30_000, 10_000], rel=0.05)
    assert sum(counts[2:]) == 0


def test_a_user_who_chose_nearly_everything_is_no_endless_loop() -> None:
    num_items = 5_000
    items = torch.cat([torch.arange(num_items - 1), torch.arange(num_items - 1)])
    users = torch.repeat_interleave(torch.arange(2), num_items - 1)
    for popularity in (False, True):
        sampler = NegativeSampler(users, items, 2, num_items, popularity=popularity)
        drawn = sampler.draw(torch.tensor([0, 1, 0]), torch.Generator().manual_seed(0))
        assert drawn.tolist() == [num_items - 1] * 3


def test_memory_does_not_grow_with_users_times_items() -> None:
    rng = np.random.default_rng(0)
    users, items = torch.as_tensor(rng.integers(10**6, size=1000)), torch.as_tensor(rng.integers(10**6, size=1000))
    sampler = NegativeSampler(users, items, 10**6, 10**6)
    assert not sampler.is_positive(users, sampler.draw(users, torch.Generator().manual_seed(0))).any()
