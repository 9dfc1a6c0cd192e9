"""Other bytes than we write: blindly, and by the shape of what is written, so that checksums and quotes are no wall."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from mfcore.runs.checkpoints import checksum

TOKENS = (
    b"0", b"-1", b"1e999", b"NaN", b"null", b"[]", b"{}", b'""', b"true", b"\x00", b"\xff", b"\n", b"\r\n", b"\t", b"|", b"%",
    b"..", b"../x", b"9" * 25, b"1" + b"0" * 400, b"\\ud800", "é\u2028😀".encode(), b"=", b";", b":", b",", b"~", b"&",
    b"\xef\xbb\xbf", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY", b"<i8", b"|O", b"[" * 3000,
)  # fmt: skip
LEAVES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53, 2**63, 10**30, 1e308, -1e-308, 0.5, "", "x", "0", "nan", "é\u2028", "\ud800",
    "x" * 5000, "../..", [], {}, [[]], [1], {"a": 1}, [None], {"": None}, "[a](http://x)", "a\nb", "1,5", "1e5", "٣",
)  # fmt: skip
Mutate = Callable[[bytes, random.Random], bytes]


def bytes_of(data: bytes, chance: random.Random) -> bytes:
    """One change, or a few, anywhere."""
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at, length = chance.randrange(len(content) + 1), chance.choice((1, 1, 2, 4, 16, 200))
        do = chance.randrange(7)
        if do == 0 and content:
            content[at % len(content)] ^= 1 << chance.randrange(8)
        elif do == 1:
            del content[at : at + length]
        elif do == 2:
            content[at:at] = chance.choice(TOKENS)
        elif do == 3:
            content[at : at + length] = chance.choice(TOKENS)
        elif do == 4:
            content[at:at] = content[at : at + length] * chance.choice((1, 2, 50))
        elif do == 5:
            content = content[:at] if chance.random() < 0.3 else content
        else:
            content = bytearray(_digits(bytes(content), chance))
    return bytes(content)


def _digits(data: bytes, chance: random.Random) -> bytes:
    """Another number in the place of one."""
    places = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    if not places:
        return data
    place = chance.choice(places)
    number = chance.choice((b"0", b"-1", b"1e9", b"4294967296", b"9" * 19, b"9" * 25, b"0.5", b"7", b"1e-300", b"nan"))
    return data[: place.start()] + number + data[place.end() :]


def json_of(data: bytes, chance: random.Random) -> bytes:
    """Another value, key or depth somewhere in it."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return bytes_of(data, chance)
    for _ in range(chance.choice((1, 1, 2))):
        whole = _changed(whole, chance)
    text = json.dumps(whole)
    return (text.replace("1e+308", "1e999") if chance.random() < 0.2 else text).encode()


def _changed(value: Any, chance: random.Random) -> Any:
    inside = isinstance(value, (dict, list)) and bool(value) and chance.random() < 0.85
    if not inside:
        return chance.choice(LEAVES)
    if isinstance(value, list):
        at, do = chance.randrange(len(value)), chance.random()
        if do < 0.15:
            return value[:at] + value[at + 1 :]
        if do < 0.25:
            return value[:at] + value[at:] * 2
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    name, do = chance.choice(list(value)), chance.random()
    if do < 0.1:
        return {key: entry for key, entry in value.items() if key != name}
    if do < 0.2:
        return {**value, chance.choice(("x", "", "a.b", "é", name * 2)): chance.choice(LEAVES)}
    return {**value, name: _changed(value[name], chance)}


def lines_of(data: bytes, chance: random.Random) -> bytes:
    """One line of JSON changed, left out, put elsewhere or said twice."""
    lines = data.split(b"\n")
    at, do = chance.randrange(len(lines)), chance.random()
    if do < 0.6:
        lines[at] = json_of(lines[at], chance)
    elif do < 0.75:
        lines.insert(chance.randrange(len(lines) + 1), lines[at])
    elif do < 0.9:
        chance.shuffle(lines)
    else:
        del lines[at]
    return b"\n".join(lines)


def query_of(data: bytes, chance: random.Random) -> bytes:
    """Another value, or parameter, in an address; or another path."""
    pairs = data.split(b"&")
    at = chance.randrange(len(pairs))
    name, equals, _ = pairs[at].partition(b"=")
    value = chance.choice(
        (*TOKENS[:-1], *(str(leaf).encode(errors="surrogatepass") for leaf in LEAVES if not isinstance(leaf, str)))
    )
    if chance.random() < 0.7 and equals:
        pairs[at] = name + b"=" + value.replace(b"&", b"")
    elif chance.random() < 0.5:
        pairs.append(pairs[at])
    else:
        del pairs[at]
    return b"&".join(pairs)


