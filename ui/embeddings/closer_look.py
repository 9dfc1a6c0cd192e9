"""Below the map: a closer look at the vectors, and taking them along or bringing others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.runs import RunSummary
from ui.charts import show_chart
from ui.controls import error_line, link_to, plain_errors, whose_badge
from ui.datasets import nouns
from ui.embeddings.charts import lengths_figure, rank_figure, recovery_figure, spectrum_figure
from ui.format import count, escape_markdown, escape_plotly, when
from ui.state import manager, no_writing, page_path
from ui.visitors import me, why_not_change

if TYPE_CHECKING:
    from mfcore.runs.embedding_space import RunSpace

LENGTHS, SPECTRUM, RECOVERY, EXPORT, IMPORT = "Lengths", "Spectrum", "Recovery", "Export", "Import"
PLANTED = "planted"


def closer_look(run: RunSummary | None) -> None:
    """A choice of views; none is computed before it is asked for. Without a run only the import is offered."""
    choices = [] if run is None else [LENGTHS, SPECTRUM, *([RECOVERY] if run.config.dataset.name == PLANTED else []), EXPORT]
    chosen = st.segmented_control("A closer look", [*choices, IMPORT], key="closer", bind="query-params")
    try:
        if chosen == IMPORT:
            _bring()
        elif run is not None and chosen:
            {LENGTHS: _lengths, SPECTRUM: _spectrum, RECOVERY: _recovery, EXPORT: _take}[chosen](run)
    except UnusableRequest as error:
        error_line(error)


def _lengths(run: RunSummary) -> None:
    from mfcore.embeddings.snapshots import latest
    from mfcore.embeddings.spectrum import norms_by_popularity
    from mfcore.runs.embedding_space import run_space

    opened = run_space(run.run_id)
    source = opened.snapshots()
    data, newest = opened.data_for(source), latest(source)
    found = norms_by_popularity(newest.items, data.popularity()[source.item_idx])
    names = [escape_plotly(title) for title in data.item_titles(source.item_idx)]
    alt = "Length of each item's vector against how often it was rated"
    figure = lengths_figure(found, names, newest.epoch, nouns(run.config.dataset).items)
    show_chart(figure, key="lengths", alt=alt, bar="hover")


def _spectrum(run: RunSummary) -> None:
    from mfcore.embeddings.spectrum import spectra
    from mfcore.runs.embedding_space import run_space

    found = spectra(run_space(run.run_id).snapshots())
    left, right = st.columns(2)
    with left:
        show_chart(
            spectrum_figure(found), key="spectrum", alt="Singular values of the item vectors at a few epochs", bar="hover"
        )
    with right:
        show_chart(rank_figure(found), key="rank", alt="Effective rank of the item vectors by epoch", bar="hover")


def _recovery(run: RunSummary) -> None:
    from mfcore.runs.embedding_space import run_space

    figure = recovery_figure(run_space(run.run_id).recovery())
    show_chart(figure, key="recovery", alt="Share of the planted space found, by epoch", bar="hover")


def _take(run: RunSummary) -> None:
    """Vectors and what they stand for as two tables in a zip, which the Embedding Projector reads."""
    from mfcore.runs.embedding_space import run_space

    opened, called = run_space(run.run_id), nouns(run.config.dataset)
    st.caption(
        "A zip of vectors.tsv and metadata.tsv, as TensorFlow's Embedding Projector loads them, of the model as it stands. "
        "Import brings them back here."
    )
    with st.container(horizontal=True):
        for what, words in (("items", called.items), ("users", called.users)):
            st.download_button(
                f"Vectors of all {words}",
                partial(_packed, opened, what),
                file_name=f"{run.run_id}-{what}.zip",
                mime="application/zip",
                icon=":material/download:",
                key=f"take_{what}",
                on_click="ignore",
            )


def _packed(opened: RunSpace, what: str) -> bytes:
    from mfcore.embeddings.export import pack_tables, vector_tables

    return pack_tables(*vector_tables(opened, what=what))


def _earlier() -> None:
    """What was imported before: open it, or delete it."""
    kept = manager().embeddings()
    if not kept:
        return
    st.markdown("**Imported before**")
    for one in kept:
        about = one.about()
        points, wide = about["shape"]
        with st.container(horizontal=True, vertical_alignment="center", key=f"imported_{one.name}"):
            with st.container(width=320):
                link_to("embeddings", escape_markdown(about["title"]), icon=":material/scatter_plot:", embeddings=one.name)
            st.caption(f"{count(points)} points × {count(wide)} numbers · {when(about['created'])}", width="content")
            if badge := whose_badge(one):
                st.markdown(badge, width="content")
            why = why_not_change(me(), one)
            with st.popover("Delete", icon=":material/delete:", type="tertiary", disabled=bool(why), help=why or None):
                st.markdown(f"Delete {escape_markdown(about['title'])}? The file it came from is not touched.")
                if st.button("Delete it", key=f"imported_delete_{one.name}"):
                    manager().delete_embeddings(one.name)
                    if st.query_params.get("embeddings") == one.name:
                        del st.query_params["embeddings"]
                    st.rerun()


def _bring() -> None:
    """Embeddings from elsewhere: uploaded, kept, and shown on the same map."""
    from mfcore.embeddings.export import read_tables, read_zip

    _earlier()
    st.caption(
        "Embeddings from elsewhere, as the Embedding Projector takes them: vectors.tsv (one line of numbers a point, tabs "
        "between) and, if you have it, metadata.tsv; or both in one zip. Columns called title, year, genres, ratings and mean "
        "are understood."
    )
    files = st.file_uploader(
        "Files", type=["tsv", "txt", "zip"], accept_multiple_files=True, key="imported_files", **no_writing()
    )
    if not files or not st.button("Show them", type="primary", icon=":material/scatter_plot:", key="imported_show"):
        return
    with plain_errors(), st.spinner("Reading …"):
        zips = [file for file in files if file.name.lower().endswith(".zip")]
        about = next((file for file in files if "meta" in file.name.lower()), None)
        others = [file for file in files if file is not about and file not in zips]
        vectors = next(iter(others), None)
        if len(zips) > 1 or len(others) > 1 or (zips and (others or about)):
            names = ", ".join(file.name for file in files)
            raise UnusableRequest(f"one map at a time: a zip, or vectors with their metadata (a name with “meta”); got {names}")
        if zips:
            tables, name = read_zip(zips[0].getvalue()), zips[0].name
        elif vectors is not None:
            tables, name = read_tables(vectors.getvalue(), about.getvalue() if about else None), vectors.name
        else:
            raise UnusableRequest("metadata alone draws no map; add the file with the vectors")
        added = manager().add_embeddings(tables, name.rpartition(".")[0] or name)
        st.switch_page(page_path("embeddings"), query_params={"embeddings": added.name})
