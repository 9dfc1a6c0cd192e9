"""Published datasets: each is read as its publishers lay it out, from a server that may misbehave."""

from __future__ import annotations

import dataclasses
import shutil
from collections import namedtuple

import numpy as np
import pytest

from mfcore.data import dataset_status, fetch, load_dataset, make_split
from mfcore.data.config import SplitConfig
from mfcore.data.layouts import read_csv, read_dat, read_jester, read_ncf
from mfcore.data.readers import UnreadableData
from mfcore.data.sources.download import FetchCancelled
from mfcore.data.sources.fetching import SCRATCH, Calmly
from mfcore.data.sources.origins import BASES, Zip
from mfcore.data.sources.published import PUBLISHED
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.registry import DATASETS
from tests.data import layouts_made_up as made_up
from tests.data.loopback import shelf

NOTHING_PUBLISHED = (None, None, None)


@pytest.fixture
def small_ones(monkeypatch):
    """The published datasets as they are registered, but for how large they are and what their zips add up to."""
    monkeypatch.setattr(Zip, "md5", property(lambda self: None, lambda self, value: None))
    entries = [
        dataclasses.replace(entry, source=dataclasses.replace(entry.source, published=NOTHING_PUBLISHED)) for entry in PUBLISHED
    ]
    with DATASETS.temporarily(*entries):
        yield


def mirror(server, monkeypatch):
    for base in BASES:
        monkeypatch.setenv(base.variable, f"{server.url}/")


def served_files(name):
    return {f"/{file}": content for file, content in made_up.ARCHIVES[name].items()}


@pytest.mark.parametrize("name", made_up.ARCHIVES)
def test_each_is_fetched_from_a_mirror_kept_and_read_again(name, small_ones, tmp_path, monkeypatch):
    with shelf(served_files(name)) as server:
        mirror(server, monkeypatch)
        assert dataset_status(name, tmp_path) == "to fetch"
        folder = fetch(name, tmp_path)
    data = load_dataset(name, home=tmp_path)
    spec = DATASETS[name]
    assert dataset_status(name, tmp_path) == "here" and not (folder / SCRATCH).exists()
    assert data.name == name and data.feedback == spec.feedback
    assert (data.timestamp is not None) == spec.has_timestamps and (data.part is not None) == spec.has_parts
    assert spec.scale is None or data.rating_scale == spec.scale
    assert spec.has_titles == any(data.item_table["title"] != "")


def test_every_entry_says_what_one_must_know_and_what_to_do():
    for entry in PUBLISHED:
        assert entry.name in made_up.ARCHIVES and entry.citation and entry.licence and "to fetch" in entry.size
        assert "MF_EXPLORER_" in entry.source.advice and f"python -m mfcore fetch {entry.name}" in entry.source.advice
        assert entry.source.disk > 0


def rows(data):
    return list(
        zip(data.users.ids[data.user_idx].tolist(), data.items.ids[data.item_idx].tolist(), data.rating.tolist(), strict=True)
    )


def fetched(name, tmp_path, monkeypatch):
    with shelf(served_files(name)) as server:
        mirror(server, monkeypatch)
        return load_dataset(name, home=tmp_path)


def test_double_colons(small_ones, tmp_path, monkeypatch):
    data = fetched("ml-1m", tmp_path, monkeypatch)
    assert rows(data) == [(2, 30, 5.0), (1, 30, 3.0), (1, 7, 4.0), (7, 4000, 1.0)]
    assert data.timestamp.tolist() == [978300760, 978302109, 978301968, 978300275]
    assert data.item_table["title"].tolist() == [
        "Pocket Comet (1995)",
        "Été à Brême, L' (1961)",
        "Sequel: Again :: Twice (2000)",
    ]
    assert data.item_table["genres"].tolist() == [("Animation", "Children's"), ("Drama",), ("Comedy", "Sci-Fi")]
    assert data.item_titles()[1] == "L'Été à Brême (1961)"
    assert data.user_table["gender"].tolist() == ["F", "M", "M"] and data.user_table["age"].tolist() == [1, 56, 25]


def test_half_stars_and_utf_8(small_ones, tmp_path, monkeypatch):
    data = fetched("ml-10m", tmp_path, monkeypatch)
    assert rows(data) == [(1, 122, 5.0), (1, 185, 0.5), (9, 122, 3.5)]
    assert data.item_table["title"][0] == "Boomerang Café (1992)" and data.item_table["genres"][1] == ()


def test_comma_separated_with_titles_in_quotes(small_ones, tmp_path, monkeypatch):
    data = fetched("ml-32m", tmp_path, monkeypatch)
    assert rows(data) == [(1, 296, 5.0), (1, 306, 3.5), (2, 296, 0.5)]
    assert data.item_titles() == ["The Saint (1995)", 'Say "Hi", Ana (Olá) (1994)']
    assert data.item_table["year"].tolist() == [1995, 1994] and data.item_table["genres"].tolist() == [("Comedy", "Crime"), ()]


