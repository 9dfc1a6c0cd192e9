"""The map of learned vectors: a PCA in two or three dimensions, coloured by what is known about the points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from ui.embedding_points import OTHER
from ui.format import escape_plotly
from ui.label_places import place_labels
from ui.theme import colour, colours, dark, plotly_layout, sequential

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

GENRE_LIGHT = ("#3a6ca8", "#d08a1d", "#8f3b76", "#2f7f79", "#b4512b", "#6f9440", "#5b4b9a", "#c2587c")
GENRE_DARK = ("#7ea9dc", "#e8b455", "#d287bd", "#5cbdb5", "#ef8d64", "#a3cb76", "#a596e6", "#f19bb6")
ORDINALS = ("First", "Second", "Third")
SIZE = {2: 7, 3: 3.5}


def embedding_map(
    points: pd.DataFrame,
    coordinates: Floats,
    explained: npt.NDArray[np.float64],
    *,
    colour_by: str,
    words: str,
    chosen: int | None = None,
    near: Rows | None = None,
    backdrop: tuple[str, Floats] | None = None,
) -> go.Figure:
    """Points (n rows of :mod:`ui.embedding_points`) at coordinates (n, 2) or (n, 3).

    ``explained``: share of the variance per axis; ``colour_by``: genre, year, ratings or mean, called ``words`` in the legend;
    ``chosen``, ``near``: rows to highlight, all others fade; ``backdrop``: name and coordinates of points drawn in grey behind.
    """
    axes = coordinates.shape[1]
    figure = go.Figure(layout=_layout(axes, explained))
    if backdrop is not None:
        name, behind = backdrop
        grey = {"size": SIZE[axes] - 1, "color": colour("baseline"), "opacity": 0.35}
        _add(figure, behind, name=name, marker=grey, hoverinfo="skip")
    opacity = 0.8 if chosen is None else 0.2
    if colour_by == "genre":
        _add_genres(figure, points, coordinates, opacity)
    else:
        _add_scale(figure, points, coordinates, colour_by, words, opacity)
    if chosen is not None:
        _add_highlights(figure, points, coordinates, [chosen, *(near.tolist() if near is not None else [])])
    return figure


def genre_colours() -> tuple[str, ...]:
    """One colour for each of the most frequent genres, in that order."""
    return GENRE_DARK if dark() else GENRE_LIGHT


def _add_genres(figure: go.Figure, points: pd.DataFrame, coordinates: Floats, opacity: float) -> None:
    named = [genre for genre in points["genre"].cat.categories if genre != OTHER]  # the same colours for films and users
    shades = dict(zip(named, genre_colours(), strict=False)) | {OTHER: colour("baseline")}
    for genre in [OTHER, *named[::-1]]:  # the rarest last, so that they lie on top
        rows = np.flatnonzero(points["genre"].to_numpy() == genre)
        if len(rows):
            marker = {"size": _size(coordinates), "color": shades.get(genre, colour("baseline")), "opacity": opacity}
            _add(figure, coordinates[rows], name=genre, marker=marker, hovertext=points["hover"].iloc[rows], customdata=rows)


def _add_scale(figure: go.Figure, points: pd.DataFrame, coordinates: Floats, column: str, words: str, opacity: float) -> None:
    values = points[column].to_numpy(dtype=np.float32)
    bar: dict[str, Any] = {"title": {"text": words}, "thickness": 10, "outlinewidth": 0, "len": 0.6}
    if column == "ratings":
        values = np.log10(np.maximum(values, 1)).astype(np.float32)
        ticks = [step * 10**power for power in range(7) for step in (1, 2, 5)]
        bar |= {"tickvals": np.log10(ticks), "ticktext": [f"{tick:,}" for tick in ticks]}
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, (0.05, 0.98)) if len(known) else (0.0, 1.0)  # a few old films must not flatten the scale
    marker = {
        "size": _size(coordinates),
        "color": values,
        "colorscale": _visible_scale(),
        "cmin": float(low),
        "cmax": float(max(high, low + 1e-6)),
        "colorbar": bar,
        "opacity": opacity,
    }
    rows = np.arange(len(points))
    _add(figure, coordinates, name=words, marker=marker, hovertext=points["hover"], customdata=rows, showlegend=False)


def _visible_scale() -> list[list[Any]]:
    """The sequential scale without its first steps, which would be lost on the page's background."""
    steps = [step for _, step in sequential()][2:]
    return [[place / (len(steps) - 1), step] for place, step in enumerate(steps)]


