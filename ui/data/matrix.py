"""The whole matrix in any order, in squares, and what a trained model makes of it beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mfcore.data import DatasetConfig, Interactions
from mfcore.data.matrix import MOST_BINS, Axis, bin_matrix, make_axis
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.registry import DatasetSpec
from mfcore.runs import RunSummary, load_run
from mfcore.runs.loaded import LoadedRun
from mfcore.runs.reconstruction import every_cell, factor_values, known_cells
from mfcore.typing import Float64
from ui.address import linked_choice, linked_number
from ui.charts import new_chart, show_chart, visible_scale
from ui.controls import error_line
from ui.data.overview import as_picture
from ui.datasets import Nouns
from ui.format import escape_plotly, rounded_percent
from ui.memo import kept
from ui.run_titles import distinct_titles
from ui.state import manager

ACTIVITY, ID, TRUTH, FACTOR = "activity", "id", "truth", "factor"
VALUES, FILLED = "values", "filled"
KNOWN, EVERY = "known", "every"
PREVIEW_BINS = 60
_SQUARES = 100
"""Rows and columns of a picture beside another: more than :data:`MOST_BINS` are never sent, and so many can be told apart."""
_NO_RUN = ""


def show_matrix(entry: DatasetSpec, shape: dict[str, float], data: Interactions, called: Nouns) -> None:
    """The matrix and its reconstruction; nothing is worked out before it is opened."""
    opened = st.expander(
        "Look at the matrix, and at what a model makes of it",
        icon=":material/grid_on:",
        key="look",
        on_change="rerun",
        bind="query-params",
    )
    if not opened.open:
        return
    with opened:
        try:
            _show(entry, shape, data, called)
        except (UnusableRequest, DataUnavailable) as error:
            error_line(error)


def _show(entry: DatasetSpec, shape: dict[str, float], data: Interactions, called: Nouns) -> None:
    runs = _runs_on(entry.name, shape)
    with st.grid(4, min_column_width=190):
        run = _choose_run(runs)
        order = _choose_order(data, called, run)
        what = _choose_what(called)
        loaded = load_run(run) if run else None
        factor, cells = 1, KNOWN
        if loaded is not None:
            if order == FACTOR:
                most = int(loaded.model.user_vectors().shape[1])
                factor = max(1, linked_number("Factor", "factor", default=1, high=max(1, most)))
            cells = _choose_cells(loaded, what)
    users, items = _axes(data, order, loaded, factor)
    before = st.columns(2, gap="medium") if _reconstructs(loaded, what) else [st.container()]
    with before[0]:
        show_chart(known_picture(data, called, what, order, users, items), key="whole_matrix", alt="The matrix, in squares")
    if loaded is not None and len(before) > 1:
        with before[1]:
            title = distinct_titles(runs)[run]
            figure = reconstruction_picture(data, called, order, users, items, loaded, cells, title)
            show_chart(figure, key="reconstruction", alt="What the model predicts for the same squares")
    elif loaded is not None and what == VALUES:
        st.caption(
            f"This run ranks and predicts no {called.ratings}: there is nothing to set beside, but its factors can sort."
        )


def _runs_on(name: str, shape: dict[str, float]) -> list[RunSummary]:
    """Finished runs on just this data, newest first."""
    wanted = DatasetConfig(name, shape)
    return [run for run in manager().list() if run.state == "finished" and not run.unread and _same(run.config.dataset, wanted)]


def _same(one: DatasetConfig, other: DatasetConfig) -> bool:
    """Whether two configurations make the same data; an option that is not named has its default, as ``other`` names it."""
    return one.name == other.name and {**other.options, **one.options} == {**other.options}


def _choose_run(runs: list[RunSummary]) -> str:
    titles = {_NO_RUN: "none", **distinct_titles(runs)}
    return str(
        linked_choice(
            "Beside it, the run",
            list(titles),
            "with",
            text=titles.__getitem__,
            default=_NO_RUN,
            follow=True,
            help="Finished runs on this data.",
        )
    )


def _choose_order(data: Interactions, called: Nouns, run: str) -> str:
    words = {ACTIVITY: "most active, most popular", ID: "in the order of ids"}
    words |= {TRUTH: "by what made them"} if data.planted is not None else {}
    words |= {FACTOR: "by a learned factor"} if run else {}
    label = f"Order of {called.users} and {called.items}"
    return str(linked_choice(label, list(words), "order", text=words.__getitem__, default=ACTIVITY, follow=True))


def _choose_what(called: Nouns) -> str:
    mean = "mean rating" if called.feedback == "ratings" else f"mean number of {called.units}"
    words = {VALUES: mean, FILLED: "how full"}
    if not called.has_values:
        words.pop(VALUES)
    return str(linked_choice("Colour", list(words), "colour", text=words.__getitem__, default=next(iter(words)), follow=True))


def _choose_cells(loaded: LoadedRun, what: str) -> str:
    if not _reconstructs(loaded, what):
        return KNOWN
    words = {KNOWN: "what is known", EVERY: "every cell"}
    return str(linked_choice("Predicted", list(words), "cells", text=words.__getitem__, default=KNOWN, follow=True))


def _reconstructs(loaded: LoadedRun | None, what: str) -> bool:
    return loaded is not None and what == VALUES and bool(loaded.model.predicts_ratings)


def _axes(data: Interactions, order: str, loaded: LoadedRun | None, factor: int, bins: int = _SQUARES) -> tuple[Axis, Axis]:
    """Users and items in the order chosen."""
    if order == FACTOR and loaded is not None:
        users, items = factor_values(loaded.model, factor)
        return make_axis(-users, bins), make_axis(-items, bins)
    if order == TRUTH and data.planted is not None:
        p, q = data.planted
        return make_axis(p.argmax(axis=1), bins), make_axis(q.argmax(axis=1), bins)
    if order == ID:
        return make_axis(np.arange(data.num_users), bins), make_axis(np.arange(data.num_items), bins)
    return make_axis(-data.activity(), bins), make_axis(-data.popularity(), bins)


def known_picture(data: Interactions, called: Nouns, what: str, order: str, users: Axis, items: Axis) -> go.Figure:
    """What is known, in squares: the mean of each, or how full it is."""
    binned = bin_matrix(data, data.rating, users, items)
    if what == FILLED:
        shown, title = 100 * binned.density, f"{rounded_percent(data.density)} of the matrix is filled"
        limits, hover = (0.0, max(float(shown.max()), 1e-9)), "%{z:.3g} % of the cells here are known<extra></extra>"
    else:
        title = f"{len(data):,} {called.ratings} that are known, {data.rating.mean():.2f} on average"
        shown, limits = binned.mean, _limits(data)
        hover = f"mean of %{{customdata:,}} {called.ratings}: {called.rated('%{z:.2f}')}<extra></extra>"
    return _squares(shown, title, called, order, users, items, limits, hover, binned.count)


def reconstruction_picture(
    data: Interactions, called: Nouns, order: str, users: Axis, items: Axis, loaded: LoadedRun, cells: str, run: str
) -> go.Figure:
    """What a run's model predicts in the same squares, on the same colours."""
    predicted, whole = (known_cells if cells == KNOWN else every_cell)(loaded, users, items)
    found = np.isfinite(predicted)
    if cells == KNOWN:
        apart = predicted[found] - bin_matrix(data, data.rating, users, items).mean[found]
        says = f"a square is off by {np.abs(apart).mean():.2f} on average"
    else:
        says = f"{predicted[found].mean():.2f} on average"
    title = f"{escape_plotly(run)}: {says}"
    part = "" if whole else ", of a part drawn from each" if cells == EVERY else ", of a part drawn by lot"
    hover = f"predicted on average: {called.rated('%{z:.2f}')}<extra></extra>"
    note = f"mean prediction for {'what is known' if cells == KNOWN else 'every cell'}{part}"
    return _squares(predicted, title, called, order, users, items, _limits(data), hover, None, note)