def test_books(small_ones, tmp_path, monkeypatch):
    data = fetched("goodbooks-10k", tmp_path, monkeypatch)
    assert rows(data) == [(1, 258, 5.0), (2, 4081, 4.0), (2, 258, 5.0)]
    assert data.item_table["title"].tolist() == ["The Comet (Comets, #1), by Ana Silva", "Republic, by Plato"]
    assert data.item_table["year"].tolist() == [2008, -380]


def test_book_crossing_keeps_opinions_only_and_ids_as_they_are(small_ones, tmp_path, monkeypatch):
    data = fetched("book-crossing", tmp_path, monkeypatch)
    assert rows(data) == [
        (276726, "0155061224", 5.0),
        (276729, "0521795028", 10.0),
        (276729, '"0432534220"', 6.0),
        (276730, "cn113107é", 1.0),
    ]
    titles = dict(zip(data.items.ids.tolist(), data.item_titles(), strict=True))
    assert titles["0155061224"] == 'Rites of Passage & "Other" Tales; 2nd, by Judith Rae'
    assert titles["cn113107é"] == "item cn113107é"
    assert data.item_table["year"].isna().sum() == 3


def test_jester_is_a_row_a_person(small_ones, tmp_path, monkeypatch):
    data = fetched("jester", tmp_path, monkeypatch)
    assert rows(data) == [
        (1, 1, pytest.approx(-7.82)),
        (1, 100, pytest.approx(8.79)),
        (2, 3, 0.0),
        (3, 3, 10.0),
        (4, 2, -10.0),
        (4, 3, 1.5),
    ]


def test_play_counts(small_ones, tmp_path, monkeypatch):
    data = fetched("lastfm-2k", tmp_path, monkeypatch)
    assert rows(data) == [(2, 51, 13883.0), (2, 52, 11690.0), (4, 51, 352698.0)]
    assert data.feedback == "counts" and data.rating_scale == (1.0, 352698.0)
    assert data.item_titles() == ['Düran "Düran', "=1+1"]


def test_the_three_files_of_ncf(small_ones, tmp_path, monkeypatch):
    data = fetched("ncf-ml-1m", tmp_path, monkeypatch)
    assert data.part.tolist() == [0, 0, 0, 0, 2, 2] and rows(data)[4:] == [(0, 25, 5.0), (1, 32, 3.0)]
    assert data.items.ids.tolist() == [4, 25, 32, 34, 99]  # 99 is nobody's, but a rival
    assert data.items.ids[data.negatives].tolist() == [[4, 99], [34, 99]]
    split = make_split(data, SplitConfig("given", valid_fraction=0.2, seed=3))
    assert split.test_rows.tolist() == [4, 5] and len(split.valid_rows) == 1
    assert sorted([*split.train_rows, *split.valid_rows]) == [0, 1, 2, 3]
    assert make_split(data, SplitConfig("given", valid_fraction=0.2, seed=3)).hash == split.hash


def test_what_was_only_chosen_and_what_is_asked_is_not_told(small_ones, tmp_path, monkeypatch):
    data = fetched("ncf-pinterest-20", tmp_path, monkeypatch)
    assert data.feedback == "chosen" and set(data.rating.tolist()) == {1.0} and data.timestamp is None
    assert rows(data) == [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (0, 2, 1.0), (1, 1, 1.0), (1, 2, 1.0)]
    assert data.part.tolist() == [0, 0, 0, 2, 2, 2]


def test_a_given_validation_is_kept(small):
    data = dataclasses.replace(small, part=np.array([0, 0, 0, 0, 0, 1, 2, 0, 1]))
    split = make_split(data, SplitConfig("given"))
    assert (split.valid_rows.tolist(), split.test_rows.tolist()) == ([5, 8], [6])


def test_data_without_a_given_division_is_refused(small):
    with pytest.raises(UnusableRequest, match="needs a division that came with the data, which small has not"):
        make_split(small, SplitConfig("given"))
    with pytest.raises(UnusableRequest, match="has nothing to test on"):
        make_split(dataclasses.replace(small, part=np.zeros(9, np.int8)), SplitConfig("given"))
    with pytest.raises(UnusableRequest, match="valid_fraction must leave something"):
        make_split(dataclasses.replace(small, part=np.array([0] + [2] * 8)), SplitConfig("given"))


