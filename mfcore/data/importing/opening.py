"""From whatever was given (a file, compressed or not, an archive, a folder) to the files in it, and what each of them is."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

from mfcore.errors import UnusableRequest
from mfcore.files import DAMAGED_ZIP
from mfcore.paths import reason
from mfcore.validate import require

HEAD = 1 << 18
"""Bytes that tell what a file is."""
MOST_FILES = 10_000
"""In an archive or folder; ratings come in a handful."""
LARGEST = 64 * 1024**3
"""Bytes of one unpacked file."""
_BOMB_RATIO, _BOMB_FROM = 400, 256 * 1024**2
_BLOCK = 1 << 20

_NOT_DATA = {
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database; export the table of ratings as CSV",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"RIFF": "a sound or film",
    b"\x00\x00\x00\x18ftyp": "a film",
    b"\x00\x00\x00\x20ftyp": "a film",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"\x80\x04\x95": "a pickle, which may hold programs; save the table as CSV or Parquet",
    b"\x80\x05\x95": "a pickle, which may hold programs; save the table as CSV or Parquet",
    b"\x89HDF": "an HDF5 file; save the table as CSV or Parquet",
    b"ARROW1": "an Arrow file; save the table as Parquet",
}
_COMPRESSED = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zst"}


@dataclass(frozen=True)
class Piece:
    """One file: its name, how it is opened (binary, to be read from its beginning), its size on disk, and the file it lies in
    where it is not packed."""

    name: str
    open: Callable[[], BinaryIO]
    size: int
    path: Path | None = None

    @property
    def short(self) -> str:
        """The name without folders."""
        return PurePosixPath(self.name).name

    def head(self, count: int = HEAD) -> bytes:
        """The first bytes, unpacked."""
        with self.open() as file:
            return _read(file, count, self.name)

    def whole(self, most: int = LARGEST) -> bytes:
        """All bytes, unpacked; for small files."""
        with self.open() as file:
            content = _read(file, most + 1, self.name)
        require(len(content) <= most, f"{self.short} is larger than {most / 1e6:,.0f} MB; import it as CSV")
        return content

    def on_disk(self) -> tuple[Path, IO[bytes] | None]:
        """A file on disk with the content, and what keeps it there until it is closed (None where it lies there anyway)."""
        if self.path is not None:
            return self.path, None
        kept = tempfile.NamedTemporaryFile(prefix="mf-explorer-", suffix=self.short[-20:])  # noqa: SIM115 - the caller closes it
        with self.open() as file:
            while block := _read(file, _BLOCK, self.name):
                kept.write(block)
        kept.flush()
        return Path(kept.name), kept


def pieces_of(source: Path) -> list[Piece]:
    """The files of ``source``, in the order of their names; packed ones are unpacked as they are read.

    Raises:
        UnusableRequest: there is no such file, it is empty, damaged, or holds too much.
    """
    require(source.exists(), f"there is no file {source}")
    if source.is_dir():
        found = [path for path in sorted(source.rglob("*")) if path.is_file() and not path.name.startswith(".")][:MOST_FILES]
        require(bool(found), f"the folder {source} holds no files")
        return [unpacked for path in found for unpacked in _unpacked(_plain(path, str(path.relative_to(source))))]
    require(source.is_file(), f"{source} is not a file")
    require(source.stat().st_size > 0, f"{source.name} is empty; choose a file with ratings")
    return _unpacked(_plain(source, source.name))


def _plain(path: Path, name: str) -> Piece:
    def opened() -> BinaryIO:
        try:
            return path.open("rb")
        except OSError as error:
            raise UnusableRequest(f"{name} cannot be read ({reason(error)})") from error

    return Piece(name, opened, path.stat().st_size, path)


def _unpacked(piece: Piece, depth: int = 0) -> list[Piece]:
    head = piece.head(64)
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return _zip_members(piece, depth)
    for magic, kind in _COMPRESSED.items():
        if head.startswith(magic):
            name = piece.name
            for suffix in (".gz", ".bz2", ".xz", ".zst", ".zstd"):
                name = name[: -len(suffix)] if name.lower().endswith(suffix) else name
            inside = Piece(name, functools.partial(_decompressed, piece, kind), piece.size)
            return [inside] if depth else _unpacked(inside, depth + 1)
    return [piece]


def _decompressed(piece: Piece, kind: str) -> BinaryIO:
    packed = piece.open()
    if kind == "zst":
        import pyarrow

        return cast(BinaryIO, _Guarded(pyarrow.CompressedInputStream(packed, "zstd"), piece, packed))
    openers: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    opened = openers[kind](packed, "rb")
    return cast(BinaryIO, _Guarded(opened, piece, packed))


class _Guarded(io.RawIOBase):
    """Reads what is packed, and stops where it grows beyond any table of ratings."""

    def __init__(self, inner: Any, piece: Piece, *below: BinaryIO) -> None:
        self._inner, self._piece, self._below, self._got = inner, piece, below, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            block = self._inner.read(len(buffer))
        except (*DAMAGED_ZIP, OSError) as error:
            raise UnusableRequest(f"{self._piece.name} is damaged and cannot be unpacked ({reason(error)})") from error
        self._got += len(block)
        too_much = self._got > LARGEST or (self._got > _BOMB_FROM and self._got > _BOMB_RATIO * max(1, self._piece.size))
        require(
            not too_much,
            f"{self._piece.name} unpacks to more than {self._got / 1e6:,.0f} MB; such a file is no table of ratings",
        )
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        for file in (self._inner, *self._below):
            with suppress(Exception):
                file.close()
        super().close()


def _zip_members(piece: Piece, depth: int) -> list[Piece]:
    require(depth == 0, f"{piece.name} is an archive inside an archive; unpack the outer one first")
    path, kept = piece.on_disk()
    try:
        archive = zipfile.ZipFile(path)
    except (*DAMAGED_ZIP, OSError) as error:
        raise UnusableRequest(f"{piece.name} is a damaged zip file ({reason(error)}); fetch it again") from error
    names = [entry.filename for entry in archive.infolist()]
    if "[Content_Types].xml" in names or (names and all(name.endswith(".npy") for name in names)):
        return [piece]  # a workbook, or arrays
    require(len(names) <= MOST_FILES, f"{piece.name} holds {len(names):,} files; a dataset has a handful")
    members = [entry for entry in archive.infolist() if not entry.is_dir() and _is_wanted(entry.filename)]
    require(bool(members), f"{piece.name} holds no files" if not names else f"{piece.name} holds no file that can be taken")
    require(not any(entry.flag_bits & 1 for entry in members), f"{piece.name} is locked with a password; unpack it first")

    def opener(entry: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
        def opened() -> BinaryIO:
            try:
                inner: Any = archive.open(entry)
            except (*DAMAGED_ZIP, OSError) as error:
                raise UnusableRequest(f"{entry.filename} in {piece.name} is damaged ({reason(error)})") from error
            return cast(BinaryIO, _Guarded(inner, Piece(entry.filename, opened, max(1, entry.compress_size))))

        _ = kept  # lies there as long as somebody may open a member
        return opened

    found = [Piece(entry.filename, opener(entry), entry.compress_size) for entry in sorted(members, key=lambda e: e.filename)]
    return [unpacked for member in found for unpacked in _unpacked(member, 1)]


def _is_wanted(name: str) -> bool:
    """Not what systems add, and nothing that points out of the archive; nothing is ever written under such a name anyway."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not (".." in parts or name.startswith(("/", "\\")) or "__MACOSX" in parts or parts[-1].startswith("."))


