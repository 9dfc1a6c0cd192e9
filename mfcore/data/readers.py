"""Reading MovieLens in the two layouts it comes in. Equal data gives equal Interactions, whichever way it came."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mfcore.data.interactions import Interactions, make_item_table
from mfcore.data.vocabulary import Vocabulary
from mfcore.errors import UnusableRequest
from mfcore.files import DAMAGED_ZIP

if TYPE_CHECKING:
    import pandas as pd

Files = Mapping[str, bytes]

GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
"""The genres of ML-100K, in the order of its u.genre. "unknown" is one of them."""

STARS = (1.0, 5.0)
_YEAR = re.compile(r"\((\d{4})\)")


class UnreadableData(ValueError):
    """A file is not what its layout promises. The message names the file and the line."""


def read_archive(archive: Path, folder: str, names: Iterable[str]) -> dict[str, bytes]:
    """The members ``folder``/``name`` of a zip ("": no folder), each checked against its CRC.

    Raises:
        UnreadableData: the zip is damaged or lacks a member.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return {name: opened.read(_member(opened, f"{folder}/{name}" if folder else name)) for name in names}
    except KeyError as error:
        raise UnreadableData(f"{archive.name} lacks {error.args[0]}") from error
    except (OSError, *DAMAGED_ZIP) as error:
        raise UnreadableData(f"{archive.name} is not a sound zip file ({error})") from error


def _member(archive: zipfile.ZipFile, wanted: str) -> str:
    """The member ``wanted``, or the only one of that name in another folder: people pack again what they pass on."""
    there = archive.namelist()
    elsewhere = [member for member in there if member.rpartition("/")[2] == wanted.rpartition("/")[2]]
    return elsewhere[0] if wanted not in there and len(elsewhere) == 1 else wanted


GROUPLENS_FILES = ("u.data", "u.item", "u.user")


def read_grouplens(files: Files, name: str = "ml-100k") -> Interactions:
    """The layout GroupLens publishes: u.data (tab), u.item (bar, Latin-1, a 0/1 column per genre), u.user (bar).

    Raises:
        UnreadableData: a file breaks the layout.
    """
    ratings = _table(files["u.data"], "u.data", header=None)
    items: dict[int, tuple[str, tuple[str, ...]]] = {}
    for number, cells in _lines(files["u.item"], "latin-1", "|"):
        if len(cells) != 5 + len(GENRES):
            raise UnreadableData(f"u.item, line {number}: {5 + len(GENRES)} columns expected, found {len(cells)}")
        genres = tuple(genre for genre, flag in zip(GENRES, cells[5:], strict=True) if flag.strip() == "1")
        items[_whole(cells[0], "u.item", number)] = (_tidy(cells[1]), genres)
    users = _users("u.user", _lines(files["u.user"], "latin-1", "|"))
    return _assemble(name, ratings, items, users)


RECBOLE_FILES = ("ml-100k.inter", "ml-100k.item", "ml-100k.user")


def read_recbole(files: Files, name: str = "ml-100k") -> Interactions:
    """RecBole's atomic files: tabs, UTF-8, a header line; titles without the year, which is a column; genres by name.

    Three quirks are undone, so that the titles are those of u.item: item 267 is "unknown" there, and here "unkonwn" with a
    year "unkonwn"; item 1412's title ends in "(V)" after the year, which made V its year; blanks around titles.

    Raises:
        UnreadableData: a file breaks the layout.
    """
    ratings = _table(files["ml-100k.inter"], "ml-100k.inter", header=0)
    items: dict[int, tuple[str, tuple[str, ...]]] = {}
    for number, cells in _lines(files["ml-100k.item"], "utf-8", "\t", skip=1):
        if len(cells) != 4:
            raise UnreadableData(f"ml-100k.item, line {number}: 4 columns expected, found {len(cells)}")
        raw, title, year, genres = (cell.strip() for cell in cells)
        named = set(genres.split())
        if not named <= set(GENRES):
            raise UnreadableData(f"ml-100k.item, line {number}: unknown genre {min(named - set(GENRES))!r}")
        full_title = "unknown" if title == "unkonwn" else _tidy(f"{title} ({year})")
        items[_whole(raw, "ml-100k.item", number)] = (full_title, tuple(genre for genre in GENRES if genre in named))
    users = _users("ml-100k.user", _lines(files["ml-100k.user"], "utf-8", "\t", skip=1))
    return _assemble(name, ratings, items, users)


