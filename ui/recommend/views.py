"""What the Recommend page draws: the user's history, their list, items like one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mfcore.typing import Float64
from ui.datasets import Nouns
from ui.format import count, escape_markdown
from ui.items import genre_text, item_list
from ui.theme import colour

ROW_HEIGHT = 52  # pixels of a row of the list beside the history, about


def profile_line(profile: dict[str, Any], overall_mean: float) -> str:
    """Who this is, in one Markdown line."""
    facts = [f"{count(profile['count'])} ratings", f"{profile['mean']:.1f} on average (everyone: {overall_mean:.1f})"]
    if profile["genres"]:
        facts.append("mostly " + escape_markdown(", ".join(profile["genres"])))
    if profile["from"] is not None:
        start, end = profile["from"].strftime("%b %Y"), profile["to"].strftime("%b %Y")
        facts.append(start if start == end else f"{start} to {end}")
    return " · ".join(facts)


def show_history(history: pd.DataFrame, called: Nouns, rows: int) -> None:
    """Sortable table of everything the user rated, as high as a list of ``rows`` beside it."""
    table = pd.DataFrame(
        {
            "title": history["title"],
            "rating": history["rating"],
            "part": history["part"],
            "when": history["timestamp"],
            "genres": [genre_text(genres) for genres in history["genres"]],  # last: what there is no room for
        }
    )
    dated = bool(table["when"].notna().any())
    whole = bool((history["rating"] % 1 == 0).all())
    columns = {
        "title": st.column_config.TextColumn(called.item.capitalize(), width=268, pinned=True),
        "rating": st.column_config.NumberColumn("Rating", format=f"{'%d' if whole else '%.1f'} {called.symbol}", width=56),
        "genres": st.column_config.TextColumn("Genres", width=130) if table["genres"].any() else None,
        "part": st.column_config.TextColumn(
            "Used for", width=80, help="The model learned from train; validation chose the epoch; test was kept from it."
        ),
        "when": st.column_config.DatetimeColumn("Rated", format="D MMM YYYY", width=90) if dated else None,
    }
    st.dataframe(
        table,
        column_config=columns,
        hide_index=True,
        height=ROW_HEIGHT * max(6, min(rows, 12)),
        key="history",
        alt=f"Rated {called.items}",
    )


def show_recommended(top: pd.DataFrame, *, ratings: bool, scale: tuple[float, float], model: str, called: Nouns) -> None:
    """The list, best first: predicted ratings for a model of ratings, else bars relative to the first and last shown."""
    scores = top["score"].to_numpy(dtype=float)
    shares = (scores - scale[0]) / (scale[1] - scale[0]) if ratings else relative(scores)
    rows = []
    for row, share in zip(top.to_dict("records"), shares.tolist(), strict=True):
        near = f"close to {row['near']}" if row["near"] else ""
        note = f"they rated it {row['rating']:g} {called.symbol}" if row["seen"] else near
        value = f"{row['score']:.2f} {called.symbol}" if ratings else ""
        rows.append({**row, "share": share, "value": value, "note": note, "known": row["seen"]})
    st.html(item_list(rows, colour=colour(model), name=f"Recommended {called.items}"))


def relative(scores: Float64) -> Float64:
    """Scores as bar lengths: 1 for the first, a fifth for the last, so that every bar can be seen. (n,) → (n,)."""
    spread = float(np.ptp(scores)) if len(scores) else 0.0
    return np.ones_like(scores) if spread == 0 else 0.2 + 0.8 * (scores - scores.min()) / spread


def show_similar(similar: pd.DataFrame, *, model: str, called: Nouns) -> None:
    """Neighbours with their cosine as bar and number."""
    rows = [
        {**row, "share": max(row["similarity"], 0.0), "value": f"{row['similarity']:.2f}"}
        for row in similar[similar["similarity"].notna()].to_dict("records")
    ]
    if not rows:
        st.markdown("Its vector is all zeros: the model has learned nothing about it.")
        return
    st.html(item_list(rows, colour=colour(model), name=f"Similar {called.items}"))