def _read(file: BinaryIO, count: int, name: str) -> bytes:
    try:
        parts, left = [], count
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            parts.append(block)
            left -= len(block)
        return b"".join(parts)
    except (OSError, *DAMAGED_ZIP) as error:
        if isinstance(error, UnusableRequest):
            raise
        raise UnusableRequest(f"{name} cannot be read ({reason(error)})") from error


def kind_of(piece: Piece) -> str:
    """What a file is, by its content: "parquet", "excel", "npz", "json", "json-lines", "matrix-market", "netflix" or "text".

    Raises:
        UnusableRequest: it is something that holds no table, or nothing at all.
    """
    head = piece.head(8192)
    require(bool(head.strip()), f"{piece.short} is empty; choose a file with ratings")
    for magic, what in _NOT_DATA.items():
        require(not head.startswith(magic), f"{piece.short} is {what.partition(';')[0]}, not a table of ratings{_cure(what)}")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        with suppress(*DAMAGED_ZIP, OSError):
            path, kept = piece.on_disk()
            with zipfile.ZipFile(path) as archive:
                kind = "npz" if all(name.endswith(".npy") for name in archive.namelist()) else "excel"
            if kept is not None:
                kept.close()
            return kind
        return "excel"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:14].lower() == b"%%matrixmarket":
        return "matrix-market"
    lowered = start[:200].lower()
    page = lowered.startswith((b"<!doctype html", b"<html", b"<head")) or b"<html" in lowered
    require(not page, f"{piece.short} is a web page, not a table of ratings; download the file itself")
    require(not lowered.startswith(b"<?xml"), f"{piece.short} is XML; save the table as CSV")
    if start.startswith(b"{") and b":" in head:
        return "json-lines"
    if start.startswith(b"[") and (b"{" in start[:50]):
        return "json"
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or head.count(b"\0") > 0.2 * len(head)
    odd = sum(byte < 32 and byte not in b"\t\n\r\x01\x0b\x0c\x1a" for byte in head)
    require(wide or odd <= 0.01 * len(head), f"{piece.short} is not text: it holds bytes that no table has")
    return "text"


def _cure(what: str) -> str:
    return f";{what.partition(';')[2]}" if ";" in what else "; choose a CSV, Excel, JSON or Parquet file"
