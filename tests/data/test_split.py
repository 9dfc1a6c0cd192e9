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
    leave_one_out,
    make_item_table,
    make_split,
    official_split,
    random_split,
    time_split,
)
from mfcore.data.split import tied_last
from mfcore.errors import UnusableRequest
from mfcore.runs import RunConfig


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
    moments = [data.timestamp[rows] for rows in parts(split)]
    assert moments[0].max() <= moments[1].min() and moments[1].max() <= moments[2].min()


@given(interactions())
def test_leave_last_out_takes_the_latest(data):
    mine = {user: [row for row in range(len(data)) if data.user_idx[row] == user] for user in range(data.num_users)}
    if not any(len(rows) >= 3 for rows in mine.values()):
        with pytest.raises(UnusableRequest, match="three interactions"):
            leave_last_out(data)
        return
    split = leave_last_out(data)
    assert_partition(split)
    for rows in mine.values():
        valid, test = ([row for row in part.tolist() if row in rows] for part in (split.valid_rows, split.test_rows))
        assert (len(valid), len(test)) == ((1, 1) if len(rows) >= 3 else (0, 0))
        if len(rows) >= 3:
            latest = sorted(data.timestamp[rows].tolist())
            assert (data.timestamp[valid[0]], data.timestamp[test[0]]) == (latest[-2], latest[-1])


def test_leave_last_out_by_hand(small):
    # "a": rows 3 and 6 share time 50, so a draw decides. "b": row 2 (time 30), then row 7. "c" has only two.
    seen = set()
    for seed in range(20):
        split = leave_last_out(small, seed)
        seen.add((tuple(split.test_rows.tolist()), tuple(split.valid_rows.tolist())))
        assert split.train_rows.tolist() == [0, 1, 4, 5, 8]
        assert split.hash == leave_last_out(small, seed).hash
    assert seen == {((2, 6), (3, 7)), ((2, 3), (6, 7))}
    assert tied_last(small) == (1, 2)
    assert tied_last(dataclasses.replace(small, timestamp=None)) == (0, 0)


def test_rows_in_the_order_of_items_with_one_timestamp_do_not_hold_out_the_last_item():
    """In file order the highest id would be held out of everybody, and nobody could have learned it."""
    users, items = np.divmod(np.arange(200 * 10), 10)
    data = Interactions(
        user_idx=users,
        item_idx=items,
        rating=np.ones(len(users)),
        timestamp=np.zeros(len(users), dtype=np.int64),
        users=Vocabulary(range(200), "user"),
        items=Vocabulary(range(10), "item"),
        item_table=make_item_table(["x"] * 10),
        rating_scale=(0, 1),
    )
    held = np.bincount(leave_last_out(data).test.item_idx, minlength=10)
    assert held.min() >= 8 and held.max() <= 40  # 20 each, by lot
    assert tied_last(data) == (200, 200)


def test_one_is_left_out_without_timestamps(small):
    timeless = dataclasses.replace(small, timestamp=None)
    tests = [leave_one_out(timeless, seed) for seed in range(30)]
    for split in tests:
        assert_partition(split)
        assert np.bincount(split.test.user_idx, minlength=3).tolist() == [1, 1, 0]
        assert np.bincount(split.valid.user_idx, minlength=3).tolist() == [1, 1, 0]
    assert {row for split in tests for row in split.test_rows.tolist()} == set(np.flatnonzero(small.user_idx < 2).tolist())
    assert tests[3].hash == leave_one_out(timeless, 3).hash


def test_what_is_rated_too_low_is_no_positive(small):
    """It is neither learned from nor held out, and stays a rating that was given."""
    for kind in ("random", "leave-last-out", "leave-one-out", "time"):
        config = SplitConfig(kind, positive_threshold=3)
        try:
            split = make_split(small, config)
        except UnusableRequest as refused:
            assert "three interactions" in str(refused)
            continue
        assert all((small.rating[rows] >= 3).all() for rows in split.rows.values())
        assert sorted(np.concatenate(list(split.rows.values())).tolist()) == np.flatnonzero(small.rating >= 3).tolist()
        assert sorted(split.left_out.rating.tolist()) == sorted(small.rating[small.rating < 3].tolist())
        assert split.data is small
    with pytest.raises(UnusableRequest, match="no rating of small is 9 or more; choose a lower positive_threshold, or all"):
        make_split(small, SplitConfig(positive_threshold=9))
    with pytest.raises(UnusableRequest, match="positive_threshold must be a number, or all"):
        SplitConfig(positive_threshold="some")
    with pytest.raises(UnusableRequest, match="choose all, or a loss that ranks"):
        RunConfig().with_flat({"positive_threshold": 4})
    assert RunConfig().with_flat({"positive_threshold": "4", "loss": "bpr"}).split.positive_threshold == 4.0


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
