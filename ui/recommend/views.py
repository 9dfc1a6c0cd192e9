"""What the Recommend page draws: the user's history, their list, items like one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mfcore.typing import Float64, Int64
from ui.datasets import Nouns
from ui.format import count, escape_markdown
from ui.items import genre_text, item_list
from ui.theme import colour

ROW_HEIGHT = 52  # pixels of a row of the list beside the history, about


def whose_words(checkpoint: str, epoch: int, epochs_done: int) -> str:
    """Which model a page of recommendations asks, and how far the map, which shows the training itself, may differ from it.

    ``checkpoint``: which weights stand for the run: refit, best or last; ``epoch``: after how many epochs.
    """
    if checkpoint == "refit":
        return (
            f"This page asks the model that test was scored on: trained once more, on train + validation together, for {epoch} "
            "epochs. The map shows the training before that, on train alone, so neighbours there may differ a little."
        )
    if epoch == epochs_done:
        return f"This page asks the model as it was after epoch {epoch}, the last one; the map ends there too."
    return (
        f"This page asks the model as it was after epoch {epoch} of {epochs_done}, the best on validation. The map goes "
        "on to the last one, so neighbours there may differ."
    )


def profile_line(profile: dict[str, Any], overall_mean: float) -> str:
    """Who this is, in one Markdown line."""
    facts = [f"{count(profile['count'])} ratings", f"{profile['mean']:.2f} on average (everyone: {overall_mean:.2f})"]
    if profile["genres"]:
        facts.append("mostly " + escape_markdown(", ".join(profile["genres"])))
    if profile["from"] is not None:
        start, end = profile["from"].strftime("%b %Y"), profile["to"].strftime("%b %Y")
        facts.append(start if start == end else f"{start} to {end}")
    return " · ".join(facts)


def show_history(history: pd.DataFrame, called: Nouns, rows: int, *, refitted: bool) -> None:
    """Sortable table of everything the user rated, as high as a list of ``rows`` beside it.

    ``refitted``: the model asked here learned from validation, too.
    """
    learned = "from train and, once the epoch was chosen, from validation too" if refitted else "from train"
    used = f"The model learned {learned}; validation chose the epoch; test was kept from it."
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
        "title": st.column_config.TextColumn(called.item.capitalize(), width=188, pinned=True),
        "rating": st.column_config.NumberColumn("Rating", format=called.rated("%d" if whole else "%.1f"), width=54),
        "genres": st.column_config.TextColumn("Genres", width=100) if table["genres"].any() else None,
        "part": st.column_config.TextColumn("Used for", width=72, help=used),
        "when": st.column_config.DatetimeColumn("Rated", format="D MMM YYYY", width=86) if dated else None,
    }
    st.dataframe(
        table,
        column_config=columns,
        hide_index=True,
        height=ROW_HEIGHT * max(6, min(rows, 12)),
        key="history",
        alt=f"Rated {called.items}",
    )


def badge_words(*, ratings: bool) -> str:
    """What a list for somebody without training rows is."""
    what = "best rated by everybody" if ratings else "popular"
    return f"{what}, because nothing is known yet".capitalize()


def list_words(knows: bool, called: Nouns, *, ratings: bool) -> str:
    """What the list shows, in a sentence or two."""
    if not knows and ratings:
        return (
            f"Training had nothing of this {called.user}, so the prediction is what the {called.item} gets on average, in "
            f"{called.units}."
        )
    if not knows:
        return f"Training had nothing of this {called.user}, so these are the {called.items} that most {called.users} chose."
    if ratings:
        return f"Predicted rating, in {called.units}. “Close to”: the nearest {called.item} they liked, as the model sees it."
    return f"Longer bar, stronger recommendation (within this list). “Close to”: the nearest {called.item} they liked."


def show_raw(scale: tuple[float, float]) -> bool:
    """Whether to show what the model said where that lies beyond the scale, which nothing holds it to."""
    low, high = scale
    return st.toggle(
        "Raw predictions",
        key="raw",
        bind="query-params",
        help=f"Nothing holds this model to the scale of {low:g} to {high:g}: predictions beyond it are shown as its ends. "
        "The order is by the raw ones.",
    )


def show_recommended(
    top: pd.DataFrame, *, ratings: bool, scale: tuple[float, float], model: str, called: Nouns, raw: bool = False
) -> None:
    """The list, best first: predicted ratings for a model of ratings (``raw``: not held within the scale), else bars relative
    to the first and last shown."""
    scores = top["score"].to_numpy(dtype=float)
    shares = (scores - scale[0]) / (scale[1] - scale[0]) if ratings else relative(scores)
    someone_known = bool(top["known"].any())
    rows = []
    for row, share in zip(top.to_dict("records"), shares.tolist(), strict=True):
        value = called.rated(f"{row['raw_score' if raw else 'score']:.2f}") if ratings else ""
        rows.append({**row, "share": share, "value": value, "note": _note(row, called, someone_known), "known": row["seen"]})
    st.html(item_list(rows, colour=colour(model), name=f"Recommended {called.items}"))


def _note(row: dict[str, Any], called: Nouns, someone_known: bool) -> str:
    """A line below an item: their own rating, that nothing is known about it, or what they liked that is near it."""
    if row["seen"]:
        value = called.rated(f"{row['rating']:g}") if called.has_values else ""
        return f"they {called.did} it {value}".strip()
    if someone_known and not row["known"]:
        return f"nothing is known about this {called.item} yet"
    return f"close to {row['near']}" if row["near"] else ""


def relative(scores: Float64) -> Float64:
    """Scores as bar lengths: 1 for the first, a fifth for the last, so that every bar can be seen. (n,) → (n,)."""
    spread = float(np.ptp(scores)) if len(scores) else 0.0
    return np.ones_like(scores) if spread == 0 else 0.2 + 0.8 * (scores - scores.min()) / spread


def usual_least(popularity: Int64) -> int:
    """A least number of ratings to begin with: what half of the items that were rated at all have, 20 at most.

    Below that a vector has hardly been trained, and what it is near to is chance.
    """
    rated = popularity[popularity > 0]
    return min(20, int(np.median(rated))) if len(rated) else 0


def alike_words(similarity: Float64, shown: int, called: Nouns) -> str:
    """What it means that everything shown points the very same way; "" where it does not. similarity: (n,), best first."""
    close = int((similarity > 0.99).sum())
    if close < shown or not close:
        return ""
    many = f"All {count(close)}" if close == len(similarity) else f"{count(close)} of {count(len(similarity))}"
    return (
        f"{many} {called.items} compared point almost exactly the same way (cosine above 0.99), so their order says little: "
        "what sets them apart is not their direction."
    )


def show_similar(similar: pd.DataFrame, *, model: str, called: Nouns) -> None:
    """Neighbours with their cosine as bar and number, and how often each was rated."""
    if similar.empty:
        st.markdown(f"No other {called.item} was rated so often. Ask for fewer ratings.")
        return
    rows = [
        {
            **row,
            "share": max(row["similarity"], 0.0),
            "value": f"{row['similarity']:.2f}",
            "note": f"{count(row['ratings'])} {'rating' if row['ratings'] == 1 else 'ratings'}",
        }
        for row in similar[similar["similarity"].notna()].to_dict("records")
    ]
    if not rows:
        st.markdown("Its vector is all zeros: the model has learned nothing about it.")
        return
    st.html(item_list(rows, colour=colour(model), name=f"Similar {called.items}"))
