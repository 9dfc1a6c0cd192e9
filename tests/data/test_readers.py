from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data import Interactions
from mfcore.data.readers import GENRES, UnreadableData, read_archive, read_grouplens, read_recbole, year_of
from tests.data.made_up import RATINGS, as_grouplens, grouplens_files, recbole_files, zipped


def assert_equal(one: Interactions, other: Interactions) -> None:
    assert one.fingerprint == other.fingerprint
    assert one.name == other.name
    pd.testing.assert_frame_equal(one.item_table, other.item_table)
    pd.testing.assert_frame_equal(one.user_table, other.user_table)


def test_both_layouts_give_the_same_interactions():
    assert_equal(read_grouplens(grouplens_files()), read_recbole(recbole_files()))


@pytest.mark.parametrize(
    "data", [read_grouplens(grouplens_files()), read_recbole(recbole_files())], ids=["grouplens", "recbole"]
)
def test_rows_keep_file_order_and_raw_ids(data):
    rows = zip(data.users.ids[data.user_idx], data.items.ids[data.item_idx], data.rating, data.timestamp, strict=True)
    assert [tuple(map(int, row)) for row in rows] == RATINGS
    assert data.users.ids.tolist() == [2, 7, 11] and data.items.ids.tolist() == [1, 3, 267, 1412]
    assert data.rating_scale == (1.0, 5.0)


@pytest.mark.parametrize(
    "data", [read_grouplens(grouplens_files()), read_recbole(recbole_files())], ids=["grouplens", "recbole"]
)
def test_titles_years_and_genres(data):
    table = data.item_table
    assert table["title"].tolist() == [
        "Pocket Comet (1995)",
        "Été à Brême, L' (Summer (in Bremen)) (1961)",
        "unknown",
        "Sequel III: Again (1995) (V)",
    ]
    assert table["year"].tolist() == [1995, 1961, pd.NA, 1995]
    assert table["genres"].tolist() == [
        ("Animation", "Children's", "Comedy"),
        ("Film-Noir", "Sci-Fi"),
        ("unknown",),
        ("Children's",),
    ]
    assert data.user_table.loc[1].tolist() == [24, "M", "technician"]


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Toy Story (1995)", 1995),
        ("2001: A Space Odyssey (1968)", 1968),
        ("unknown", None),
        ("A (1990) (1995) (V)", 1995),
        ("1-900", None),
    ],
)
def test_the_year_is_the_title_s(title, year):
    assert year_of(title) == year


_cell = st.text(
    st.characters(codec="latin-1", exclude_characters="|\t\n\r", exclude_categories=["Cc"]), min_size=1, max_size=20
)


@given(st.dictionaries(st.integers(1, 2000), st.tuples(_cell, st.sets(st.sampled_from(GENRES))), min_size=1, max_size=8))
def test_any_latin_1_title_survives_the_grouplens_layout(films):
    files = grouplens_files()
    lines = [
        "|".join([str(raw), f"{title} (1990)", "", "", "", *("1" if genre in genres else "0" for genre in GENRES)])
        for raw, (title, genres) in films.items()
    ]
    files["u.item"] = ("\n".join(lines) + "\n").encode("latin-1")
    files["u.data"] = "".join(f"7\t{raw}\t3\t1\n" for raw in films).encode()
    data = read_grouplens(files)
    for raw, (title, genres) in films.items():
        row = data.item_table.loc[data.items.index(raw)]
        assert row["title"] == " ".join(f"{title} (1990)".split())
        assert set(row["genres"]) == genres and row["year"] == 1990


