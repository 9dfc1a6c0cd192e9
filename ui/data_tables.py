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
            "title": c.TextColumn("Title"),
            "year": c.NumberColumn("Year", format="%d", width=70),
            "genres": c.TextColumn("Genres"),
            "ratings": c.ProgressColumn(
                "Ratings", format="localized", min_value=0, max_value=most, help="How many people rated it."
            ),
            "mean": c.NumberColumn("Mean rating", format="%.2f", width=110, help="A mean of few ratings says little."),
            "id": c.TextColumn("Id", width=70, help="The id in the source's own numbering."),
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
