"""What a split does: which ratings train, which steer choices, which are kept for the test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from mfcore.data import Interactions, Split, make_split
from mfcore.data.config import SplitConfig
from mfcore.data.stats import block, most_first, part_of_rows, split_summary
from mfcore.errors import UnusableRequest
from mfcore.evaluation.words import PARTS
from mfcore.registry import SPLITS, DatasetSpec
from mfcore.typing import Float32, Float64
from ui.address import linked_choice, write_param
from ui.charts import new_chart, show_chart
from ui.controls import error_line
from ui.data.overview import as_picture
from ui.datasets import Nouns
from ui.format import NOTHING, count, rounded_percent
from ui.memo import kept
from ui.theme import colour

HEIGHT = 320
PATTERNS = {"train": "", "valid": "/", "test": "x"}
"""Parts differ by more than their colour."""
split_of = kept(make_split)


def show_split(entry: DatasetSpec, data: Interactions, called: Nouns) -> None:
    """What the model may learn from, what steers choices, what is kept for the end."""
    st.header("What the split does", anchor=False)
    words, picture = st.columns([5, 6], gap="large")
    with words:
        config = choose_split(entry)
        st.markdown(SPLITS[config.kind].help)
        try:
            split = split_of(data, config)
        except UnusableRequest as error:
            error_line(error)
            return
        st.table(part_table(split, called), border="horizontal")
    with picture:
        show_chart(split_picture(split, called), key="split_picture", alt="Which ratings went to train, validation and test")


def choose_split(entry: DatasetSpec) -> SplitConfig:
    """How ratings are divided: ``?split=``, for the official folds ``?fold=``. Only what this dataset allows is offered."""
    kinds = [kind for kind, spec in SPLITS.items() if spec.suits(entry)]
    kind = linked_choice("How ratings are divided", kinds, "split", text=SPLITS.titles().__getitem__, default="random")
    if not SPLITS[kind].needs_folds:
        write_param("fold", None)
        return SplitConfig(kind)
    folds = list(range(1, entry.num_folds + 1))
    fold = linked_choice("Fold", folds, "fold", default=1, help="Fold 1 tests the first part of the file, and so on.")
    return SplitConfig(kind, fold=fold)


@kept
def part_table(split: Split, called: Nouns) -> pd.DataFrame:
    """One column a part, one row a fact, as text: ratings, users, items, those nobody can have learned about, dates."""
    columns: dict[str, dict[str, str]] = {}
    who = {"users": called.users, "items": called.items}
    for part, numbers in split_summary(split).to_dict(orient="index").items():
        facts = {"ratings": f"{count(numbers['rows'])} ({rounded_percent(numbers['share'])})"}
        facts |= {word: count(numbers[key]) for key, word in who.items()}
        for key, word in who.items():
            facts[f"{word} never met in training"] = NOTHING if part == "train" else count(numbers[f"cold_{key}"])
        if pd.notna(numbers["first"]):
            facts |= {"from": _day(numbers["first"]), "to": _day(numbers["last"])}
        columns[PARTS[part]] = facts
    return pd.DataFrame(columns).fillna(NOTHING)


def _day(moment: pd.Timestamp) -> str:
    return f"{moment.day} {moment:%b %Y}"


@kept
def split_picture(split: Split, called: Nouns) -> go.Figure:
    """The picture that fits: over time, user by user for leave-last-out, a corner of the table where there are no times."""
    if split.data.timestamp is None:
        return split_of_corner(split, called)
    return split_by_user(split, called) if SPLITS[split.config.kind].holds_out_one else split_over_time(split)


def split_over_time(split: Split) -> go.Figure:
    """Which part each stretch of time fell into: stacked counts over about forty stretches. Needs timestamps."""
    everything = split.data.timestamp
    assert everything is not None
    edges = np.linspace(everything.min(), everything.max() + 1, 41)
    middles = pd.to_datetime((edges[:-1] + edges[1:]) / 2, unit="s")
    chart = new_chart("Which part the ratings of each stretch of time went to", "", "ratings", height=HEIGHT)
    for part, rows in split.rows.items():
        chart.add_bar(
            x=middles,
            y=np.histogram(everything[rows], bins=edges)[0],
            name=PARTS[part],
            marker={"color": colour(part), "line": {"width": 0}, "pattern": {"shape": PATTERNS[part], "solidity": 0.25}},
            hovertemplate="%{x|%d %b %Y}: %{y:,}<extra>" + PARTS[part] + "</extra>",
        )
    return _with_legend(chart.update_layout(barmode="stack", bargap=0.05).update_yaxes(tickformat=","))


def split_by_user(split: Split, called: Nouns, users: int = 24, latest: int = 48) -> go.Figure:
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
    title = f"The latest ratings of {len(chosen)} {called.users}: the last is the test"
    return _coloured_cells(z, title, f"their latest {latest} ratings, in order of time", f"{called.users}, most active on top")


def split_of_corner(split: Split, called: Nouns, users: int = 24, items: int = 80) -> go.Figure:
    """The densest corner of the table, each known cell in the colour of the part it went to."""
    data = split.data
    rows, columns = most_first(data.activity())[:users], most_first(data.popularity())[:items]
    z = block(data, part_of_rows(split), rows, columns)
    known = f"{rounded_percent(float(np.isfinite(z).mean()))} known, of the whole table {rounded_percent(data.density)}"
    title = f"Which part each rating went to, in the busiest corner ({known})"
    return _coloured_cells(
        z, title, f"the {len(columns)} most rated {called.items}", f"the {len(rows)} most active {called.users}"
    )


def _coloured_cells(z: Float32 | Float64, title: str, x: str, y: str) -> go.Figure:
    shades = [colour(part) for part in PARTS]
    chart = new_chart(title, x, y, height=HEIGHT)
    chart.add_heatmap(
        z=z,
        zmin=-0.5,
        zmax=2.5,
        colorscale=[(edge, shade) for i, shade in enumerate(shades) for edge in (i / 3, (i + 1) / 3)],
        showscale=False,
        customdata=_part_names(z),
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    for name, shade in zip(PARTS.values(), shades, strict=True):  # a heat map has no legend of its own
        chart.add_scatter(
            x=[None], y=[None], mode="markers", name=name, marker={"color": shade, "symbol": "square", "size": 10}
        )
    return _with_legend(as_picture(chart))


def _part_names(z: Float32 | Float64) -> NDArray[np.object_]:
    """The part that each cell stands for, as people call it; "" where there is nothing."""
    names = np.array([*PARTS.values(), ""], dtype=object)
    return np.asarray(names[np.where(np.isfinite(z), z, len(PARTS)).astype(int)])


def _with_legend(chart: go.Figure) -> go.Figure:
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    return chart.update_layout(showlegend=True, legend=legend)
