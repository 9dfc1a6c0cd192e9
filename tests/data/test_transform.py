"""Ratings on another scale, everywhere alike; and when that is called for."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mfcore.data import DatasetConfig, Interactions, Vocabulary, load_dataset, make_item_table, open_dataset
from mfcore.data.nouns import nouns
from mfcore.data.transform import heavy_tail, refuse_transform, scale_after, transformed
from mfcore.errors import UnusableRequest


def rated(ratings: list[float], scale: tuple[float, float] | None = None, feedback: str = "counts") -> Interactions:
    items = Vocabulary([f"i{number}" for number in range(len(ratings))])
    return Interactions(
        user_idx=np.zeros(len(ratings), np.int64),
        item_idx=np.arange(len(ratings)),
        rating=np.array(ratings, np.float32),
        timestamp=None,
        users=Vocabulary(["ann"]),
        items=items,
        item_table=make_item_table(items.ids),
        rating_scale=scale or (min(ratings), max(ratings)),
        feedback=feedback,
    )


def test_logarithms_with_the_scale_that_goes_with_them() -> None:
    data = transformed(rated([1, 9, 352_698]), "log")
    np.testing.assert_allclose(data.rating, [math.log(2), math.log(10), math.log(352_699)], rtol=1e-6)
    assert data.rating_scale == pytest.approx((math.log(2), math.log(352_699)))
    assert (data.feedback, data.transform) == ("counts", "log")
    assert data.rating.dtype == np.float32


def test_cut_off_at_the_99th_percentile() -> None:
    data = transformed(rated([float(number) for number in range(1, 1001)]), "clip")
    assert float(data.rating.max()) == 991.0 == data.rating_scale[1], "the rating that 99 of 100 do not exceed"
    assert data.rating[:990].tolist() == [float(number) for number in range(1, 991)]


def test_chosen_or_not() -> None:
    data = transformed(rated([1, 2, 7]), "binarise")
    assert data.rating.tolist() == [1.0, 1.0, 1.0] and data.rating_scale == (0.0, 1.0) and data.feedback == "chosen"


@pytest.mark.parametrize("how", ["log", "clip", "binarise"])
def test_what_was_only_chosen_stays_as_it_is(how: str) -> None:
    data = rated([1, 1], (0.0, 1.0), "chosen")
    assert transformed(data, how) is data


def test_what_makes_no_sense_is_refused_in_one_line() -> None:
    with pytest.raises(UnusableRequest, match=r"^transform log needs ratings of 0 or more, but user ann rates item i1 -2; .*$"):
        transformed(rated([1, -2, 3], feedback="ratings"), "log")
    with pytest.raises(UnusableRequest, match=r"would make all ratings of interactions 1, for hardly any is more"):
        transformed(rated([1.0] * 1000 + [5.0]), "clip")
    with pytest.raises(UnusableRequest, match="jester has them from -10 up"):
        refuse_transform("log", (-10.0, 10.0), "jester")
    with pytest.raises(UnusableRequest, match="transform must be one of"):
        DatasetConfig("planted", transform="square")


def test_a_dataset_opens_transformed_and_is_kept_apart() -> None:
    plain, log = load_dataset("planted"), load_dataset("planted", transform="log")
    assert load_dataset("planted", transform="log") is log and load_dataset("planted") is plain
    np.testing.assert_allclose(log.rating, np.log1p(plain.rating), rtol=1e-6)
    others = [open_dataset(DatasetConfig("planted", transform=how)).fingerprint for how in ("log", "binarise")]
    assert len({plain.fingerprint, *others}) == 3
    assert plain.fingerprint == load_dataset("planted", transform="none").fingerprint
    np.testing.assert_array_equal(log.user_idx, plain.user_idx)
    assert log.planted is None, "the factors made other ratings than these"


@pytest.mark.parametrize("how", ["log", "clip", "binarise"])
@pytest.mark.parametrize("feedback", ["ratings", "counts", "chosen"])
def test_what_is_said_before_the_data_is_opened_holds_after(how: str, feedback: str) -> None:
    data = rated([1, 2, 2, 5], (1.0, 5.0), feedback)
    scale, kind = scale_after(how, data.rating_scale, data.feedback)
    after = transformed(data, how)
    assert kind == after.feedback
    assert scale is None or scale == pytest.approx(after.rating_scale)


def test_words_follow() -> None:
    plain = nouns(DatasetConfig("ml-100k"))
    log, chosen = (nouns(DatasetConfig("ml-100k", transform=how)) for how in ("log", "binarise"))
    assert (plain.units, plain.symbol) == ("stars", "★")
    assert (log.units, log.symbol, log.items) == ("ln(1 + stars)", "", "films")
    assert not chosen.has_values and chosen.did == "chose"
    assert nouns(DatasetConfig("ml-100k", transform="clip")) == plain


@pytest.mark.parametrize(
    ("ratings", "heavy"),
    [
        ([1, 2, 12, 352_698], True),
        ([0.5, 5, 5, 4], False),
        ([-10, 10, 0.1, 3], False),
        ([float(number) for number in range(0, 101)], False),
        ([10_000, 20_000, 30_000], True),
        ([0, 0, 0, 0, 3], False),
        ([0, 0], False),
        ([1, 1, 1, 1, 51], True),
        ([1, 1, 1, 1, 50], False),
    ],
)
def test_a_heavy_tail_is_told_from_a_scale(ratings: list[float], heavy: bool) -> None:
    data = rated([float(rating) for rating in ratings], (-10.0, 400_000.0))
    assert bool(heavy_tail(data)) == heavy
    assert heavy_tail(dataclasses.replace(data, feedback="chosen")) == ""


def test_it_is_told_in_the_datas_own_numbers() -> None:
    assert heavy_tail(rated([1, 2, 12, 13, 352_698])) == (
        "ratings go from 1 to 352,698, half of them no further than 12: squared error follows the few largest"
    )
    assert heavy_tail(transformed(rated([1, 2, 12, 13, 352_698]), "log")) == ""
