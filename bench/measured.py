"""What was measured: one table per experiment, ``bench/results/<experiment>.csv``, one row per figure.

A row names the figure, its value (a median or a mean), the least and the most (``low``, ``high``) or the standard deviation
(``sd``) of ``n`` repeats, the limit it is held to, and the machine and day it comes from. ``python -m
bench.<experiment>`` writes it.
"""

from __future__ import annotations

import csv
import importlib.metadata
import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
ROOT = RESULTS.parent.parent


@dataclass(frozen=True)
class Measured:
    """One figure. ``value`` is NaN where it could not be measured; ``note`` says why then, or what else is to be known."""

    name: str
    value: float = math.nan
    unit: str = ""
    n: int = 1
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""
    machine: str = ""
    date: str = ""

    @property
    def met(self) -> bool:
        """Whether it keeps to its limits; a figure that could not be measured is not held to them."""
        high, low = self.at_most is None or self.value <= self.at_most, self.at_least is None or self.value >= self.at_least
        return math.isnan(self.value) or (high and low)

    @property
    def required(self) -> str:
        """``≤ 0.7``, ``≥ 30``; empty without a limit."""
        limits = (("≤", self.at_most), ("≥", self.at_least))
        return " ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)


def median(name: str, values: Sequence[float], unit: str = "", *, at_most: float | None = None) -> Measured:
    """The median of repeats, with the least and the most."""
    return Measured(name, statistics.median(values), unit, len(values), low=min(values), high=max(values), at_most=at_most)


def mean(name: str, values: Sequence[float], unit: str = "") -> Measured:
    """The mean of repeats, with the least, the most and the standard deviation (absent for a single one)."""
    sd = statistics.stdev(values) if len(values) > 1 else None
    return Measured(name, statistics.fmean(values), unit, len(values), low=min(values), high=max(values), sd=sd)


def write(experiment: str, rows: Iterable[Measured]) -> Path:
    """Write the table of an experiment. A row without a machine gets this one and today; others are kept as they are."""
    here, today = machine(), datetime.now(UTC).date().isoformat()
    path = RESULTS / f"{experiment}.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS)
        for row in rows:
            stamped = row if row.machine else replace(row, machine=here, date=today)
            table.writerow([_text(getattr(stamped, column)) for column in _COLUMNS])
    return path


def read(experiment: str) -> dict[str, Measured]:
    """The table of an experiment by name of its rows; empty where it was never measured."""
    path = RESULTS / f"{experiment}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: _row(row) for row in csv.DictReader(file)}


def under(rows: dict[str, Measured], prefix: str) -> dict[str, Measured]:
    """Rows whose names begin with ``prefix/``, by the rest of their names."""
    return {name.removeprefix(f"{prefix}/"): row for name, row in rows.items() if name.startswith(f"{prefix}/")}


def report(experiment: str, rows: Sequence[Measured]) -> int:
    """Print and write an experiment's rows; the exit status: 1 when a required figure was missed."""
    for row in rows:
        spread = f" ({row.low:.4g}–{row.high:.4g})" if row.low is not None and row.high is not None and row.n > 1 else ""
        limit = f"   required {row.required}: {'met' if row.met else 'missed'}" if row.required else ""
        print(f"{row.name:40} {row.value:.4g} {row.unit}{spread}{limit}   {row.note}".rstrip())
    print("written to", write(experiment, rows).relative_to(ROOT))
    return int(not all(row.met for row in rows))


def machine() -> str:
    """``AMD EPYC, 2 cores, 25 GB, Python 3.11.7, torch 2.13.0+cpu``."""
    torch = importlib.metadata.version("torch")
    return f"{_processor()}, {os.cpu_count()} cores, {_memory()}, Python {platform.python_version()}, torch {torch}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    import psutil

    return f"{psutil.virtual_memory().total / 1e9:.0f} GB"


_COLUMNS = [field.name for field in fields(Measured)]
_TEXTS = ("name", "unit", "note", "machine", "date")


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else str(value)


def _row(row: dict[str, str]) -> Measured:
    numbers = {name: float(row[name]) for name in _COLUMNS if name not in (*_TEXTS, "n") and row[name]}
    return Measured(**{name: row[name] for name in _TEXTS}, **{**numbers, "n": int(row["n"])})  # type: ignore[arg-type]
