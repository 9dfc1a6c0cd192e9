"""One way to say no.

Every request a person can make (a flag, a form field, a keyword argument) is checked here, so that the page, the command
line and the library refuse the same things in the same words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

from mfcore.errors import UnusableRequest

T = TypeVar("T")

LARGEST_SEED = 2**53 - 1
"""What every generator takes, and every reader of JSON reads back unchanged."""


def require(condition: bool, message: str) -> None:
    """Raise :class:`UnusableRequest` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise UnusableRequest(message)


def present(value: T | None, message: str) -> T:
    """Return ``value``; raise :class:`UnusableRequest` with ``message`` where there is none."""
    if value is None:
        raise UnusableRequest(message)
    return value


def instance(name: str, value: object, kind: type, example: str) -> None:
    """Refuse a ``value`` that is no ``kind``; ``example`` shows how to get one."""
    require(isinstance(value, kind), f"{name} must be {kind.__name__}, such as {example}; got {type(value).__name__}")


def choice(name: str, value: object, accepted: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``accepted``; the error lists them all."""
    options = list(accepted)
    require(isinstance(value, str) and value in options, f"{name} must be one of {', '.join(options)}; got {value!r}")
    return str(value)


def integer(name: str, value: object, low: int | None = None, high: int | None = None) -> int:
    """Return ``value`` as an int within [low, high]; text such as "20" is read, 2.5 and "abc" are refused."""
    wanted = f"{name} must be a whole number"
    if isinstance(value, str):
        try:
            value = int(value.strip())
        except ValueError:
            raise UnusableRequest(f"{wanted}, got {value!r}") from None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    require(isinstance(value, int) and not isinstance(value, bool), f"{wanted}, got {value!r}")
    assert isinstance(value, int)
    require(low is None or value >= low, f"{name} must be >= {low}, got {value}")
    require(high is None or value <= high, f"{name} must be <= {high}, got {value}")
    return value


def number(
    name: str,
    value: object,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """Return ``value`` as a finite float with low <= value <= high and above < value < below."""
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            raise UnusableRequest(f"{name} must be a number, got {value!r}") from None
    require(
        isinstance(value, (int, float)) and not isinstance(value, bool) and _is_finite(value),
        f"{name} must be a finite number, got {_short(value)}",
    )
    assert isinstance(value, (int, float))
    require(low is None or value >= low, f"{name} must be >= {low:g}, got {value:g}" if low is not None else "")
    require(high is None or value <= high, f"{name} must be <= {high:g}, got {value:g}" if high is not None else "")
    require(above is None or value > above, f"{name} must be > {above:g}, got {value:g}" if above is not None else "")
    require(below is None or value < below, f"{name} must be < {below:g}, got {value:g}" if below is not None else "")
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def text(name: str, value: object) -> str:
    """Return ``value`` if it is text that a file can hold: no bytes that were no UTF-8, no half of a surrogate pair."""
    require(isinstance(value, str), f"{name} must be text, got {_short(value)}")
    whole = str(value).encode(errors="replace").decode()
    require(whole == value, f"{name} must be text that can be written down, got {_short(value)}")
    return whole


def boolean(name: str, value: object) -> bool:
    """Return ``value`` as a bool; the words true, false, yes, no, on, off, 1 and 0 are read."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "yes", "on", "1"):
            return True
        if word in ("false", "no", "off", "0"):
            return False
    require(isinstance(value, bool), f"{name} must be true or false, got {value!r}")
    return bool(value)
