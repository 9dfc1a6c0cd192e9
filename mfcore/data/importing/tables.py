"""Every kind of file as one thing: named columns, in chunks of rows that know their lines."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mfcore.data.importing.opening import Piece, kind_of
from mfcore.data.importing.report import Report, Watch
from mfcore.data.importing.text import Lines, encoding_of, separator_of
from mfcore.errors import UnusableRequest
from mfcore.files import DAMAGED_ZIP
from mfcore.paths import reason
from mfcore.validate import require

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 100_000
MOST_COLUMNS = 100_000
_MOST_IN_MEMORY = 2 * 1024**3
_NETFLIX = re.compile(rb"^\s*\d+:\s*$")

Column = Sequence[Any]


@dataclass(frozen=True)
class Chunk:
    """Rows one after the other: ``lines`` (n,) where each stands, and n values of each column; None and "" are missing."""

    lines: Sequence[int]
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.lines)

    def text_of(self, row: int) -> str:
        """A row as one would write it down."""
        return ",".join("" if column[row] is None else str(column[row]) for column in self.columns.values())


class Table:
    """``columns``: names, in order. ``how``: what was found out about the file, field of the plan → (value, reason)."""

    name = ""
    columns: list[str]
    how: dict[str, tuple[Any, str]]

    def chunks(self, report: Report | None = None, watch: Watch | None = None) -> Iterator[Chunk]:
        """All rows. Those that do not fit the columns go into ``report``."""
        raise NotImplementedError

    def sample(self, count: int) -> Chunk:
        """The first rows, ``count`` at the most."""
        lines: list[int] = []
        columns: dict[str, list[Any]] = {name: [] for name in self.columns}
        for chunk in self.chunks():
            take = min(count - len(lines), len(chunk))
            lines += list(chunk.lines[:take])
            for name, values in chunk.columns.items():
                columns[name] += list(values[:take])
            if len(lines) >= count:
                break
        return Chunk(lines, dict(columns))


class TextTable(Table):
    """Rows of text. ``header``: whether the first row names the columns; None: look."""

    def __init__(self, piece: Piece, encoding: str | None, separator: str | None, header: bool | None) -> None:
        self.name, self.piece, self.how = piece.short, piece, {}
        found, why = encoding_of(piece) if encoding is None else (encoding, "as told")
        self.how["encoding"] = (found, why)
        self.encoding = found
        between, why = separator_of(piece, found) if separator is None else (separator, "as told")
        self.how["separator"] = (between, why)
        self.separator = between
        first = list(itertools.islice(Lines(piece, found, between).rows(), 200))
        require(bool(first), f"{piece.short} is empty; choose a file with ratings")
        widths = [len(cells) for _, cells in first[1:] or first]
        self.width = max(set(widths), key=widths.count)
        require(self.width <= MOST_COLUMNS, f"{piece.short} has {self.width:,} columns; that is no table of ratings")
        head = [cell.strip() for cell in first[0][1]]
        self.indexed = False
        told, why = header_of(head, [cells for _, cells in first[1:]]) if header is None else (header, "as told")
        self.how["header"] = (told, why)
        self.header = told
        if told and len(head) == self.width - 1:  # R writes the names of rows without a name for them
            head, self.indexed = ["row", *head], True
        self.width = max(self.width, len(head)) if told else self.width
        self.columns = unique_names(head, self.width) if told else [f"column {place}" for place in range(1, self.width + 1)]

    def sample(self, count: int) -> Chunk:
        """Without the rest of a chunk: splitting 100,000 lines takes longer than all the looking at them."""
        rows = Lines(self.piece, self.encoding, self.separator).rows()
        if self.header:
            next(rows, None)
        return self._chunk(list(itertools.islice(rows, count)), Report())

    def chunks(self, report: Report | None = None, watch: Watch | None = None) -> Iterator[Chunk]:
        source = Lines(self.piece, self.encoding, self.separator)
        rows = source.rows()
        if self.header:
            next(rows, None)
        size, report = max(1, self.piece.size), report or Report()
        while block := list(itertools.islice(rows, CHUNK)):
            if watch is not None:
                watch.tell(f"Reading {self.name}", min(0.99, source.read / size) if self.piece.path else None)
            yield self._chunk(block, report)

    def _chunk(self, block: list[tuple[int, list[str]]], report: Report) -> Chunk:
        good = []
        for line, cells in block:
            if len(cells) < self.width:
                cells = [*cells, *[""] * (self.width - len(cells))]
            elif len(cells) > self.width:
                if any(cell.strip() for cell in cells[self.width :]):
                    report.rows += 1
                    report.leave_out(line, f"it has more than {self.width} cells", self.separator[:1].join(cells))
                    continue
                cells = cells[: self.width]
            good.append((line, cells))
        columns = list(zip(*(cells for _, cells in good), strict=True)) or [()] * self.width
        return Chunk([line for line, _ in good], dict(zip(self.columns, columns, strict=True)))


class FrameTable(Table):
    """A table that is in memory already."""

    def __init__(self, frame: pd.DataFrame, name: str, why: str = "", first_line: int = 1) -> None:
        self.name, self.frame, self.first_line = name, frame, first_line
        self.columns = unique_names([str(column).strip() for column in frame.columns], frame.shape[1])
        self.how = {"header": (True, why or "the table names its columns")}

    def chunks(self, report: Report | None = None, watch: Watch | None = None) -> Iterator[Chunk]:
        for start in range(0, len(self.frame), CHUNK):
            if watch is not None:
                watch.tell(f"Reading {self.name}", start / len(self.frame))
            part = self.frame.iloc[start : start + CHUNK]
            lines = range(start + self.first_line, start + self.first_line + len(part))
            yield Chunk(lines, {name: _values(part.iloc[:, place]) for place, name in enumerate(self.columns)})


class ParquetTable(Table):
    """Read a batch of rows at a time."""

    def __init__(self, piece: Piece) -> None:
        import pyarrow.parquet

        self.name, self._path = piece.short, piece.on_disk()
        try:
            self._file = pyarrow.parquet.ParquetFile(self._path[0])
            self.columns = unique_names(list(self._file.schema_arrow.names), len(self._file.schema_arrow.names))
        except Exception as error:
            raise UnusableRequest(f"{piece.short} is a damaged Parquet file ({reason(error).splitlines()[0][:120]})") from error
        self.how = {"header": (True, "Parquet names its columns")}

    def chunks(self, report: Report | None = None, watch: Watch | None = None) -> Iterator[Chunk]:
        done, total = 0, max(1, self._file.metadata.num_rows)
        try:
            for batch in self._file.iter_batches(batch_size=CHUNK):
                if watch is not None:
                    watch.tell(f"Reading {self.name}", done / total)
                frame = batch.to_pandas(date_as_object=False)
                lines = range(done + 1, done + 1 + len(frame))
                yield Chunk(lines, {name: _values(frame.iloc[:, place]) for place, name in enumerate(self.columns)})
                done += len(frame)
        except (OSError, ValueError) as error:
            raise UnusableRequest(f"{self.name} is a damaged Parquet file ({reason(error).splitlines()[0][:120]})") from error


def _values(column: Any) -> Any:
    """A column as numbers, moments, or objects with None for what is missing."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iuf" and not hasattr(column.array, "_mask"):
        return column.to_numpy()
    if getattr(column.dtype, "tz", None) is not None:
        return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    if kind == "M":
        return column.to_numpy()
    if kind in "iu":  # of a kind that knows missing ones
        return column.astype(object).where(column.notna(), None).tolist()
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def table_of(
    piece: Piece, *, encoding: str | None = None, separator: str | None = None, header: bool | None = None, sheet: str = ""
) -> Table:
    """A file as a table, whatever it is.

    Raises:
        UnusableRequest: it holds none, or a damaged one.
    """
    kind = kind_of(piece)
    if kind == "parquet":
        return ParquetTable(piece)
    if kind == "text":
        if _NETFLIX.match(piece.head(2000).split(b"\n")[0]):
            return FrameTable(_netflix(piece), piece.short, "each block of lines begins with the item it is about", 2)
        return TextTable(piece, encoding, separator, header)
    frame = {"excel": _excel, "npz": _sparse, "json": _json, "json-lines": _json, "matrix-market": _matrix_market}[kind](
        piece, sheet
    )
    require(len(frame) > 0, f"{piece.short} has no rows")
    return FrameTable(frame, piece.short, f"{kind.replace('-', ' ')} names its columns", 2 if kind == "excel" else 1)


