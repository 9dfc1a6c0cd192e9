"""Reading published ratings in the layouts they come in, large ones quickly: whole columns at once, of the narrowest type."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfcore.data.interactions import Interactions, make_item_table
from mfcore.data.readers import Files, UnreadableData, year_of
from mfcore.data.vocabulary import Vocabulary
from mfcore.errors import UnusableRequest
from mfcore.typing import Int8, Int64

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_THREADS_FROM = 1 << 24
"""Bytes of a table from which its blocks are read in several threads; none is in a hurry below."""
_LOOK_UP_TO = 4
"""Whole-number ids up to this many times the rows are looked up in a table instead of being sorted."""
_NO_GENRES = "(no genres listed)"
_JESTER_MISSING, _JESTER_JOKES = 99.0, 100


class About(NamedTuple):
    """What is known of an item beside its id."""

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()


# --- MovieLens -----------------------------------------------------------------------------------------------------------


def read_dat(files: Files, name: str, *, scale: tuple[float, float], encoding: str) -> Interactions:
    """GroupLens' older layout: ratings.dat, movies.dat and perhaps users.dat, cells between double colons, no header.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    # A table reader knows separators of one character: between the two colons lies a column without anything in it.
    names = ["user", "_1", "item", "_2", "rating", "_3", "timestamp"]
    table = _table(files["ratings.dat"], "ratings.dat", names, ":", header=False)
    films = dict(_dat_films(_text(files["movies.dat"], "movies.dat", encoding)))
    people = _dat_users(_text(files["users.dat"], "users.dat", encoding)) if "users.dat" in files else None
    return assemble(name, table, scale=scale, about=films, people=people)


def read_csv(files: Files, name: str) -> Interactions:
    """GroupLens' newer layout: ratings.csv and movies.csv with a header, titles in quotes where they hold a comma.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    table = _table(files["ratings.csv"], "ratings.csv", ["user", "item", "rating", "timestamp"], ",")
    films = {
        _whole(row[0], "movies.csv", line): _film(row[1], row[2])
        for line, row in _csv_rows(files["movies.csv"], "movies.csv", ",", 3)
    }
    return assemble(name, table, scale=(0.5, 5.0), about=films)


def _dat_films(text: str) -> Iterator[tuple[int, About]]:
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            raw, _, rest = row.rstrip("\r").partition("::")
            title, bar, genres = rest.rpartition("::")
            if not bar:
                raise UnreadableData(f"movies.dat, line {line}: three cells between double colons expected")
            yield _whole(raw, "movies.dat", line), _film(title, genres)


def _film(title: str, genres: str) -> About:
    kinds = () if genres.strip() in ("", _NO_GENRES) else tuple(genres.strip().split("|"))
    tidy = " ".join(title.split())
    return About(tidy, year_of(tidy), kinds)


def _dat_users(text: str) -> dict[int, tuple[str, int]]:
    people = {}
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            cells = row.rstrip("\r").split("::")
            if len(cells) != 5:
                raise UnreadableData(f"users.dat, line {line}: 5 cells expected, found {len(cells)}")
            people[_whole(cells[0], "users.dat", line)] = (cells[1], _whole(cells[2], "users.dat", line))
    return people


# --- books ---------------------------------------------------------------------------------------------------------------


def read_goodbooks(files: Files, name: str = "goodbooks-10k") -> Interactions:
    """goodbooks-10k: ratings.csv (user_id, book_id, rating) and books.csv, whose columns are found by their names.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    table = _table(files["ratings.csv"], "ratings.csv", ["user", "item", "rating"], ",")
    rows = _csv_rows(files["books.csv"], "books.csv", ",", 0, header=True)
    _, head = next(rows, (1, []))
    wanted = ("book_id", "title", "authors", "original_publication_year")
    missing = [column for column in wanted if column not in head]
    if missing:
        raise UnreadableData(f"books.csv has no column {missing[0]}")
    at = [head.index(column) for column in wanted]
    books = {}
    for line, row in rows:
        if len(row) != len(head):
            raise UnreadableData(f"books.csv, line {line}: {len(head)} columns expected, found {len(row)}")
        raw, title, authors, year = (row[column] for column in at)
        books[_whole(raw, "books.csv", line)] = About(_by(title, authors.split(", ")[0]), _year(year))
    return assemble(name, table, scale=(1.0, 5.0), about=books)


