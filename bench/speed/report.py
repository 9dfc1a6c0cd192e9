"""From measurements to medians, ratios and verdicts, as lines for the terminal and the README, and as a picture."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measured import Measured, under
from bench.speed.rows import ROWS, Row, contestants

HIGHER_IS_BETTER = {"rmse": False, "ndcg": True}


def summary(row: Row, measurements: list[dict[str, Any]]) -> dict[str, Any]:
    """Median, least and most of a contestant: samples per second, or seconds, as the row's unit says; and what it reached."""
    if not measurements or any("absent" in one for one in measurements):
        reason = next((one["absent"] for one in measurements if "absent" in one), "nothing was measured")
        return {"absent": reason}
    values = [one["samples"] / one["seconds"] if row.unit == "samples" else one["seconds"] for one in measurements]
    found: dict[str, Any] = {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
        "repeats": len(values),
    }
    for name in ("rmse", "ndcg"):
        reached = [one[name] for one in measurements if name in one]
        if reached:
            found[name] = statistics.fmean(reached)
    return found


def reaches(row: Row, found: dict[str, Any]) -> bool | None:
    """Whether a training ended as well as its row asks; None where nothing is asked or known."""
    if row.must_reach is None or row.must_reach[0] not in found:
        return None
    name, wanted = row.must_reach
    reached: bool = found[name] >= wanted if HIGHER_IS_BETTER[name] else found[name] <= wanted
    return reached


def ratio(row: Row, ours: dict[str, Any], theirs: dict[str, Any]) -> float | None:
    """Ours by theirs; None if one of them is absent."""
    if "absent" in ours or "absent" in theirs:
        return None
    return float(ours["median"] / theirs["median"])


