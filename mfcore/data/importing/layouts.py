"""How several files belong together: ratings, titles, and a division that came with them, in the layouts people publish."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfcore.data.importing.opening import Piece, kind_of, pieces_of
from mfcore.data.importing.plan import ImportPlan
from mfcore.data.importing.roles import is_wide, known_name
from mfcore.data.importing.tables import FrameTable, Table, TextTable, sheets_of, table_of
from mfcore.data.importing.titles import Titles, titles_of
from mfcore.data.readers import GENRES
from mfcore.errors import UnusableRequest
from mfcore.validate import require

TRAIN, VALID, TEST = 0, 1, 2
_PARTS = {
    "train": TRAIN,
    "training": TRAIN,
    "base": TRAIN,
    "valid": VALID,
    "validation": VALID,
    "val": VALID,
    "dev": VALID,
    "test": TEST,
}
_RATED = re.compile(
    r"rating|interact|review|event|plays|history|user_artists|listen|purchase|transaction|order|checkin|likes|feedback", re.I
)
_NOT_RATINGS = re.compile(
    r"readme|licen[cs]e|links?\.|tags?\.|genome|users?\.|genre|occupation|friends|sample_submission|probe", re.I
)
_ABOUT_ITEMS = re.compile(r"movie|item|book|artist|film|game|product|title|song|track|anime|joke|business|venue", re.I)


@dataclass(frozen=True, eq=False)
class Opened:
    """``table``: of ratings. ``parts``: the tables of a division that came along, each with its number. ``titles``: of items.
    ``negatives``: lines of a file of them. ``roles``: columns that the layout fixes. ``tables``: names to choose from, and the
    ``chosen`` one. ``notes``: sentences. ``name``: of the source."""

    table: Table
    name: str
    layout: str = "a table"
    parts: Sequence[tuple[Table, int | None]] = ()
    titles: Titles | None = None
    negatives: Piece | None = None
    roles: dict[str, str] = field(default_factory=dict)
    tables: Sequence[str] = ()
    chosen: str | None = None
    notes: Sequence[str] = ()


def open_source(source: Any, plan: ImportPlan, items: Any = None) -> Opened:
    """What is given, opened: a path, several paths, or a DataFrame.

    Raises:
        UnusableRequest: nothing in it can be read as a table.
    """
    opened = _open(source, plan)
    if items is None:
        return opened
    about = titles_of(_frame_or_table(items))
    return _with(opened, titles=about)


def _open(source: Any, plan: ImportPlan) -> Opened:
    if hasattr(source, "columns"):
        return Opened(_melted(FrameTable(source.reset_index(drop=True), "the table")), "table")
    paths = [Path(one).expanduser() for one in ([source] if isinstance(source, str | Path) else source)]
    require(bool(paths), "no file was given")
    pieces = [piece for path in paths for piece in pieces_of(path)]
    name = paths[0].name.split(".")[0] or paths[0].name
    for layout in (_ncf, _lenskit, _recbole, _grouplens):
        found = layout(pieces, name)
        if found is not None:
            return found
    return _any(pieces, name, plan)


def _with(opened: Opened, **changes: Any) -> Opened:
    import dataclasses

    return dataclasses.replace(opened, **changes)


def _frame_or_table(items: Any) -> Table:
    if hasattr(items, "columns"):
        return FrameTable(items.reset_index(drop=True), "the table of items")
    pieces = pieces_of(Path(items).expanduser())
    return table_of(pieces[0])


def _named(pieces: list[Piece], pattern: str) -> Piece | None:
    return next((piece for piece in pieces if re.search(pattern, piece.short, re.IGNORECASE)), None)


def _columns(piece: Piece, separator: str, names: str, encoding: str | None = None) -> TextTable:
    """A file without a header, whose columns have these names."""
    table = TextTable(piece, encoding, separator, False)
    known = names.split()
    table.columns = [*known, *(f"column {place}" for place in range(len(known) + 1, table.width + 1))][: table.width]
    return table


_USUAL = {"user": "user", "item": "item", "rating": "rating", "time": "timestamp", "part": "", "title": ""}


def _ncf(pieces: list[Piece], name: str) -> Opened | None:
    """X.train.rating, X.test.rating, X.test.negative, as the code of Neural Collaborative Filtering has them."""
    train, test = _named(pieces, r"\.train\.rating$"), _named(pieces, r"\.test\.rating$")
    if train is None or test is None:
        return None
    tables = [_columns(piece, "\t", "user item rating timestamp") for piece in (train, test)]
    roles = {role: column if column in tables[0].columns else "" for role, column in _USUAL.items()}
    return Opened(
        tables[0], train.short.split(".")[0], "Neural Collaborative Filtering", [(tables[0], TRAIN), (tables[1], TEST)],
        negatives=_named(pieces, r"\.test\.negative$"), roles=roles,
    )  # fmt: skip


def _lenskit(pieces: list[Piece], name: str) -> Opened | None:
    """A folder that LensKit's ``Dataset.save`` wrote: schema.json, and a Parquet file for each table."""
    schema = _named(pieces, r"^schema\.json$")
    if schema is None or not any(piece.short.endswith(".parquet") for piece in pieces):
        return None
    try:
        told = json.loads(schema.whole(1 << 24))
        relationships = list(told["relationships"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableRequest(f"schema.json beside the Parquet files is none of LensKit's ({error})") from error
    by_name = {piece.short.removesuffix(".parquet"): piece for piece in pieces if piece.short.endswith(".parquet")}
    chosen = next((one for one in [told.get("default_interaction"), *relationships] if one in by_name), None)
    require(chosen is not None, "LensKit's schema.json names no relationship that lies beside it")
    frame = _whole(by_name[str(chosen)])
    for entity in ("user", "item"):
        if f"{entity}_num" in frame and entity in by_name:
            ids = _whole(by_name[entity])[f"{entity}_id"]
            frame[f"{entity}_id"] = ids.to_numpy()[frame[f"{entity}_num"].to_numpy()]
    wanted = [column for column in ("user_id", "item_id", "rating", "count", "timestamp") if column in frame]
    table = FrameTable(frame[wanted], f"{chosen}.parquet")
    about = _whole(by_name["item"]) if "item" in by_name else None
    titles = titles_of(FrameTable(about, "item.parquet")) if about is not None and about.shape[1] > 1 else None
    rating = next((column for column in ("rating", "count") if column in frame), "")
    roles = {"user": "user_id", "item": "item_id", "rating": rating, "time": "timestamp" if "timestamp" in frame else ""}
    return Opened(table, name, "LensKit", titles=titles, roles=roles)


def _whole(piece: Piece) -> Any:
    import pandas as pd

    path, kept = piece.on_disk()
    try:
        return pd.read_parquet(path)
    except Exception as error:
        raise UnusableRequest(f"{piece.short} is a damaged Parquet file ({str(error).splitlines()[0][:100]})") from error
    finally:
        if kept is not None:
            kept.close()


def _recbole(pieces: list[Piece], name: str) -> Opened | None:
    """RecBole's atomic files: X.inter, or X.train.inter and so on, and X.item."""
    inter = [piece for piece in pieces if piece.short.endswith(".inter")]
    if not inter:
        return None
    tables = [TextTable(piece, None, None, True) for piece in inter]
    parts = [_PARTS.get(piece.short.split(".")[-2].lower()) for piece in inter]
    about = _named(pieces, r"\.item$")
    titles = titles_of(TextTable(about, None, None, True)) if about is not None else None
    divided = len(inter) > 1 and all(part is not None for part in parts)
    both = [(table, part) for table, part in zip(tables, parts, strict=True) if part is not None] if divided else []
    return Opened(both[0][0] if both else tables[0], inter[0].short.split(".")[0], "RecBole", both, titles)


def _grouplens(pieces: list[Piece], name: str) -> Opened | None:
    """u.data with u.item, or ratings.dat with movies.dat. (ratings.csv with movies.csv is found as any other pair.)"""
    data = _named(pieces, r"^u\.data$")
    if data is not None:
        about = _named(pieces, r"^u\.item$")
        names = " ".join(["item title released video url", *GENRES])
        titles = titles_of(_columns(about, "|", names, "latin-1"), flags=GENRES) if about is not None else None
        return Opened(_columns(data, "\t", "user item rating timestamp"), name, "GroupLens", titles=titles, roles=dict(_USUAL))
    data = _named(pieces, r"^ratings\.dat$")
    if data is None or b"::" not in data.head(200):
        return None
    about = _named(pieces, r"^movies\.dat$")
    titles = titles_of(_columns(about, "::", "item title genres")) if about is not None else None
    return Opened(_columns(data, "::", "user item rating timestamp"), name, "GroupLens", titles=titles, roles=dict(_USUAL))


def _any(pieces: list[Piece], name: str, plan: ImportPlan) -> Opened:
    """One file, several parts of a division, or one file of ratings among others."""
    usable, why = [], ""
    for piece in pieces:
        try:
            usable.append((piece, kind_of(piece)))
        except UnusableRequest as error:
            why = why or str(error)
    require(bool(usable), why)
    if len(usable) == 1 and usable[0][1] == "excel":
        return _workbook(usable[0][0], name, plan)
    divided = _divided([piece for piece, _ in usable], plan)
    if divided is not None:
        return _with(divided, name=name)
    names = [piece.name for piece, _ in usable]
    asked = plan.table if plan.table in names else None
    order = sorted((piece for piece, _ in usable), key=_likely, reverse=True)
    if asked is not None:
        order = [piece for piece in order if piece.name == asked]
    table, chosen, why = None, None, ""
    for piece in order:
        try:
            table, chosen = _read(piece, plan), piece
            break
        except UnusableRequest as error:
            why = why or str(error)
    if table is None or chosen is None:
        raise UnusableRequest(why)
    titles = _titles_beside(table, [piece for piece, _ in usable if piece is not chosen]) if len(usable) > 1 else None
    many = len(names) > 1
    return Opened(_melted(table), name, titles=titles, tables=names if many else (), chosen=chosen.name if many else None)


def _likely(piece: Piece) -> tuple[int, int]:
    """How likely a file holds the ratings: by its name, then by its size."""
    return (1 if _RATED.search(piece.short) else -1 if _NOT_RATINGS.search(piece.short) else 0), piece.size


def _read(piece: Piece, plan: ImportPlan, sheet: str = "") -> Table:
    return table_of(piece, encoding=plan.encoding, separator=plan.separator, header=plan.header, sheet=sheet)


def _workbook(piece: Piece, name: str, plan: ImportPlan) -> Opened:
    sheets = sheets_of(piece)
    chosen = plan.table or next((one for one in sheets if _RATED.search(one)), sheets[0] if sheets else "")
    table = _melted(_read(piece, plan, chosen))
    titles = None
    for other in sheets:
        if other != chosen and titles is None and _ABOUT_ITEMS.search(other):
            try:
                titles = titles_of(_read(piece, plan, other))
            except UnusableRequest:
                continue
    return Opened(
        table, name, titles=titles, tables=sheets if len(sheets) > 1 else (), chosen=chosen if len(sheets) > 1 else None
    )


def _divided(pieces: list[Piece], plan: ImportPlan) -> Opened | None:
    """train.csv, valid.csv, test.csv and the like, of the same kind."""
    parts: dict[int, Piece] = {}
    for piece in pieces:
        words = re.split(r"[._\-\s]+", piece.short.lower())
        part = next((_PARTS[word] for word in words if word in _PARTS), None)
        if part is not None and part not in parts:
            parts[part] = piece
    if TRAIN not in parts or len(parts) < 2 or plan.table:
        return None
    tables = [(_read(piece, plan), part) for part, piece in sorted(parts.items())]
    if any(table.columns != tables[0][0].columns for table, _ in tables):
        return None
    rest = [piece for piece in pieces if piece not in parts.values()]
    return Opened(tables[0][0], "", "files of train and test", tables, _titles_beside(tables[0][0], rest))


def _titles_beside(table: Table, others: list[Piece]) -> Titles | None:
    """Titles in another file of the same archive or folder, if it has a column that names the items like this table does."""
    items = [name for name in table.columns if known_name(name) == "item"]
    for piece in sorted(others, key=lambda piece: not _ABOUT_ITEMS.search(piece.short)):
        if not _ABOUT_ITEMS.search(piece.short):
            continue
        try:
            found = titles_of(table_of(piece), like=items)
        except UnusableRequest:
            continue
        if found is not None:
            return found
    return None


def _melted(table: Table) -> Table:
    """A matrix of users × items as rows of user, item, rating; any other table as it is."""
    import pandas as pd

    sample = table.sample(300)
    if not is_wide(sample):
        return table
    frames = [pd.DataFrame({name: list(values) for name, values in chunk.columns.items()}) for chunk in table.chunks()]
    whole = pd.concat(frames, ignore_index=True)
    user = whole.columns[0]
    if not whole[user].astype(str).is_unique:  # as Jester has it: how many a user has rated, and nobody's name
        whole = whole.drop(columns=user)
        user = "row"
        whole.insert(0, user, [str(row) for row in range(1, len(whole) + 1)])
    long = whole.melt(id_vars=[user], var_name="item", value_name="rating").rename(columns={user: "user"})
    there = long["rating"].notna() & (long["rating"].astype(str).str.strip() != "")
    melted = FrameTable(long[there].reset_index(drop=True), table.name, "each row is a user, each column an item")
    melted.how = {**table.how, **melted.how}
    return melted