def sheets_of(piece: Piece) -> list[str]:
    """The sheets of a workbook that hold anything."""
    from python_calamine import CalamineWorkbook

    path, _ = piece.on_disk()
    try:
        book = CalamineWorkbook.from_path(str(path))
        return [name for name in book.sheet_names if book.get_sheet_by_name(name).height > 1]
    except Exception as error:
        raise UnusableRequest(f"{piece.short} is a damaged workbook ({reason(error)})") from error


def _excel(piece: Piece, sheet: str) -> pd.DataFrame:
    import pandas as pd
    from python_calamine import CalamineWorkbook

    names = sheets_of(piece)
    require(bool(names), f"{piece.short} has no sheet with rows")
    require(not sheet or sheet in names, f"{piece.short} has no sheet {sheet!r}; it has {', '.join(names)}")
    path, _ = piece.on_disk()
    try:
        found = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet or names[0]).to_python()
    except Exception as error:
        raise UnusableRequest(f"{piece.short} is a damaged workbook ({reason(error)})") from error
    rows: list[list[Any]] = [[None if cell == "" else cell for cell in row] for row in found]
    start = next((place for place, row in enumerate(rows) if sum(cell is not None for cell in row) >= 2), 0)
    head, body = [str(cell).strip() if cell is not None else "" for cell in rows[start]], rows[start + 1 :]
    told, _ = header_of(head, [["" if cell is None else str(cell) for cell in row] for row in body[:200]])
    if not told:
        head, body = [f"column {place}" for place in range(1, len(head) + 1)], rows[start:]
    body = [row for row in body if any(cell is not None for cell in row)]
    used = [place for place in range(len(head)) if head[place] or any(row[place] is not None for row in body)]
    columns = {
        unique: [row[place] for row in body]
        for place, unique in zip(used, unique_names([head[p] for p in used], len(used)), strict=True)
    }
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def _json(piece: Piece, sheet: str) -> pd.DataFrame:
    import pandas as pd

    content = piece.whole(_MOST_IN_MEMORY)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableRequest(f"{piece.short} is JSON, but not UTF-8 (byte {error.start})") from error
    try:
        whole = json.loads(text)
        records = whole if isinstance(whole, list) else _records_in(whole)
    except (ValueError, RecursionError):
        records = [
            record
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip()
            for record in [_record(line, number, piece)]
        ]
    flat = [_flat(record) for record in records if isinstance(record, dict)]
    require(bool(flat), f"{piece.short} holds no rows: a list of objects, or one object a line, is needed")
    names = list(dict.fromkeys(name for record in flat for name in record))
    return pd.DataFrame({name: pd.Series([record.get(name) for record in flat], dtype=object) for name in names})


