"""What kinds of values settings have, and how each is read, whether it comes as text or as what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mfcore.errors import UnusableRequest
from mfcore.registry import Registry
from mfcore.validate import boolean, choice, integer, number, registered_name, require, text


class Kind(Protocol):
    """How a value is read, whether it comes as text or as what it is."""

    def read(self, name: str, value: Any) -> Any:
        """The value in its type.

        Raises:
            UnusableRequest: it is none of this kind, or out of range.
        """


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``."""

    low: int | None = None
    high: int | None = None

    def read(self, name: str, value: Any) -> int:
        return integer(name, value, self.low, self.high)


@dataclass(frozen=True)
class Real:
    """A finite number with low <= value <= high and above < value < below."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    def read(self, name: str, value: Any) -> float:
        return number(name, value, self.low, self.high, above=self.above, below=self.below)


@dataclass(frozen=True)
class RealOr:
    """A finite number, or ``word``, which stands for what ``meaning`` says."""

    word: str
    meaning: str

    def read(self, name: str, value: Any) -> float | str:
        if value is None or (isinstance(value, str) and value.strip().lower() in ("", self.word)):
            return self.word
        try:
            return number(name, value)
        except UnusableRequest:
            raise UnusableRequest(f"{name} must be a number, or {self.word} ({self.meaning}); got {value!r}") from None


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    def read(self, name: str, value: Any) -> bool:
        return boolean(name, value)


@dataclass(frozen=True)
class Text:
    """One line of text, at most ``most`` characters long."""

    most: int = 200

    def read(self, name: str, value: Any) -> str:
        return text(name, value, self.most)


@dataclass(frozen=True)
class Name:
    """What something can be registered as, whether it is or not."""

    def read(self, name: str, value: Any) -> str:
        return registered_name(name, value)


@dataclass(frozen=True)
class Choice:
    """One of a registry's names, or of a few fixed ones: name → words on screen. ``renamed``: earlier names of some."""

    options: Registry[Any] | Mapping[str, str]
    renamed: Mapping[str, str] = field(default_factory=dict)

    def read(self, name: str, value: Any) -> str:
        return choice(name, self.renamed.get(value, value) if isinstance(value, str) else value, self.options)

    def words(self) -> dict[str, str]:
        """Name → words on screen, in order."""
        return self.options.titles() if isinstance(self.options, Registry) else dict(self.options)


@dataclass(frozen=True)
class Widths:
    """Widths of layers, such as 32,16,8; the first is even: half of it is the user's, half the item's."""

    def read(self, name: str, value: Any) -> tuple[int, ...]:
        if isinstance(value, str):
            value = [part for part in value.replace("-", ",").split(",") if part.strip()]
        if not isinstance(value, (list, tuple)) or not value:
            raise UnusableRequest(f"{name} must be whole numbers such as 32,16,8; got {value!r}")
        widths = tuple(integer(name, width, low=1) for width in value)
        require(widths[0] % 2 == 0, f"{name} must begin with an even number (half user, half item), got {widths[0]}")
        return widths
