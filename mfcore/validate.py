"""One way to say no.

Every request a person can make (a flag, a form field, a keyword argument) is checked here, so that the page, the command
line and the library refuse the same things in the same words.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Iterable
from typing import TypeVar

from mfcore.errors import UnusableRequest

T = TypeVar("T")

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_REGISTERED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")

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
            value = int(value.strip().replace(",", "") if _THOUSANDS.fullmatch(value.strip()) else value.strip())
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
            value = typed_number(value)
        except ValueError as error:
            raise UnusableRequest(f"{name} must be a number, got {value!r}{error}") from None
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


def typed_number(typed: str) -> float:
    """A number as people type it, with a decimal point or a decimal comma: ``0.001`` and ``0,001``.

    Raises:
        ValueError: it is none, or one of two (``1,000``): its message ends a sentence on that, and is empty in the first case.
    """
    plain = typed.strip()
    if _THOUSANDS.fullmatch(plain):
        raise ValueError(f": write {plain.replace(',', '')} or {plain.replace(',', '.')}")
    if _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        raise ValueError("") from None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def text(name: str, value: object, most: int = 200) -> str:
    """Return ``value`` if it is one line of at most ``most`` characters that a file can hold: no bytes that were no UTF-8, no
    half of a surrogate pair, no line end or other control character."""
    require(isinstance(value, str), f"{name} must be text, got {_short(value)}")
    line = str(value)
    require(len(line) <= most, f"{name} must be at most {most} characters long, got {len(line)}")
    whole = line.encode(errors="replace").decode() == line and _CONTROL.search(line) is None
    require(whole, f"{name} must be text that can be written down on a line, got {_short(value)}")
    return line


def registered_name(name: str, value: object) -> str:
    """Return ``value`` if something could be registered under it, whether it is or not: such as ml-100k or svd++."""
    wanted = f"{name} must be a name of letters, digits and . _ + -, got {_short(value)}"
    require(isinstance(value, str) and _REGISTERED.fullmatch(value) is not None, wanted)
    return str(value)


def identifier(name: str, value: object) -> str:
    """Return ``value`` if it can be the name of an option: letters, digits and _, and no word of Python's own."""
    plain = isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None and not keyword.iskeyword(value)
    require(plain, f"{name} must be a name of letters, digits and _, got {_short(value)}")
    return str(value)


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
