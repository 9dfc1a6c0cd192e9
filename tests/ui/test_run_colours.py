"""Colours of runs: seen on both grounds, told apart, and staying with their run."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from ui.run_colours import run_colours
from ui.theme import DARK, LIGHT, RUN_COLOURS


def linear(colour: str) -> tuple[float, float, float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(colour: str) -> tuple[float, float, float]:
    """CIELAB under D65."""
    red, green, blue = linear(colour)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    a, b, c = (float(t ** (1 / 3)) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, luminance(colour), z))
    return 116 * b - 16, 500 * (a - b), 200 * (b - c)


def apart(one: str, other: str) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(lab(one), lab(other), strict=True)) ** 0.5)


@pytest.mark.parametrize("colour", RUN_COLOURS)
def test_a_run_is_seen_on_both_grounds(colour: str) -> None:
    assert all(contrast(colour, shades["background"]) >= 3 for shades in (LIGHT, DARK))


def test_no_two_runs_look_alike_nor_like_a_part_or_a_baseline() -> None:
    foreseen = [shades[name] for shades in (LIGHT, DARK) for name in ("train", "valid", "baseline")]
    pairs = [*combinations(RUN_COLOURS, 2), *product(RUN_COLOURS, foreseen)]
    assert min(apart(one, other) for one, other in pairs) > 25


def test_one_more_run_changes_no_colour() -> None:
    three = run_colours(["a", "b", "c"])
    assert run_colours(["a", "b", "c", "d"]) == {**three, "d": RUN_COLOURS[3]}
    assert run_colours(["a", "b", "a", "c"]) == three
    assert len(set(run_colours([str(i) for i in range(20)]))) == 20