def year_of(title: str) -> int | None:
    """The year a title carries: "Postino, Il (1994)" → 1994; the last one in brackets, None where there is none."""
    found = _YEAR.findall(title)
    return int(found[-1]) if found else None


def _tidy(title: str) -> str:
    """Without blanks at the ends (items 1128, 1201 and 1635 have them) or in double."""
    return " ".join(title.split())


def _assemble(
    name: str, ratings: pd.DataFrame, items: Mapping[int, tuple[str, tuple[str, ...]]], users: pd.DataFrame
) -> Interactions:
    raw_users, user_idx = np.unique(ratings["user"].to_numpy(), return_inverse=True)
    raw_items, item_idx = np.unique(ratings["item"].to_numpy(), return_inverse=True)
    lost = [raw for raw in raw_items.tolist() if raw not in items] + [
        raw for raw in raw_users.tolist() if raw not in users.index
    ]
    if lost:
        raise UnreadableData(f"{name}: id {lost[0]} is rated or rates, but is not described")
    titles, genres = zip(*(items[raw] for raw in raw_items.tolist()), strict=True)
    try:
        return Interactions(
            user_idx=user_idx.astype(np.int64),
            item_idx=item_idx.astype(np.int64),
            rating=ratings["rating"].to_numpy(dtype=np.float32),
            timestamp=ratings["timestamp"].to_numpy(dtype=np.int64),
            users=Vocabulary(raw_users, "user"),
            items=Vocabulary(raw_items, "item"),
            item_table=make_item_table(list(titles), [year_of(title) for title in titles], genres),
            rating_scale=STARS,
            name=name,
            user_table=users.loc[raw_users],
        )
    except UnusableRequest as error:
        raise UnreadableData(f"{name}: {error}") from error


def _table(content: bytes, file: str, header: int | None) -> pd.DataFrame:
    """user, item, rating, timestamp, in file order."""
    import pandas as pd

    columns = {"user": np.int64, "item": np.int64, "rating": np.float32, "timestamp": np.int64}
    # pandas drops surplus columns and skips blank lines silently; a count of the tabs of each does not.
    lines = content.splitlines()
    if len(lines) <= (header is not None):
        raise UnreadableData(f"{file}: there are no ratings")
    if any(line.count(b"\t") != len(columns) - 1 for line in lines):
        raise UnreadableData(f"{file}: {len(columns)} columns separated by tabs expected on each of its {len(lines):,} lines")
    try:
        with np.errstate(invalid="ignore"):  # a number beyond those of a column is refused all the same
            return pd.read_csv(
                io.BytesIO(content),
                sep="\t",
                header=header,
                names=list(columns),
                dtype=columns,
                quoting=csv.QUOTE_NONE,
                index_col=False,
            )
    except (TypeError, ValueError, OverflowError) as error:
        raise UnreadableData(f"{file}: {str(error).splitlines()[0]}") from error


def _lines(content: bytes, encoding: str, separator: str, skip: int = 0) -> Iterable[tuple[int, list[str]]]:
    """(line number, cells) of each line that is not blank, after ``skip`` header lines."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableData(f"text is not {encoding} ({error.reason} at byte {error.start})") from error
    # Not str.splitlines: it would also break at characters that Latin-1 titles may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if number > skip and line.strip():
            yield number, line.rstrip("\r").split(separator)


def _users(file: str, lines: Iterable[tuple[int, list[str]]]) -> pd.DataFrame:
    import pandas as pd

    rows: dict[int, tuple[int, str, str]] = {}
    for number, cells in lines:
        if len(cells) != 5:
            raise UnreadableData(f"{file}, line {number}: 5 columns expected, found {len(cells)}")
        rows[_whole(cells[0], file, number)] = (_whole(cells[1], file, number), cells[2].strip(), cells[3].strip())
    return pd.DataFrame.from_dict(rows, orient="index", columns=["age", "gender", "occupation"])


def _whole(cell: str, file: str, number: int) -> int:
    try:
        return int(cell)
    except ValueError:
        raise UnreadableData(f"{file}, line {number}: a whole number expected, found {cell!r}") from None
