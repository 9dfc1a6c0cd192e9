"""The measured quality as a person reads it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bench.quality_goals import LOWER_IS_BETTER


def with_spread(figure: dict[str, Any], digits: int = 4) -> str:
    """``0.9131 ± 0.0004``, without the ± for a single repeat."""
    spread = f" ± {figure['sd']:.{digits}f}" if "sd" in figure else ""
    return f"{figure['mean']:.{digits}f}{spread}"


def goal(metric: str, value: float | str | None) -> str:
    """``≤ 0.913``, ``≥ 0.67``, ``beats mf-implicit``, or a dash."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return f"beats {value}"
    return f"{'≤' if metric in LOWER_IS_BETTER else '≥'} {value:g}"


def mark(met: bool | None) -> str:
    """✓, ✗, or nothing without a goal."""
    return "" if met is None else " ✓" if met else " ✗"


def show(result: dict[str, Any]) -> None:
    """Presets, then the checks of the harness, then how the references differ."""
    console = Console(width=160)
    table = Table(title="Presets on MovieLens 100K, test part: mean ± standard deviation over repeats")
    for heading in ("row", "protocol", "figure", "ours", "required", "moonshot", "others"):
        table.add_column(heading)
    for row in result.get("rows", []):
        for place, figure in enumerate(row["figures"]):
            metric = figure["metric"]
            first = (row["name"], row["protocol"]) if place == 0 else ("", "")
            required = goal(metric, figure["required"]) + mark(figure["met"])
            moonshot = goal(metric, figure["moonshot"]) + mark(figure["moonshot_met"])
            end = place == len(row["figures"]) - 1
            table.add_row(
                *first, figure["label"], with_spread(figure), required, moonshot, figure["reference"], end_section=end
            )
    console.print(table)
    table = Table(title="Checks of the harness: baselines on the same test parts")
    for heading in ("figure", "protocol", "ours", "expected", "others"):
        table.add_column(heading)
    for one in result.get("checks", []):
        expected = f"{one['low']:.3f} … {one['high']:.3f}" if one["low"] else f"≤ {one['high']:.3f}"
        table.add_row(one["label"], one["split"], with_spread(one), expected + mark(one["met"]), one["reference"])
    console.print(table)
    for row in result.get("rows", []):
        console.print(f"[b]{row['name']}[/b]: {row['differences']}", highlight=False)
