"""Files that two processes may look at while they change: whole-file replacement, strict JSON, and tailing."""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfcore.errors import UnusableRequest
from mfcore.paths import reason

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_JSON = 16 * 1024**2
"""Bytes of a file with one JSON object."""
DAMAGED_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error, struct.error, ValueError,
    OverflowError, MemoryError, LookupError,
)  # fmt: skip
"""What zipfile raises on bytes that lie about what follows, also where its documentation is silent."""
MOST_ARRAYS = 4 * 1024**3
"""Bytes that the arrays of one file may take in memory."""


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put ``content`` at ``path``: write beside it, fsync, rename. Readers see the old file or the new one, never a part.

    ``durable=False`` leaves the fsync out: quicker, and lost when the machine (not the process) goes down in the next seconds.

    Raises:
        OSError: the place cannot be written to, or the disk is full; the old file is untouched.
    """
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        # mkstemp makes files private; a stored file should be as readable as its directory lets it be.
        Path(beside).chmod(0o644)
        _rename(Path(beside), path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """As :func:`replace_file`, for what a person asked to have stored: makes the folder, and says what to do when it cannot.

    Raises:
        UnusableRequest: the place cannot be written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        raise UnusableRequest(
            f"cannot write {path} ({reason(error)}); free some space or choose another data directory"
        ) from error


def _rename(source: Path, target: Path) -> None:
    """Rename over ``target``. On Windows that is refused while somebody reads it, so it is tried for a second."""
    for attempt in range(50):
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == 49:
                raise
            time.sleep(0.02)


def clean(value: Any) -> Any:
    """``value`` as strict JSON data: numpy's scalars become Python's; None, NaN and ±inf are left out."""
    if isinstance(value, Mapping):
        cleaned = {str(key): clean(entry) for key, entry in value.items()}
        return {key: entry for key, entry in cleaned.items() if entry is not None}
    if isinstance(value, (list, tuple)):
        return [clean(entry) for entry in value]
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):
        return clean(value.item())
    raise TypeError(f"{type(value).__name__} has no place in a run's JSON")


def dumps(value: Any, *, indent: int | None = None, plain: bool = False) -> str:
    """Strict JSON text of ``value`` (see :func:`clean`); ``plain``: in ASCII alone."""
    return json.dumps(clean(value), ensure_ascii=plain, allow_nan=False, indent=indent)


def loads(text: str | bytes) -> Any:
    """Parse strict JSON, as :func:`dumps` writes it.

    Raises:
        ValueError: not JSON in UTF-8, nested too deep, or with a value that nothing of ours writes: NaN, Infinity, a number
            beyond every float, a whole number of more than 64 bits, half of a surrogate pair.
    """
    hooks: dict[str, Any] = {"parse_constant": _refuse_constant}
    if _LARGE.search(text if isinstance(text, bytes) else text.encode(errors="surrogatepass")):
        hooks |= {"parse_float": _finite, "parse_int": _not_too_long}  # these cost more than all the rest: only where needed
    try:
        value = json.loads(text, **hooks)
        if "parse_int" in hooks:
            json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError, a ValueError, where a text cannot be written
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return value


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` with ``value`` as readable strict JSON."""
    replace_file(path, (dumps(value, indent=2) + "\n").encode())


def read_json(path: Path, most: int = MOST_JSON) -> dict[str, Any] | None:
    """The JSON object in ``path``; None when the file is missing, damaged, or larger than ``most`` bytes."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:  # a pipe would be waited for
            return None
        value = loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_arrays(path: Path | io.BytesIO, most: int = MOST_ARRAYS) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an npz file, by name. Every byte of them has been held against the checksums that the file brings.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, holds what no array is, or would take more than ``most`` bytes.
    """
    # By way of memory, because np.load leaves a damaged file open.
    content = path if isinstance(path, io.BytesIO) else io.BytesIO(path.read_bytes())
    try:
        with zipfile.ZipFile(content) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > most:
                raise ValueError(f"it would take {size:,} bytes, and {most:,} are allowed")
            # Member by member and whole, for then zipfile looks at the checksum; numpy reads no further than it must.
            return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}
    except (OSError, ValueError):
        raise
    except Exception as error:  # a flipped bit may ask for a password, an unknown way of packing, any amount of memory
        raise ValueError(f"it is damaged ({reason(error)})") from error


def _array(content: bytes) -> npt.NDArray[Any]:
    """The array of an npy file.

    Raises:
        ValueError: it is none, or says that it has another size than it has: numpy would make room for that first.
    """
    import numpy as np
    from numpy.lib import format as npy

    file = io.BytesIO(content)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(npy.read_magic(file))
    if read is None:
        raise ValueError("it holds an array of a version that we do not write")
    shape, _, dtype = read(file)
    size = math.prod(shape)
    if dtype.hasobject or size > len(content) or size * dtype.itemsize != len(content) - file.tell():
        raise ValueError("it holds an array of another size than it says, or of no numbers")
    file.seek(0)
    array: npt.NDArray[Any] = npy.read_array(file, allow_pickle=False)
    if dtype.kind == "U" and array.nbytes:
        characters = np.frombuffer(
            content, np.dtype(np.uint32).newbyteorder(dtype.byteorder), offset=len(content) - array.nbytes
        )
        if int(characters.max()) > sys.maxunicode:  # Python would raise a SystemError when it is read
            raise ValueError("it holds text of what are no characters")
    return array


def tail_lines(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """JSON objects of the complete lines of ``path`` from byte ``offset``, and the offset to continue from.

    A torn last line (a writer is in the middle of it, or died there) is left for the next call; a damaged one is skipped.
    """
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # would be waited for
            return [], offset
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read()
    except FileNotFoundError:
        return [], offset
    end = block.rfind(b"\n") + 1
    entries = []
    for line in block[:end].splitlines():
        try:
            entry = loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries, offset + end


def cut_torn_line(path: Path) -> None:
    """Drop what follows the last line end of ``path``, so that appending starts on a line of its own."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def append_line(path: Path, line: bytes) -> None:
    """Add ``line``, with its end, to a file that this process alone appends to: whole or, on a full disk, not at all.

    Raises:
        OSError: it cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        before = os.fstat(handle).st_size
        try:
            write_whole(handle, line)
        except OSError:
            with suppress(OSError):  # half a line would swallow the next one
                os.truncate(path, before)
            raise
    finally:
        os.close(handle)


def write_whole(handle: int, content: bytes) -> None:
    """Write all of ``content``: a disk that is filling up takes a part of it and says so by its length alone.

    Raises:
        OSError: not all of it could be written.
    """
    while content:
        content = content[os.write(handle, content) :]


def remove_torn(folder: Path) -> None:
    """Drop files that a writer died in; for a folder to which nobody else writes now."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


_LARGE = re.compile(rb"\d{19}|[eE]\+?\d{3}|\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""What may be a number beyond all use, or half of a surrogate pair."""


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not strict JSON")


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"{word[:40]} is beyond every number")
    return value


def _not_too_long(word: str) -> int:
    if len(word) > 20 or not -(2**63) <= int(word) < 2**64:
        raise ValueError(f"{word[:40]} is beyond every number")
    return int(word)
