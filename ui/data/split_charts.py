"""Pictures of what a split does: which ratings train, which steer choices, which are kept for the test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mfcore.data.split import Split
from mfcore.data.stats import block, most_first, part_of_rows
from ui.charts import titled
from ui.data.charts import as_picture
from ui.data.words import PART_WORDS
from ui.memo import kept
from ui.theme import colour

HEIGHT = 320


@kept
def split_picture(split: Split, words: tuple[str, str]) -> go.Figure:
    """The picture that fits: over time, user by user for leave-last-out, a corner of the table where there are no times."""
    if split.data.timestamp is None:
        return split_of_corner(split, words)
    return split_by_user(split) if split.config.kind == "leave-last-out" else split_over_time(split)


def split_over_time(split: Split) -> go.Figure:
    """Which part each stretch of time fell into: stacked counts over about forty stretches. Needs timestamps."""
    everything = split.data.timestamp
    assert everything is not None
    edges = np.linspace(everything.min(), everything.max() + 1, 41)
    middles = pd.to_datetime((edges[:-1] + edges[1:]) / 2, unit="s")
    chart = titled("Which part the ratings of each stretch of time went to", "", "ratings", height=HEIGHT)
    for part, rows in split.rows.items():
        chart.add_bar(
            x=middles,
            y=np.histogram(everything[rows], bins=edges)[0],
            name=PART_WORDS[part],
            marker={"color": colour(part), "line": {"width": 0}},
            hovertemplate="%{x|%d %b %Y}: %{y:,}<extra>" + PART_WORDS[part] + "</extra>",
        )
    return _with_legend(chart.update_layout(barmode="stack", bargap=0.05).update_yaxes(tickformat=","))


def split_by_user(split: Split, users: int = 24, latest: int = 48) -> go.Figure:
    """Each row a user, from the most to the least active: their latest ratings in order, in the colour of their part."""
    data = split.data
    assert data.timestamp is not None
    activity = data.activity()
    ranked = most_first(activity)
    chosen = ranked[np.linspace(0, len(ranked) - 1, min(users, len(ranked))).astype(int)]
    part = part_of_rows(split)
    z = np.full((len(chosen), latest), np.nan)
    order = np.lexsort((np.arange(len(data)), data.timestamp, data.user_idx))
    ends = np.cumsum(activity)
    for row, user in enumerate(chosen):
        own = order[ends[user] - activity[user] : ends[user]][-latest:]
        z[row, latest - len(own) :] = part[own]
    title = f"The latest ratings of {len(chosen)} users: the last is the test"
    return _coloured_cells(z, title, f"their latest {latest} ratings, in order of time", "users, most active on top")


def split_of_corner(split: Split, words: tuple[str, str], users: int = 24, items: int = 80) -> go.Figure:
    """The densest corner of the table, each known cell in the colour of the part it went to."""
    data = split.data
    rows, columns = most_first(data.activity())[:users], most_first(data.popularity())[:items]
    z = block(data, part_of_rows(split), rows, columns)
    title = "Which part each rating went to, in the densest corner of the table"
    return _coloured_cells(z, title, f"the {len(columns)} most rated {words[1]}", f"the {len(rows)} most active {words[0]}")


def _coloured_cells(z: np.ndarray, title: str, x: str, y: str) -> go.Figure:
    shades = [colour(part) for part in PART_WORDS]
    chart = titled(title, x, y, height=HEIGHT)
    chart.add_heatmap(
        z=z,
        zmin=-0.5,
        zmax=2.5,
        colorscale=[(edge, shade) for i, shade in enumerate(shades) for edge in (i / 3, (i + 1) / 3)],
        showscale=False,
        hoverinfo="skip",
        xgap=1,
        ygap=1,
    )
    for name, shade in zip(PART_WORDS.values(), shades, strict=True):  # a heat map has no legend of its own
        chart.add_scatter(
            x=[None], y=[None], mode="markers", name=name, marker={"color": shade, "symbol": "square", "size": 10}
        )
    return _with_legend(as_picture(chart))


def _with_legend(chart: go.Figure) -> go.Figure:
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    return chart.update_layout(showlegend=True, legend=legend)
