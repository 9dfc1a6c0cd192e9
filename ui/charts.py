"""Still charts: what they show as title, axes with units; behind each its numbers, to read and to take along."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ui.components.chart_picture import picture_buttons
from ui.theme import colour, plotly_layout, sequential, text_size

HEIGHT = 340
BEHIND = "Table, CSV, picture"
"""What the button below every chart says."""
MOST_ROWS = 300  # pixels of a table behind a chart
SERIES = "series"
LEAST_CONTRAST = 3.0  # of graphics against what they lie on


def new_chart(title: str, x: str, y: str, *, note: str = "", height: int = HEIGHT, **layout: Any) -> go.Figure:
    """An empty chart: ``title`` says what it shows, ``note`` below it how to read it, ``x`` and ``y`` the axes with units."""
    return go.Figure(
        layout=plotly_layout(
            title={
                "text": title,
                "subtitle": {"text": note, "font": {"size": text_size(13), "color": colour("muted")}},
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 6},
                "font": {"size": text_size(16)},
            },
            xaxis={"title": {"text": x, "standoff": 8}},
            yaxis={"title": {"text": y, "standoff": 8}},
            height=height,
            margin={"l": 8, "r": 8, "t": text_size(84 if note else 64), "b": 8},
            **layout,
        )
    )


def show_chart(
    figure: go.Figure, *, key: str, alt: str, table: Callable[[], pd.DataFrame] | None = None, **options: Any
) -> Any:
    """Draw a chart that changes only when a person chooses something else, and below it a way to its numbers.

    ``alt``: what it shows, in words. ``table``: what stands behind it, where the drawing alone does not hold it
    (:func:`chart_table` otherwise). Made when it is asked for.
    """
    config = {"displaylogo": False, "displayModeBar": options.pop("bar", False), "scrollZoom": options.pop("scroll", False)}
    with st.container(gap="xxsmall"):
        drawn = st.plotly_chart(figure, theme=None, key=key, alt=alt, config=config, **options)
        _behind(figure, key, alt, table)
    return drawn


_FORMULA = re.compile(r"^(?=[=+\-@\t\r])(?![+-]?[\d.]+([eE][+-]?\d+)?$)")
"""The beginning of a text that a spreadsheet would take for a formula."""


def csv_of(table: pd.DataFrame) -> str:
    """A table as comma-separated text. A title such as "=1+1" is marked as text by an apostrophe, as spreadsheets do."""
    safe = table.rename(columns=lambda name: _FORMULA.sub("'", str(name)))
    texts = [name for name in safe.columns if not pd.api.types.is_numeric_dtype(safe[name])]
    marked = {name: safe[name].map(lambda cell: _FORMULA.sub("'", cell) if isinstance(cell, str) else cell) for name in texts}
    return str(safe.assign(**marked).to_csv(index=False))


@st.fragment
def _behind(figure: go.Figure, key: str, alt: str, table: Callable[[], pd.DataFrame] | None) -> None:
    """The button below a chart: its numbers as a table and as CSV, and itself as a picture."""
    opened = st.popover(BEHIND, icon=":material/table_view:", type="tertiary", key=f"{key}_behind", on_change="rerun")
    if not opened.open:  # nothing is computed, nor sent, before it is asked for
        return
    with opened:
        file = "-".join(filter(None, (key.replace("_", "-"), st.query_params.get("run") or st.query_params.get("dataset"))))
        found = chart_table(figure) if table is None else table()
        height: Any = "content" if len(found) < 8 else MOST_ROWS
        st.dataframe(found, hide_index=True, height=height, key=f"{key}_table", alt=f"{alt}, as a table")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                "Numbers (CSV)",
                lambda: csv_of(found).encode(),
                file_name=f"{file}.csv",
                mime="text/csv",
                key=f"{key}_csv",
                on_click="ignore",
            )
            picture_buttons(key, file)


# --- colours that can be told from the ground ------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (#rrggbb) as WCAG has it: 1 for the same, 21 for black on white."""
    light, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (darker + 0.05)


