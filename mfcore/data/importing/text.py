"""Tables as text: how they are encoded, what lies between the cells, and one line after the other with its number."""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, TextIO

from mfcore.data.importing.opening import HEAD, Piece
from mfcore.errors import UnusableRequest
from mfcore.validate import require

SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar", "::": "two colons", "\x01": "control character 1"}
BLANKS = "blanks"
"""The separator of columns by one or more blanks or tabs."""
LONGEST_LINE = 1_000_000
_LOOKED_AT = 500
_JOINED = 20
"""Lines that one quoted cell may run over."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d*)?([eE][+-]?\d+)?")
_TOLD = re.compile(r"sep=(.)\s*")
_BLANK = re.compile(r"[ \t\u00a0]+")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(piece: Piece) -> tuple[str, str]:
    """How a text file is encoded, and why we think so."""
    head = piece.head(HEAD)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, "the file begins with the mark of this encoding"
    zeros = head[:4000].count(0)
    if zeros > len(head[:4000]) / 5:
        even = head[0:4000:2].count(0)
        return ("utf-16-be" if even > zeros / 2 else "utf-16-le"), "every other byte is zero"
    bad = _first_bad(piece)
    if bad is None:
        return "utf-8", "all of it reads as UTF-8"
    return _by_its_letters(bad)


def _first_bad(piece: Piece) -> bytes | None:
    """The part of a file around the first byte that is not UTF-8; None where all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before = b""
    with piece.open() as file:
        while block := file.read(1 << 20):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return before[-(1 << 16) :] + block + file.read(1 << 20)
            before = block
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return before
    return None


_LIKELY = [
    "cp1252",
    "cp1251",
    "cp1250",
    "shift_jis",
    "gb18030",
    "big5",
    "euc_kr",
    "euc_jp",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
]


def _by_its_letters(sample: bytes) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    lines = [line for line in sample.split(b"\n") if any(byte > 127 for byte in line)]
    letters = b"\n".join(lines[:2000]) or sample
    found = from_bytes(letters, cp_isolation=_LIKELY).best()
    # Few letters beyond ASCII say little; then it is Western European, as most such files are.
    few = sum(byte > 127 for byte in letters) < 12
    name = "cp1252" if found is None or few else found.encoding
    for candidate in (name, "cp1252", "latin-1"):
        try:
            sample.decode(candidate)
        except UnicodeDecodeError:
            continue
        if letters.decode("cp1252", errors="replace") == letters.decode(candidate, errors="replace"):
            candidate = "cp1252"  # several read it alike, and this is by far the most common of them
        return candidate.replace("_", "-"), f"not UTF-8; its letters read as {candidate}"
    return "latin-1", "not UTF-8"


class Lines:
    """The rows of a text file. ``separator``: one of ``SEPARATORS``, any other text, or ``BLANKS``."""

    def __init__(self, piece: Piece, encoding: str, separator: str) -> None:
        self.piece, self.encoding, self.separator = piece, encoding, separator
        self.read = 0
        """Bytes read so far, about."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(number of its line, cells) of each row that is not empty; above the first one stand remarks, if any."""
        lines, waiting = self._numbered(), deque[tuple[int, str]]()
        first = next(((number, line) for number, line in lines if line.strip() and not self._is_remark(line)), None)
        waiting.extend([first] if first is not None else [])
        while (following := waiting.popleft() if waiting else next(lines, None)) is not None:
            number, line = following
            if not line.strip():
                continue
            yield number, self._split(line) if '"' not in line else self._quoted(line, lines, waiting)

    @property
    def told_separator(self) -> str:
        """What the first line says lies between the cells, as spreadsheets write it: "sep=;"."""
        found = _TOLD.fullmatch(next((line for _, line in self._numbered()), ""))
        return found[1] if found else ""

    def _is_remark(self, line: str) -> bool:
        return line.startswith(("# ", "#!", "%%", "## ", "// ")) or bool(_TOLD.fullmatch(line))

    def _numbered(self) -> Iterator[tuple[int, str]]:
        with self._open() as file:
            for number, line in enumerate(file, start=1):
                self.read += len(line)
                if len(line) > LONGEST_LINE:
                    raise UnusableRequest(f"line {number} of {self.piece.short} has over {LONGEST_LINE:,} characters")
                yield number, line.rstrip("\n")

    def _open(self) -> TextIO:
        raw: Any = self.piece.open()
        binary = io.BufferedReader(raw, 1 << 20)
        try:
            return io.TextIOWrapper(binary, encoding=self.encoding, errors="replace", newline=None)
        except LookupError:
            raise UnusableRequest(f"there is no encoding {self.encoding!r}; try utf-8 or cp1252") from None

    def _split(self, line: str) -> list[str]:
        if self.separator == BLANKS:
            return _BLANK.split(line.strip())
        return line.split(self.separator)

    def _quoted(self, line: str, lines: Iterator[tuple[int, str]], waiting: deque[tuple[int, str]]) -> list[str]:
        """Cells in quotes may hold separators and line breaks; a quote that nobody closes is a letter like any other."""
        blanks = _BLANK if self.separator == BLANKS else None
        whole, taken = line, list[tuple[int, str]]()
        for _ in range(_JOINED):
            cells = _cells(whole, self.separator, blanks)
            if cells is not None and (not taken or whole.count('"') % 2 == 0):
                return cells
            following = waiting.popleft() if waiting else next(lines, None)
            if following is None:
                break
            taken.append(following)
            whole = f"{whole}\n{following[1]}"
        waiting.extendleft(reversed(taken))
        return self._split(line)


