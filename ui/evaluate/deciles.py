"""For whom, and for what, a run works: deciles of users by activity and of items by popularity, each open to a click."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from mfcore.data import Split
from mfcore.evaluation import EvaluationDetails, by_item_popularity, by_user_activity, ranking, summarise, user_metrics
from mfcore.evaluation.breakdown import Contrast, item_contrast, user_contrast
from mfcore.evaluation.metrics import RMSE, selection_key
from mfcore.runs import RunConfig, RunSummary
from mfcore.typing import Float64, Int64
from ui.address import linked_choice, write_param
from ui.charts import new_chart, show_chart
from ui.datasets import Nouns, nouns
from ui.evaluate.contestants import Scored, scored_baseline, scored_run
from ui.evaluate.store import stored_split
from ui.evaluate.surprises import about_ends, explain
from ui.format import count, in_its_unit, metric_name, unit_of
from ui.state import page_path, recall
from ui.theme import colour
from ui.words import metric_tip

USERS, ITEMS = "users", "items"
PARAM = "group"
"""Query parameter: ``users-3`` or ``items-10``."""

KEYS = {"hr": "hr@{k}", "ndcg": "ndcg@{k}", "hr_full": "hr@{k}/full", "ndcg_full": "ndcg@{k}/full", "rmse": "rmse"}
"""Column of a breakdown → the metric it holds; in the order in which they are offered."""


def deciles_section(run: RunSummary, details: EvaluationDetails, ties: str) -> None:
    """The two decile charts, and below them who or what is in the one that was clicked."""
    st.header("For whom does it work?", anchor=False)
    offered = {
        metric_name(key.format(k=details.k)): name
        for name, key in KEYS.items()
        if len(details.predicted if name == "rmse" else details.case_user)
    }
    if not offered:
        st.markdown("No held-out rating counts as relevant here.")
        return
    split, called = stored_split(run.run_id), nouns(run.config.dataset)
    ours = scored_run(run, ties, ours=True)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        title, chosen = _chosen_metric(offered, run.config)
    with right:
        _choose_group({kind: deciles(kind, ours.key, split.hash, ours.details, split) for kind in (USERS, ITEMS)}, called)
    floor = scored_baseline(run, "bias only" if chosen == "rmse" else "popularity", ties)
    with st.grid(2, min_column_width=360):
        for kind in (USERS, ITEMS):
            found = deciles(kind, ours.key, split.hash, ours.details, split)
            beneath = deciles(kind, floor.key, split.hash, floor.details, split) if floor else None
            overall = _overall(ours, chosen, kind)
            figure = decile_chart(kind, found, beneath, chosen, title, overall, called, model=run.model, floor=floor)
            # A new key forgets the bar chosen here once one is chosen in the other chart.
            key = f"deciles_{kind}" + ("" if open_group() in (None, kind) else "_other")
            show_chart(
                figure,
                key=key,
                alt=f"{title} by decile of {kind}",
                table=partial(decile_table, kind, found, beneath, chosen, title, called, floor.name if floor else ""),
                on_select=partial(_clicked, key, kind, found["decile"].tolist()),
                selection_mode="points",
            )
    key = KEYS[chosen].format(k=details.k)
    ends = (
        about_ends(contrast(kind, key, ours.key, split.hash, ours.details, split), key, called, users=kind == USERS)
        for kind in (USERS, ITEMS)
    )
    explain(filter(None, ends))
    show_members(run, ours, split, called)


@st.cache_data(max_entries=64, show_spinner=False)
def contrast(kind: str, metric: str, key: str, split_hash: str, _details: EvaluationDetails, _split: Split) -> Contrast | None:
    """The first against the last group of :func:`deciles`, with what was measured of both."""
    found = deciles(kind, key, split_hash, _details, _split)
    return (user_contrast if kind == USERS else item_contrast)(_details, _split, metric, found)


def _choose_group(found: Mapping[str, pd.DataFrame], called: Nouns) -> None:
    """What a click on a bar does, for who does not see that bars can be clicked, or has no mouse."""
    words = {}
    for kind, table in found.items():
        word = called.users if kind == USERS else called.items
        for number, low, high in zip(table["decile"].tolist(), table["low"].tolist(), table["high"].tolist(), strict=True):
            words[f"{kind}-{number}"] = f"{word} with {_range(low, high)} training ratings"
    linked_choice(
        "Look into a group",
        list(words),
        PARAM,
        text=words.__getitem__,
        follow=True,
        placeholder="Choose one here, or click a bar",
    )


def _clicked(key: str, kind: str, numbers: list[int]) -> None:
    """A bar was clicked: its decile goes into the address; a click on it again closes the list."""
    event = recall(key)
    points = event.selection.points if event else []
    write_param(PARAM, f"{kind}-{numbers[points[0]['point_index']]}" if points else None)


def _chosen_metric(offered: dict[str, str], config: RunConfig) -> tuple[str, str]:
    """The metric to draw: its name on screen and its column. ``offered``: name → column."""
    rated = metric_name(RMSE.name)
    default = rated if rated in offered else next(iter(offered))
    tip = metric_tip(selection_key(config.protocol.k, ranks=default != rated), config)
    chosen = st.segmented_control(
        "Metric", list(offered), default=default, key="by", bind="query-params", required=True, help=tip
    )
    name = str(chosen) if chosen in offered else default
    return name, offered[name]


@st.cache_data(max_entries=32, show_spinner=False)
def deciles(kind: str, key: str, split_hash: str, _details: EvaluationDetails, _split: Split) -> pd.DataFrame:
    """One row a decile, with the members of each; see mfcore.evaluation.breakdown."""
    return by_user_activity(_details, _split) if kind == USERS else by_item_popularity(_details, _split)


def _overall(line: Scored, name: str, kind: str) -> float:
    """The run's figure over everything, for the reference line. By items, full figures are per case, not per user."""
    if kind == ITEMS and name.endswith("_full"):
        return ranking.per_case(line.details.places_full, line.details.k)[name.removesuffix("_full")]
    return summarise(line.details).get(KEYS[name].format(k=line.details.k), float("nan"))