def _limits(data: Interactions) -> tuple[float, float]:
    """Ends of the colours: the scale, or where numbers have no end, what 99 of 100 stay below."""
    low, high = data.rating_scale
    return (low, high) if data.feedback == "ratings" else (low, max(low + 1.0, float(np.quantile(data.rating, 0.99))))


_ORDERED = {
    ACTIVITY: ("most active on top", "most popular at the left"),
    ID: ("by id, first on top", "by id, first at the left"),
    TRUTH: ("by what made them", "by what made them"),
    FACTOR: ("most of the factor on top", "most of the factor at the left"),
}


def _squares(
    shown: Float64,
    title: str,
    called: Nouns,
    order: str,
    users: Axis,
    items: Axis,
    limits: tuple[float, float],
    hover: str,
    about: Any = None,
    note: str = "",
) -> go.Figure:
    rows, columns = _ORDERED[order]
    each = f"a square = {_about(users, called.user, called.users)} × {_about(items, called.item, called.items)}"
    chart = new_chart(
        title,
        f"{len(items.order):,} {called.items}, {columns}",
        f"{len(users.order):,} {called.users}, {rows}",
        note=f"{note}; {each}" if note else f"{each}; gaps = nothing is known",
        height=460,
    )
    chart.add_heatmap(
        z=np.round(shown, 3),
        colorscale=visible_scale(),
        zmin=limits[0],
        zmax=limits[1],
        colorbar={"thickness": 8, "outlinewidth": 0},
        customdata=about,
        hovertemplate=hover,
        hoverongaps=False,
    )
    return as_picture(chart)


def _about(axis: Axis, one: str, many: str) -> str:
    """How many of something a square stands for."""
    low, high = int(axis.size.min()), int(axis.size.max())
    return f"1 {one}" if high == 1 else f"{low:,} {many}" if low == high else f"{low:,} or {high:,} {many}"


@kept
def preview(data: Interactions, called: Nouns) -> go.Figure:
    """A small picture of made-up ratings, in the order of what made them: that is where their shape shows."""
    order = TRUTH if data.planted is not None else ID
    users, items = _axes(data, order, None, 1, min(PREVIEW_BINS, MOST_BINS))
    chart = known_picture(data, called, VALUES, order, users, items)
    return chart.update_layout(height=330)
