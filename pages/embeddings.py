"""Embeddings: the vectors a model learned, as a map of films and of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from mfcore.validate import UnusableRequest
from ui.choices import linked_choice, write_param
from ui.controls import error_line, link_to
from ui.embedding_map import embedding_map
from ui.embedding_points import colours_for
from ui.embedding_space import ITEMS, USERS, Space, neighbours, space_of, variance_words
from ui.figures import show
from ui.films import film_list, nouns, one, year_text
from ui.format import count
from ui.loaded import open_model
from ui.runbar import run_bar
from ui.theme import colour

if TYPE_CHECKING:
    from mfcore.runs.loaded import LoadedRun

NEAR = 10
FILL = "<style>.st-key-map{height:max(26rem,calc(100vh - 20.6rem))!important}</style>"  # what is left of the window


def controls(run: LoadedRun, thing: tuple[str, str]) -> tuple[Space, bool, int, str, int | None]:
    """One row: whose vectors, how many axes, coloured by what, and a search. Returns what to draw."""
    things = thing[1].capitalize()
    with st.container(horizontal=True, vertical_alignment="bottom", key="map_controls"):
        kinds = [things, "Users", "Both"]
        kind = st.segmented_control("Points", kinds, default=things, key="points", bind="query-params", required=True)
        space = space_of(run, USERS if kind == "Users" else ITEMS)
        is_user = space.kind == USERS
        dimensions = ["2-D", "3-D"] if space.coordinates.shape[1] > 2 else ["2-D"]
        axes = st.segmented_control("Axes", dimensions, default="2-D", key="axes", bind="query-params", required=True)
        choices = list(colours_for(space.points))
        words = st.segmented_control("Colour", choices, default=choices[0], key="colour", bind="query-params", required=True)
        ids = space.points["id"].tolist()
        label = dict(zip(ids, space.points["label"].tolist(), strict=True))
        chosen = linked_choice(
            "Search",
            ids,
            "user" if is_user else "film",
            text=label.__getitem__,
            placeholder="a user's id" if is_user else f"{one(thing[0])}, to see its neighbours",
        )
    row = None if chosen is None else ids.index(chosen)
    return space, kind == "Both", 3 if axes == "3-D" else 2, words or choices[0], row


def draw(space: Space, both: bool, axes: int, words: str, row: int | None, near: np.ndarray | None) -> Any:
    """The map itself. A click on a point chooses it."""
    figure = embedding_map(
        space.points,
        space.coordinates[:, :axes],
        space.explained,
        colour_by=colours_for(space.points)[words],
        words="Ratings (log)" if words == "Popularity" else words,
        chosen=row,
        near=near,
        backdrop=("users", space.others[:, :axes]) if both else None,
    )
    return show(
        figure,
        key="map",
        alt=f"Map of {len(space.points)} points on {axes} principal components",
        height="stretch",
        scroll=True,
        bar="hover",
        on_select="rerun",
        selection_mode="points",
    )


def beside(run: LoadedRun, space: Space, row: int, near: np.ndarray, cosine: np.ndarray) -> None:
    """The chosen point and its neighbours."""
    point = space.points.iloc[row]
    st.markdown("**Chosen**")
    st.html(f"<div>{point['hover']}</div>")
    st.markdown("**Nearest in all dimensions** (cosine)")
    rows = [
        {
            "title": space.points["label"].iloc[index],
            "year": year_text(run.data.item_table["year"].iloc[index]) if space.kind == ITEMS else "",
            "genres": (),
            "share": max(float(value), 0.0),
            "value": f"{value:.2f}",
        }
        for index, value in zip(near.tolist(), cosine.tolist(), strict=True)
    ]
    st.html(film_list(rows, colour=colour(run.config.model.name), name="Neighbours"))
    if space.kind == USERS:
        link_to("recommend", "What to recommend them", run=run.folder.run_id, user=str(point["id"]))


def clicked(event: Any) -> int | None:
    """Row of the point that was clicked, if one was."""
    points = event.selection.points if event else []
    found = points[0].get("customdata") if points else None
    found = found[0] if isinstance(found, list) and found else found
    return int(found) if isinstance(found, (int, float)) else None


summary = run_bar("see what it learned about films and users")
run = open_model(summary) if summary is not None else None
if run is not None:
    thing = nouns(run.config.dataset)
    try:
        space, both, axes, words, row = controls(run, thing)
        near, cosine = neighbours(space.vectors, row, NEAR) if row is not None else (None, None)
        left, right = st.columns([3, 1]) if row is not None else (st.container(), None)
        st.html(FILL)
        with left:
            event = draw(space, both, axes, words, row, near)
            neumf = run.config.model.name == "neumf"
            halves = " NeuMF's vectors are those of its two halves, GMF and MLP, side by side." if neumf else ""
            meaning = variance_words(space.explained, axes, space.vectors.shape[1])
            st.caption(f"{count(len(space.points))} points. {meaning}{halves}")
        if right is not None:
            with right:
                beside(run, space, row, near, cosine)
        hit = clicked(event)
        if hit is not None and hit != row:
            write_param("user" if space.kind == USERS else "film", str(space.points["id"].iloc[hit]))
            st.rerun()
    except UnusableRequest as error:
        error_line(error)
