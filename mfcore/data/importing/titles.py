"""What items are called, and what else is known about them, from a table of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mfcore.data.importing.roles import known_name, plain
from mfcore.data.importing.tables import Table
from mfcore.data.interactions import make_item_table
from mfcore.validate import require

if TYPE_CHECKING:
    import pandas as pd

_YEAR = re.compile(r"\((\d{4})\)\s*$")
_GENRES = ("genres", "genre", "category", "categories", "tags", "class", "type")
_YEARS = ("year", "releaseyear", "yearofpublication", "publicationyear", "originalpublicationyear", "startyear", "released")
_NAMES = (
    "title",
    "name",
    "movietitle",
    "booktitle",
    "originaltitle",
    "primarytitle",
    "itemname",
    "productname",
    "artistname",
    "label",
    "movie",
    "jokestext",
    "text",
)
_SPLIT = re.compile(r"\s*[|,;/]\s*")


@dataclass(frozen=True, eq=False)
class Titles:
    """``by_id``: raw id as text → (title, year or None, genres). ``why``: which columns these are."""

    by_id: dict[str, tuple[str, int | None, tuple[str, ...]]]
    why: str

    def table(self, ids: Sequence[Any]) -> pd.DataFrame:
        """The item table of these raw ids, in their order; "" for a title that is not known."""
        rows = [self.by_id.get(str(one), ("", None, ())) for one in ids]
        return make_item_table([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def titles_of(table: Table, *, like: Sequence[str] = (), flags: Sequence[str] = ()) -> Titles | None:
    """Titles from a table of items. ``like``: names of the column that names items elsewhere; with them, None where no column
    here has such a name. ``flags``: columns of 0 and 1, one for each genre.

    Raises:
        UnusableRequest: no column can be the id, or none a title.
    """
    names = table.columns
    wanted = {plain(name) for name in like}
    item = next((name for name in names if plain(name) in wanted), None)
    if item is None and like:
        item = next((name for name in names if known_name(name) == "item" or plain(name) == "id"), None)
        if item is None:
            return None
    item = item or next((name for name in names if known_name(name) == "item" or plain(name) == "id"), names[0])
    title = next((name for key in _NAMES for name in names if plain(name) == key and name != item), None)
    title = title or next((name for name in names if name != item and known_name(name) == "title"), None)
    if title is None and like:
        return None
    title = title or next((name for name in names if name != item), None)
    require(title is not None, f"{table.name} has only one column; a table of items has an id and a title")
    assert title is not None
    year = next((name for name in names if plain(name) in _YEARS), None)
    genres = next((name for key in _GENRES for name in names if plain(name) == key), None)
    found: dict[str, tuple[str, int | None, tuple[str, ...]]] = {}
    for chunk in table.chunks():
        columns = chunk.columns
        for row in range(len(chunk)):
            text = _text(columns[title][row])
            kinds = (
                tuple(name for name in flags if str(columns[name][row]).strip() == "1")
                if flags
                else _kinds(columns, genres, row)
            )
            found[_text(columns[item][row], exact=True)] = (text, _year(columns[year][row]) if year else _year_in(text), kinds)
    return Titles(found, f"{title!r} by {item!r} of {table.name}")


def _text(value: Any, *, exact: bool = False) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if exact else " ".join(str(value).split())


def _kinds(columns: Any, genres: str | None, row: int) -> tuple[str, ...]:
    text = _text(columns[genres][row]) if genres else ""
    kinds = [kind.strip(" []'\"") for kind in _SPLIT.split(text)] if text and not text.startswith("(no ") else []
    return tuple(kind for kind in kinds if kind)[:12]


def _year(value: Any) -> int | None:
    found = re.search(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)", _text(value))
    return int(found[1]) if found else None


def _year_in(title: str) -> int | None:
    found = _YEAR.search(title)
    return int(found[1]) if found else None