BAD = {
    "no number": (lambda: read_csv({**made_up.CSV, "ratings.csv": b"h\n1,2,x,4\n"}, "x"), r"ratings\.csv: .*'x'|ratings\.csv"),
    "three cells": (lambda: read_csv({**made_up.CSV, "ratings.csv": b"h\n1,2,3\n"}, "x"), r"ratings\.csv.*Expected 4 columns"),
    "nothing": (lambda: read_csv({**made_up.CSV, "ratings.csv": b""}, "x"), r"ratings\.csv"),
    "only a header": (lambda: read_csv({**made_up.CSV, "ratings.csv": b"userId\n"}, "x"), "there are no ratings|Empty CSV"),
    "films": (lambda: read_csv({**made_up.CSV, "movies.csv": b"h\n1,x\n"}, "x"), r"movies\.csv, row 2: 3 columns"),
    "twice": (
        lambda: read_csv({**made_up.CSV, "ratings.csv": b"h\n1,2,3,4\n1,2,4,5\n"}, "x"),
        "x: user 1 rates item 2 more than once",
    ),
    "off the scale": (
        lambda: read_csv({**made_up.CSV, "ratings.csv": b"h\n1,2,6,4\n"}, "x"),
        "rating must lie within 0.5 to 5",
    ),
    "letters": (
        lambda: read_dat({**made_up.DAT, "movies.dat": b"\xff"}, "x", scale=(1, 5), encoding="utf-8"),
        r"movies\.dat: text is not utf-8",
    ),
    "a stranger": (
        lambda: read_dat({**made_up.DAT, "users.dat": b"1::F::1::1::1\n"}, "x", scale=(1, 5), encoding="latin-1"),
        "user 2 rates, but is not described",
    ),
    "no workbook": (lambda: read_jester({"jester-data-1.xls": b"<html>"}), r"jester-data-1\.xls is not a workbook of numbers"),
    "a miscount": (
        lambda: read_jester({"j.xls": made_up.workbook([[3.0, *made_up.jester_row(j1=1.0)[1:]]])}),
        r"j\.xls, row 1: it says 3 ratings",
    ),
    "narrow": (lambda: read_jester({"j.xls": made_up.workbook([[1.0, 2.0]])}), "a number and 100 ratings expected"),
    "no pair": (
        lambda: read_ncf({**made_up.NCF, "ml-1m.test.negative": b"0\t1\n"}, "x", scale=(1, 5), timed=True),
        r"line 1: \"\(user,item\)\" expected",
    ),
    "uneven": (
        lambda: read_ncf({**made_up.NCF, "ml-1m.test.negative": b"(0,25)\t1\n(1,32)\t1\t2\n"}, "x", scale=(1, 5), timed=True),
        "as many items expected",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_breaks_a_layout_is_named_in_one_line(kind):
    read, message = BAD[kind]
    with pytest.raises(UnreadableData, match=message) as caught:
        read()
    assert "\n" not in str(caught.value)


# --- what may go wrong on the way ----------------------------------------------------------------------------------------


def test_a_zip_with_another_checksum_is_refused(tmp_path, monkeypatch):
    with shelf(served_files("ml-1m")) as server:
        mirror(server, monkeypatch)
        with pytest.raises(DataUnavailable, match="GroupLens: wrong checksum: expected md5 c4d9eecfca2a"):
            fetch("ml-1m", tmp_path)


def test_other_ratings_than_the_published_ones_are_refused(tmp_path, monkeypatch):
    with shelf(served_files("lastfm-2k")) as server:
        mirror(server, monkeypatch)
        with pytest.raises(DataUnavailable, match="not lastfm-2k: it has 3 interactions, and 92,834 are published"):
            fetch("lastfm-2k", tmp_path)
    assert dataset_status("lastfm-2k", tmp_path) == "to fetch" and list((tmp_path / "datasets" / "lastfm-2k").iterdir()) == []


def test_a_login_page_in_between_is_told_with_what_to_do(small_ones, tmp_path, monkeypatch):
    with shelf(served_files("ml-25m"), "page") as server:
        mirror(server, monkeypatch)
        with pytest.raises(DataUnavailable, match=r"login page in between\?.*MF_EXPLORER_GROUPLENS_URL.*ml-25m\.zip"):
            fetch("ml-25m", tmp_path)


def test_a_fetch_can_be_stopped_and_goes_on_the_next_time(small_ones, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).bytes(400_000)
    files = {"/ml-25m.zip": made_up.zipped({**made_up.CSV, "tags.csv": noise}, "ml-25m")}
    calls = iter(range(100))
    with shelf(files) as server:
        mirror(server, monkeypatch)
        with pytest.raises(FetchCancelled, match="what has arrived is kept"):
            fetch("ml-25m", tmp_path, cancelled=lambda: next(calls) >= 4)
        part = tmp_path / "datasets" / "ml-25m" / SCRATCH / "ml-25m.zip.part"
        arrived = part.stat().st_size
        assert 0 < arrived < len(files["/ml-25m.zip"]) and dataset_status("ml-25m", tmp_path) == "to fetch"
        fetch("ml-25m", tmp_path)
    assert server.asked[-1] == ("/ml-25m.zip", f"bytes={arrived}-") and not part.parent.exists()
    assert len(load_dataset("ml-25m", home=tmp_path)) == 3


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - 10**9, 10**9))
    with pytest.raises(UnusableRequest, match=r"ml-32m needs about 1\.5 GB of disk .* 1\.0 GB are free at .*make room"):
        fetch("ml-32m", tmp_path)


def test_progress_is_passed_on_a_few_times_a_second_and_the_end_always():
    now, shown = [0.0], []
    calmly = Calmly(lambda text, _: shown.append(text), clock=lambda: now[0])
    for moment, text, fraction in [
        (0, "a", 0.1),
        (0.01, "b", 0.2),
        (0.05, "note", None),
        (0.06, "c", 0.3),
        (0.2, "d", 0.4),
        (0.21, "e", 1.0),
    ]:
        now[0] = moment
        calmly(text, fraction)
    assert shown == ["a", "note", "d", "e"]
