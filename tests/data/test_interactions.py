from __future__ import annotations

import dataclasses
import itertools
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mfcore.data import Interactions, Vocabulary, make_item_table
from mfcore.data.cache import read_cache, write_cache
from mfcore.data.interactions import item_title
from mfcore.errors import UnusableRequest


def test_vocabulary_goes_both_ways():
    vocabulary = Vocabulary([30, 10, 20], "item")
    assert vocabulary.index(10) == vocabulary.index("10") == vocabulary.index(np.int64(10)) == 1
    assert vocabulary.indices([20, 30, 20]).tolist() == [2, 0, 2]
    assert vocabulary.indices(["20", "30"]).tolist() == [2, 0]
    assert vocabulary.ids[vocabulary.indices([10, 20])].tolist() == [10, 20]
    assert Vocabulary(["x", "7"], "user").index(7) == 1
    assert len(vocabulary) == 3


@pytest.mark.parametrize(
    ("ids", "dtype"),
    [
        (["b", "b ", "B"], "U"),
        (["7", "007", "07"], "U"),
        ([2**63, 1, 2**64 - 1], "u8"),
        (np.array([2**63 + 1, 2**63 + 3], dtype=np.uint64), "u8"),
        ([2**53, 2**53 + 1, -(2**62)], "i8"),
        ([10**30, 1], "U"),
        ([1, "x"], "U"),
        (np.array(["a", 3], dtype=object), "U"),
        (["é", "e\u0301", "=1+1", "<script>", "🎬"], "U"),
    ],
)
def test_ids_are_kept_exactly_and_can_be_asked_for_exactly(ids, dtype):
    vocabulary = Vocabulary(ids, "item")
    assert vocabulary.ids.dtype.kind == dtype[0]
    assert [vocabulary.index(one) for one in list(ids)] == list(range(len(ids)))
    assert [vocabulary.index(str(one)) for one in list(ids)] == list(range(len(ids)))
    assert vocabulary.indices(ids).tolist() == list(range(len(ids)))


def test_what_is_almost_an_id_is_none():
    numbers, texts = Vocabulary([1, 7, 2**62], "user"), Vocabulary(["b", "7"], "user")
    for raw in (1.7, "1.7", "1 ", "007", "+7", "1_0", "", None, True, 2**62 + 1, float("nan")):
        with pytest.raises(UnusableRequest, match="unknown user"):
            numbers.index(raw)
    for raw in ("b ", " b", "B", "07", None):
        with pytest.raises(UnusableRequest, match="unknown user"):
            texts.index(raw)
    large = Vocabulary(np.array([2**63, 2**63 + 1], dtype=np.uint64), "user")
    assert large.indices(np.array([2**63 + 1], dtype=np.uint64)).tolist() == [1]
    with pytest.raises(UnusableRequest, match="unknown user"):  # the nearest number that a float can hold is 2**63
        large.indices(np.array([2**63 - 1], dtype=np.int64))
    assert numbers.index(1.0) == numbers.index(np.float64(1)) == 0


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([None, "a"], "id number 1 is missing"),
        (["a", float("nan")], "id number 2 is missing"),
        (pd.array([1, None], dtype="Int64"), "id number 2 is missing"),
        ([1.7], "whole numbers or text, got 1.7"),
        ([True, False], "whole numbers or text"),
        (["a\0", "a"], "NUL"),
    ],
)
def test_a_missing_id_is_refused_and_not_called_none(ids, said):
    with pytest.raises(UnusableRequest, match=re.escape(said)):
        Vocabulary(ids, "user")


@pytest.mark.parametrize("raw", [99, "99", "abc"])
def test_an_unknown_id_is_named_with_what_is_known(raw):
    vocabulary = Vocabulary([30, 10, 20], "item")
    for ask in (vocabulary.index, lambda one: vocabulary.indices([one])):
        with pytest.raises(UnusableRequest, match=r"unknown item .*(99|abc).*3 ids from 10 to 30"):
            ask(raw)


@pytest.mark.parametrize("ids", [[1, 1], [1.5], [[1]]])
def test_a_vocabulary_refuses_ids_that_are_none(ids):
    with pytest.raises(UnusableRequest):
        Vocabulary(ids, "item")


def test_counts(small):
    assert (len(small), small.num_users, small.num_items) == (9, 3, 5)
    assert small.density == pytest.approx(9 / 15)
    assert small.popularity().tolist() == [3, 2, 2, 2, 0]
    assert small.activity().tolist() == [4, 3, 2]
    indptr, items = small.by_user()
    assert [items[a:b].tolist() for a, b in itertools.pairwise(indptr)] == [[0, 1, 2, 3], [0, 1, 2], [0, 3]]
    assert [array.dtype for array in (small.user_idx, small.item_idx, small.rating, small.timestamp)] == [
        "i8",
        "i8",
        "f4",
        "i8",
    ]