def _record(line: str, number: int, piece: Piece) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        pass
    import ast  # what Python prints, as the first Amazon reviews and Steam files have it

    try:
        return ast.literal_eval(line)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise UnusableRequest(f"line {number} of {piece.short} is no JSON: {line[:60]!r}") from None


def _records_in(whole: Any) -> list[Any]:
    """The longest list of objects in an object; the object itself where there is none."""
    lists = [value for value in whole.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return max(lists, key=len) if lists else [whole]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """One level of nested objects becomes columns; lists and deeper ones are left out."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": one for inner, one in value.items() if not isinstance(one, dict | list)}
        elif not isinstance(value, list):
            flat[name] = value
    return flat


def _sparse(piece: Piece, sheet: str) -> pd.DataFrame:
    import scipy.sparse

    path, _ = piece.on_disk()
    try:
        matrix = scipy.sparse.load_npz(path)
    except (*DAMAGED_ZIP, OSError, KeyError, TypeError, AttributeError) as error:
        raise UnusableRequest(
            f"{piece.short} is no sparse matrix as scipy.sparse.save_npz writes it ({reason(error)})"
        ) from error
    return _of_matrix(matrix)


def _matrix_market(piece: Piece, sheet: str) -> pd.DataFrame:
    import scipy.io

    path, _ = piece.on_disk()
    try:
        matrix = scipy.io.mmread(str(path))
    except (ValueError, OSError, TypeError, OverflowError) as error:
        raise UnusableRequest(f"{piece.short} is a damaged Matrix Market file ({reason(error)})") from error
    require(scipy.sparse.issparse(matrix), f"{piece.short} is a dense matrix; save it in the coordinate format")
    return _of_matrix(matrix, first=1)


def _of_matrix(matrix: Any, first: int = 0) -> pd.DataFrame:
    """Rows are users, columns items. ``first``: the index of the first one, as the format counts."""
    import pandas as pd

    cells = matrix.tocoo()
    require(cells.data.dtype.kind in "iufb", f"its values are {cells.data.dtype}, not numbers")
    columns = {"user": cells.row.astype(np.int64) + first, "item": cells.col.astype(np.int64) + first}
    return pd.DataFrame({**columns, "value": cells.data.astype(np.float64)})


def _netflix(piece: Piece) -> pd.DataFrame:
    """``item:`` on a line of its own, then lines of user, rating, date about it."""
    import pandas as pd

    item, rows = "", []
    for number, line in enumerate(piece.whole(_MOST_IN_MEMORY).decode("utf-8", errors="replace").splitlines(), 1):
        if line.strip().endswith(":"):
            item = line.strip()[:-1]
        elif line.strip():
            cells = line.strip().split(",")
            require(len(cells) == 3, f"line {number} of {piece.short} must be user,rating,date; got {line[:60]!r}")
            rows.append((cells[0], item, cells[1], cells[2]))
    return pd.DataFrame(rows, columns=["user", "item", "rating", "date"], dtype=object)


def header_of(head: list[str], rest: list[list[str]]) -> tuple[bool, str]:
    """Whether the first row names columns, and why we think so."""
    from mfcore.data.importing.roles import known_name

    named = [name for name in head if known_name(name)]
    numbers = [name for name in head if _is_number(name)]
    if named and len(numbers) <= len(head) / 4:
        return True, f"the first row holds names such as {named[0]!r}"
    if not rest or len(set(head)) < len(head):
        return False, "there is no row of names"
    for place, name in enumerate(head):
        column = [row[place] for row in rest if place < len(row) and row[place].strip()]
        if column and not _is_number(name) and name and sum(map(_is_number, column)) > 0.95 * len(column):
            return True, f"{name!r} stands above numbers"
    return False, "the first row looks like all the others"


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return True


def unique_names(names: list[str], width: int) -> list[str]:
    """A name for each of ``width`` columns: what RecBole writes behind a colon goes, and none occurs twice."""
    found: list[str] = []
    for place in range(width):
        name = names[place] if place < len(names) else ""
        name = re.sub(r":(token|float|token_seq|float_seq)$", "", name).strip().strip('"') or f"column {place + 1}"
        while name in found:
            name = f"{name} ({place + 1})"
        found.append(name)
    return found