def read_book_crossing(files: Files, name: str = "book-crossing") -> Interactions:
    """Book-Crossing: cells in quotes between semicolons, Latin-1. A rating of 0 says only that somebody had the book; those
    rows are left out, so that what remains are opinions from 1 to 10.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    content = files["BX-Book-Ratings.csv"].decode("latin-1").encode()
    table = _table(content, "BX-Book-Ratings.csv", ["user", "item", "rating"], ";", escape="\\", text=("item",))
    table = table.filter(table.column("rating").to_numpy() > 0)
    books = {}
    for _, row in _csv_rows(files["BX-Books.csv"], "BX-Books.csv", ";", 0, encoding="latin-1", escape="\\"):
        if len(row) >= 4:  # a title that cannot be told is no reason to have no ratings
            raw, title, author, year = row[:4]
            books[raw] = About(_by(html.unescape(title), html.unescape(author)), _year(year))
    return assemble(name, table, scale=(1.0, 10.0), about=books)


def _by(title: str, author: str) -> str:
    """Books of one title are many: the author tells them apart."""
    return f"{title.strip()}, by {author.strip()}" if author.strip() else title.strip()


def _year(cell: str) -> int | None:
    found = re.fullmatch(r"(-?\d{1,4})(\.0)?", cell.strip())
    return int(found[1]) or None if found else None


# --- jokes, music, and the files of a paper -------------------------------------------------------------------------------


def read_jester(files: Files, name: str = "jester") -> Interactions:
    """Jester: workbooks with a row per user: how many jokes they rated, then a rating −10 to 10 of each of 100 jokes, 99 where
    there is none. Users are numbered from 1, on through all the workbooks.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    user, item, rating, before = [], [], [], 0
    for file, content in files.items():
        grid = _sheet(file, content)
        row, column = np.nonzero(grid[:, 1:] != _JESTER_MISSING)
        told = grid[:, 0].astype(np.int64)
        wrong = np.flatnonzero(np.bincount(row, minlength=len(grid)) != told)
        if wrong.size:
            raise UnreadableData(f"{file}, row {wrong[0] + 1}: it says {told[wrong[0]]} ratings, and holds another number")
        user.append(row + 1 + before)
        item.append(column + 1)
        rating.append(grid[row, column + 1])
        before += len(grid)
    columns = {"user": np.concatenate(user), "item": np.concatenate(item), "rating": np.concatenate(rating).astype(np.float32)}
    jokes = {number: About(f"Joke {number}") for number in range(1, _JESTER_JOKES + 1)}
    return assemble(name, columns, scale=(-10.0, 10.0), about=jokes)


def _sheet(file: str, content: bytes) -> NDArray[np.float64]:
    """The first sheet of a workbook as (users, 101) numbers."""
    import python_calamine as calamine

    try:
        rows = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        grid = np.array(rows, dtype=np.float64)
    except (calamine.CalamineError, ValueError, TypeError, OSError, IndexError) as error:
        raise UnreadableData(f"{file} is not a workbook of numbers ({str(error).splitlines()[0][:80]})") from error
    if grid.ndim != 2 or grid.shape[1] != _JESTER_JOKES + 1 or not np.isfinite(grid).all():
        raise UnreadableData(f"{file}: a number and {_JESTER_JOKES} ratings expected in each row")
    return grid


