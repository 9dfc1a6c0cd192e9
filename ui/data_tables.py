"""The tables of the Data page: items, parts of a split, where a dataset comes from."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mfcore.data import DatasetEntry
from mfcore.data.cache import DamagedCache, read_manifest
from mfcore.paths import data_dir
from ui.format import escape_markdown


def show_item_table(rows: pd.DataFrame, things: str, most: int) -> None:
    """Items as :func:`ui.data_facts.item_rows` gives them. ``most``: ratings of the most rated one, the full bar."""
    c = st.column_config
    films = ["title", "year", "genres", "ratings", "mean", "id"]
    st.dataframe(
        rows,
        hide_index=True,
        height=318,
        key="items",
        placeholder="",
        alt=f"{things}, most rated first",
        column_order=films if things == "films" else ["title", "ratings", "mean", "id"],
        column_config={
            "title": c.TextColumn("Title", pinned=True),
            "year": c.NumberColumn("Year", format="%d", width=70),
            "genres": c.TextColumn("Genres"),
            "ratings": c.ProgressColumn(
                "Ratings", format="localized", min_value=0, max_value=most, help="How many people rated it."
            ),
            "mean": c.NumberColumn("Mean rating", format="%.2f", width=110, help="A mean of few ratings says little."),
            "id": c.TextColumn("Id", width=70, help="The id in the source's own numbering."),
        },
    )


def show_part_table(parts: pd.DataFrame) -> None:
    """Train, validation and test as :func:`ui.data_facts.part_table` gives them."""
    c = st.column_config
    unknown = "in this part without any rating in train: nothing could be learned about them."
    st.dataframe(
        parts,
        hide_index=True,
        key="parts",
        placeholder="–",
        alt="Ratings, users, items and dates of train, validation and test",
        column_config={
            "part": c.TextColumn(width=80, pinned=True),
            "ratings": c.NumberColumn(format="localized", width=70),
            "share": c.NumberColumn(format="percent", width=60),
            "users": c.NumberColumn(format="localized", width=60),
            "items": c.NumberColumn(format="localized", width=60),
            "cold users": c.NumberColumn(width=85, help=f"Users {unknown}"),
            "cold items": c.NumberColumn(width=85, help=f"Items {unknown}"),
            "first": c.DateColumn("from", format="D MMM YYYY", width=100),
            "last": c.DateColumn("to", format="D MMM YYYY", width=100),
        },
    )


def source_rows(entry: DatasetEntry) -> dict[str, str]:
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
