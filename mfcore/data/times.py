"""Moments as people write them, and the one way we keep them: whole seconds since 1970 (UTC)."""

from __future__ import annotations

import contextlib
import datetime
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfcore.typing import Bool, Int64
from mfcore.validate import choice, require

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UNITS = {
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    "yyyymmdd": "days written as 20170131",
    "year": "years",
    "iso": "dates written as 2017-01-31, with or without the time of day",
    "month-first": "dates written as 1/31/2017",
    "day-first": "dates written as 31.1.2017",
    "datetime": "dates",
}
"""What a moment may be written in, in words."""

_AS_SECONDS_UP_TO = 10**11  # the year 5138 in seconds, 1973 in milliseconds
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 and 9999
_LATEST_GUESS = 7_289_654_400  # 2201: what is guessed has to make sense, what is told need not
_LARGEST = 9.2e18  # what 64 bits hold
_SAMPLE = 1000
_STRAY = 0.1
"""Share of cells that may be something else than numbers in a column of them."""
_FORMS = 8
_MIXED = 20_000


@dataclass(frozen=True, eq=False)
class Times:
    """Moments: ``seconds`` (n,) int64 since 1970 UTC; the ``unit`` they were in, and ``why`` it is that, in a sentence."""

    seconds: Int64
    unit: str
    why: str


def to_seconds(values: ArrayLike, unit: str = "auto") -> Times:
    """Moments in any of ``UNITS``, which is recognised where it is "auto". Without a time zone they are taken for UTC.

    Args:
        values: (n,) numbers, text, datetimes or dates.

    Raises:
        UnusableRequest: one is missing or no moment, or lies outside the years 1 to 9999; the message names the first.
    """
    array = as_array(values)
    guessed, why = unit == "auto", f"given as {UNITS.get(unit, unit)}"
    if guessed:
        unit, why = unit_of(array)
    seconds, good = convert(array, unit)
    if not good.all():
        place = int(np.argmin(good))
        require(
            False, f"timestamp {array[place]!s} in row {place + 1} is no moment as {UNITS[unit]}; correct it, or leave it out"
        )
    if guessed and len(seconds) and int(seconds.max()) > _LATEST_GUESS:
        place = int(seconds.argmax())
        year = _year(int(seconds[place]))
        require(False, f"timestamp {array[place]!s} in row {place + 1} would be in the year {year}; say which unit it is in")
    return Times(seconds, unit, why)


def as_array(values: ArrayLike) -> NDArray[Any]:
    """``values`` as a (n,) array of numbers, datetime64, or objects; with a time zone, as UTC."""
    zone = getattr(getattr(values, "dtype", None), "tz", None)
    array = np.asarray(values.dt.tz_convert("UTC").dt.tz_localize(None) if zone else values)  # type: ignore[union-attr]
    require(array.ndim == 1, f"timestamp must be one-dimensional, got shape {array.shape}")
    if array.dtype.kind == "O" and array.size:
        kinds = {type(one) for one in array.tolist() if one is not None}
        if kinds and all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds) and None not in array:
            return np.array(array.tolist(), dtype=np.int64)
    return array.astype(object) if array.dtype.kind in "UT" else array


def unit_of(values: NDArray[Any]) -> tuple[str, str]:
    """Which of ``UNITS`` these are in, and why, in a sentence. Looks at the magnitude of numbers, and the form of text."""
    if values.dtype.kind == "M":
        return "datetime", "the column holds dates"
    numbers = _numbers(values)
    if numbers is not None:
        return _unit_of_numbers(numbers)
    sample = [one for one in values[: 50 * _SAMPLE].tolist() if not _missing(one)][:_SAMPLE]
    if sample and all(isinstance(one, datetime.date) for one in sample):
        return "datetime", "the column holds dates"
    return _unit_of_text([str(one).strip() for one in sample])


def _unit_of_numbers(numbers: NDArray[Any]) -> tuple[str, str]:
    known = numbers[np.isfinite(numbers)] if numbers.dtype.kind == "f" else numbers
    largest = float(np.median(np.abs(known))) if known.size else 0.0  # a wrong one or two change nothing
    if known.size and float(known.min()) >= 18_000_101 and largest <= 22_001_231 and _days(known)[1].all():
        return "yyyymmdd", "all numbers are days such as 20170131"
    unit = next((unit for unit, per_second in PER_SECOND.items() if largest < _AS_SECONDS_UP_TO * per_second), "ns")
    per_second = PER_SECOND[unit]
    latest = f", the latest of them in {_year(int(largest // per_second))}" if known.size and largest > 1e8 * per_second else ""
    return unit, f"the numbers are as large as {UNITS[unit]} are{latest}"


def _unit_of_text(sample: list[str]) -> tuple[str, str]:
    array = np.array(sample, dtype=object)
    dotted = sum("." in one.split(" ")[0] for one in sample) > len(sample) / 2  # nobody writes 1.31.2017
    order = ("iso", "day-first", "month-first") if dotted else ("iso", "month-first", "day-first")
    fits = {unit: int(convert(array, unit)[1].sum()) for unit in order}
    best = max(fits, key=lambda unit: fits[unit])  # the first of equals
    digits = any(re.match(r"\d+[./-]\d+[./-]\d", one) for one in sample)
    both = best != "iso" and digits and fits["day-first"] == fits["month-first"] > 0 and not dotted
    return best, f"the text reads as {UNITS[best]}" + ("; the day might as well come first" if both else "")


