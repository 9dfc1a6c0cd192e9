"""Deciles, the leak meter and calibration, by hand and against plain pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mfcore import Interactions, UnusableRequest, leave_last_out, random_split
from mfcore.data import Split, SplitConfig
from mfcore.evaluation import (
    Evaluator,
    Protocol,
    by_item_popularity,
    by_user_activity,
    calibration_table,
    leak_meter,
    summarise,
    user_metrics,
)
from mfcore.models.baselines import BiasOnly
from tests.evaluation.examples import Table, interactions, split_of


def lively_split(num_users: int = 30, num_items: int = 50) -> Split:
    """User u has u + 1 training interactions and one or two held-out ones."""
    rng = np.random.default_rng(0)
    train, test = [], []
    for user in range(num_users):
        items = rng.choice(num_items, user + 3, replace=False)
        test += [(user, int(item), 5.0) for item in items[: 1 + user % 2]]
        train += [(user, int(item), 4.0) for item in items[2:]]
    return split_of(train, [], test, num_users, num_items)


SPLIT = lively_split()
MODEL = Table(np.random.default_rng(1).random((30, 50)) * 5)


def test_users_by_activity() -> None:
    details = Evaluator(SPLIT, protocol=Protocol(k=7)).details(MODEL)
    table = by_user_activity(details, SPLIT)
    assert table["decile"].tolist() == list(range(1, 11))
    assert table["num_users"].tolist() == [3] * 10
    assert table["low"].tolist() == list(range(1, 31, 3))
    assert table["high"].tolist() == list(range(3, 31, 3))
    assert table["users"].map(list).tolist() == [[d, d + 1, d + 2] for d in range(0, 30, 3)]
    each = user_metrics(details)
    for row in table.itertuples():
        assert row.hr_full == pytest.approx(each.loc[row.users, "hr@7/full"].mean())
        assert row.ndcg_full == pytest.approx(each.loc[row.users, "ndcg@7/full"].mean())
        mine = np.isin(details.rating_user, row.users)
        assert row.rmse == pytest.approx(np.sqrt(np.mean((details.predicted - details.actual)[mine] ** 2.0)), rel=1e-5)
    assert by_user_activity(details, SPLIT, 50)["hr"].tolist() == [1.0] * 10


def test_equally_active_users_stay_together() -> None:
    rows = [(u, 0, 3.0) for u in range(10)] + [(10, item, 3.0) for item in range(3)]
    split = split_of(rows, [], [(u, 4, 5.0) for u in range(11)], 11, 6)
    table = by_user_activity(Evaluator(split).details(Table(np.zeros((11, 6)))), split)
    assert table["num_users"].tolist() == [10, 1]
    assert table["decile"].is_monotonic_increasing
    assert (table["low"].tolist(), table["high"].tolist()) == ([1, 3], [1, 3])


def test_items_by_popularity() -> None:
    details = Evaluator(SPLIT, protocol=Protocol(k=7)).details(MODEL)
    table = by_item_popularity(details, SPLIT)
    popularity = SPLIT.train.popularity()
    assert sorted(np.concatenate(table["items"].tolist()).tolist()) == list(range(50))
    assert table["num_cases"].sum() == len(details.case_item)
    for row in table.itertuples():
        assert (popularity[row.items].min(), popularity[row.items].max()) == (row.low, row.high)
        mine = np.isin(details.case_item, row.items)
        assert row.num_cases == mine.sum()
        if mine.any():
            assert row.hr == pytest.approx((details.rank_draws[0][mine] < 7).mean())
            assert row.hr_full == pytest.approx((details.rank_full[mine] < 7).mean())
        else:
            assert math.isnan(row.hr)
    weight = table["num_cases"] / table["num_cases"].sum()
    assert (table["hr"].fillna(0) * weight).sum() == pytest.approx(summarise(details)["hr@7"])


def test_breakdowns_of_nothing() -> None:
    split = split_of([(0, 0, 3.0)], [], [(0, 1, 5.0)], 1, 6)
    details = Evaluator(split, "valid").details(Table([[0] * 6]))
    assert len(by_user_activity(details, split)) == 0
    items = by_item_popularity(details, split)
    assert items["num_items"].sum() == 6
    assert items[["hr", "ndcg_full", "rmse"]].isna().all().all()


def timed(train: list[tuple[int, int, int]], test: list[tuple[int, int, int]]) -> Split:
    """(user, item, timestamp) rows."""
    rows = train + test
    data = interactions([(u, i, 3.0) for u, i, _ in rows], 3, 9, timestamp=[t for *_, t in rows])
    ends = np.arange(len(rows))
    return Split(data, ends[: len(train)], ends[:0], ends[len(train) :], SplitConfig())


def test_leak_by_hand() -> None:
    """User 0's earliest test is at 20, user 1's at 50. Training is at 10, 20, 30 (user 0), 40 (user 1) and 60 (user 2)."""
    train = [(0, 0, 10), (0, 1, 20), (0, 2, 30), (1, 3, 40), (2, 4, 60)]
    found = leak_meter(timed(train, [(0, 5, 20), (0, 6, 70), (1, 7, 50)]))
    assert found.own == pytest.approx((1 / 3 + 0) / 2)  # the same second is not after
    assert found.everyone == pytest.approx((3 / 5 + 1 / 5) / 2)
    assert found.affected == pytest.approx(1 / 2)
    assert found.per_user.tolist() == pytest.approx([3 / 5, 1 / 5])
    assert found.num_users == 2


def test_leak_without_timestamps_or_users_is_undefined() -> None:
    without = leak_meter(SPLIT)
    assert math.isnan(without.own)
    assert without.num_users == 0
    assert math.isnan(leak_meter(timed([(0, 0, 1)], [(0, 1, 2)]), "valid").everyone)
    with pytest.raises(UnusableRequest, match="on must be one of test, valid"):
        leak_meter(SPLIT, "train")


def test_leaks_of_movielens(ml_100k: Interactions) -> None:
    last, drawn = leak_meter(leave_last_out(ml_100k)), leak_meter(random_split(ml_100k))
    assert last.own == 0.0
    assert last.affected == 0.0
    assert 0.3 < last.everyone < 0.7  # others' later ratings remain: leave-last-out is no walk through time
    assert drawn.own > 0.5


def test_calibration_by_hand() -> None:
    split = split_of([(0, 0, 3.0)], [], [(0, i, r) for i, r in [(1, 1.0), (2, 5.0), (3, 4.0), (4, 2.0)]], 1, 6)
    details = Evaluator(split).details(Table([[0, 0.5, 4.5, 9.0, 2.0, 0]]))
    found = calibration_table(details, bins=4)  # edges 1, 2, 3, 4, 5
    assert found.table["low"].tolist() == [1.0, 2.0, 4.0]
    assert found.table["high"].tolist() == [2.0, 3.0, 5.0]
    assert found.table["predicted"].tolist() == pytest.approx([1.0, 2.0, 4.75])
    assert found.table["actual"].tolist() == pytest.approx([1.0, 2.0, 4.5])
    assert found.table["count"].tolist() == [1, 1, 2]
    assert found.gap == pytest.approx((0.0 + 0.0 + 2 * 0.25) / 4)


def test_calibration_of_a_ranker_is_empty_and_no_bins_are_refused() -> None:
    model = Table(MODEL.scores, predicts_ratings=False)
    found = calibration_table(Evaluator(SPLIT).details(model))
    assert len(found.table) == 0
    assert math.isnan(found.gap)
    with pytest.raises(UnusableRequest, match="bins must be >= 1"):
        calibration_table(Evaluator(SPLIT).details(MODEL), bins=0)


def test_bias_only_is_well_calibrated_on_movielens(ml_100k: Interactions) -> None:
    split = random_split(ml_100k)
    details = Evaluator(split).details(BiasOnly(split.train))
    found = calibration_table(details)
    assert found.table["count"].sum() == len(details.actual)
    assert found.gap < 0.1
    activity = by_user_activity(details, split)
    assert isinstance(activity, pd.DataFrame)
    assert activity["num_users"].sum() == len(np.unique(details.rating_user))
    assert activity["rmse"].iloc[0] > activity["rmse"].iloc[-1]
