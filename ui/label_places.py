"""Where labels go on a map, so that they do not cover one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 900.0, 440.0  # pixels, about: what the map has in a window of 1280 × 720
LETTER, LINE, GAP = 6.2, 15.0, 7.0  # pixels
MARGIN = 40.0  # pixels that the chart leaves around the outermost points

PLACES = ("top center", "bottom center", "middle right", "middle left")
Box = tuple[float, float, float, float]


def place_labels(
    coordinates: npt.NDArray[np.float32], rows: Sequence[int], labels: Sequence[str], short: Sequence[str]
) -> list[tuple[str, str]]:
    """(text, place) per row, first come first served: the label where it is free around its point, else its ``short`` form,
    else nothing; the first one always has its label.

    coordinates: (n, 2) of all points, which decide the scale.
    """
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    pixels = (coordinates - low) / np.maximum(high - low, 1e-9) * np.array([WIDTH, HEIGHT], np.float32)
    # Highlighted points themselves must stay visible, too.
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in pixels[list(rows)].tolist()]
    chosen = []
    for row, label, brief in zip(rows, labels, short, strict=True):
        options = [(text, place) for text in (label, brief) if text for place in PLACES]
        point = pixels[row].tolist()
        fits = (entry for entry in options if not _clashes(label_box(point, *entry), taken))
        text, place = next(fits, ("" if chosen else label, PLACES[0]))
        if text:
            taken.append(label_box(point, text, place))
        chosen.append((text, place))
    return chosen


def label_box(point: Sequence[float], text: str, place: str) -> Box:
    """Left, bottom, right and top of a label beside its point, in pixels."""
    x, y = point
    width = LETTER * len(text)
    if place.endswith("center"):
        bottom = y + GAP if place.startswith("top") else y - GAP - LINE
        return x - width / 2, bottom, x + width / 2, bottom + LINE
    left = x + GAP if place.endswith("right") else x - GAP - width
    return left, y - LINE / 2, left + width, y + LINE / 2


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share any area."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _clashes(box: Box, taken: Sequence[Box]) -> bool:
    outside = box[0] < -MARGIN or box[2] > WIDTH + MARGIN
    return outside or any(overlap(box, other) for other in taken)
