"""The checksum that a checkpoint brings along, and what its header says; without torch.

The header holds the CRC-32 of the whole file, taken while eight zeros stand in its place: a disk that returns other bits than
it was given is found out.
"""

from __future__ import annotations

import json
import struct
import zlib

KEY = "crc32"
BLANK = "0" * 8
"""What stands there until :func:`sealed` has been asked."""
_MARK = f'"{KEY}":"'.encode()
_BEFORE = {"info", "state"}
"""What headers held before there was a checksum in them."""


def sealed(content: bytes) -> bytes:
    """The bytes of a safetensors file, with the checksum of all the rest in its place."""
    start = content.index(_MARK) + len(_MARK)
    crc = zlib.crc32(content[start + 8 :], zlib.crc32(BLANK.encode(), zlib.crc32(content[:start])))
    return b"%b%08x%b" % (content[:start], crc, content[start + 8 :])


def checked_header(content: bytes) -> dict[str, str]:
    """What the header says, of a file whose checksum is right. Those of earlier versions have none, and are believed.

    Raises:
        ValueError: it is damaged.
    """
    try:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])["__metadata__"]
        if set(header) != _BEFORE and content != sealed(content):
            raise ValueError("its checksum differs: the disk returned other bits than were written")
    except (KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise ValueError(f"its header is damaged ({type(error).__name__})") from error
    return dict(header)