def convert(values: NDArray[Any], unit: str) -> tuple[Int64, Bool]:
    """Moments in ``unit`` as (n,) int64 seconds since 1970, and (n,) bool whether each is one; those that are none are 0."""
    choice("unit of time", unit, UNITS)
    seconds, good = _converted(values, unit)
    good = good & (seconds >= _FIRST) & (seconds <= _LAST)
    return np.where(good, seconds, 0).astype(np.int64), good


def _converted(values: NDArray[Any], unit: str) -> tuple[Int64, Bool]:
    if unit in ("iso", "month-first", "day-first", "datetime"):
        return _dates(values, unit)
    numbers = _numbers(values, coerce=True)
    assert numbers is not None
    if unit in PER_SECOND:
        good = (numbers > -_LARGEST) & (numbers < _LARGEST)  # False for NaN
        return (np.where(good, numbers, 0) // PER_SECOND[unit]).astype(np.int64), good
    known = np.where(np.isfinite(numbers), numbers, 0)
    return _days(known * 10_000 + 101 if unit == "year" else known)


def _days(numbers: NDArray[Any]) -> tuple[Int64, Bool]:
    """20170131 → seconds at the beginning of that day."""
    small = np.where(np.abs(numbers) < 10**9, numbers, 0)
    whole = small.astype(np.int64)
    year, month, day = whole // 10_000, whole // 100 % 100, whole % 100
    good = (whole == numbers) & (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1)
    start = (np.where(good, year, 1970) - 1970).astype("M8[Y]").astype("M8[M]") + (np.where(good, month, 1) - 1)
    good &= day <= ((start + 1).astype("M8[D]") - start.astype("M8[D]")).astype(np.int64)
    moment = start.astype("M8[D]") + (np.where(good, day, 1) - 1)
    return moment.astype("M8[s]").astype(np.int64), good


def _dates(values: NDArray[Any], unit: str) -> tuple[Int64, Bool]:
    import pandas as pd

    if values.dtype.kind == "M":
        return values.astype("M8[s]").astype(np.int64), ~np.isnat(values)
    series = pd.Series(values, dtype=object)
    if unit == "datetime":
        found = series.map(lambda one: pd.to_datetime(one, utc=True, errors="coerce"))
    else:
        found = _read_text(series.where(series.isna(), series.astype(str).str.strip()), unit)
    moments = pd.to_datetime(found, utc=True, errors="coerce").dt.tz_localize(None).astype("M8[s]")
    return moments.to_numpy().astype(np.int64), moments.notna().to_numpy()


def _read_text(text: Any, unit: str) -> Any:
    """A column of text as dates; what is none is missing. The form of the first one is tried on all of them at once."""
    import pandas as pd

    if unit == "iso":
        # Digits alone are a number to us, whatever the standard says of 20170131.
        written = text.where(text.str.contains(r"^[+-]?\d{4}[-/]\d", na=False)).str.replace("/", "-", n=2)
        return pd.to_datetime(written, format="ISO8601", utc=True, errors="coerce")
    left, found = text[text.str.contains(r"\d{4}|\d[./-]\d+[./-]\d", na=False)], []
    for _ in range(_FORMS):  # as many as a file may mix
        form = _form_of(left.iloc[0], unit) if len(left) else ""
        if not form:
            break
        some = pd.to_datetime(left, format=form, utc=True, errors="coerce").dropna()
        if some.empty:
            break
        found.append(some)
        left = left.drop(some.index)
    left = left[left.str.contains("[A-Za-z]{3}", na=False)]  # a month by name cannot be mistaken for a day
    if 0 < left.nunique() <= _MIXED:
        read = {one: pd.to_datetime(one, utc=True, errors="coerce") for one in left.unique()}
        found.append(left.map(read))
    return pd.concat(found).reindex(text.index) if found else pd.Series(pd.NaT, index=text.index)


def _form_of(text: str, unit: str) -> str:
    """The form of a date, or "" where it cannot be read in this order: turning it round without a word would be wrong."""
    from pandas.tseries.api import guess_datetime_format

    date = "%d/%m/%" if unit == "day-first" else "%m/%d/%"
    for form in (f"{date}Y %I:%M %p", f"{date}Y %I:%M:%S %p", f"{date}y", f"{date}y %H:%M"):  # those pandas does not guess
        with contextlib.suppress(ValueError):
            datetime.datetime.strptime(text, form)
            return form
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says that the order is another one, which is looked at below
        form = guess_datetime_format(text, dayfirst=unit == "day-first") or ""
    turned = "%m" in form and (unit == "day-first") != (form.find("%d") < form.find("%m"))
    return "" if turned and not form.startswith("%Y") else form


def _numbers(values: NDArray[Any], coerce: bool = False) -> NDArray[Any] | None:
    """Numbers, also those written as text, exactly where they are whole; None where one is none, or NaN if ``coerce``."""
    import pandas as pd

    if values.dtype.kind in "iuf":
        return values
    if values.dtype.kind != "O" or any(isinstance(one, datetime.date) for one in values[:_SAMPLE].tolist()):
        return np.full(len(values), np.nan) if coerce else None
    read = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce")
    known = ~pd.isna(pd.Series(values, dtype=object)) & (pd.Series(values, dtype=object) != "")
    if not coerce and (read.isna() & known).sum() > _STRAY * known.sum():
        return None
    return np.asarray(read)


def _missing(value: Any) -> bool:
    return value is None or value != value or str(value).strip() == ""


def _year(seconds: int) -> int:
    return 1970 + int(seconds / 31_556_952)
