"""Data: what a model learns from, and what is kept hidden from it."""

from __future__ import annotations

import streamlit as st

from mfcore.data import Interactions, dataset_status, load_dataset, make_split
from mfcore.errors import UnusableRequest
from mfcore.registry import DatasetSpec
from ui.charts import show
from ui.controls import error_line, link_to, page_header
from ui.data.charts import densest_corner, long_tail, rating_histogram, whole_table
from ui.data.controls import choose_dataset, choose_shape, choose_split, offer_fetch
from ui.data.split_charts import split_picture
from ui.data.tables import item_rows, part_table, search, show_item_table, source_rows
from ui.data.words import SPLIT_SENTENCES, density_words, rounded_percent, words_for
from ui.format import count, escape_markdown
from ui.memo import kept

split_of = kept(make_split)


def show_counts(data: Interactions) -> None:
    """How much there is, and how little of what there could be."""
    people, things = words_for(data)
    with st.container(horizontal=True, gap="large"):
        st.metric("ratings", count(len(data)), help="One user's opinion of one item.", width="content")
        st.metric(people, count(data.num_users), help="Rows of the table.", width="content")
        st.metric(things, count(data.num_items), help="Columns of the table.", width="content")
        filled = "Density: ratings there are, divided by users times items."
        st.metric("of the table is filled", rounded_percent(data.density), help=filled, width="content")
    st.caption(density_words(data.density))


def show_pictures(data: Interactions) -> None:
    """The matrix at a glance, the long tail, the ratings."""
    words = words_for(data)
    table, tail, ratings = st.columns([4, 4, 3], gap="medium")
    with table:
        picture = st.empty()
        corner = st.segmented_control(
            "Which part of the table",
            ["Whole table", "Densest corner"],
            default="Whole table",
            required=True,
            key="corner",
            label_visibility="collapsed",
        )
        with picture:
            if corner == "Densest corner":
                show(densest_corner(data, words), key="matrix", alt="The most active users' ratings")
            else:
                show(whole_table(data, words), key="matrix", alt="How filled each region of the table is")
    with tail:
        show(long_tail(data, words[1]), key="tail", alt="Cumulative share of ratings against share of items")
    with ratings:
        show(rating_histogram(data), key="ratings", alt="How often each rating was given")


def show_items(data: Interactions) -> None:
    """Every item, most rated first, with a search."""
    things = words_for(data)[1]
    st.subheader(f"The {things}, most rated first", anchor=False)
    text = st.text_input(
        "Search",
        type="search",
        live="300ms",
        key="search",
        placeholder="star wars · comedy 1994 · an id" if things == "films" else "a word of the title, or an id",
        label_visibility="collapsed",
        width=380,
    )
    everything = item_rows(data)
    rows = search(everything, text or "")
    st.caption(f"{count(len(rows))} of {count(len(everything))} {things}" if text else f"{count(len(rows))} {things}")
    if rows.empty:
        st.info("Nothing matches every word. Try fewer words, or part of one.", icon=":material/search_off:")
        return
    show_item_table(rows, things, most=int(everything["count"].max()))


def show_split(entry: DatasetSpec, data: Interactions) -> None:
    """What the model may learn from, what steers choices, what is kept for the end."""
    st.subheader("What the split does", anchor=False)
    words, picture = st.columns([5, 6], gap="large")
    with words:
        config = choose_split(entry)
        st.markdown(SPLIT_SENTENCES[config.kind])
        try:
            split = split_of(data, config)
        except UnusableRequest as error:
            error_line(error)
            return
        st.table(part_table(split), border="horizontal")
    with picture:
        show(split_picture(split, words_for(data)), key="split_picture", alt="Which ratings went to train, validation and test")


def show_source(entry: DatasetSpec) -> None:
    """Whose data this is, on what terms, and where it lies."""
    st.subheader("Where this comes from", anchor=False)
    st.markdown(escape_markdown(entry.description))
    st.table(source_rows(entry), border="horizontal")


title, choice = st.columns([3, 2], vertical_alignment="bottom")
with title:
    page_header("Data", "What a model learns from, and what is kept hidden from it.")
with choice:
    entry = choose_dataset()
if dataset_status(entry.name) == "to fetch":
    offer_fetch(entry)
    link_to("data", "Look at made-up ratings meanwhile", icon=":material/casino:", dataset="planted")
    st.stop()
try:
    data = load_dataset(entry.name, **choose_shape(entry))
except (UnusableRequest, RuntimeError) as error:
    error_line(error)
    st.stop()
show_counts(data)
show_pictures(data)
show_split(entry, data)
show_items(data)
show_source(entry)