BROKEN = [
    (read_grouplens, grouplens_files, "u.data", b"7\t3\t5\n", "4 columns"),
    (read_grouplens, grouplens_files, "u.data", b"7\t3\t5\t1\t9\n", "4 columns"),
    (read_grouplens, grouplens_files, "u.data", b"7\t3\tfive\t1\n", "u.data"),
    (read_grouplens, grouplens_files, "u.data", b"7\t3\t9\t1\n", "rating must lie within 1 to 5"),
    (read_grouplens, grouplens_files, "u.data", b"7\t3\t5\t1\n7\t3\t4\t2\n", "more than once"),
    (read_grouplens, grouplens_files, "u.data", b"", "u.data"),
    (read_grouplens, grouplens_files, "u.data", b"7\t4\t5\t1\n", "id 4 is rated or rates"),
    (read_grouplens, grouplens_files, "u.data", b"8\t3\t5\t1\n", "id 8 is rated or rates"),
    (read_grouplens, grouplens_files, "u.item", b"1|Toy|x\n", "u.item, line 1: 24 columns expected, found 3"),
    (read_grouplens, grouplens_files, "u.item", b"one" + b"|" * 23 + b"\n", "a whole number expected, found 'one'"),
    (read_grouplens, grouplens_files, "u.user", b"1|2\n", "u.user, line 1: 5 columns expected"),
    (read_recbole, recbole_files, "ml-100k.item", b"head\n1\tx\n", "ml-100k.item, line 2: 4 columns expected"),
    (read_recbole, recbole_files, "ml-100k.item", b"head\n1\tx\t1990\tPolka\n", "unknown genre 'Polka'"),
    (read_recbole, recbole_files, "ml-100k.item", b"head\n1\t\xe9\t1990\tWar\n", "not utf-8"),
]


@pytest.mark.parametrize(("read", "files", "name", "content", "message"), BROKEN)
def test_what_breaks_the_layout_is_named(read, files, name, content, message):
    with pytest.raises(UnreadableData, match=message):
        read({**files(), name: content})


def test_a_damaged_or_wrong_archive_is_named(tmp_path):
    archive = tmp_path / "ml-100k.zip"
    whole = zipped(grouplens_files(), "ml-100k")
    archive.write_bytes(whole)
    assert read_archive(archive, "ml-100k", ["u.data"])["u.data"] == grouplens_files()["u.data"]
    with pytest.raises(UnreadableData, match="lacks"):
        read_archive(archive, "ml-100k", ["u.nothing"])
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableData, match="not a sound zip file"):
        read_archive(archive, "ml-100k", ["u.data"])
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF
    archive.write_bytes(flipped)
    with pytest.raises(UnreadableData, match="not a sound zip file"):
        read_archive(archive, "ml-100k", ["u.data"])


def test_movielens_itself(ml_100k):
    assert (len(ml_100k), ml_100k.num_users, ml_100k.num_items) == (100_000, 943, 1682)
    assert ml_100k.users.ids.tolist() == list(range(1, 944)) and ml_100k.items.ids.tolist() == list(range(1, 1683))
    first = (
        ml_100k.users.ids[ml_100k.user_idx[0]],
        ml_100k.items.ids[ml_100k.item_idx[0]],
        ml_100k.rating[0],
        ml_100k.timestamp[0],
    )
    assert tuple(map(int, first)) == (196, 242, 3, 881250949)
    table = ml_100k.item_table
    assert table["title"][0] == "Toy Story (1995)" and table["genres"][0] == ("Animation", "Children's", "Comedy")
    titles = {raw: table["title"][raw - 1] for raw in (14, 267, 543, 1005, 1128, 1201, 1412, 1417, 1633, 1635)}
    assert titles == {
        14: "Postino, Il (1994)",
        267: "unknown",
        543: "Misérables, Les (1995)",
        1005: "Double vie de Véronique, La (Double Life of Veronique, The) (1991)",
        1128: "Heidi Fleiss: Hollywood Madam (1995)",
        1201: "Marlene Dietrich: Shadow and Light (1996)",
        1412: "Land Before Time III: The Time of the Great Giving (1995) (V)",
        1417: "Turning, The (1992)",
        1633: "Á köldum klaka (Cold Fever) (1994)",
        1635: "Two Friends (1986)",
    }
    assert [raw for raw, year in zip(ml_100k.items.ids, table["year"], strict=True) if pd.isna(year)] == [267]
    assert {genre for genres in table["genres"] for genre in genres} == set(GENRES)
    assert table["title"][table["genres"].map(lambda genres: "unknown" in genres)].tolist() == [
        "unknown",
        "Good Morning (1971)",
    ]
    assert ml_100k.user_table["occupation"].nunique() == 21


def test_movielens_survives_the_grouplens_layout(ml_100k):
    assert_equal(read_grouplens(as_grouplens(ml_100k)), ml_100k)
