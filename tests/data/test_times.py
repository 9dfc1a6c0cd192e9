"""Moments in whatever way people write them are the same moments."""

from __future__ import annotations

import datetime
from datetime import UTC

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data.times import PER_SECOND, convert, to_seconds, unit_of
from mfcore.errors import UnusableRequest

MAY = 1_493_596_800  # 2017-05-01 00:00 UTC


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ([MAY], "s"),
        ([float(MAY) + 0.9], "s"),
        ([str(MAY)], "s"),
        ([MAY * 10**3], "ms"),
        ([str(MAY * 10**3)], "ms"),
        ([MAY * 10**6 + 5], "us"),
        ([MAY * 10**9 + 123_456_789], "ns"),
        ([20170501], "yyyymmdd"),
        (["2017-05-01"], "iso"),
        (["2017-05"], "iso"),
        (["2017/05/01"], "iso"),
        (["2017-05-01T02:00:00+02:00", "2017-05-01T00:00:00.5Z"], "iso"),
        (["5/1/2017", "5/31/2017"], "month-first"),
        (["1/5/2017", "31/5/2017"], "day-first"),
        (["1.5.2017"], "day-first"),
        (["05/01/2017 12:00 AM", "05/31/2017 1:30 PM"], "month-first"),
        (["Mon May 01 00:00:00 +0000 2017"], "month-first"),
        (["1 May 2017, 00:00"], "month-first"),
        (np.array(["2017-05-01"], "M8[D]"), "datetime"),
        (np.array(["2017-05-01"], "M8[ns]"), "datetime"),
        ([datetime.date(2017, 5, 1)], "datetime"),
        ([datetime.datetime(2017, 5, 1, tzinfo=UTC)], "datetime"),
        (pd.Series(pd.to_datetime(["2017-05-01T02:00"])).dt.tz_localize("Europe/Berlin"), "datetime"),
    ],
)
def test_the_same_moment_in_every_way(written, unit):
    times = to_seconds(written)
    assert (int(times.seconds[0]), times.unit, times.seconds.dtype) == (MAY, unit, np.int64)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["2017-05-01", None], "timestamp None in row 2"),
        (["2017-05-01", "2017-02-30"], "timestamp 2017-02-30 in row 2"),
        ([float("nan"), MAY], "timestamp nan in row 1"),
        (["50000-01-01"], "timestamp 50000-01-01 in row 1"),
        ([10**19], "timestamp 10000000000000000000 in row 1"),
        ([MAY, 5 * 10**10], "would be in the year 3554; say which unit it is in"),
        (["hello"], "timestamp hello in row 1"),
        (["Saturday"], "timestamp Saturday in row 1"),
        ([""], "in row 1 is no moment"),
        ([[1]], "one-dimensional"),
    ],
)
def test_what_is_no_moment_is_named(written, said):
    with pytest.raises(UnusableRequest, match=said) as refused:
        to_seconds(written)
    assert "\n" not in str(refused.value)


def test_an_order_that_might_be_the_other_is_told_so_and_can_be_chosen():
    assert "might as well come first" in to_seconds(["1/5/2017"]).why
    assert "might" not in to_seconds(["1/31/2017"]).why
    assert to_seconds(["1/5/2017"], "day-first").seconds.tolist() == [MAY]


def test_small_numbers_are_an_order_of_time_and_stay():
    assert to_seconds([5, 3, 1]).seconds.tolist() == [5, 3, 1]
    assert to_seconds([]).seconds.tolist() == []


def test_what_is_no_moment_can_be_left_out():
    values = np.array(["2017-05-01", "n/a", None], dtype=object)
    seconds, good = convert(values, unit_of(values)[0])
    assert (seconds.tolist(), good.tolist()) == ([MAY, 0, 0], [True, False, False])


@given(st.integers(0, 4_000_000_000), st.sampled_from(list(PER_SECOND)))
def test_any_moment_in_any_unit_told(second, unit):
    assert to_seconds([second * PER_SECOND[unit]], unit).seconds.tolist() == [second]


@given(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2200, 1, 1)).map(lambda one: one.replace(microsecond=0)))
def test_any_date_as_text_is_the_date(moment):
    second = int(moment.replace(tzinfo=UTC).timestamp())
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M:%S"):
        assert to_seconds([moment.strftime(form)]).seconds.tolist() == [second]
