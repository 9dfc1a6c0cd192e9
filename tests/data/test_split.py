from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data import (
    Interactions,
    Split,
    SplitConfig,
    Vocabulary,
    leave_last_out,
    make_item_table,
    make_split,
    official_split,
    random_split,
    time_split,
)
from mfcore.errors import UnusableRequest


@st.composite
def interactions(draw, min_size=6):
    num_users, num_items = draw(st.integers(1, 6)), draw(st.integers(6, 12))
    cells = draw(st.lists(st.integers(0, num_users * num_items - 1), min_size=min_size, max_size=60, unique=True))
    # Few different times, so that ties are common.
    times = draw(st.lists(st.integers(0, 4), min_size=len(cells), max_size=len(cells)))
    user_idx, item_idx = np.divmod(np.array(cells, dtype=np.int64), num_items)
    return Interactions(
        user_idx=user_idx,
        item_idx=item_idx,
        rating=np.ones(len(cells), dtype=np.float32),
        timestamp=np.array(times, dtype=np.int64),
        users=Vocabulary(np.arange(num_users)),
        items=Vocabulary(np.arange(num_items)),
        item_table=make_item_table(["x"] * num_items),
        rating_scale=(0, 5),
    )


def parts(split: Split) -> list[np.ndarray]:
    return [split.train_rows, split.valid_rows, split.test_rows]


def assert_partition(split: Split) -> None:
    assert sorted(np.concatenate(parts(split)).tolist()) == list(range(len(split.data)))
    assert all(np.all(np.diff(rows) > 0) for rows in parts(split))


@given(interactions(), st.floats(0.05, 0.45), st.floats(0.05, 0.45), st.integers(0, 5))
def test_random_divides_everything_by_the_shares_asked_for(data, test, valid, seed):
    if max(1, round(test * len(data))) + max(1, round(valid * len(data))) >= len(data):
        with pytest.raises(UnusableRequest, match="leave nothing"):
            random_split(data, test, valid, seed)
        return
    split = random_split(data, test, valid, seed)
    assert_partition(split)
    assert len(split.test) == max(1, round(test * len(data)))
    assert len(split.valid) == max(1, round(valid * len(data)))
    assert random_split(data, test, valid, seed).hash == split.hash


@given(interactions(), st.floats(0.05, 0.45), st.floats(0.05, 0.45))
def test_by_time_never_trains_on_what_came_later(data, test, valid):
    if max(1, round(test * len(data))) + max(1, round(valid * len(data))) >= len(data):
        with pytest.raises(UnusableRequest, match="leave"):
            time_split(data, test, valid)
        return
    split = time_split(data, test, valid)
    assert_partition(split)
    moments = [list(zip(data.timestamp[rows].tolist(), rows.tolist(), strict=True)) for rows in parts(split)]
    assert max(moments[0]) < min(moments[1]) and max(moments[1]) < min(moments[2])


@given(interactions())
def test_leave_last_out_takes_the_latest_by_time_then_file_order(data):
    mine = {user: [row for row in range(len(data)) if data.user_idx[row] == user] for user in range(data.num_users)}
    if not any(len(rows) >= 3 for rows in mine.values()):
        with pytest.raises(UnusableRequest, match="three interactions"):
            leave_last_out(data)
        return
    split = leave_last_out(data)
    assert_partition(split)
    for rows in mine.values():
        latest = sorted(rows, key=lambda row: (data.timestamp[row], row))
        held = [set(part.tolist()) & set(rows) for part in (split.valid_rows, split.test_rows)]
        assert held == ([{latest[-2]}, {latest[-1]}] if len(rows) >= 3 else [set(), set()])


def test_leave_last_out_by_hand(small):
    split = leave_last_out(small)
    # "a": rows 3 and 6 share time 50, row 6 is later in the file. "b": row 2 (time 30), then row 7. "c" has only two.
    assert (split.test_rows.tolist(), split.valid_rows.tolist()) == ([2, 6], [3, 7])
    assert split.train_rows.tolist() == [0, 1, 4, 5, 8]