def test_select_keeps_vocabularies_and_recomputes_what_depends_on_rows(small):
    assert small.by_user() and small.fingerprint
    part = small.select([4, 0])
    assert part.rating.tolist() == [5, 1] and part.timestamp.tolist() == [10, 10]
    assert part.users is small.users and part.popularity().tolist() == [1, 1, 0, 0, 0]
    assert part.fingerprint != small.fingerprint and part.by_user()[0].tolist() == [0, 1, 2, 2]
    assert small.select(small.rating == 5).rating.tolist() == [5]
    nothing = small.select([])
    assert len(nothing) == 0 and nothing.popularity().tolist() == [0] * 5


def test_fingerprint_sees_every_change_that_matters_and_no_other(small):
    def changed(**new):
        return dataclasses.replace(small, **new).fingerprint

    assert changed() == small.fingerprint
    assert changed(name="other", item_table=make_item_table(["x"] * 5)) == small.fingerprint
    others = {
        changed(rating=small.rating[::-1].copy()),
        changed(timestamp=small.timestamp + 1),
        changed(timestamp=None),
        changed(rating_scale=(0.5, 5.0)),
        changed(users=Vocabulary(["a", "b", "d"])),
        changed(user_idx=small.user_idx[::-1].copy(), item_idx=small.item_idx[::-1].copy()),
        small.fingerprint,
    }
    assert len(others) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_idx": np.array([0] * 8 + [3])}, "user_idx must lie within 0 to 2, got 0 to 3"),
        ({"item_idx": np.array([-1] + [0] * 8)}, "item_idx must lie within 0 to 4"),
        ({"user_idx": np.zeros(9)}, "user_idx must be whole numbers, got float64"),
        ({"rating": np.ones(8, dtype=np.float32)}, "must have one length"),
        ({"rating": np.array([np.nan] + [1.0] * 8)}, "rating must be finite"),
        ({"rating": np.array([6.0] + [1.0] * 8)}, "rating must lie within 1 to 5, got 1 to 6"),
        ({"rating": np.array(["x"] * 9)}, "rating must be one-dimensional numbers"),
        ({"rating_scale": (5, 1)}, "rating_scale must be"),
        ({"timestamp": np.zeros((9, 1))}, "timestamp must be one-dimensional"),
        ({"timestamp": ["2017-01-01"] * 8 + ["yesterday"]}, "timestamp yesterday in row 9 is no moment"),
        ({"item_idx": np.zeros(9, dtype=int)}, "user a rates item 10 more than once"),
        ({"item_table": make_item_table(["x"])}, "item_table must have one row per item"),
        ({"item_table": make_item_table(["x"] * 5).drop(columns="year")}, "item_table lacks year"),
    ],
)
def test_nothing_malformed_is_born(small, change, message):
    with pytest.raises(UnusableRequest, match=message):
        dataclasses.replace(small, **change)


def test_nothing_at_all_is_refused(small):
    empty = np.zeros(0, dtype=np.int64)
    with pytest.raises(UnusableRequest, match="holds no interactions"):
        Interactions(empty, empty, empty.astype(np.float32), None, small.users, small.items, small.item_table, (1, 5))


@pytest.mark.parametrize("title", ["", "  ", None, float("nan"), pd.NA, "nan", "NaN", " <na> ", "<NA>"])
def test_an_item_without_a_title_goes_by_its_id(title):
    assert item_title(title, 17) == "item 17"


def test_items_go_by_their_titles_in_the_order_asked_for(small):
    table = make_item_table(["Fargo (1996)", *[""] * (small.num_items - 1)])
    data = dataclasses.replace(small, item_table=table)
    second = f"item {small.items.ids[1]}"
    assert data.item_titles()[:2] == ["Fargo (1996)", second]
    assert data.item_titles([1, 0]) == [second, "Fargo (1996)"]


def test_the_data_layer_does_not_load_torch():
    code = "import sys, mfcore.data, mfcore.data.stats; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_division_and_negatives_that_came_with_the_data_travel_with_it(small, tmp_path):
    negatives = np.array([[0, 4], [4, -1], [-1, -1]])
    part = np.array([0, 0, 1, 2, 0, 1, 2, 0, 0])
    data = dataclasses.replace(small, part=part, negatives=negatives, feedback="counts")
    prints = {data.fingerprint, small.fingerprint, dataclasses.replace(small, part=part).fingerprint}
    assert len(prints | {dataclasses.replace(small, feedback="counts").fingerprint}) == 4
    assert data.select([3, 0]).part.tolist() == [2, 0]
    write_cache(tmp_path, data, "test")
    stored = read_cache(tmp_path)
    assert (stored.feedback, stored.fingerprint, stored.part.dtype) == ("counts", data.fingerprint, np.int8)
    assert stored.negatives.tolist() == negatives.tolist()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"part": np.array([0, 1])}, "part must have one entry per interaction (9), got 2"),
        ({"part": np.arange(9)}, "part must lie within 0 to 2"),
        ({"negatives": np.zeros((2, 5), int)}, "a row per user (3)"),
        ({"negatives": np.full((3, 1), 9)}, "negatives must be items, or -1"),
        ({"feedback": "likes"}, "feedback must be one of ratings, counts, chosen"),
    ],
)
def test_a_division_that_does_not_fit_is_refused(small, given, said):
    with pytest.raises(UnusableRequest, match=re.escape(said)):
        dataclasses.replace(small, **given)