def read_hetrec_lastfm(files: Files, name: str = "lastfm-2k") -> Interactions:
    """HetRec's Last.fm: user_artists.dat (userID, artistID, how often played) and artists.dat, tabs and a header.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    table = _table(files["user_artists.dat"], "user_artists.dat", ["user", "item", "rating"], "\t")
    artists = {
        _whole(row[0], "artists.dat", line): About(row[1].strip())
        for line, row in _tab_rows(_text(files["artists.dat"], "artists.dat", "utf-8"), "artists.dat")
    }
    most = float(np.max(table.column("rating").to_numpy(), initial=0.0))
    return assemble(name, table, scale=(1.0, max(2.0, most)), about=artists, feedback="counts")


def _tab_rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    for line, row in enumerate(text.split("\n"), 1):
        if line > 1 and row.strip():
            cells = row.rstrip("\r").split("\t")
            if len(cells) < 2:
                raise UnreadableData(f"{file}, line {line}: cells between tabs expected")
            yield line, cells


def read_ncf(files: Files, name: str, *, scale: tuple[float, float], feedback: str = "ratings", timed: bool) -> Interactions:
    """The three files of "Neural Collaborative Filtering": X.train.rating and X.test.rating (user, item, rating, timestamp),
    and X.test.negative, which gives each test row items to rank its own among: "(user,item)", then their numbers.

    ``Interactions.part`` and ``negatives`` say what they say. Where a pair occurs twice, the later row counts, and test before
    train: what is asked is not told. ``feedback`` "chosen": whatever was rated is 1. ``timed``: the timestamps mean something.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    import pyarrow as pa

    kinds = {kind: next(file for file in files if file.endswith(kind)) for kind in ("train.rating", "test.rating", "negative")}
    # Where they have no timestamps, some have no column for them and some have one that means nothing.
    columns = ["user", "item", "rating", *(["timestamp" if timed else "_"] * (_tabs(files[kinds["train.rating"]]) > 2))]
    train, test = (
        _table(files[kinds[kind]], kinds[kind], columns, "\t", header=False) for kind in ("train.rating", "test.rating")
    )
    table = pa.concat_tables([train, test])
    part = np.repeat(np.array([0, 2], dtype=np.int8), [len(train), len(test)])
    user, item = (table.column(column).to_numpy() for column in ("user", "item"))
    _, last = np.unique((user.astype(np.int64) << 32 | item)[::-1], return_index=True)
    kept = np.sort(len(user) - 1 - last)
    table = table.take(pa.array(kept))
    if feedback == "chosen":
        table = table.set_column(2, "rating", pa.array(np.ones(len(table), np.float32)))
    raw = _ncf_negatives(_text(files[kinds["negative"]], kinds["negative"], "utf-8"), kinds["negative"])
    return assemble(name, table, scale=scale, feedback=feedback, part=part[kept], negatives=raw)


def _tabs(content: bytes) -> int:
    return content.partition(b"\n")[0].count(b"\t")


def _ncf_negatives(text: str, file: str) -> dict[int, list[int]]:
    """Raw user → raw items, as many for each."""
    found: dict[int, list[int]] = {}
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        head, *cells = row.split()
        pair = re.fullmatch(r"\((\d{1,18}),(\d{1,18})\)", head)
        if pair is None:
            raise UnreadableData(f'{file}, line {line}: "(user,item)" expected, found {head[:40]!r}')
        found[int(pair[1])] = [_whole(cell, file, line) for cell in cells]
    if len({len(items) for items in found.values()}) > 1:
        raise UnreadableData(f"{file}: as many items expected on each line")
    return found


# --- from columns to interactions ----------------------------------------------------------------------------------------


def assemble(
    name: str,
    table: pa.Table | Mapping[str, NDArray[Any]],
    *,
    scale: tuple[float, float],
    about: Mapping[Any, About] | None = None,
    people: Mapping[int, tuple[str, int]] | None = None,
    feedback: str = "ratings",
    part: Int8 | None = None,
    negatives: Mapping[int, list[int]] | None = None,
) -> Interactions:
    """Interactions from columns user, item, rating and perhaps timestamp, which keep their order; ids in ascending order.

    ``about``: by raw item. ``people``: gender and age by raw user. ``negatives``: raw items by raw user; such an item belongs
    to the data even if nobody chose it.

    Raises:
        UnreadableData: what was read cannot be interactions, or a rater is not described.
    """
    columns = table if isinstance(table, Mapping) else {column: table.column(column) for column in table.column_names}
    extra = np.unique([raw for items in (negatives or {}).values() for raw in items]) if negatives else None
    users, user_idx = _indexed(columns["user"])
    items, item_idx = _indexed(columns["item"], extra)
    if not len(users):
        raise UnreadableData(f"{name}: there are no ratings")
    known = [(about or {}).get(raw) or About("") for raw in items.tolist()]
    stamp = columns.get("timestamp")
    try:
        return Interactions(
            user_idx=user_idx,
            item_idx=item_idx,
            rating=_numpy(columns["rating"]),
            timestamp=None if stamp is None else _numpy(stamp),
            users=Vocabulary(users, "user"),
            items=Vocabulary(items, "item"),
            item_table=make_item_table(
                [one.title for one in known], [one.year for one in known], [one.genres for one in known]
            ),
            rating_scale=scale,
            name=name,
            user_table=None if people is None else _people(people, users.tolist(), name),
            feedback=feedback,
            part=part,
            negatives=None if negatives is None else _negatives(negatives, users, items),
        )
    except UnusableRequest as error:
        raise UnreadableData(f"{name}: {error}") from error


