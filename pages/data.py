"""Data: what a model learns from, and what is kept hidden from it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mfcore.data import dataset_status, load_dataset
from mfcore.errors import UnusableRequest
from ui.charts import show_chart
from ui.controls import error_line, page_header
from ui.data.items import show_items
from ui.data.manage import show_management
from ui.data.matrix import preview, show_matrix
from ui.data.overview import show_counts, show_pictures
from ui.data.source import choose_dataset, choose_shape, offer_fetch, show_source
from ui.data.split import show_split
from ui.datasets import nouns

title, choice = st.columns([3, 2], vertical_alignment="bottom")
with title:
    page_header("Data", "What a model learns from, and what is kept hidden from it.")
with choice, st.container(horizontal=True, vertical_alignment="bottom"):
    bringing = st.toggle("Bring your own", key="bring", bind="query-params", help="Import a file of your own ratings.")
    entry = choose_dataset() if not bringing else None
if entry is None:
    from ui.data.bring import bring_page

    bring_page()
    st.stop()
if dataset_status(entry.name) == "to fetch":
    offer_fetch(entry)
    st.stop()
chosen, beside = choose_shape(entry)
shape: dict[str, Any] = {**chosen}
try:
    data = load_dataset(entry.name, **shape)
except (UnusableRequest, RuntimeError) as error:
    error_line(error)
    st.stop()
called = nouns(entry.name)
if beside is not None:
    with beside:
        show_chart(preview(data, called), key="preview", alt="The made-up matrix, in squares")
show_counts(data, called)
show_pictures(data, called)
show_matrix(entry, chosen, data, called)
show_split(entry, data, called)
show_items(data, called)
show_source(entry)
if entry.folder is not None:
    show_management(entry, len(data))
