"""One try of a reader: whether what comes of it is what its documentation says, in time."""

from __future__ import annotations

import hashlib
import time
import traceback
import warnings
from dataclasses import dataclass

from tests.fuzzing.readers import Reader

SLOW = 5.0
"""Seconds of the processor that nothing may take to read some kilobytes; a machine may have other things to do."""


@dataclass(frozen=True)
class Foreign:
    """What no documentation speaks of. ``key``: the same for the same mistake of ours."""

    reader: str
    key: str
    told: str


def tried(reader: Reader, data: bytes) -> Foreign | None:
    """None where it gave a value, or raised what it says."""
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            reader.read(data)
    except reader.raises:
        pass
    except Exception as error:
        return Foreign(reader.name, _key(error), "".join(traceback.format_exception(error)))
    took = time.process_time() - began
    return Foreign(reader.name, "slow", f"it took {took:.1f} s") if took > SLOW else None


def _key(error: BaseException) -> str:
    """The kind of error and where in our code it came from."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "/mfcore/" in frame.filename or "/ui/" in frame.filename
    ]
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(error)[:80]
    return f"{type(error).__name__}-{hashlib.sha256(place.encode()).hexdigest()[:10]}"
