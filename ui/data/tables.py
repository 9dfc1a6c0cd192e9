"""The tables of the Data page: items, parts of a split, where a dataset comes from."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mfcore.data import Interactions, Split
from mfcore.data.cache import DamagedCache, read_manifest
from mfcore.data.stats import most_rated, split_summary
from mfcore.paths import data_dir
from mfcore.registry import DatasetSpec
from ui.data.words import PART_WORDS, rounded_percent, words_for
from ui.format import NOTHING, count, escape_markdown
from ui.memo import kept


@kept
def item_rows(data: Interactions) -> pd.DataFrame:
    """Every item, most rated first: item_id, title, year, genres (one text), count, mean_rating."""
    table = most_rated(data).reset_index(drop=True)
    return table.assign(genres=table["genres"].map(", ".join))


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
    columns = [table[name].astype("string").fillna("") for name in ("item_id", "title", "year", "genres")]
    return columns[0].str.cat(columns[1:], sep=" ").str.lower()


@kept
def part_table(split: Split) -> pd.DataFrame:
    """One column a part, one row a fact, as text: ratings, users, items, those nobody can have learned about, dates."""
    columns: dict[str, dict[str, str]] = {}
    who = {"users": "users", "items": words_for(split.data)[1]}
    for part, numbers in split_summary(split).to_dict(orient="index").items():
        facts = {"ratings": f"{count(numbers['rows'])} ({rounded_percent(numbers['share'])})"}
        facts |= {word: count(numbers[key]) for key, word in who.items()}
        for key, word in who.items():
            facts[f"{word} never met in training"] = NOTHING if part == "train" else count(numbers[f"cold_{key}"])
        if pd.notna(numbers["first"]):
            facts |= {"from": _day(numbers["first"]), "to": _day(numbers["last"])}
        columns[PART_WORDS[part]] = facts
    return pd.DataFrame(columns).fillna(NOTHING)


def _day(moment: pd.Timestamp) -> str:
    return f"{moment.day} {moment:%b %Y}"


def show_item_table(rows: pd.DataFrame, things: str, most: int) -> None:
    """Items as :func:`item_rows` gives them. ``most``: ratings of the most rated one, the full bar."""
    c = st.column_config
    films = ["title", "year", "genres", "count", "mean_rating", "item_id"]
    st.dataframe(
        rows,
        hide_index=True,
        height=318,
        key="items",
        placeholder="",
        alt=f"{things}, most rated first",
        column_order=films if things == "films" else ["title", "count", "mean_rating", "item_id"],
        column_config={
            "title": c.TextColumn("Title"),
            "year": c.NumberColumn("Year", format="%d", width=70),
            "genres": c.TextColumn("Genres"),
            "count": c.ProgressColumn(
                "Ratings", format="localized", min_value=0, max_value=most, help="How many people rated it."
            ),
            "mean_rating": c.NumberColumn("Mean rating", format="%.2f", width=110, help="A mean of few ratings says little."),
            "item_id": c.TextColumn("Id", width=70, help="The id in the source's own numbering."),
        },
    )


def source_rows(entry: DatasetSpec) -> dict[str, str]:
    """Size, terms, credit and whereabouts, as Markdown for a two-column table."""
    rows = {"Size": escape_markdown(entry.size), "Licence": escape_markdown(entry.licence)}
    if entry.citation:
        rows["Please cite"] = escape_markdown(entry.citation)
    if entry.url:
        rows["Home"] = f"[{escape_markdown(entry.url)}]({entry.url})"
    if entry.source is None:
        return {**rows, "Stored": "not stored: made when needed, the same from the same seed"}
    folder = data_dir() / "datasets" / entry.name
    try:
        manifest = read_manifest(folder) or {}
    except DamagedCache:
        manifest = {}
    rows["Stored"] = f"`{folder}`"
    if manifest:
        rows["Fetched"] = escape_markdown(
            f"from {manifest.get('source', 'an unknown place')}, {manifest.get('fetched', '')[:10]}"
        )
    return rows
