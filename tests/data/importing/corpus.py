"""Files as people have them, made by script: what is in each, or the sentence it is refused with.

``python -m tests.data.importing.corpus`` prints what is said of each.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# Twelve people, nine things, some 60 ratings of 1 to 5, each pair once; user 7 and item 3 are often named by number alone.
_RNG = np.random.default_rng(12)
ROWS = [
    (user, item, int(_RNG.integers(1, 6)), 1_400_000_000 + 86_400 * user + 60 * item)
    for user in range(1, 13)
    for item in range(101, 110)
    if _RNG.random() < 0.6 or item == 101 + user % 9
]
USERS, ITEMS = len({row[0] for row in ROWS}), len({row[1] for row in ROWS})
LOW, HIGH = 1, 5


@dataclass(frozen=True)
class Case:
    """``make(folder)`` writes it and says what to import. Expected: number of interactions, users, items, least and greatest
    rating; or ``refused``, part of the sentence. ``check`` looks at more. ``choices``: what a person would have to tell."""

    name: str
    make: Callable[[Path], Any]
    rows: int = len(ROWS)
    users: int = USERS
    items: int = ITEMS
    low: float = LOW
    high: float = HIGH
    refused: str = ""
    choices: dict[str, Any] = field(default_factory=dict)
    check: Callable[[Any], bool] = lambda imported: True


def lines(separator: str = ",", header: str = "", rows: Any = ROWS, form: Callable[[Any], list[Any]] = list) -> str:
    body = [separator.join(map(str, form(row))) for row in rows]
    return "\n".join([header, *body] if header else body) + "\n"


def file(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def files(*parts: tuple[str, str | bytes]) -> Callable[[Path], Path]:
    """A folder of several."""

    def make(folder: Path) -> Path:
        for name, content in parts:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return make


def zipped(name: str, *parts: tuple[str, str | bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for inside, content in parts:
                archive.writestr(inside, content)
        return folder / name

    return make


def frame(**columns: Any) -> pd.DataFrame:
    whole = pd.DataFrame(ROWS, columns=["user_id", "item_id", "rating", "timestamp"])
    return whole.assign(**columns)


def parquet(folder: Path, table: pd.DataFrame, name: str = "x.parquet") -> Path:
    table.to_parquet(folder / name)
    return folder / name


def workbook(folder: Path, **sheets: pd.DataFrame) -> Path:
    from tests.data.importing.workbook import write_workbook

    return write_workbook(folder / "x.xlsx", sheets)


def matrix(folder: Path, kind: str) -> Path:
    import scipy.io
    import scipy.sparse

    user, item, rating, _ = (np.array(column) for column in zip(*ROWS, strict=True))
    made = scipy.sparse.coo_matrix((rating.astype(float), (user, item - 100)))
    if kind == "npz":
        scipy.sparse.save_npz(folder / "x.npz", made.tocsr())
        return folder / "x.npz"
    scipy.io.mmwrite(folder / "x.mtx", made)
    return folder / "x.mtx"


HEADER = "user_id,item_id,rating,timestamp"
CSV = lines(",", HEADER)
TITLES = [f"Thing {item}" for item in range(101, 110)]
MOVIES = lines(",", "movieId,title,genres", [(101 + n, f'"Thing, The {n} ({1990 + n})"', "Comedy|Drama") for n in range(9)])
EVIL = ["<script>alert(1)</script>", "$x^2$", "[a](javascript:b)", "=1+1", "🎬 film", "שלום", "日本語", "a*b_c`d", "naïve café"]
EVIL_ROWS = [(user, EVIL[item - 101], rating) for user, item, rating, _ in ROWS]


def named(user: int) -> str:
    return f"user{user:03d}"


def wide(blank: str = "", corner: str = "user", start: int = 101) -> str:
    cells = {(user, item): rating for user, item, rating, _ in ROWS}
    head = ",".join([corner, *(f"Thing {item}" for item in range(start, start + 9))])
    body = [
        ",".join([named(user), *(str(cells.get((user, item), blank)) for item in range(101, 110))]) for user in range(1, 13)
    ]
    return "\n".join([head, *body]) + "\n"


def has(titles: list[str]) -> Callable[[Any], bool]:
    return lambda imported: set(imported.interactions.item_titles()) >= set(titles)


def counts(imported: Any) -> bool:
    return bool(imported.interactions.feedback == "counts")


def chosen(imported: Any) -> bool:
    return bool(imported.interactions.feedback == "chosen")


def year(expected: int) -> Callable[[Any], bool]:
    return lambda imported: (
        imported.interactions.timestamp is not None
        and pd.to_datetime(imported.interactions.timestamp, unit="s").year.tolist() == [expected] * len(imported.interactions)
    )


def untimed(imported: Any) -> bool:
    return imported.interactions.timestamp is None


def left_out(number: int) -> Callable[[Any], bool]:
    return lambda imported: imported.report.num_left_out == number


def gzipped(content: str) -> bytes:
    return gzip.compress(content.encode())


def zstandard(folder: Path) -> Path:
    import pyarrow

    with pyarrow.CompressedOutputStream(str(folder / "x.csv.zst"), "zstd") as out:
        out.write(CSV.encode())
    return folder / "x.csv.zst"


def lenskit(folder: Path) -> Path:
    user, item, rating, when = (np.array(column) for column in zip(*ROWS, strict=True))
    users, items = np.unique(user), np.unique(item)
    pd.DataFrame({"user_id": users}).to_parquet(folder / "user.parquet")
    pd.DataFrame({"item_id": items, "title": TITLES}).to_parquet(folder / "item.parquet")
    relation = {"user_num": np.searchsorted(users, user).astype("i4"), "item_num": np.searchsorted(items, item).astype("i4")}
    moments = pd.to_datetime(when, unit="s")
    pd.DataFrame({**relation, "rating": rating.astype("f4"), "timestamp": moments}).to_parquet(folder / "rating.parquet")
    schema = {
        "name": "x",
        "default_interaction": "rating",
        "entities": {"user": {}, "item": {}},
        "relationships": {"rating": {}},
    }
    (folder / "schema.json").write_text(json.dumps(schema))
    return folder


def bomb(folder: Path) -> Path:
    path = folder / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as out:
        block = b"0" * (1 << 20)
        for _ in range(600):
            out.write(block)
    return path


def triple() -> list[tuple[str, str]]:
    tests = {user: (user, item, rating, when) for user, item, rating, when in ROWS}
    train = [row for row in ROWS if row not in tests.values()]
    negative = [
        f"({u},{row[1]})\t" + "\t".join(str(i) for i in range(101, 110) if (u, i) not in {r[:2] for r in ROWS})
        for u, row in tests.items()
    ]
    return [
        ("ml.train.rating", lines("\t", "", train)),
        ("ml.test.rating", lines("\t", "", list(tests.values()))),
        ("ml.test.negative", "\n".join(negative) + "\n"),
    ]


def netflix() -> str:
    blocks = []
    for item in range(101, 110):
        blocks += [f"{item}:", *(f"{u},{r},2005-09-0{1 + u % 9}" for u, i, r, _ in ROWS if i == item)]
    return "\n".join(blocks) + "\n"


def scrobbles() -> str:
    """Who heard what, when, a row each time: pairs repeat."""
    rows = [
        (named(u), f"2012-03-04T23:0{k % 10}:57Z", f"a{i}", f"Artist {i}", f"Song {i}") for u, i, r, _ in ROWS for k in range(r)
    ]
    return lines("\t", "", rows)


RNG = np.random.default_rng(5)
PLAYS = [(named(u), f"artist {i}", int(RNG.pareto(0.6) * 3) + 1) for u, i, _, _ in ROWS]
MOST = max(row[2] for row in PLAYS)
LEAST = min(row[2] for row in PLAYS)

BOOKS = '"User-ID";"ISBN";"Book-Rating"\r\n' + "".join(
    f'"{276000 + u}";"0{i}5104{i}X";"{0 if (u + i) % 2 else r * 2}"\r\n' for u, i, r, _ in ROWS
)
BOOKS_KEPT = [row for row in ROWS if (row[0] + row[1]) % 2 == 0]

CASES = [
    Case("comma, header, time in seconds", file("a.csv", CSV), check=year(2014)),
    Case("tab", file("a.tsv", lines("\t", HEADER.replace(",", "\t")))),
    Case("semicolon", file("a.csv", lines(";", HEADER.replace(",", ";")))),
    Case("semicolon, decimal comma", file("a.csv", lines(";", "user;item;rating", ROWS, lambda r: [r[0], r[1], f"{r[2] / 2:.1f}".replace(".", ",")])), low=0.5, high=2.5),
    Case("bar", file("a.psv", lines("|", HEADER.replace(",", "|")))),
    Case("two colons, no header", file("ratings.txt", lines("::"))),
    Case("one blank, no header", file("a.txt", lines(" "))),
    Case("several blanks", file("a.txt", lines("   "))),
    Case("blanks and tabs mixed", file("a.txt", "".join(f"{u}\t {i}  {r}\t{t}\n" for u, i, r, t in ROWS))),
    Case("blank after each comma", file("a.csv", lines(", ", "user, item, rating, timestamp"))),
    Case("control character 1", file("a.txt", lines("\x01", HEADER.replace(",", "\x01")))),
    Case("no header", file("a.csv", lines(",")), check=year(2014)),
    Case("no header, three columns", file("a.csv", lines(",", "", [row[:3] for row in ROWS])), check=untimed),
    Case("no header, two columns: chosen", file("a.csv", lines(",", "", [row[:2] for row in ROWS])), low=1, high=1, check=chosen),
    Case("item first", file("a.csv", lines(",", "movieId,userId,rating", ROWS, lambda r: [r[1], r[0], r[2]]))),
    Case("all quoted", file("a.csv", lines(",", '"user","item","rating"', ROWS, lambda r: [f'"{x}"' for x in r[:3]]))),
    Case("quoted titles with commas", file("a.csv", lines(",", "user,item,title,rating", ROWS, lambda r: [r[0], r[1], f'"Thing, ""{r[1]}"""', r[2]])), check=has(['Thing, "101"'])),
    Case("line breaks in quotes", file("a.csv", lines(",", "user,item,review,rating", ROWS, lambda r: [r[0], r[1], '"good\n\nand long"', r[2]]))),
    Case("stray quotes in titles", file("a.csv", lines(",", "user,item,title,rating", ROWS, lambda r: [r[0], r[1], f'7" single {r[1]}', r[2]])), check=has(['7" single 101'])),
    Case("a quote that opens and never closes", file("a.csv", lines(",", "user,item,title,rating", ROWS, lambda r: [r[0], r[1], '"open' if r[:2] == ROWS[5][:2] else "fine", r[2]]))),
    Case("CR line ends", file("a.csv", CSV.replace("\n", "\r"))),
    Case("CRLF line ends", file("a.csv", CSV.replace("\n", "\r\n"))),
    Case("mixed line ends", file("a.csv", CSV.replace("\n", "\r\n", 7))),
    Case("no newline at the end", file("a.csv", CSV.rstrip("\n"))),
    Case("empty lines", file("a.csv", CSV.replace("\n", "\n\n", 9) + "\n\n\n")),
    Case("rows of empty cells", file("a.csv", CSV + ",,,\n,,,\n"), check=left_out(2)),
    Case("UTF-8 with mark", file("a.csv", b"\xef\xbb\xbf" + CSV.encode())),
    Case("UTF-16 with mark", file("a.csv", CSV.encode("utf-16"))),
    Case("UTF-16 without mark", file("a.csv", CSV.encode("utf-16-le"))),
    Case("UTF-32", file("a.csv", CSV.encode("utf-32"))),
    Case("Latin-1", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [f"Zoë{r[0]}", f"Café {r[1]}", r[2]]).encode("latin-1")), check=has(["Café 101"])),
    Case("Windows-1251", file("a.csv", lines(";", "user;item;rating", ROWS, lambda r: [f"Пользователь{r[0]}", f"Война и мир {r[1]}", r[2]]).encode("cp1251")), check=has(["Война и мир 101"])),
    Case("Shift-JIS", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [r[0], f"となりのトトロ{r[1]}", r[2]]).encode("shift_jis")), check=has(["となりのトトロ101"])),
    Case("any script, markup, formulas", file("a.csv", lines(",", "user,item,rating", EVIL_ROWS)), check=has(EVIL)),
    Case("gzip", file("a.csv.gz", gzipped(CSV))),
    Case("xz", file("a.csv.xz", lzma.compress(CSV.encode()))),
    Case("Zstandard", zstandard),
    Case("zip of one", zipped("a.zip", ("data/a.csv", CSV))),
    Case("zip from a Mac", zipped("a.zip", ("a.csv", CSV), ("__MACOSX/._a.csv", b"\0\5\26\7"), (".DS_Store", b"x"))),
    Case("zip with ../ in a name", zipped("a.zip", ("../../evil.csv", lines(",", HEADER, [(1, 1, 1, 1)])), ("a.csv", CSV))),
    Case("Parquet", lambda f: parquet(f, frame())),
    Case("Parquet, dates", lambda f: parquet(f, frame(timestamp=pd.to_datetime([row[3] for row in ROWS], unit="s", utc=True))), check=year(2014)),
    Case("Parquet, ids of several kinds", lambda f: parquet(f, frame(user_id=[named(row[0]) for row in ROWS]))),
    Case("JSON lines", file("a.jsonl", "".join(json.dumps({"user_id": named(u), "business_id": f"b{i}", "stars": float(r), "date": "2015-02-03 04:05:06", "text": "x, y"}) + "\n" for u, i, r, _ in ROWS)), check=year(2015)),
    Case("JSON, a list", file("a.json", json.dumps([{"user": u, "item": i, "rating": r} for u, i, r, _ in ROWS]))),
    Case("JSON as Python prints it", file("a.json", "".join(repr({"reviewerID": named(u), "asin": f"B00{i}", "overall": float(r), "unixReviewTime": t}) + "\n" for u, i, r, t in ROWS)), check=year(2014)),
    Case("Excel", lambda f: workbook(f, Ratings=frame())),
    Case("Excel, several sheets", lambda f: workbook(f, Notes=pd.DataFrame({"a": ["about"], "b": ["this"]}), Ratings=frame(), Items=pd.DataFrame({"item_id": range(101, 110), "title": TITLES})), check=has(TITLES)),
    Case("RecBole", files(("x.inter", lines("\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float")), ("x.item", lines("\t", "item_id:token\tmovie_title:token_seq", [(101 + n, TITLES[n]) for n in range(9)]))), check=has(TITLES)),
    Case("LensKit", lenskit, check=has(TITLES)),
    Case("NCF's triple", files(*triple()), check=lambda found: found.interactions.part is not None and found.interactions.negatives is not None and int((found.interactions.part == 2).sum()) == USERS),
    Case("Matrix Market", lambda f: matrix(f, "mtx")),
    Case("sparse npz", lambda f: matrix(f, "npz")),
    Case("GroupLens u.data and u.item", files(("ml/u.data", lines("\t")), ("ml/u.item", lines("|", "", [(101 + n, f"Thing {101 + n} (1994)", "01-Jan-1994", "", "http://x", *("1" if g == n else "0" for g in range(19))) for n in range(9)]).encode("latin-1"))), check=has(["Thing 101 (1994)"])),
    Case("GroupLens ratings.dat and movies.dat", files(("ratings.dat", lines("::")), ("movies.dat", lines("::", "", [(101 + n, f"Thing {n} (1995)", "Comedy|Drama") for n in range(9)]).encode("latin-1")), ("users.dat", "1::M::25::4::12345\n")), check=has(["Thing 0 (1995)"])),
    Case("GroupLens zip", zipped("ml-latest.zip", ("ml/ratings.csv", lines(",", "userId,movieId,rating,timestamp")), ("ml/movies.csv", MOVIES), ("ml/links.csv", "movieId,imdbId,tmdbId\n1,2,3\n"), ("ml/tags.csv", "userId,movieId,tag,timestamp\n1,101,fun,5\n"), ("ml/README.txt", "about, this, and that\nmore, lines, here\n")), check=has(["Thing, The 0 (1990)"])),
    Case("Netflix", file("combined_data_1.txt", netflix()), check=year(2005)),
    Case("train and test files", files(("train.csv", lines(",", HEADER, ROWS[:50])), ("test.csv", lines(",", HEADER, ROWS[50:]))), check=lambda found: found.interactions.part is not None and int((found.interactions.part == 2).sum()) == len(ROWS) - 50),
    Case("a column for the part", file("a.csv", lines(",", "user,item,rating,split", ROWS, lambda r: [*r[:3], "test" if r[1] == 103 else "train"])), check=lambda found: found.interactions.part is not None and set(found.interactions.part.tolist()) == {0, 2}),
    Case("a matrix of users and items", file("a.csv", wide()), check=has(["Thing 101"])),
    Case("ids that are names", file("a.csv", lines(",", "name,film,stars", ROWS, lambda r: [named(r[0]), f"Film {r[1]}", r[2]])), check=has(["Film 101"]), choices={"user": "name", "item": "film"}),
    Case("a column of row numbers", file("a.csv", lines(",", ",user_id,item_id,rating", [(n, *row[:3]) for n, row in enumerate(ROWS)]))),
    Case("R's row names", file("a.txt", "user item rating\n" + "".join(f'"{n}" {u} {i} {r}\n' for n, (u, i, r, _) in enumerate(ROWS, 1)))),
    Case("age looks like a rating and is none", file("a.csv", lines(",", "user_id,age,item_id,rating", ROWS, lambda r: [r[0], 20 + r[0], r[1], r[2]]))),
    Case("price and helpful votes", file("a.csv", lines(",", "user_id,product_id,price,helpful,score", ROWS, lambda r: [r[0], r[1], 9.99, 3, r[2]]))),
    Case("check-ins: pairs repeat", file("checkins.txt", scrobbles()), low=1, high=5, check=counts, choices={"user": "column 1", "item": "column 3"}),
    Case("play counts", file("plays.tsv", lines("\t", "user\tartist\tplays", PLAYS)), low=LEAST, high=MOST, check=counts),
    Case("play counts without a header", file("plays.tsv", lines("\t", "", PLAYS)), low=LEAST, high=MOST, check=counts),
    Case("Book-Crossing: 0 is no rating", file("BX-Book-Ratings.csv", BOOKS.encode("latin-1")), rows=len(BOOKS_KEPT), users=len({r[0] for r in BOOKS_KEPT}), items=len({r[1] for r in BOOKS_KEPT}), low=2, high=10, check=lambda found: found.interactions.items.ids[0].startswith("0")),
    Case("anime: -1 is no rating", file("rating.csv", lines(",", "user_id,anime_id,rating", ROWS, lambda r: [r[0], r[1], -1 if r[2] == 3 else r[2] * 2])), rows=sum(r[2] != 3 for r in ROWS), users=len({r[0] for r in ROWS if r[2] != 3}), items=len({r[1] for r in ROWS if r[2] != 3}), low=2, high=10),
    Case("leading zeros", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [f"{r[0]:05d}", r[1], r[2]])), check=lambda found: found.interactions.users.ids[0] == "00001"),
    Case("blanks are part of ids", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [f"u{r[0]}" + (" " if r[0] == 5 else ""), r[1], r[2]])), check=lambda found: "u5 " in found.interactions.users.ids),
    Case("ids of 64 bits", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [2**63 + r[0], 2**53 + r[1], r[2]])), check=lambda found: str(2**63 + 1) in list(map(str, found.interactions.users.ids.tolist())) and 2**53 + 101 in found.interactions.items.ids.tolist()),
    Case("ids written as 1.0", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [f"{r[0]}.0", f"{r[1]}.0", r[2]])), check=lambda found: found.interactions.users.ids.tolist()[:2] == [1, 2]),
    Case("missing ids", file("a.csv", CSV + ",101,3,5\nnan,102,3,5\n3,,4,5\n"), check=left_out(3)),
    Case("missing and wrong ratings", file("a.csv", CSV + "77,101,,5\n78,102,good,5\n79,103,NaN,5\n"), check=left_out(3)),
    Case("rows with too many cells", file("a.csv", CSV + "80,101,3,5,what,is this\n"), check=left_out(1)),
    Case("dates, day first", file("a.csv", lines(",", "user,item,rating,date", ROWS, lambda r: [*r[:3], f"{1 + r[0] + r[1] % 9:02d}/03/2011"])), check=year(2011)),
    Case("milliseconds", file("a.csv", lines(",", HEADER, ROWS, lambda r: [*r[:3], r[3] * 1000 + 7])), check=year(2014)),
    Case("nanoseconds", file("a.csv", lines(",", HEADER, ROWS, lambda r: [*r[:3], r[3] * 10**9])), check=year(2014)),
    Case("ISO dates", file("a.csv", lines(",", HEADER, ROWS, lambda r: [*r[:3], "2013-05-06T07:08:09Z"])), check=year(2013)),
    Case("years 50000", file("a.csv", CSV + "81,101,3,50000-01-01\n82,102,3,99999999999999\n"), check=left_out(2)),
    Case("a scale of 0 to 2", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [r[0], r[1], r[2] % 3])), low=0, high=2),
    Case("half stars", file("a.csv", lines(",", "userId,movieId,rating", ROWS, lambda r: [r[0], r[1], r[2] - 0.5])), low=0.5, high=4.5),
    Case("stars as text", file("a.csv", lines(",", "user,film,rating", ROWS, lambda r: [r[0], f"F{r[1]}", "★" * r[2]]))),
    Case("all ratings equal", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [r[0], r[1], 1])), low=1, high=1, check=chosen),
    Case("repeats: the last counts", file("a.csv", CSV + lines(",", "", [(u, i, 1, t + 9) for u, i, _, t in ROWS[:10]])), low=1, check=lambda found: found.report.merged == 10),
    Case("Windows paths of a spreadsheet: sep=;", file("a.csv", "sep=;\r\n" + lines(";", "user;item;rating", [row[:3] for row in ROWS]).replace("\n", "\r\n"))),
    Case("comments above the header", file("a.csv", "# exported 2020\n# by hand\n" + CSV)),
    # what cannot be taken
    Case("empty", file("a.csv", ""), refused="is empty"),
    Case("blanks alone", file("a.csv", "  \n\n \n"), refused="is empty"),
    Case("header alone", file("a.csv", HEADER + "\n"), refused="no rows"),
    Case("one column", file("a.csv", "a\nb\nc\n"), refused="only one column"),
    Case("text ratings", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [r[0], r[1], "good"])), low=1, high=1, check=chosen),
    Case("one user", file("a.csv", lines(",", "user,item,rating", [(1, i, 3) for i in range(20)])), refused="of one user"),
    Case("one item", file("a.csv", lines(",", "user,item,rating", [(u, 1, 3) for u in range(20)])), refused="about one item"),
    Case("a library of one person", file("goodreads_library_export.csv", lines(",", "Book Id,Title,Author,My Rating,Date Read", ROWS, lambda r: [r[1], f"T{r[1]}", "Somebody", r[2], "2014/01/02"])), refused="who the user is", choices={"user": ""}),
    Case("ids that are no ids", file("a.csv", lines(",", "user,item,rating", ROWS, lambda r: [f"{r[0]}.7", r[1], r[2]])), refused="is no id"),
    Case("a zip bomb", bomb, refused="no table of ratings"),
    Case("only ../ in a zip", zipped("a.zip", ("../a.csv", CSV)), refused="no file that can be taken"),
    Case("a zip in a zip", zipped("a.zip", ("b.zip", b"PK\x03\x04 inside")), refused="archive inside an archive"),
    Case("a damaged zip", file("a.zip", b"PK\x03\x04" + b"\x01" * 500), refused="damaged zip"),
    Case("a damaged gzip", file("a.csv.gz", gzipped(CSV)[:-40] + b"\0" * 20), refused="damaged"),
    Case("a Parquet that is none", file("a.parquet", b"PAR1" + b"\x02" * 300), refused="damaged Parquet"),
    Case("a picture called .csv", file("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20), refused="is a picture (PNG)"),
    Case("a web page called .csv", file("a.csv", "<!DOCTYPE html><html><body>Log in</body></html>"), refused="is a web page"),
    Case("a database", file("a.csv", b"SQLite format 3\0" + b"\0" * 100), refused="SQLite"),
    Case("a PDF", file("a.pdf", b"%PDF-1.7 ..."), refused="PDF"),
    Case("bytes that are no text", file("a.csv", bytes(range(256)) * 400), refused="not text"),
    Case("damaged JSON lines", file("a.jsonl", '{"user": 1, "item": 2}\n{"user": 1, "ite\n'), refused="line 2 of a.jsonl is no JSON"),
    Case("a damaged Excel file", file("a.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600), refused="damaged workbook"),
    Case("an endless line", file("a.csv", CSV + "9" * 1_200_000 + "\n"), refused="has over 1,000,000 characters"),
    Case("a pickle", file("a.pkl", b"\x80\x04\x95\x10\0\0\0\0\0\0\0}."), refused="pickle"),
]  # fmt: skip


def said(case: Case, folder: Path) -> str:
    """What is said of a case, in a line."""
    from mfcore.data.importing import ImportPlan, read
    from mfcore.errors import UnusableRequest

    try:
        found = read(case.make(folder), ImportPlan(**case.choices))
    except UnusableRequest as error:
        return f"refused: {error}"
    data = found.interactions
    low, high = float(data.rating.min()), float(data.rating.max())
    return f"{len(data)} × {data.num_users} × {data.num_items}, {data.feedback} {low:g}–{high:g}. {' '.join(found.report.sentences())}"


def main() -> int:
    out = io.StringIO()
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{case.name}: {said(case, Path(folder))}", file=out)
    sys.stdout.write(out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
