from __future__ import annotations

import numpy as np
import pytest

from mfcore.data import Split, SplitConfig
from mfcore.data.sources.generated import planted, synthetic
from mfcore.data.stats import (
    block,
    head_share,
    item_summary,
    long_tail,
    most_first,
    most_rated,
    part_of_rows,
    rating_histogram,
    split_summary,
)


@pytest.fixture
def parts(small):
    """Four rows to learn from, none to validate on, four to test on, one in no part."""
    return Split(small, np.array([0, 1, 2, 4]), np.zeros(0, dtype=np.int64), np.array([5, 6, 7, 8]), SplitConfig("random"))


def test_most_first_keeps_the_order_of_equals():
    assert most_first(np.array([2, 5, 2, 0, 5])).tolist() == [1, 4, 0, 2, 3]
    assert most_first(np.zeros(0, dtype=np.int64)).tolist() == []


def test_rating_histogram(small):
    table = rating_histogram(small)
    assert table["rating"].tolist() == [1, 2, 3, 4, 5] and table["count"].tolist() == [2, 2, 2, 2, 1]
    assert not table["width"].any()
    real = rating_histogram(planted())
    assert len(real) == 20 and real["count"].sum() == 15_000 and real["rating"].iloc[0] == pytest.approx(1.1)
    assert real["width"].to_numpy() == pytest.approx(0.2)
    few = rating_histogram(small, bins=4)
    assert few["count"].tolist() == [2, 2, 2, 3] and few["width"].tolist() == [1, 1, 1, 1]


def test_long_tail_and_what_its_head_holds(small):
    tail = long_tail(small)
    assert tail["item_idx"].tolist() == [0, 1, 2, 3, 4] and tail["count"].tolist() == [3, 2, 2, 2, 0]
    assert tail["rating_share"].tolist() == pytest.approx([3 / 9, 5 / 9, 7 / 9, 1, 1])
    assert tail["item_share"].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert [head_share(tail, head) for head in (0.0, 0.2, 0.4, 1.0)] == pytest.approx([3 / 9, 3 / 9, 5 / 9, 1])
    assert long_tail(small.select([]))["rating_share"].isna().all()
    assert np.isnan(head_share(long_tail(small.select([]))))


def test_most_rated(small):
    top = most_rated(small, 2)
    assert top["item_id"].tolist() == [10, 20] and top["mean_rating"].tolist() == pytest.approx([8 / 3, 3.5])
    assert most_rated(small)["count"].tolist() == [3, 2, 2, 2, 0]
    assert np.isnan(item_summary(small)["mean_rating"].iloc[4])


def test_block_puts_each_value_in_its_cell(small):
    nan = np.nan
    got = block(small, small.rating, users=np.array([2, 0]), items=np.array([1, 3, 0]))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, [[nan, 1, 4], [2, 2, 1]])
    everything = block(small, small.rating, np.arange(3), np.arange(5))
    assert np.isfinite(everything).sum() == len(small)


def test_each_row_is_in_its_part(parts):
    np.testing.assert_array_equal(part_of_rows(parts), [0, 0, 0, np.nan, 0, 2, 2, 2, 2])


def test_split_summary_counts_the_cold(parts):
    table = split_summary(parts)
    assert table.index.tolist() == ["train", "valid", "test"]
    assert table["rows"].tolist() == [4, 0, 4]
    assert table["share"].tolist() == pytest.approx([4 / 9, 0, 4 / 9])
    assert table.loc["train", ["users", "items", "cold_users", "cold_items"]].tolist() == [2, 2, 0, 0]
    assert table.loc["test", ["users", "items", "cold_users", "cold_items"]].tolist() == [3, 3, 1, 2]
    assert (table.loc["train", "first"].second, table.loc["train", "last"].second) == (10, 30)
    assert table["last"].isna().tolist() == [False, True, False]


def test_without_timestamps_there_are_no_dates():
    data = synthetic()
    rows = np.arange(len(data))
    table = split_summary(Split(data, rows[:-2], rows[-2:-1], rows[-1:], SplitConfig("random")))
    assert table[["first", "last"]].isna().all(axis=None)


def test_the_most_rated_film_of_movielens(ml_100k):
    top = most_rated(ml_100k, 1).iloc[0]
    assert (top["title"], top["count"], top["year"]) == ("Star Wars (1977)", 583, 1977)
