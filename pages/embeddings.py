"""Embeddings: the vectors a model learned, as a map of items and of users that moves through the epochs of training."""

from __future__ import annotations

import streamlit as st

from mfcore.embeddings.manifold import has_umap
from mfcore.registry import DEFAULT_DATASET
from mfcore.runs import RunSummary
from ui.components.embedding_map import MapEvents, embedding_map
from ui.controls import plain_errors, whose_badge
from ui.datasets import Nouns, nouns
from ui.embeddings.closer_look import closer_look
from ui.embeddings.whose import whose_words
from ui.format import count
from ui.run_titles import run_label
from ui.runbar import run_bar, unfinished
from ui.state import manager
from ui.visitors import Owned, me, why_not_change

STILL = "No vectors of single epochs were kept for this run, so there is one moment to see: the model as it is."
METHODS = {"tsne": "t-SNE", **({"umap": "UMAP"} if has_umap() else {})}


def methods_for(thing: Owned) -> dict[str, str]:
    """Maps that may be asked for: they are kept beside what they are of, so whoever may not change that has none made."""
    return {} if why_not_change(me(), thing) else METHODS


def make_map(asked: MapEvents, name: str, kind: str) -> None:
    """Start or cancel a map by t-SNE or UMAP, as was asked for in the browser."""
    if asked.make in METHODS:
        manager().start_map(kind, name, asked.make)
    if asked.cancel in METHODS:
        manager().cancel_map(kind, name, asked.cancel)


def map_of_run(run: RunSummary) -> None:
    """The map of a run, also while it is being trained."""
    going, called = not run.over, nouns(run.config.dataset)
    if not going:
        unfinished(run, needs="")
    asked = embedding_map(
        f"/api/runs/{run.run_id}",
        run_id=run.run_id,
        title=run_label(run),
        called=called,
        going=going,
        methods=methods_for(run),
        still_words=STILL,
        whose_words=whose_words(run),
    )
    make_map(asked, run.run_id, "runs")
    if asked.ended:
        st.rerun()


def map_of_others(name: str) -> None:
    """Imported embeddings: which of them, the map, and a way to remove them."""
    shown = manager().open_embeddings(name)  # one clear line where the address names none
    kept = {one.name: one.about() for one in manager().embeddings()}
    why = why_not_change(me(), shown)
    words = {key: f"{about['title']} · {count(about['shape'][0])} points of {about['shape'][1]}" for key, about in kept.items()}
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="imported_bar"):
        chosen = st.selectbox(
            "Imported embeddings",
            list(words),
            index=list(words).index(name),
            format_func=words.__getitem__,
            label_visibility="collapsed",
        )
        if badge := whose_badge(shown):
            st.markdown(badge, width="content")
        if me().account and not why:
            shared = st.toggle("Share", value=shown.shared, key=f"shared_{name}", help="Others who are let in may look at it.")
            if shared != shown.shared:
                manager().share_embeddings(name, shared)
        if st.button("Remove", icon=":material/delete:", key="imported_remove", disabled=bool(why), help=why or None):
            manager().delete_embeddings(name)
            del st.query_params["embeddings"]
            st.rerun()
        if st.button("Back to runs", icon=":material/arrow_back:", key="imported_back"):
            del st.query_params["embeddings"]
            st.rerun()
    if chosen != name:
        st.query_params["embeddings"] = chosen
        st.rerun()
    asked = embedding_map(
        f"/api/embeddings/{name}",
        title=str(kept[name]["title"]),
        called=Nouns("point", "points"),
        methods=methods_for(shown),
    )
    make_map(asked, name, "embeddings")


usual = nouns(DEFAULT_DATASET)
imported, summary = st.query_params.get("embeddings"), None
with plain_errors():
    if imported:
        map_of_others(imported)
    else:
        summary = run_bar(f"see what it learned about {usual.items} and {usual.users}")
        if summary is not None:
            map_of_run(summary)
closer_look(summary)
