"""Large tables of numbers, read by Arrow: a second for a million rows. Whatever is not plain goes the careful way instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from mfcore.data.importing.report import Report, Watch
from mfcore.data.importing.tables import TextTable
from mfcore.data.times import PER_SECOND, convert
from mfcore.typing import Int64

if TYPE_CHECKING:
    from mfcore.data.importing.building import Rows
    from mfcore.data.importing.preview import Preview

FROM_BYTES = 8 * 1024**2
"""Below that the careful way takes a second or two."""
_BLOCK = 1 << 24
_CANONICAL = re.compile(r"0|-?[1-9]\d{0,17}")
_MOST_DENSE = 400_000_000
"""Largest id for which a table of all ids up to it is made."""


def read_quickly(preview: Preview, report: Report, watch: Watch) -> Rows | None:
    """The rows of a large, plain file; None where it is not plain, and nothing has been taken then."""
    from mfcore.data.importing.building import Rows

    table, plan = preview.opened.table, preview.plan
    if preview.opened.parts or not isinstance(table, TextTable) or not _plain(preview, table):
        return None
    wanted = {role: str(getattr(plan, role)) for role in ("user", "item", "rating", "time") if getattr(plan, role)}
    found = _columns(table, wanted, watch)
    if found is None:
        return None
    rating = found["rating"] if "rating" in found and plan.feedback != "chosen" else np.ones(len(found["user"]), np.float32)
    odd = not np.isfinite(rating).all() or (
        plan.unrated is not None and plan.unrated_as == "missing" and (rating == plan.unrated).any()
    )
    if odd or (plan.feedback == "counts" and (rating < 0).any()) or plan.scale is not None:
        return None
    time = None
    if "time" in found:
        time, good = convert(found["time"], plan.time_unit or "s")
        if not good.all():
            return None
    report.rows += len(rating)
    watch.tell("Numbering users and items", None)
    users, user = _numbered(found["user"])
    items, item = _numbered(found["item"])
    return Rows(users, items, user, item, np.asarray(rating), time, None)


def _plain(preview: Preview, table: TextTable) -> bool:
    """Whether the file is large, UTF-8, with one letter between cells, and ids that are plain whole numbers."""
    plan, sample = preview.plan, preview.sample
    if table.piece.path is None or table.piece.size < FROM_BYTES or table.indexed or len(table.separator) != 1:
        return False
    if table.encoding not in ("utf-8", "utf-8-sig") or plan.part or (plan.time and plan.time_unit not in PER_SECOND):
        return False
    ids = [sample.columns[str(getattr(plan, kind))] for kind in ("user", "item")]
    return all(_CANONICAL.fullmatch(str(one)) for column in ids for one in column)


def _columns(table: TextTable, wanted: dict[str, str], watch: Watch) -> dict[str, Any] | None:
    """Role → (n,) int64, of ratings float32; None where a cell is not what it should be."""
    import pyarrow as pa
    from pyarrow import csv

    types = {column: pa.float32() if role == "rating" else pa.int64() for role, column in wanted.items()}
    read = csv.ReadOptions(column_names=table.columns, skip_rows=int(table.header), block_size=_BLOCK)
    parse = csv.ParseOptions(delimiter=table.separator)
    take = csv.ConvertOptions(column_types=types, include_columns=list(types), null_values=[""], strings_can_be_null=True)
    parts: dict[str, list[Any]] = {role: [] for role in wanted}
    try:
        if _padded(table, watch):
            return None
        with csv.open_csv(table.piece.path, read_options=read, parse_options=parse, convert_options=take) as rows:
            done = 0
            for batch in rows:
                done += batch.nbytes
                watch.tell(f"Reading {table.name}", min(0.95, 0.2 + done / max(1, table.piece.size) * 0.5))
                for role, column in wanted.items():
                    values = batch.column(column)
                    if values.null_count:
                        return None
                    parts[role].append(values.to_numpy(zero_copy_only=False))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError):
        return None
    if not parts["user"]:
        return None
    return {role: np.concatenate(parts.pop(role)) for role in list(parts)}


def _padded(table: TextTable, watch: Watch) -> bool:
    """Whether a number may be written in a way that Arrow would change: 007, +7, or with blanks around it."""
    between = re.escape(table.separator.encode())
    odd = re.compile(rb"(?:^|[\n\r\"]|" + between + rb")(?:0\d|[+ ])|[ ](?:[\r\n]|" + between + rb")")
    done, before = 0, b"\n"
    with table.piece.open() as file:
        if table.header:
            file.readline()
        while block := file.read(_BLOCK):
            if odd.search(before + block):
                return True
            before, done = block[-2:], done + len(block)
            watch.tell(f"Reading {table.name}", 0.2 * done / max(1, table.piece.size))
    return False


def _numbered(raw: Int64) -> tuple[Any, Int64]:
    """(n,) raw ids → the ids that occur, ascending, and (n,) their places."""
    low, high = int(raw.min()), int(raw.max())
    if low < 0 or high > _MOST_DENSE:
        ids, place = np.unique(raw, return_inverse=True)
        return ids, place.astype(np.int64)
    there = np.zeros(high + 1, np.bool_)
    there[raw] = True
    ids = np.flatnonzero(there)
    place_of = np.zeros(high + 1, np.int32)
    place_of[ids] = np.arange(len(ids), dtype=np.int32)
    return ids, place_of[raw].astype(np.int64)