def _luminance(shade: str) -> float:
    parts = [int(shade[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def visible_scale(is_dark: bool | None = None) -> list[list[Any]]:
    """A Plotly colour scale from little to much whose every colour stands out from the page, 3 to 1 or more: for cells that
    must be told from gaps."""
    ground = colour("background", is_dark)
    shades = [shade for _, shade in sequential(is_dark) if contrast(shade, ground) >= LEAST_CONTRAST]
    return [[place / (len(shades) - 1), shade] for place, shade in enumerate(shades)]


# --- the numbers of a drawing --------------------------------------------------------------------------------------------


def chart_table(figure: go.Figure) -> pd.DataFrame:
    """What a chart draws, as numbers: one row a point, or one row an x and one column a line where several share their x.

    Lines that only guide the eye (``hoverinfo="skip"``) are left out; the widest line comes first.
    """
    x, y = _axis(figure, "x"), _axis(figure, "y")
    traces = sorted(figure.data, key=lambda trace: -(trace.line.width or 0) if trace.type == "scatter" else 0)
    found = [(trace.name or "", _rows(trace, x, y)) for trace in traces if trace.hoverinfo != "skip"]
    found = [(name, rows) for name, rows in found if len(rows)]
    if not found:
        return pd.DataFrame(columns=[x, y])
    names = [name for name, _ in found]
    alike = all(list(rows.columns) == [x, y] and rows[x].is_unique for _, rows in found)
    if alike and len(found) > 1 and all(names) and len(set(names)) == len(names):
        return pd.concat([rows.set_index(x)[y].rename(name) for name, rows in found], axis=1).reset_index()
    if any(names) and len(found) > 1:
        found = [(name, rows.assign(**{SERIES: name})) for name, rows in found]
    return pd.concat([rows for _, rows in found], ignore_index=True)


def _axis(figure: go.Figure, side: str) -> str:
    """What an axis measures; the chart's title where the axis leaves that to it."""
    text = figure.layout[f"{side}axis"].title.text
    return str(text or (figure.layout.title.text if side == "y" else side) or side)


def _rows(trace: Any, x: str, y: str) -> pd.DataFrame:
    """One trace as rows."""
    if trace.type == "heatmap":
        return _cells(trace, x, y)
    if trace.type == "box":
        parts = {"lower whisker": "lowerfence", "lower quartile": "q1", "median": "median", "upper quartile": "q3"}
        parts |= {"upper whisker": "upperfence"}
        return pd.DataFrame({x: _values(trace.x), **{word: _values(trace[name]) for word, name in parts.items()}})
    rows = pd.DataFrame({x: _values(trace.x), y: _values(trace.y)})
    labels = _values(trace.customdata)
    if len(labels) == len(rows) and all(isinstance(label, str) for label in labels):
        rows["about"] = labels
    reach = trace.error_x if hasattr(trace, "error_x") else None
    if reach is not None and reach.array is not None:
        rows["low"], rows["high"] = rows[x] - _values(reach.arrayminus), rows[x] + _values(reach.array)
    return rows[rows[y].notna()] if len(rows) else rows


def _cells(trace: Any, x: str, y: str) -> pd.DataFrame:
    """A heat map as rows: place in either direction, from 1, and what is there. Cells that hold nothing are left out."""
    z = np.asarray(trace.z, dtype=float)
    row, column = np.nonzero(np.isfinite(z))
    cells = pd.DataFrame({y: row + 1, x: column + 1, "value": z[row, column]})
    about = np.asarray(trace.customdata, dtype=object)
    return cells.assign(about=about[row, column]) if about.shape == z.shape else cells


def _values(values: Any) -> list[Any]:
    """A column of a trace, whatever it was given as."""
    return [] if values is None else list(np.asarray(values, dtype=object).ravel().tolist())