def test_the_seed_decides_a_random_split(small):
    assert random_split(small, seed=1).hash != random_split(small, seed=2).hash


def test_the_hash_is_of_data_and_rows(small):
    split = random_split(small)
    other = dataclasses.replace(small, timestamp=small.timestamp + 1)
    assert random_split(other).train_rows.tolist() == split.train_rows.tolist()
    assert random_split(other).hash != split.hash
    moved = Split(small, split.valid_rows, split.train_rows, split.test_rows, split.config)
    assert moved.hash != split.hash
    assert split.hash == "ae5889535be5ce8ba032ca6fdbcf3d951f80d5e514a0611d5d67a79926e2a748"


def test_refit_trains_on_validation_too_and_leaves_test_alone(small):
    split = random_split(small, 0.2, 0.3)
    refit = split.with_validation_in_train()
    assert_partition(refit)
    assert len(refit.valid) == 0 and refit.test_rows.tolist() == split.test_rows.tolist()
    assert set(refit.train_rows.tolist()) == set(split.train_rows.tolist()) | set(split.valid_rows.tolist())


@pytest.mark.parametrize("config", [SplitConfig("random"), SplitConfig("time"), SplitConfig("leave-last-out")])
def test_saved_and_loaded_is_the_same(small, config, tmp_path):
    split = make_split(small, config)
    split.save(tmp_path / "splits" / "s.npz")
    again = Split.load(tmp_path / "splits" / "s.npz", small)
    assert again.hash == split.hash and again.config == split.config
    assert [part.tolist() for part in parts(again)] == [part.tolist() for part in parts(split)]
    assert [file.name for file in (tmp_path / "splits").iterdir()] == ["s.npz"]


def test_a_stored_split_is_refused_for_other_data_or_when_damaged(small, tmp_path):
    path = tmp_path / "s.npz"
    random_split(small).save(path)
    with pytest.raises(UnusableRequest, match="belongs to other data"):
        Split.load(path, dataclasses.replace(small, timestamp=None))
    for content in (path.read_bytes()[:100], b"", b"not a zip"):
        path.write_bytes(content)
        with pytest.raises(UnusableRequest, match="cannot be read"):
            Split.load(path, small)
    with pytest.raises(UnusableRequest, match="cannot be read"):
        Split.load(tmp_path / "absent.npz", small)


@pytest.mark.parametrize("make", [leave_last_out, time_split])
def test_without_timestamps_there_is_no_latest(small, make):
    with pytest.raises(UnusableRequest, match="needs timestamps, which small has not; use split random"):
        make(dataclasses.replace(small, timestamp=None))


def test_official_folds_are_for_ml_100k(small):
    with pytest.raises(UnusableRequest, match="official exists for ml-100k only"):
        official_split(small)


def test_a_split_that_trains_on_nothing_or_overlaps_is_refused(small):
    config = SplitConfig()
    with pytest.raises(UnusableRequest, match="nothing to train on"):
        Split(small, np.array([]), np.arange(3), np.arange(3, 9), config)
    with pytest.raises(UnusableRequest, match="one part only"):
        Split(small, np.arange(5), np.arange(4, 6), np.arange(6, 9), config)
    with pytest.raises(UnusableRequest, match="within 0 to 8"):
        Split(small, np.arange(5), np.array([9]), np.arange(6, 9), config)
    with pytest.raises(UnusableRequest, match="hold out less"):
        random_split(small.select([0, 1]), 0.5, 0.4)


@pytest.mark.parametrize("fold", [1, 2, 3, 4, 5])
def test_official_folds_are_blocks_of_20000_rows(ml_100k, fold):
    split = official_split(ml_100k, fold)
    assert_partition(split)
    assert split.test_rows.tolist() == list(range((fold - 1) * 20000, fold * 20000))
    assert len(split.valid) == 10_000


def test_leave_last_out_on_movielens(ml_100k):
    split = leave_last_out(ml_100k)
    assert len(split.test) == len(split.valid) == 943
    assert sorted(split.test.user_idx.tolist()) == list(range(943))