def zip_of(data: bytes, chance: random.Random) -> bytes:
    """A member changed by its own shape, and packed again with the right checksum; or its name, or its place."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return bytes_of(data, chance)
    if not members:
        return bytes_of(data, chance)
    at = chance.randrange(len(members))
    name, content = members[at]
    do = chance.random()
    if do < 0.75:
        members[at] = name, by_name(name)(content, chance)
    elif do < 0.85:
        members[at] = bytes_of(name.encode(), chance).decode(errors="replace").replace("\0", "") or "x", content
    elif do < 0.95:
        del members[at]
    else:
        members.append((chance.choice(("x", "r/../x", "a/config.json", "x.npy", "about.npy")), content))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as packed:
        for name, content in dict(members).items():
            packed.writestr(name[:1000], content)
    return buffer.getvalue()


def npy_of(data: bytes, chance: random.Random) -> bytes:
    """Another shape, type or order in the header of an array, at the same length; or other numbers."""
    try:
        start = 10
        (length,) = struct.unpack("<H", data[8:10])
        header = data[start : start + length]
    except struct.error:
        return bytes_of(data, chance)
    if chance.random() < 0.4:
        return data[: start + length] + bytes_of(data[start + length :], chance)
    new = header.rstrip(b" \n")
    if chance.random() < 0.5:
        new = _digits(new, chance)
    else:
        types = (b"<i8", b"<f8", b"<f4", b"|b1", b"<U5", b"|S3", b"|O", b"<c16", b"<M8[s]", b"<i4", b">i8")
        new = re.sub(rb"'descr': '[^']*'", b"'descr': '" + chance.choice(types) + b"'", new)
        new = new.replace(b"'shape': (", b"'shape': (" + chance.choice((b"", b"1, ", b"0, ", b"2, ")))
    return data[:8] + struct.pack("<H", len(new) + 1) + new + b"\n" + data[start + length :]


def safetensors_of(data: bytes, chance: random.Random) -> bytes:
    """Another header, often with the right checksum; or other numbers."""
    try:
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
    except (struct.error, ValueError):
        return bytes_of(data, chance)
    body = data[8 + length :]
    about = header.get("__metadata__", {})
    do = chance.random()
    if do < 0.6 and about:
        name = chance.choice(list(about))
        about[name] = json_of(about[name].encode(), chance).decode(errors="replace")
    elif do < 0.8:
        header = {**_dict(_changed(header, chance)), "__metadata__": about}
    else:
        body = bytes_of(body, chance)
    if checksum.KEY in about:
        about[checksum.KEY] = checksum.BLANK
    text = json.dumps(header, separators=(",", ":")).encode()
    made = struct.pack("<Q", len(text)) + text + body
    try:
        return checksum.sealed(made) if checksum.KEY in about else made
    except ValueError:
        return made


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def by_name(name: str) -> Mutate:
    """What suits a file of this name."""
    shapes = {
        ".json": json_of,
        ".jsonl": lines_of,
        ".npy": npy_of,
        ".npz": zip_of,
        ".zip": zip_of,
        ".safetensors": safetensors_of,
    }
    return next((mutate for ending, mutate in shapes.items() if name.endswith(ending)), bytes_of)


def parts_of(names: Sequence[str]) -> Mutate:
    """For several files in one, ``joined``: one of them is changed by its shape."""

    def mutate(data: bytes, chance: random.Random) -> bytes:
        parts = split(data, len(names))
        at = chance.randrange(len(names))
        parts[at] = by_name(names[at])(parts[at], chance)
        return joined(*parts)

    return mutate


def joined(*parts: bytes) -> bytes:
    """Several files in one: the length of each, then all of them."""
    return struct.pack(f"<{len(parts)}I", *map(len, parts)) + b"".join(parts)


def split(data: bytes, count: int) -> list[bytes]:
    """The inverse of :func:`joined`, for whatever bytes there are."""
    head, rest = data[: 4 * count].ljust(4 * count, b"\0"), data[4 * count :]
    found = []
    for length in struct.unpack(f"<{count}I", head):
        found.append(rest[:length])
        rest = rest[length:]
    return found


def with_blind(shape: Mutate) -> Mutate:
    """Mostly by shape, and now and then blindly, or both."""

    def mutate(data: bytes, chance: random.Random) -> bytes:
        kind = chance.random()
        if kind < 0.8:
            try:
                data = shape(data, chance)
            except Exception:  # of no shape any more
                data = bytes_of(data, chance)
        return bytes_of(data, chance) if kind > 0.7 else data

    return mutate
