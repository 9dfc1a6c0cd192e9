"""What became of the rows of a file: taken, put together, or left out, each with its line and the reason."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_KEPT = 100_000
"""Rows left out that are kept word by word; of more only their number is."""
_LONGEST = 200


class Cancelled(Exception):
    """The import was called off; nothing of it is left."""


@dataclass(frozen=True)
class LeftOut:
    """A row that was not taken: its line in the file (of a table without lines, its row), why, and what it holds."""

    line: int
    reason: str
    text: str


@dataclass
class Report:
    """``rows``: read, without the header and empty lines. ``taken``: interactions that came of them. ``reasons``: how many rows
    were left out why. ``merged``: rows that were put together with another one of the same user and item. ``notes``: what else
    there is to say, in sentences."""

    rows: int = 0
    taken: int = 0
    merged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, line: int, reason: str, text: object) -> None:
        """Account for one row that is not taken."""
        self.reasons[reason] += 1
        if len(self.left_out) < MOST_KEPT:
            self.left_out.append(LeftOut(line, reason, str(text)[:_LONGEST]))

    def note(self, sentence: str) -> None:
        """Say something once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def num_left_out(self) -> int:
        return sum(self.reasons.values())

    def save(self, path: Path) -> None:
        """Write the rows that were left out as a table: line, reason, row."""
        with path.open("w", encoding="utf-8", newline="") as file:
            self.write(file)

    def write(self, file: Any) -> None:
        """As :meth:`save`, to an open text file. What a spreadsheet would take for a formula is written as text."""
        rows = csv.writer(file)
        rows.writerow(["line", "reason", "row"])
        for one in self.left_out:
            rows.writerow([one.line, one.reason, f"'{one.text}" if one.text[:1] in "=+-@\t\r" else one.text])

    def sentences(self) -> list[str]:
        """What happened, for people to read."""
        told = [f"{self.rows:,} rows read, {self.taken:,} interactions taken."]
        if self.merged:
            told.append(f"{self.merged:,} rows were put together with another one of the same user and item.")
        told += [f"{number:,} left out: {reason}." for reason, number in self.reasons.most_common()]
        return told + self.notes

    def to_dict(self) -> dict[str, Any]:
        """The numbers, JSON-ready."""
        return {
            "rows": self.rows,
            "taken": self.taken,
            "merged": self.merged,
            "left_out": dict(self.reasons.most_common()),
            "notes": list(self.notes),
        }


Progress = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Watch:
    """Who is told how far it is, and who may call it off."""

    progress: Progress = lambda message, share: None
    cancelled: Callable[[], bool] = lambda: False

    def tell(self, message: str, share: float | None = None) -> None:
        """Say how far it is.

        Raises:
            Cancelled: somebody called it off.
        """
        if self.cancelled():
            raise Cancelled("the import was called off")
        self.progress(message, share)