def decile_chart(
    kind: str,
    found: pd.DataFrame,
    beneath: pd.DataFrame | None,
    name: str,
    title: str,
    overall: float,
    called: Nouns,
    *,
    model: str,
    floor: Scored | None = None,
) -> go.Figure:
    """Bars of one metric by decile; grey points: the baseline; dotted: over everything."""
    values = found[name].to_numpy()
    scale, unit, digits = unit_of(name)
    word = called.users if kind == USERS else called.items
    alone = f"each held-out {called.item} on its own; " if kind == ITEMS and name.endswith("_full") else ""
    labels = [_range(low, high) for low, high in zip(found["low"], found["high"], strict=True)]
    figure = new_chart(
        _title(kind, values, name, title, called),
        f"training ratings of the {called.user if kind == USERS else called.item}, in ten groups",
        f"RMSE ({called.units})" if name == "rmse" else title + (f" ({unit.strip()})" if unit else ""),
        note=f"click a bar to see its {word}; {alone}dotted: overall" + (f"; grey: {floor.name}" if floor else ""),
        showlegend=False,
        bargap=0.15,
        clickmode="event+select",
    )
    number = f"%{{y:{digits}}}{f' {called.units}' if name == 'rmse' else unit}"
    members = found["num_users"] if kind == USERS else found["num_items"]
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
        halo = {"color": colour("background"), "size": 14, "symbol": "line-ew-open", "line": {"width": 8}}
        y = scale * beneath[name].to_numpy()
        still = {"marker": {"opacity": 1.0}}
        figure.add_scatter(x=labels, y=y, mode="markers", marker=halo, hoverinfo="skip", unselected=still)  # apart from the bar
        look = {"color": colour("baseline"), "size": 10, "symbol": "line-ew-open", "line": {"width": 4}}
        figure.add_scatter(
            x=labels,
            y=y,
            mode="markers",
            marker=look,
            hovertemplate=f"{floor.name}: {number}<extra></extra>",
            unselected=still,
        )
    if np.isfinite(overall):
        figure.add_hline(y=scale * overall, line={"color": colour("text"), "width": 1, "dash": "dot"})
    figure.update_xaxes(type="category", tickfont={"size": 11})
    return figure.update_yaxes(rangemode="tozero", ticksuffix=unit)


def decile_table(
    kind: str, found: pd.DataFrame, beneath: pd.DataFrame | None, name: str, title: str, called: Nouns, floor: str
) -> pd.DataFrame:
    """What :func:`decile_chart` draws, one row a group."""
    word = called.users if kind == USERS else called.items
    table = pd.DataFrame({"group": found["decile"], "training ratings from": found["low"], "to": found["high"]})
    table[word] = found[f"num_{kind}"]
    table[f"{title}, this run"] = found[name]
    if beneath is not None:
        table[f"{title}, {floor}"] = beneath[name].to_numpy()
    return table


def _title(kind: str, values: Float64, name: str, title: str, called: Nouns) -> str:
    known = values[np.isfinite(values)]
    short = title.replace(" (all items)", "")
    if len(known) < 2:
        return f"{short} by {f'activity of {called.users}' if kind == USERS else f'popularity of {called.items}'}"
    first, last = (in_its_unit(name, value) for value in (known[0], known[-1]))
    least = f"least active {called.users}" if kind == USERS else f"least rated {called.items}"
    return f"{short}: {first} for the {least}, {last} for the most"


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


# --- who is in one of them ---------------------------------------------------------------------------------------------


def open_group() -> str | None:
    """Whether the address opens a group of users or of items."""
    kind = st.query_params.get(PARAM, "").partition("-")[0]
    return kind if kind in (USERS, ITEMS) else None