def _people(people: Mapping[int, tuple[str, int]], users: list[int], name: str) -> pd.DataFrame:
    import pandas as pd

    lost = [raw for raw in users if raw not in people]
    if lost:
        raise UnreadableData(f"{name}: user {lost[0]} rates, but is not described")
    return pd.DataFrame([people[raw] for raw in users], columns=["gender", "age"])


def _negatives(negatives: Mapping[int, list[int]], users: NDArray[Any], items: NDArray[Any]) -> Int64:
    width = max(map(len, negatives.values()), default=0)
    found = np.full((len(users), width), -1, dtype=np.int64)
    for row, raw in enumerate(users.tolist()):
        if raw in negatives:
            found[row] = np.searchsorted(items, negatives[raw])
    return found


def _indexed(column: Any, extra: NDArray[Any] | None = None) -> tuple[NDArray[Any], Int64]:
    """Distinct raw ids, ascending, with ``extra`` ones; and the place among them of each row's."""
    raw = _numpy(column)
    if raw.dtype.kind in "iu" and raw.size and int(raw.min()) >= 0 and int(raw.max()) < _LOOK_UP_TO * raw.size + 1_000_000:
        there = np.zeros(max(int(raw.max()), 0 if extra is None else int(extra.max(initial=0))) + 1, np.bool_)
        there[raw] = True
        if extra is not None:
            there[extra] = True
        ids = np.flatnonzero(there)
        place = np.cumsum(there, dtype=np.int64) - 1
        return ids, place[raw]
    ids, index = np.unique(raw if extra is None else np.concatenate([raw, extra]), return_inverse=True)
    return ids, index[: len(raw)].astype(np.int64)


def _numpy(column: Any) -> NDArray[Any]:
    array: NDArray[Any] = column if isinstance(column, np.ndarray) else column.to_numpy()
    return array.astype(np.str_) if array.dtype.kind == "O" else array


# --- from bytes to columns -----------------------------------------------------------------------------------------------


def _table(
    content: bytes,
    file: str,
    names: list[str],
    separator: str,
    *,
    header: bool = True,
    escape: str | None = None,
    text: tuple[str, ...] = (),
) -> pa.Table:
    """The columns user, item, rating (float32) and timestamp of ``names``, in file order; those in ``text`` are texts, the
    other ids int32. ``escape``: cells are in quotes, and this stands before a quote in one."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    types = {"user": pa.int32(), "item": pa.int32(), "rating": pa.float32(), "timestamp": pa.int64()}
    types |= {column: pa.string() for column in names if column in text or column.startswith("_")}
    wanted = [column for column in names if not column.startswith("_")]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            # Arrow's threads may still be at it when a broken file is given up, and take the process along.
            read_options=arrow_csv.ReadOptions(
                column_names=names, skip_rows=int(header), use_threads=len(content) > _THREADS_FROM
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, quote_char='"' if escape else False, escape_char=escape or False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={column: types[column] for column in names}, include_columns=wanted, null_values=[]
            ),
        )
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise UnreadableData(f"{file}: {str(error).splitlines()[0][:160]}") from error
    if not len(table):
        raise UnreadableData(f"{file}: there are no ratings")
    return table


def _text(content: bytes, file: str, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableData(f"{file}: text is not {encoding} ({error.reason} at byte {error.start})") from error


def _csv_rows(
    content: bytes,
    file: str,
    separator: str,
    columns: int,
    *,
    encoding: str = "utf-8-sig",
    escape: str | None = None,
    header: bool = False,
) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row that is not blank, without the header unless wanted; ``columns``: how many, 0 for any."""
    stream = io.StringIO(_text(content, file, encoding), newline="")
    reader: Iterable[list[str]] = csv.reader(stream, delimiter=separator, escapechar=escape)
    try:
        for line, row in enumerate(reader, 1):
            if row and (header or line > 1):
                if columns and len(row) != columns:
                    raise UnreadableData(f"{file}, row {line}: {columns} columns expected, found {len(row)}")
                yield line, row
    except csv.Error as error:
        raise UnreadableData(f"{file}: {error}") from error


def _whole(cell: str, file: str, line: int) -> int:
    try:
        return int(cell)
    except ValueError:
        raise UnreadableData(f"{file}, line {line}: a whole number expected, found {cell[:40]!r}") from None
