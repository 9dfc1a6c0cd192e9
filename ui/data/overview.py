"""How much there is, how full the table is, who holds the ratings: a dataset at a glance."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mfcore.data import stats
from mfcore.data.interactions import Interactions
from mfcore.typing import Int64
from ui.charts import new_chart, show_chart, visible_scale
from ui.datasets import Nouns
from ui.format import count, escape_plotly, rounded_percent
from ui.memo import kept
from ui.theme import colour, sequential

WHOLE, BUSIEST, RANDOM, MIXED = "Whole table", "Busiest corner", "Random part", "Mixed"
CORNERS = {
    BUSIEST: (", the most active", ", the most rated"),
    RANDOM: (" drawn by lot", " drawn by lot"),
    MIXED: (", most active to least", ", most to least rated"),
}
"""Part of the table that can be looked at closely → which users, and which items, stand in it."""
CELLS = 60  # the whole table is drawn as CELLS × CELLS squares, whatever its size


def show_counts(data: Interactions, called: Nouns) -> None:
    """How much there is, and how little of what there could be."""
    with st.container(horizontal=True, gap="large"):
        st.metric("ratings", count(len(data)), help=f"One {called.user}'s opinion of one {called.item}.", width="content")
        st.metric(called.users, count(data.num_users), help="Rows of the table.", width="content")
        st.metric(called.items, count(data.num_items), help="Columns of the table.", width="content")
        filled = f"Density: ratings there are, divided by {called.users} times {called.items}."
        st.metric("of the table is filled", rounded_percent(data.density), help=filled, width="content")
    st.caption(density_words(data.density))


def density_words(density: float) -> str:
    """How full the table is, as a person would say it."""
    if density >= 0.5:
        return f"{rounded_percent(density)} of the table is filled, which real data never is."
    return f"Of every {round(1 / density):,} possible ratings, one is known; a recommender guesses the others."


def show_pictures(data: Interactions, called: Nouns) -> None:
    """The matrix at a glance, the long tail, the ratings."""
    table, tail, ratings = st.columns([4, 4, 3], gap="medium")
    with table:
        picture = st.empty()
        corner = st.segmented_control(
            "Which part of the table",
            [WHOLE, *CORNERS],
            default=WHOLE,
            required=True,
            key="corner",
            bind="query-params",
            help=f"Busiest: the most active {called.users} and the most rated {called.items}. Random: drawn by lot. "
            f"Mixed: {called.users} and {called.items} of all kinds, from the busiest to the least busy, evenly.",
            label_visibility="collapsed",
        )
        with picture:
            if corner in CORNERS:
                alt = f"Which ratings are known, {corner.lower()}"
                show_chart(part_of_table(data, called, corner), key="matrix", alt=alt)
            else:
                show_chart(whole_table(data, called), key="matrix", alt="How filled each region of the table is")
    with tail:
        show_chart(
            long_tail(data, called.items), key="tail", alt=f"Cumulative share of ratings against share of {called.items}"
        )
    with ratings:
        show_chart(rating_histogram(data), key="ratings", alt="How often each rating was given")


@kept
def whole_table(data: Interactions, called: Nouns) -> go.Figure:
    """Users × items, both sorted by how much they have; a square's colour is the share of its cells that is filled."""
    user_bin, user_size = _bins(data.activity())
    item_bin, item_size = _bins(data.popularity())
    filled = np.zeros((len(user_size), len(item_size)))
    np.add.at(filled, (user_bin[data.user_idx], item_bin[data.item_idx]), 1.0)
    share = 100.0 * filled / np.outer(user_size, item_size)
    chart = new_chart(
        f"{rounded_percent(data.density)} of the table is filled",
        f"{called.items} (most rated at the left)",
        f"{called.users} (most active on top)",
        note="stronger colour = more of the cells there are known",
    )
    chart.add_heatmap(
        z=share,
        colorscale=_scale(),
        zmin=0,
        zmax=min(100.0, 1200.0 * data.density),  # tied to the density: where nothing stands out, nothing looks as if it did
        showscale=False,
        hovertemplate="%{z:.0f} % of the cells here are known<extra></extra>",
    )
    return as_picture(chart)


def corner_of(data: Interactions, kind: str, size: int = 40) -> tuple[Int64, Int64]:
    """Users and items, (≤ size,) indices each, of one of :data:`CORNERS`, most active and most rated first."""
    found = []
    for seed, counts in enumerate((data.activity(), data.popularity())):
        ranked, number = stats.most_first(counts), min(size, len(counts))
        if kind == RANDOM:
            places = np.sort(np.random.default_rng(seed).choice(len(ranked), number, replace=False))
        elif kind == MIXED:
            places = np.linspace(0, len(ranked) - 1, number).astype(np.int64)
        else:
            places = np.arange(number)
        found.append(ranked[places])
    return found[0], found[1]