def _add_highlights(figure: go.Figure, points: pd.DataFrame, coordinates: Floats, rows: list[int]) -> None:
    """The chosen point (first of ``rows``) and its neighbours, numbered by closeness as in the list beside the map."""
    titles = [_short(points["label"].iloc[row]) for row in rows]
    numbers = ["", *map(str, range(1, len(rows)))]
    labels = [f"{number} {title}".strip() for number, title in zip(numbers, titles, strict=True)]
    if coordinates.shape[1] == 2:
        placed = place_labels(coordinates, rows, labels, numbers)
    else:
        placed = [(label, "top center") for label in (titles[0], *numbers[1:])]  # titles would cover one another
    for part, name, grow, shade in ((slice(1, None), "neighbours", 1.5, "primary"), (slice(0, 1), "chosen", 2.2, "text")):
        inside = np.array(rows[part], dtype=np.int64)
        if not len(inside):
            continue
        marker = {"size": grow * _size(coordinates), "color": colour(shade)}
        marker["line"] = {"color": colour("background"), "width": 1}
        _add(
            figure,
            coordinates[inside],
            name=name,
            mode="markers+text",
            marker=marker,
            text=[text for text, _ in placed[part]],
            textposition=[place for _, place in placed[part]],
            textfont={"size": 14 if name == "chosen" else 12, "color": colour("text")},
            hovertext=points["hover"].iloc[inside],
            customdata=inside,
            showlegend=False,
        )


def _short(label: str, limit: int = 26) -> str:
    return escape_plotly(label if len(label) <= limit else f"{label[: limit - 1].rstrip()}…")


def _size(coordinates: Floats) -> float:
    return SIZE[coordinates.shape[1]]


def _add(figure: go.Figure, coordinates: Floats, *, mode: str = "markers", **look: Any) -> None:
    """One trace of points; WebGL in both cases, text in plain SVG where there is some (WebGL text is blurred)."""
    columns = [np.ascontiguousarray(column, dtype=np.float32) for column in coordinates.T]
    if "hovertext" in look:
        look |= {"hovertext": list(look["hovertext"]), "hoverinfo": "text"}
    if len(columns) == 3:
        figure.add_scatter3d(x=columns[0], y=columns[1], z=columns[2], mode=mode, **look)
    elif "text" in mode:
        figure.add_scatter(x=columns[0], y=columns[1], mode=mode, **look)
    else:
        figure.add_scattergl(x=columns[0], y=columns[1], mode=mode, **look)


def _layout(axes: int, explained: npt.NDArray[np.float64]) -> dict[str, Any]:
    shades = colours()
    shared = {"showticklabels": False, "zeroline": True, "zerolinecolor": shades["grid"], "gridcolor": shades["grid"]}
    named = [
        {**shared, "title": {"text": axis_title(place, share, brief=axes == 3)}} for place, share in enumerate(explained[:axes])
    ]
    layout = plotly_layout(
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        legend={"x": 0, "y": 1, "yanchor": "bottom", "itemsizing": "constant", "traceorder": "reversed"},
        hovermode="closest",
        dragmode="pan" if axes == 2 else "orbit",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": shades["muted"], "activecolor": shades["text"]},
    )
    if axes == 2:
        return layout | {"xaxis": layout["xaxis"] | named[0], "yaxis": layout["yaxis"] | named[1]}
    scene = {f"{letter}axis": axis | {"backgroundcolor": "rgba(0,0,0,0)"} for letter, axis in zip("xyz", named, strict=True)}
    camera = {"eye": {"x": 1.25, "y": 1.25, "z": 0.7}, "center": {"x": 0, "y": 0, "z": -0.18}}
    return layout | {"scene": scene | {"aspectmode": "cube", "dragmode": "orbit", "camera": camera}}


def axis_title(place: int, share: float, *, brief: bool = False) -> str:
    """First axis (12 % of the variance); in brief, for slanted axes: First axis, 12 %."""
    if not np.isfinite(share):
        return f"{ORDINALS[place]} axis"
    return (
        f"{ORDINALS[place]} axis, {100 * share:.0f} %"
        if brief
        else f"{ORDINALS[place]} axis ({100 * share:.0f} % of the variance)"
    )
