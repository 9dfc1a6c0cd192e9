"""How many times as fast as each rival, as an SVG drawn by hand: no browser, no plotting library."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Any

from bench.speed.table import BY_NAME, times

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
    """Horizontal bars from 1× on a logarithmic axis."""
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