@kept
def part_of_table(data: Interactions, called: Nouns, kind: str) -> go.Figure:
    """The ratings of some users on some items; ``kind``: one of :data:`CORNERS`. Says how full it is, and the whole table."""
    users, items = corner_of(data, kind)
    ratings = stats.block(data, data.rating, users, items)
    share = float(np.isfinite(ratings).mean())
    names = [escape_plotly(title) for title in data.item_titles(items)]
    who = [f"{called.user} {raw}" for raw in data.users.ids[users].tolist()]
    about = np.array([[f"{one}, {name}" for name in names] for one in who], dtype=object)
    busy, rated = CORNERS[kind]
    chart = new_chart(
        f"{rounded_percent(share)} is known here, {rounded_percent(data.density)} of the whole table",
        f"{len(items)} {called.items}{rated}",
        f"{len(users)} {called.users}{busy}",
        note="colour = rating, gaps = what a recommender must guess",
    )
    chart.add_heatmap(
        z=ratings,
        colorscale=visible_scale(),
        zmin=data.rating_scale[0],
        zmax=data.rating_scale[1],
        colorbar={"thickness": 8, "outlinewidth": 0},
        customdata=about,
        hovertemplate=f"%{{customdata}}: {called.rated('%{z:.3g}')}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    return as_picture(chart)


@kept
def long_tail(data: Interactions, items: str) -> go.Figure:
    """Ratings that the best-known items hold, whatever share of them is asked. The title states what a fifth of them holds."""
    tail = stats.long_tail(data)
    head = stats.head_share(tail)
    drawn = tail.iloc[np.unique(np.linspace(0, len(tail) - 1, 400).astype(int))]  # no more points than a screen can show
    x, y = (np.concatenate([[0.0], 100.0 * drawn[share]]) for share in ("item_share", "rating_share"))
    chart = new_chart(
        f"20 % of the {items} hold {100 * head:.0f} % of the ratings",
        f"share of {items}, most rated first (%)",
        "share of all ratings (%)",
        note="dashed: if all were rated equally often",
    )
    chart.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"dash": "dash", "width": 1, "color": colour("baseline")}, hoverinfo="skip"
    )
    chart.add_scatter(
        x=x[x <= 20], y=y[x <= 20], mode="none", fill="tozeroy", fillcolor=colour("primary"), opacity=0.5, hoverinfo="skip"
    )
    chart.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colour("text"), "width": 2},
        hovertemplate=f"the top %{{x:.0f}} % of {items}<br>hold %{{y:.0f}} % of the ratings<extra></extra>",
    )
    return chart.update_layout(showlegend=False).update_xaxes(range=[0, 100]).update_yaxes(range=[0, 102])


@kept
def rating_histogram(data: Interactions) -> go.Figure:
    """How often each rating was given; twenty equal bins when ratings are real numbers."""
    table = stats.rating_histogram(data)
    values, counts = table["rating"].to_numpy(), table["count"].to_numpy()
    mean = float(data.rating.mean())
    if table["width"].any():
        title = f"Ratings average {mean:.2f}"
    else:
        favourite = f"Most often {values[counts.argmax()]:g}" if counts.max() > 1.1 * counts.mean() else "No favourite"
        title = f"{favourite}, on average {mean:.2f}"
    chart = new_chart(title, "rating", "share of ratings (%)", note="guessing the mean every time is the floor to beat")
    chart.add_bar(
        x=values,
        y=100.0 * counts / counts.sum(),
        marker={"color": colour("muted"), "line": {"width": 0}},
        customdata=counts,
        hovertemplate="rating %{x:.3g}: %{customdata:,} times (%{y:.1f} %)<extra></extra>",
    )
    chart.add_vline(x=mean, line={"dash": "dot", "width": 2, "color": colour("primary")})
    return chart.update_xaxes(dtick=1).update_layout(bargap=0.15)


def _bins(counts: Int64) -> tuple[Int64, Int64]:
    """Rank by count, cut into at most CELLS equal groups: the group of each index, and the size of each group."""
    rank = np.empty(len(counts), dtype=np.int64)
    rank[stats.most_first(counts)] = np.arange(len(counts))
    groups = min(CELLS, len(counts))
    group = rank * groups // len(counts)
    return group, np.bincount(group, minlength=groups)


def _scale() -> list[list[object]]:
    """From the page's own background upwards, so that empty looks empty."""
    return [[0.0, colour("surface")], *([0.02 + 0.98 * at, step] for at, step in sequential())]


def as_picture(chart: go.Figure) -> go.Figure:
    """A table has no numbered axes: only their titles stay, and the first row is on top."""
    chart.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
    return chart.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, autorange="reversed")
