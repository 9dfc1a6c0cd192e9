"""What each point of the map stands for: label, hover text, and the facts it can be coloured by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ui.films import genre_text, mean_by, titles
from ui.format import count, escape_plotly

if TYPE_CHECKING:
    from mfcore.data import Interactions

MOST_GENRES = 8
OTHER = "Other"


def main_genres(data: Interactions) -> tuple[list[str], list[str]]:
    """One genre per item, and the genres that have a colour of their own, most frequent first.

    A film's main genre is the rarest of its frequent ones: a comedy with animation tells more as the latter.
    """
    every = data.item_table["genres"].tolist()
    frequent = [genre for genre, _ in Counter(g for genres in every for g in genres).most_common(MOST_GENRES)]
    rank = {genre: place for place, genre in enumerate(frequent)}
    return [max((g for g in genres if g in rank), key=rank.__getitem__, default=OTHER) for genres in every], frequent


def item_points(data: Interactions) -> pd.DataFrame:
    """One row per item: id, label, hover, genre (categories: those with a colour, most frequent first), year, ratings, mean."""
    genre, frequent = main_genres(data)
    frame = pd.DataFrame(
        {
            "id": data.items.ids,
            "label": titles(data),
            "genre": pd.Categorical(genre, [*frequent, OTHER]),
            "year": data.item_table["year"].astype("float64").to_numpy(),
            "ratings": data.popularity(),
            "mean": mean_by(data.item_idx, data.rating, data.num_items),
        }
    )
    all_genres = [genre_text(genres) for genres in data.item_table["genres"].tolist()]
    frame["hover"] = _hover(frame, all_genres)
    return frame


def user_points(data: Interactions) -> pd.DataFrame:
    """One row per user: id, label, hover, genre (their most rated), year (mean of the films they rated), ratings, mean."""
    genre, frequent = main_genres(data)
    order = [*frequent, OTHER]
    code = np.array([order.index(name) for name in genre])[data.item_idx]
    table = np.bincount(data.user_idx * len(order) + code, minlength=data.num_users * len(order)).reshape(-1, len(order))
    # Against what everyone rates: nearly all users rate drama most, which would say nothing about any of them.
    usual = table.sum(axis=0) / max(table.sum(), 1)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    favourite = np.argmax(np.divide(share, usual, out=np.zeros_like(share), where=usual > 0)[:, : len(frequent) or 1], axis=1)
    year = data.item_table["year"].astype("float64").to_numpy()[data.item_idx]
    known = ~np.isnan(year)
    frame = pd.DataFrame(
        {
            "id": data.users.ids,
            "label": [f"user {raw}" for raw in data.users.ids.tolist()],
            "genre": pd.Categorical([order[place] for place in favourite], order),
            "year": mean_by(data.user_idx[known], year[known], data.num_users),
            "ratings": np.bincount(data.user_idx, minlength=data.num_users),
            "mean": mean_by(data.user_idx, data.rating, data.num_users),
        }
    )
    words = [f"rates {name} more than others do" if name != OTHER and frequent else "" for name in frame["genre"].tolist()]
    frame["hover"] = _hover(frame, words)
    return frame


def colours_for(points: pd.DataFrame) -> dict[str, str]:
    """Words on the control → column, for what this data knows: no genre or year where there are none."""
    wanted = {"Genre": "genre", "Year": "year", "Popularity": "ratings", "Mean rating": "mean"}
    known = {"genre": bool((points["genre"] != OTHER).any()), "year": bool(points["year"].notna().any())}
    return {words: column for words, column in wanted.items() if known.get(column, True)}


def _hover(frame: pd.DataFrame, third: list[str]) -> list[str]:
    lines = []
    for label, number, mean, extra in zip(frame["label"], frame["ratings"], frame["mean"], third, strict=True):
        facts = f"{count(number)} ratings" + (f", {mean:.1f} on average" if mean == mean else "")
        lines.append("<br>".join(part for part in (f"<b>{escape_plotly(label)}</b>", escape_plotly(extra), facts) if part))
    return lines