def show_members(run: RunSummary, ours: Scored, split: Split, called: Nouns) -> None:
    """The table of the decile in the address, if there is one. A click on a line leads to Recommend."""
    kind, _, number = st.query_params.get(PARAM, "").partition("-")
    if kind not in (USERS, ITEMS) or not number.isdigit():
        return
    found = by_user_activity(ours.details, split) if kind == USERS else by_item_popularity(ours.details, split)
    row = found[found["decile"] == int(number)]
    if row.empty:
        return
    members, low, high = row[kind].iloc[0], int(row["low"].iloc[0]), int(row["high"].iloc[0])
    word = called.users if kind == USERS else called.items
    between = f"{count(low)} training ratings" if low == high else f"{count(low)} to {count(high)} training ratings"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        then = "their recommendations" if kind == USERS else "what is like it"
        st.markdown(f"**{count(len(members))} {word} with {between}.** Click one to see {then}.")
        if st.button("Close", icon=":material/close:", type="tertiary"):
            write_param(PARAM, None)
            st.rerun()
    table = user_table(ours.details, split, members) if kind == USERS else item_table(ours.details, split, members)
    event = st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) < 8 else 320,
        column_config=_columns(run.config),
        key=f"members_{kind}_{number}",
        on_select="rerun",
        selection_mode="single-cell",
        alt=f"{word} of the chosen group",
    )
    cells = event.selection.cells if event else []
    if cells:
        chosen = str(table["id"].iloc[cells[0][0]])
        query = {"run": run.run_id, "user" if kind == USERS else "like": chosen}
        query[PARAM] = st.query_params[PARAM]  # the back button then finds this list again
        st.switch_page(page_path("recommend"), query_params=query)


def user_table(details: EvaluationDetails, split: Split, users: Int64) -> pd.DataFrame:
    """One line a user: id, training ratings, what was held out and where it stands, or how many and the metrics."""
    k = details.k
    metrics = user_metrics(details).reindex(users)
    table = pd.DataFrame({"id": split.data.users.ids[users]})
    table["ratings"] = np.bincount(split.train.user_idx, minlength=split.data.num_users)[users]
    if len(details.case_user) == len(np.unique(details.case_user)):
        place = pd.Series(range(len(details.case_user)), index=details.case_user).reindex(users)
        case = place.dropna().astype(int)
        names = np.array(split.data.item_titles(), dtype=object)
        table["held"] = pd.Series(names[details.case_item[case]], index=case.index).reindex(users).to_numpy()
        table["place"] = pd.Series(details.rank_full[case] + 1, index=case.index).reindex(users).to_numpy()
    else:
        table["cases"] = np.bincount(details.case_user, minlength=split.data.num_users)[users]
    for key in (f"hr@{k}", f"ndcg@{k}", f"ndcg@{k}/full", "rmse"):
        if key in metrics:
            table[key] = metrics[key].to_numpy()
    return table


def item_table(details: EvaluationDetails, split: Split, items: Int64) -> pd.DataFrame:
    """One line an item that was held out from somebody, most often held out first: title, ratings, times, how often found."""
    k = details.k
    size = split.data.num_items
    held = np.bincount(details.case_item, minlength=size)
    hits = np.nan_to_num(ranking.case_values(details.places_draws, k)["hr"]).mean(axis=0)
    full = np.nan_to_num(ranking.case_values(details.places_full, k)["hr"])
    shown = items[held[items] > 0]
    shown = shown[np.argsort(-held[shown], kind="stable")]
    names = np.array(split.data.item_titles(), dtype=object)
    return pd.DataFrame(
        {
            "id": split.data.items.ids[shown],
            "title": names[shown],
            "ratings": split.train.popularity()[shown],
            "times": held[shown],
            f"hr@{k}": np.bincount(details.case_item, hits, minlength=size)[shown] / held[shown],
            f"hr@{k}/full": np.bincount(details.case_item, full, minlength=size)[shown] / held[shown],
        }
    )


def _columns(config: RunConfig) -> dict[str, Any]:
    c, called = st.column_config, nouns(config.dataset)
    number = {
        key: c.NumberColumn(metric_name(key, short=True), format="%.3f", help=metric_tip(key, config))
        for key in (column.format(k=config.protocol.k) for column in KEYS.values())
    }
    return {
        "id": c.TextColumn("Id", help="As in the data. Click anywhere on the line."),
        "title": c.TextColumn(called.item.capitalize(), width="medium"),
        "ratings": c.NumberColumn("Training ratings", format="%d", help="How many ratings the model could learn from."),
        "held": c.TextColumn(f"Held-out {called.item}", width="medium", help="What the model had to find."),
        "place": c.NumberColumn("Place among all", format="%g", help=f"1: the model puts it before every other {called.item}."),
        "cases": c.NumberColumn(
            "Held out", format="%d", help="How many relevant ratings were kept from training for the test."
        ),
        "times": c.NumberColumn("Held out", format="%d", help=f"For how many {called.users} this was to be found."),
        **number,
    }
