"""Results as lines: for the terminal and for the README."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.speed.rows import ROWS, Row

HEADINGS = ("what", "ours", "against", "theirs", "ratio", "to show")
BY_NAME = {row.name: row for row in ROWS}


def number(value: float, unit: str) -> str:
    """13.4 M/s, 250 k/s, 4.2 /s; 1.24 s, 31 ms."""
    if unit == "seconds":
        return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}/s"
    return f"{value:.3g} /s"


def value(row: Row, found: dict[str, Any]) -> str:
    """Median (least–most), and what was reached; or why there is nothing."""
    if "absent" in found:
        return f"– ({found['absent']})"
    text = f"{number(found['median'], row.unit)} ({number(found['least'], row.unit)}–{number(found['most'], row.unit)})"
    reached = [f"{name.upper()} {found[name]:.4f}" for name in ("rmse", "ndcg") if name in found]
    return ", ".join([text, *reached])


def times(ratio: float | None) -> str:
    """3,210×, 12.4×, 0.82×."""
    if ratio is None:
        return "–"
    return f"{ratio:,.0f}×" if ratio >= 100 else f"{ratio:.3g}×"


def goal(row: Row, verdict: dict[str, Any]) -> str:
    """≥ 2× ✓, ≤ 1× ✗; empty where nothing is to be shown."""
    if verdict["goal"] is None:
        return ""
    sign = "≥" if row.unit == "samples" else "≤"
    return f"{sign} {times(verdict['goal'])}" + {True: " ✓", False: " ✗", None: ""}[verdict["met"]]


def lines(results: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """One line for every rival of every measured row, and one for a row without."""
    for result in results:
        row, found = BY_NAME[result["name"]], result["contestants"]
        ours = value(row, found[row.ours])
        for rival in row.rivals:
            verdict = result["verdicts"][rival.name]
            never = " never reaches it" if verdict["reached"] is False else ""
            theirs = value(row, found[rival.name]) + never
            yield row.title, ours, rival.label, theirs, times(verdict["ratio"]), goal(row, verdict)
        if row.published:
            label, seconds, wanted = row.published
            verdict = result.get("published", {"ratio": None, "met": None})
            mark = {True: " ✓", False: " ✗", None: ""}[verdict["met"]]
            yield row.title, ours, label, f"{seconds:g} s", times(verdict["ratio"]), f"≤ {wanted:g} s{mark}"
        elif not row.rivals:
            yield row.title, ours, "", "", "", ""


def notes(results: list[dict[str, Any]]) -> list[str]:
    """What to know about rows, as a list."""
    rows = [BY_NAME[result["name"]] for result in results]
    return [f"- {row.title}: {row.note}" for row in rows if row.note]


def limits(result: dict[str, Any]) -> str:
    """What a row takes of what the machine has, in words; empty where nothing can be said."""
    near, row, parts = result["near"], BY_NAME[result["name"]], []
    for amount, share, unit, what in (
        ("gb_per_s", "share_of_bandwidth", "GB/s", "the cache's bandwidth" if row.resident else "the memory's bandwidth"),
        ("gflop_per_s", "share_of_peak", "Gflop/s", "a matrix product's speed"),
    ):
        if near.get(share) is not None:
            parts.append(f"{near[amount]:.3g} {unit}, {near[share]:.0%} of {what}")
    return "; ".join(parts)


def show(document: dict[str, Any]) -> None:
    """Print tables of results and limits."""
    table = Table(title="Speed: medians (least–most)")
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for line in lines(document["rows"]):
        table.add_row(*line)
    console = Console(width=170)
    console.print(table)
    for line in notes(document["rows"]):
        console.print(line)
    for place, found in document["limits"].items():
        console.print(f"{place}: " + ", ".join(f"{name} {amount:.1f}" for name, amount in found.items()))
    for result in document["rows"]:
        if limits(result):
            console.print(f"{BY_NAME[result['name']].title}: {limits(result)}")


def markdown(document: dict[str, Any]) -> list[str]:
    """The same as Markdown."""
    table = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    table += ["| " + " | ".join(line) + " |" for line in lines(document["rows"])]
    table += ["", *notes(document["rows"])]
    near = [f"- {BY_NAME[r['name']].title}: {limits(r)}" for r in document["rows"] if limits(r)]
    return [*table, "", "How near that is to what the machine can do:", "", *near] if near else table
