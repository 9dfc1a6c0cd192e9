"""What an import takes from a file, and as what."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mfcore.data.interactions import FEEDBACK
from mfcore.data.times import UNITS
from mfcore.validate import choice, integer, number, require, text

REPEATS = {
    "last": "The latest of them (in the order of time, else of the file)",
    "first": "The first of them",
    "mean": "Their mean",
    "sum": "Their sum",
    "count": "How many they are",
}
"""What becomes of several rows of one user with one item."""
UNRATED = {
    "rating": "A rating like any other",
    "chosen": "Chosen, but not rated: all rows count as chosen, and no rating is kept",
    "missing": "Not rated: such rows are left out",
}
"""What a value that may mean "not rated", such as 0 or -1, is taken for."""
NONE = ""
"""A role that no column has."""


@dataclass(frozen=True)
class ImportPlan:
    """Which column is what, and what is done with it. None leaves it to :func:`mfcore.data.importing.look`; "" is "no column".

    Attributes:
        user, item, rating, time, part, title: names of columns; without a header they are "column 1", "column 2" and so on.
        header: whether the first row names the columns. separator: between cells; "blanks" is one or more blanks or tabs.
        encoding: of text. table: which sheet of a workbook, or file of an archive or folder.
        time_unit: one of ``mfcore.data.times.UNITS``. feedback: what the numbers are, one of ``FEEDBACK``.
        scale: lowest and highest rating. repeats: see ``REPEATS``. unrated: a value that may mean "not rated", and unrated_as
        what it is taken for, see ``UNRATED``. user_core, item_core: users and items with fewer interactions are left out, again
        and again until none has fewer. words: what an item, a user and the unit of ratings are called, one and many.

    Raises:
        UnusableRequest: a field is none of what is accepted.
    """

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    time: str | None = None
    part: str | None = None
    title: str | None = None
    header: bool | None = None
    separator: str | None = None
    encoding: str | None = None
    table: str | None = None
    time_unit: str | None = None
    feedback: str | None = None
    scale: tuple[float, float] | None = None
    repeats: str | None = None
    unrated: float | None = None
    unrated_as: str | None = None
    user_core: int = 0
    item_core: int = 0
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.time_unit is not None:
            choice("unit of time", self.time_unit, UNITS)
        if self.feedback is not None:
            choice("feedback", self.feedback, FEEDBACK)
        if self.repeats is not None:
            choice("repeats", self.repeats, REPEATS)
        if self.unrated_as is not None:
            choice("what is unrated", self.unrated_as, UNRATED)
        for name in ("user_core", "item_core"):
            object.__setattr__(self, name, integer(name, getattr(self, name), low=0))
        if self.scale is not None:
            require(len(self.scale) == 2, f"scale must be its lowest and highest rating, such as 1,5; got {self.scale!r}")
            low, high = (number("scale", end) for end in self.scale)
            require(low < high, f"scale must go from low to high, got {low:g} to {high:g}")
            object.__setattr__(self, "scale", (low, high))
        words = {kind: tuple(text(kind, one, 40) for one in said) for kind, said in self.words.items()}
        for kind in words:
            choice("words", kind, ("item", "user", "rating", "symbol"))
        object.__setattr__(self, "words", words)

    def to_dict(self) -> dict[str, Any]:
        """What was said or guessed, JSON-ready, without what is still open."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value not in (None, {})}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImportPlan:
        """The inverse of :meth:`to_dict`."""
        known = {one.name for one in dataclasses.fields(cls)}
        strange = sorted(set(values) - known)
        require(not strange, f"unknown in a plan of import: {', '.join(strange)}; known: {', '.join(sorted(known))}")
        given = dict(values)
        for name in ("scale",):
            if given.get(name) is not None:
                given[name] = tuple(given[name])
        return cls(**given)
