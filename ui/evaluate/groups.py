"""For whom, and for what, a run works: deciles of users by activity and of items by popularity, each open to a click."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from mfcore.evaluation import by_item_popularity, by_user_activity, ranking, summarise
from ui.address import write_param
from ui.charts import show, titled
from ui.evaluate.contest import Scored, scored_baseline, scored_run
from ui.evaluate.members import ITEMS, PARAM, USERS, open_group, show_members
from ui.evaluate.store import stored_split
from ui.format import count, in_its_unit, metric_help, unit_of
from ui.state import recall
from ui.theme import colour

if TYPE_CHECKING:
    from mfcore.data import Split
    from mfcore.evaluation import EvaluationDetails
    from mfcore.runs.summary import RunSummary

NAMES = {
    "hr": "HR@{k}",
    "ndcg": "NDCG@{k}",
    "hr_full": "HR@{k} (all items)",
    "ndcg_full": "NDCG@{k} (all items)",
    "rmse": "RMSE",
}


def groups(run: RunSummary, details: EvaluationDetails, ties: str, thing: tuple[str, str]) -> None:
    """The two decile charts, and below them who or what is in the one that was clicked."""
    st.subheader("For whom does it work?", anchor=False)
    offered = [
        name for name in NAMES if (name != "rmse" and len(details.case_user)) or (name == "rmse" and len(details.predicted))
    ]
    if not offered:
        st.markdown("No held-out rating counts as relevant here.")
        return
    split = stored_split(run.run_id)
    chosen = _metric(offered, details.k)
    ours = scored_run(run, ties, ours=True)
    floor = scored_baseline(run, "bias only" if chosen == "rmse" else "popularity", ties)
    title = NAMES[chosen].format(k=details.k)
    with st.grid(2, min_column_width=360):
        for kind in (USERS, ITEMS):
            found = deciles(kind, ours.key, split.hash, ours.details, split)
            beneath = deciles(kind, floor.key, split.hash, floor.details, split) if floor else None
            overall = _overall(ours, chosen, kind)
            figure = decile_chart(kind, found, beneath, chosen, title, overall, thing[1], model=run.model, floor=floor)
            # A new key forgets the bar chosen here once one is chosen in the other chart.
            key = f"deciles_{kind}" + ("" if open_group() in (None, kind) else "_other")
            show(
                figure,
                key=key,
                alt=f"{title} by decile of {kind}",
                on_select=partial(_clicked, key, kind, found["decile"].tolist()),
                selection_mode="points",
            )
    show_members(run, ours, split, thing)


def _clicked(key: str, kind: str, numbers: list[int]) -> None:
    """A bar was clicked: its decile goes into the address; a click on it again closes the list."""
    event = recall(key)
    points = event.selection.points if event else []
    write_param(PARAM, f"{kind}-{numbers[points[0]['point_index']]}" if points else None)


def _metric(offered: list[str], k: int) -> str:
    names = {NAMES[name].format(k=k): name for name in offered}
    default = "RMSE" if "RMSE" in names else next(iter(names))
    tip = metric_help("rmse" if default == "RMSE" else f"ndcg@{k}")
    chosen = st.segmented_control(
        "Metric", list(names), default=default, key="by", bind="query-params", required=True, help=tip or None
    )
    return names.get(str(chosen), names[default])


@st.cache_data(max_entries=32, show_spinner=False)
def deciles(kind: str, key: str, split_hash: str, _details: EvaluationDetails, _split: Split) -> pd.DataFrame:
    """One row a decile, with the members of each; see mfcore.evaluation.breakdown."""
    return by_user_activity(_details, _split) if kind == USERS else by_item_popularity(_details, _split)


def _overall(line: Scored, name: str, kind: str) -> float:
    """The run's figure over everything, for the reference line. By items, full figures are per case, not per user."""
    if kind == ITEMS and name.endswith("_full"):
        return ranking.per_case(line.details.rank_full, line.details.k)[name.removesuffix("_full")]
    key = {"hr": "hr@{k}", "ndcg": "ndcg@{k}", "hr_full": "hr@{k}/full", "ndcg_full": "ndcg@{k}/full", "rmse": "rmse"}[name]
    return summarise(line.details).get(key.format(k=line.details.k), float("nan"))


def decile_chart(
    kind: str,
    found: pd.DataFrame,
    beneath: pd.DataFrame | None,
    name: str,
    title: str,
    overall: float,
    things: str,
    *,
    model: str,
    floor: Scored | None = None,
) -> go.Figure:
    """Bars of one metric by decile; grey points: the baseline; dotted: over everything."""
    values = found[name].to_numpy()
    labels = [_range(low, high) for low, high in zip(found["low"], found["high"], strict=True)]
    figure = titled(
        _title(kind, values, name, title, things),
        f"training ratings of the {'user' if kind == USERS else things[:-1]}, in ten groups",
        "RMSE (stars)" if name == "rmse" else "",
        note=f"click a bar to see its {kind if kind == USERS else things}; dotted: overall"
        + (f"; grey: {floor.name}" if floor else ""),
        showlegend=False,
        bargap=0.15,
        clickmode="event+select",
    )
    scale, unit, digits = unit_of(name)
    number = f"%{{y:{digits}}}{' stars' if name == 'rmse' else unit}"
    members = found["num_users"] if kind == USERS else found["num_items"]
    word = "users" if kind == USERS else things
    hover = [f"{count(n)} {word} with {label} ratings" for n, label in zip(members, labels, strict=True)]
    figure.add_bar(
        x=labels,
        y=scale * values,
        marker={"color": colour(model)},
        customdata=hover,
        hovertemplate=f"{number}<br>%{{customdata}}<extra></extra>",
        selected={"marker": {"opacity": 1.0}},
        unselected={"marker": {"opacity": 0.45}},
    )
    if beneath is not None and floor is not None:
        look = {"color": colour("baseline"), "size": 10, "symbol": "line-ew-open", "line": {"width": 4}}
        figure.add_scatter(
            x=labels,
            y=scale * beneath[name].to_numpy(),
            mode="markers",
            marker=look,
            hovertemplate=f"{floor.name}: {number}<extra></extra>",
            unselected={"marker": {"opacity": 1.0}},
        )
    if np.isfinite(overall):
        figure.add_hline(y=scale * overall, line={"color": colour("text"), "width": 1, "dash": "dot"})
    figure.update_xaxes(type="category", tickfont={"size": 11})
    return figure.update_yaxes(rangemode="tozero", ticksuffix=unit)


def _title(kind: str, values: np.ndarray, name: str, title: str, things: str) -> str:
    known = values[np.isfinite(values)]
    short = title.replace(" (all items)", "")
    if len(known) < 2:
        return f"{short} by {'activity of users' if kind == USERS else f'popularity of {things}'}"
    first, last = (in_its_unit(name, value) for value in (known[0], known[-1]))
    least = f"least active {USERS}" if kind == USERS else f"least rated {things}"
    return f"{short}: {first} for the {least}, {last} for the most"


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
