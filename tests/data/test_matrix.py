"""Bins of the matrix against brute force: every interaction in exactly one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data.matrix import MOST_BINS, bin_matrix, make_axis
from mfcore.data.sources.generated import planted
from mfcore.errors import UnusableRequest


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(0, 5))
def test_bins_equal_brute_force(num_users, num_items, bins, seed):
    data = planted(num_users=num_users, num_items=num_items, density=0.3, seed=seed)
    rng = np.random.default_rng(seed)
    users, items = make_axis(rng.random(num_users), bins), make_axis(-data.popularity(), bins)
    found = bin_matrix(data, data.rating, users, items)
    assert found.count.sum() == len(data)
    for row in range(len(users)):
        for column in range(len(items)):
            inside = [
                float(rating)
                for user, item, rating in zip(data.user_idx, data.item_idx, data.rating, strict=True)
                if users.bin[user] == row and items.bin[item] == column
            ]
            assert found.count[row, column] == len(inside)
            cells = int((users.bin == row).sum() * (items.bin == column).sum())
            assert found.density[row, column] == pytest.approx(len(inside) / cells)
            assert (
                np.isnan(found.mean[row, column]) if not inside else found.mean[row, column] == pytest.approx(np.mean(inside))
            )


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 20))
def test_an_axis_is_in_order_and_its_bins_are_alike(values, bins):
    axis = make_axis(np.array(values), bins)
    assert axis.order.tolist() == sorted(range(len(values)), key=lambda index: (values[index], index))
    assert axis.bin[axis.order].tolist() == sorted(axis.bin.tolist())
    assert axis.size.sum() == len(values) and len(axis) == min(bins, len(values)) and np.ptp(axis.size) <= 1


def test_never_more_than_a_picture_can_show():
    assert len(make_axis(np.zeros(100_000))) == MOST_BINS
    with pytest.raises(UnusableRequest, match="needs a row"):
        make_axis(np.zeros(0))