def verdict(row: Row, name: str, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Rival ``name`` beside us: ratio, goal, and whether it is met (None: no goal, or somebody is absent).

    Rates must be at least goal times theirs, times at most. We must have reached what the row asks; a rival who has not has
    no time to compare with, unless the row is about everybody's best (ndcg).
    """
    goal = next(rival.goal for rival in row.rivals if rival.name == name)
    ours, theirs = found[row.ours], found[name]
    value = ratio(row, ours, theirs)
    result: dict[str, Any] = {"ratio": value, "goal": goal, "met": None, "reached": reaches(row, theirs)}
    if value is None or goal is None:
        return result
    if reaches(row, ours) is False:
        return {**result, "met": False}
    never = result["reached"] is False and row.must_reach is not None and row.must_reach[0] == "rmse"
    return {**result, "met": True if never else (value >= goal if row.unit == "samples" else value <= goal)}


def near(row: Row, found: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """How much of the machine a rate uses: GB/s and Gflop/s needed, and their share of what was measured on it."""
    if "absent" in found or row.unit != "samples":
        return {}
    place = "cuda" if row.name.startswith("cuda") else f"threads_{row.threads}"
    here, rate, result = limits.get(place, {}), found["median"], {}
    if row.bytes is not None:
        result["gb_per_s"] = rate * row.bytes / 1e9
        measured = here.get("cache_gb_per_s" if row.resident else "memory_gb_per_s")
        result["share_of_bandwidth"] = result["gb_per_s"] / measured if measured else None
    if row.flops is not None:
        result["gflop_per_s"] = rate * row.flops / 1e9
        measured = here.get("gflop_per_s")
        result["share_of_peak"] = result["gflop_per_s"] / measured if measured else None
    return result


def result_of(row: Row, found: dict[str, dict[str, Any]], limits: dict[str, Any]) -> dict[str, Any]:
    """A row with everybody's :func:`summary`, what it shows of us, and how near we come to what the machine can do."""
    result: dict[str, Any] = {
        "name": row.name,
        "contestants": found,
        "verdicts": {rival.name: verdict(row, rival.name, found) for rival in row.rivals},
        "near": near(row, found[row.ours], limits),
    }
    if row.published and "median" in found[row.ours]:
        _, seconds, goal = row.published
        median = found[row.ours]["median"]
        result["published"] = {"ratio": median / seconds, "goal": goal, "met": median <= goal}
    return result


# To and from the table of results


def rows_of(row: Row, found: dict[str, dict[str, Any]]) -> Iterator[Measured]:
    """Everybody in a row as lines of the table of results: the time or rate, and what was reached."""
    unit = "samples/s" if row.unit == "samples" else "s"
    for name, one in found.items():
        place = f"{row.name}/{name}"
        if "absent" in one:
            yield Measured(place, unit=unit, n=0, note=one["absent"])
            continue
        yield Measured(place, one["median"], unit, one["repeats"], low=one["least"], high=one["most"])
        yield from (Measured(f"{place}/{what}", one[what], n=one["repeats"]) for what in HIGHER_IS_BETTER if what in one)


def rows_of_limits(limits: dict[str, dict[str, float]]) -> Iterator[Measured]:
    """What the machine can do, as lines of the table of results."""
    for place, found in limits.items():
        for name, amount in found.items():
            yield Measured(f"limits/{place}/{name}", amount, "Gflop/s" if name == "gflop_per_s" else "GB/s")


def document(measured: dict[str, Measured]) -> dict[str, Any]:
    """``limits`` and ``rows``, each a :func:`result_of`, from the table of results."""
    limits: dict[str, dict[str, float]] = {}
    for name, one in under(measured, "limits").items():
        place, _, what = name.partition("/")
        limits.setdefault(place, {})[what] = one.value
    there = [(row, _found(row, under(measured, row.name))) for row in ROWS]
    return {"limits": limits, "rows": [result_of(row, found, limits) for row, found in there if row.ours in found]}


def _found(row: Row, measured: dict[str, Measured]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, _, _ in contestants(row):
        one = measured.get(name)
        if one is not None and one.n:
            figures = {what: measured[f"{name}/{what}"].value for what in HIGHER_IS_BETTER if f"{name}/{what}" in measured}
            found[name] = {"median": one.value, "least": one.low, "most": one.high, "repeats": one.n, **figures}
        elif one is not None:
            found[name] = {"absent": one.note}
    return found


# Tables


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
    for cells in lines(document["rows"]):
        table.add_row(*cells)
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


# The picture


WIDTH, LEFT, RIGHT, LINE, TOP, FOOT = 860, 400, 80, 26, 64, 30
# On a card of its own, it reads alike on a light page and on a dark one.
CARD, EDGE, INK, FAINT, AHEAD, BEHIND = "#ffffff", "#d0d7de", "#1f2328", "#59636e", "#0969da", "#bc4c00"
FONT = "font-family='system-ui, -apple-system, Segoe UI, sans-serif'"


def speedups(results: list[dict[str, Any]]) -> Iterator[tuple[str, str, float]]:
    """(row, rival, how many times as fast we are), above 1 where we are faster."""
    for result in results:
        row = BY_NAME[result["name"]]
        for rival in row.rivals:
            ratio = result["verdicts"][rival.name]["ratio"]
            if ratio is not None:
                yield row.short or row.title, rival.label, ratio if row.unit == "samples" else 1 / ratio
        if row.published and "published" in result:
            yield row.short or row.title, row.published[0], 1 / result["published"]["ratio"]


def svg(results: list[dict[str, Any]], caption: str) -> str:
    """Horizontal bars from 1× on a logarithmic axis: drawn by hand, no browser, no plotting library."""
    bars = list(speedups(results))
    lowest = min(-0.3, *(math.log10(ratio) for _, _, ratio in bars)) if bars else -0.3
    highest = max(1.0, *(math.log10(ratio) for _, _, ratio in bars)) if bars else 1.0
    height = TOP + LINE * len(bars) + FOOT + 24

    def x(exponent: float) -> float:
        return LEFT + (exponent - lowest) / (highest - lowest) * (WIDTH - LEFT - RIGHT)

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' {FONT}>",
        f"<title>{escape('How many times as fast as others')}</title>",
        f"<rect x='0.5' y='0.5' width='{WIDTH - 1}' height='{height - 1}' rx='8' fill='{CARD}' stroke='{EDGE}'/>",
        _text(20, 30, "How many times as fast as others", 17, INK, weight=600),
        _text(20, 50, "on the same machine unless another is named; logarithmic, 1× is as fast as they are", 12, FAINT),
    ]
    bottom = TOP + LINE * len(bars)
    for exponent in range(math.ceil(lowest), math.floor(highest) + 1):
        dash = "" if exponent == 0 else " stroke-dasharray='2 3'"
        ink = FAINT if exponent == 0 else EDGE
        parts.append(f"<path d='M{x(exponent):.1f} {TOP - 4}V{bottom}' stroke='{ink}'{dash}/>")
        parts.append(_text(x(exponent), bottom + 16, times(10.0**exponent), 11, FAINT, anchor="middle"))
    before = ""
    for place, (title, rival, ratio) in enumerate(bars):
        y = TOP + LINE * place
        if title != before and place:
            parts.append(f"<path d='M20 {y}H{WIDTH - 20}' stroke='{EDGE}'/>")
        if title != before:
            parts.append(_text(20, y + 17, title, 12, INK, weight=600))
        before = title
        parts.append(_text(LEFT - 8, y + 17, rival, 12, FAINT, anchor="end"))
        start, stop = sorted((x(0.0), x(math.log10(ratio))))
        colour = AHEAD if ratio >= 1 else BEHIND
        parts.append(
            f"<rect x='{start:.1f}' y='{y + 5}' width='{max(stop - start, 1):.1f}' height='16' rx='2' fill='{colour}'/>"
        )
        parts.append(_text(max(stop, x(0.0)) + 6, y + 17, times(ratio), 12, INK, weight=600))
    parts.append(_text(20, height - 12, caption, 11, FAINT))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, words: str, size: int, colour: str, *, anchor: str = "start", weight: int = 400) -> str:
    style = f"font-size='{size}' font-weight='{weight}' fill='{colour}' text-anchor='{anchor}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(words)}</text>"
