"""What commands print: tables and one JSON object on standard output, everything else on standard error."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from mfcore.files import dumps


def say(text: str) -> None:
    """A line for people, on standard output, as it is (nothing in it is markup)."""
    print(text)


def complain(text: str) -> None:
    """One line on standard error."""
    print("error:", " ".join(text.split()), file=sys.stderr)


def note(text: str) -> None:
    """A remark on standard error that is no error."""
    print("note:", " ".join(text.split()), file=sys.stderr)


def print_json(value: Any) -> None:
    """One strict JSON object on a line of its own."""
    print(dumps(value), flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """A plain table; ``numbers`` are aligned right. Cells are shown as they are, whole when the output is no terminal."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    console = Console(markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        console.print(table)
        return
    console.width = 10_000
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines() if line.strip()))


def metric(value: float | None) -> str:
    """Three decimals, or a dash for what is undefined."""
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"


def duration(seconds: float) -> str:
    """0.4 s, 12 s, 3 min 20 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
