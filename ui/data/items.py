"""Every item of a dataset, most rated first, with a search."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mfcore.data import Interactions
from mfcore.data.stats import most_rated
from ui.datasets import Nouns
from ui.format import count
from ui.items import without_year, year_text
from ui.memo import kept


def show_items(data: Interactions, called: Nouns) -> None:
    """Every item, most rated first, with a search."""
    st.header(f"The {called.items}, most rated first", anchor=False)
    text = st.text_input(
        "Search",
        type="search",
        live="300ms",
        key="search",
        bind="query-params",
        placeholder="words of a title, genre or year, or an id",
        label_visibility="collapsed",
        width=380,
    )
    everything = item_rows(data)
    rows = search(everything, text or "")
    of_all = f" of {count(len(everything))}" if text else ""
    st.caption(f"{count(len(rows))}{of_all} {called.items}")
    if rows.empty:
        st.info("Nothing matches every word. Try fewer words, or part of one.", icon=":material/search_off:")
        return
    _show_table(rows, everything, called)


@kept
def item_rows(data: Interactions) -> pd.DataFrame:
    """Every item, most rated first: item_id, title, year, genres (one text), count, mean_rating, original (title)."""
    table = most_rated(data)
    spoken = data.item_titles(table.index.to_numpy())
    titles = [without_year(title, year_text(year)) for title, year in zip(spoken, table["year"], strict=True)]
    table = table.assign(genres=table["genres"].map(", ".join), original=table["title"], title=titles)
    return table.reset_index(drop=True)


def search(table: pd.DataFrame, text: str) -> pd.DataFrame:
    """Rows whose title, genres, year or id holds every word of ``text``; case does not matter."""
    words = text.lower().split()
    if not words:
        return table
    haystack, found = _haystack(table), pd.Series(True, index=table.index)
    for word in words:
        found &= haystack.str.contains(word, regex=False)
    return table[found]


@kept
def _haystack(table: pd.DataFrame) -> pd.Series:
    columns = [table[name].astype("string").fillna("") for name in ("item_id", "title", "year", "genres", "original")]
    return columns[0].str.cat(columns[1:], sep=" ").str.lower()


def _show_table(rows: pd.DataFrame, everything: pd.DataFrame, called: Nouns) -> None:
    """Those of the items in ``everything`` (:func:`item_rows`) that were searched for, with what is known of any item."""
    c = st.column_config
    years, genres = bool(everything["year"].notna().any()), bool((everything["genres"] != "").any())
    described = [name for name, known in (("year", years), ("genres", genres)) if known]
    rewritten = bool((everything["original"] != everything["title"]).any())
    most = int(everything["count"].max())  # the full bar
    st.dataframe(
        rows,
        hide_index=True,
        height=318,
        key="items",
        placeholder="",
        alt=f"{called.items}, most rated first",
        column_order=["title", *described, "count", "mean_rating", "item_id", *(["original"] if rewritten else [])],
        column_config={
            "title": c.TextColumn("Title"),
            "year": c.NumberColumn("Year", format="%d", width=70),
            "genres": c.TextColumn("Genres"),
            "count": c.ProgressColumn(
                "Ratings", format="localized", min_value=0, max_value=most, help=f"How many {called.users} rated it."
            ),
            "mean_rating": c.NumberColumn("Mean rating", format="%.2f", width=110, help="A mean of few ratings says little."),
            "item_id": c.TextColumn("Id", width=70, help="The id in the source's own numbering."),
            "original": c.TextColumn("Title in the source", help="As the source writes it, which may put the article last."),
        },
    )
