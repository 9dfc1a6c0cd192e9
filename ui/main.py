"""The frame around every page: brand, navigation, theme. Run by app.py; pages are listed here and nowhere else."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mfcore.registry import DEFAULT_DATASET
from ui import warmup
from ui.components.frame import page_frame
from ui.components.navigation import follow_links
from ui.components.queue import queue_on_top
from ui.datasets import nouns
from ui.login import let_in_or_stop, who_is_here
from ui.state import page_path, requested_run_id
from ui.theme import page_style, wordmark_style

warmup.first_page_begins()

called = nouns(DEFAULT_DATASET)
things = f"{called.items} and {called.users}"
PAGES = (
    # file, title, icon, what it is for (shown when hovering the navigation)
    ("home", "Home", ":material/home:", "What MF Explorer is, runs to start with, and the latest runs."),
    ("train", "Train", ":material/play_circle:", "Choose a model, press Train, watch it learn."),
    ("evaluate", "Evaluate", ":material/monitoring:", "How good a run is, beside the baselines."),
    ("recommend", "Recommend", ":material/recommend:", "What a user would be recommended, beside what they liked."),
    (
        "embeddings",
        "Embeddings",
        ":material/scatter_plot:",
        f"The learned vectors as a map of {things}.",
    ),
    ("data", "Data", ":material/table_chart:", "The ratings behind it all, and how they are split."),
    ("runs", "Runs", ":material/list_alt:", "Every run with its results: name, star, compare, export, delete."),
)

# Pages about one run begin with the bar that names it; who hears the page instead of seeing it is told its name.
NAMELESS = ("evaluate", "recommend", "embeddings")
ASSETS = Path(__file__).parent / "assets"

# An own icon: Streamlit would fetch emoji and Material icons for the browser tab from another host.
st.set_page_config(
    page_title="MF Explorer", page_icon=str(ASSETS / "mark.svg"), layout="wide", initial_sidebar_state="collapsed"
)
st.logo(str(ASSETS / "logo.svg"), size="large")
st.html(wordmark_style((ASSETS / "logo.svg").read_bytes()) + page_style())

visitor = let_in_or_stop()
pages = [
    st.Page(
        page_path(name),
        title=title,
        icon=icon,
        help=purpose,
        url_path="" if name == "home" else name,
        default=name == "home",
    )
    for name, title, icon, purpose in PAGES
]
page = st.navigation(pages, position="top")
who_is_here(visitor)
follow_links()
queue_on_top()
requested_run_id()  # whichever page names a run, it is remembered
if page.url_path in NAMELESS:
    st.html(f'<h1 class="mfx-unseen">{page.title}</h1>')
page_frame()
try:
    page.run()
finally:  # a page may end by st.stop()
    warmup.first_page_stands()