def _cells(line: str, separator: str, blanks: re.Pattern[str] | None) -> list[str] | None:
    """The cells of a row with quotes; None where a quote is still open at its end."""
    cells: list[str] = []
    place, end = 0, len(line)
    while True:
        if place < end and line[place] == '"':
            text, after = _quoted_cell(line, place + 1, separator, blanks)
            if after < 0:
                return None
            place = after
        else:
            stop, width = _next(line, place, separator, blanks)
            text, place = line[place:stop], stop
        cells.append(text)
        stop, width = _next(line, place, separator, blanks)
        if stop >= end or width == 0:
            return cells
        place = stop + width


def _next(line: str, place: int, separator: str, blanks: re.Pattern[str] | None) -> tuple[int, int]:
    """Where the next separator begins, and how long it is; the end and 0 where there is none."""
    if blanks is not None:
        found = blanks.search(line, place)
        return (found.start(), found.end() - found.start()) if found else (len(line), 0)
    stop = line.find(separator, place)
    return (stop, len(separator)) if stop >= 0 else (len(line), 0)


def _quoted_cell(line: str, place: int, separator: str, blanks: re.Pattern[str] | None) -> tuple[str, int]:
    """The text of a cell whose quote was opened before ``place``, and where it ends; -1 where it does not."""
    text = []
    while True:
        stop = line.find('"', place)
        if stop < 0:
            return "", -1
        if stop > 0 and line[stop - 1] == "\\" and stop > place:
            text.append(line[place : stop - 1] + '"')
            place = stop + 1
            continue
        text.append(line[place:stop])
        following = line[stop + 1 : stop + 2]
        if following == '"':
            text.append('"')
            place = stop + 2
            continue
        at_end = stop + 1 >= len(line) or line.startswith(separator, stop + 1) or (blanks is not None and following in " \t")
        if at_end or not line[stop + 1 :].strip():
            return "".join(text), stop + 1
        text.append('"')  # a stray one inside
        place = stop + 1


def separator_of(piece: Piece, encoding: str) -> tuple[str, str]:
    """What lies between the cells, and why we think so: most rows then have the same number of cells, and the most.

    Blanks occur in titles too. They count where nothing else lies between the cells, or where all they part are numbers.
    """
    told = Lines(piece, encoding, ",").told_separator
    if told:
        return told, "the first line says so"
    found = {separator: _widths(Lines(piece, encoding, separator)) for separator in [*SEPARATORS, BLANKS]}
    best = ""
    for separator, (share, width, _) in found.items():
        if width < 2 or (separator == BLANKS and best and found[best][0] >= _TIDY and not found[BLANKS][2]):
            continue
        tidy, before = min(share, _TIDY), (min(found[best][0], _TIDY), found[best][1]) if best else (0.0, 1)
        if (tidy, width) > before:
            best = separator
    require(bool(best), f"{piece.short} has only one column; a table of ratings has a user and an item in each row")
    return best, f"{SEPARATORS.get(best, 'blanks')} between the cells gives {found[best][1]} columns in nearly every row"


_TIDY = 0.8
"""Share of rows alike from which the rest is ragged, row by row."""


def _widths(lines: Lines) -> tuple[float, int, bool]:
    """Share of the first rows that have the usual number of cells, that number, and whether all cells are numbers."""
    rows = [cells for _, cells in _first(lines, _LOOKED_AT)]
    widths = Counter(map(len, rows))
    if not widths:
        return 0.0, 0, False
    width, times = widths.most_common(1)[0]
    return times / len(rows), width, all(_NUMBER.fullmatch(cell) for cells in rows[1:] or rows for cell in cells if cell)


def _first(lines: Lines, count: int) -> Iterator[tuple[int, list[str]]]:
    for place, row in enumerate(lines.rows()):
        if place >= count:
            return
        yield row
