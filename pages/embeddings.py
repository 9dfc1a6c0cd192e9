"""Embeddings: the vectors a model learned, as a map of items and of users that moves through the epochs of training."""

from __future__ import annotations

import streamlit as st

from mfcore.embeddings.imported import delete_embeddings, list_embeddings, open_embeddings
from mfcore.embeddings.manifold import ManifoldSettings, has_umap
from mfcore.embeddings.manifold_job import manifold_job
from mfcore.registry import DEFAULT_DATASET
from mfcore.runs import RunSummary
from mfcore.runs.embedding_space import open_space
from ui.components.embedding_map import MapEvents, embedding_map
from ui.controls import plain_errors
from ui.datasets import Nouns, nouns
from ui.embeddings.closer_look import closer_look
from ui.format import count
from ui.runbar import run_bar, unfinished

STILL = "No vectors of single epochs were kept for this run, so there is one moment to see: the model as it is."
METHODS = {"tsne": "t-SNE", **({"umap": "UMAP"} if has_umap() else {})}


def make_map(asked: MapEvents, name: str, kind: str) -> None:
    """Start or cancel a map by t-SNE or UMAP, as was asked for in the browser."""
    for method, begin in ((asked.make, True), (asked.cancel, False)):
        if method in METHODS:
            job = manifold_job(open_space(kind, name), settings=ManifoldSettings(method))
            if begin:
                job.start()
            else:
                job.cancel()


def map_of_run(run: RunSummary) -> None:
    """The map of a run, also while it is being trained."""
    going, called = not run.over, nouns(run.config.dataset)
    if not going:
        unfinished(run, needs="")
    asked = embedding_map(
        f"/api/runs/{run.run_id}",
        run_id=run.run_id,
        called=called,
        going=going,
        methods=METHODS,
        still_words=STILL,
    )
    make_map(asked, run.run_id, "runs")
    if asked.ended:
        st.rerun()


def map_of_others(name: str) -> None:
    """Imported embeddings: which of them, the map, and a way to remove them."""
    kept = {one.name: one.about() for one in list_embeddings()}
    open_embeddings(name)  # one clear line where the address names none
    words = {key: f"{about['title']} · {count(about['shape'][0])} points of {about['shape'][1]}" for key, about in kept.items()}
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="imported_bar"):
        chosen = st.selectbox(
            "Imported embeddings",
            list(words),
            index=list(words).index(name),
            format_func=words.__getitem__,
            label_visibility="collapsed",
        )
        if st.button("Remove", icon=":material/delete:", key="imported_remove"):
            delete_embeddings(name)
            del st.query_params["embeddings"]
            st.rerun()
        if st.button("Back to runs", icon=":material/arrow_back:", key="imported_back"):
            del st.query_params["embeddings"]
            st.rerun()
    if chosen != name:
        st.query_params["embeddings"] = chosen
        st.rerun()
    asked = embedding_map(f"/api/embeddings/{name}", called=Nouns("point", "points"), methods=METHODS)
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
