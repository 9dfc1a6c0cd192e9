"""Below the map: a closer look at the vectors, and taking them along or bringing others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from mfcore.errors import UnusableRequest
from ui.charts import show_chart
from ui.controls import error_line, plain_errors
from ui.datasets import nouns
from ui.embeddings.charts import lengths_figure, rank_figure, recovery_figure, spectrum_figure
from ui.format import escape_plotly
from ui.state import page_path

if TYPE_CHECKING:
    from mfcore.runs.summary import RunSummary

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
    from mfcore.embeddings.points import space_points
    from mfcore.embeddings.report import norm_against_popularity

    epoch, found = norm_against_popularity(run.run_id)
    names = [escape_plotly(title) for title in space_points(run.run_id)["items"]["title"]]
    alt = "Length of each item's vector against how often it was rated"
    show_chart(lengths_figure(found, names, epoch, nouns(run.config.dataset).items), key="lengths", alt=alt, bar="hover")


def _spectrum(run: RunSummary) -> None:
    from mfcore.embeddings.report import spectrum

    found = spectrum(run.run_id)
    left, right = st.columns(2)
    with left:
        show_chart(
            spectrum_figure(found), key="spectrum", alt="Singular values of the item vectors at a few epochs", bar="hover"
        )
    with right:
        show_chart(rank_figure(found), key="rank", alt="Effective rank of the item vectors by epoch", bar="hover")


def _recovery(run: RunSummary) -> None:
    from mfcore.embeddings.report import recovery

    show_chart(
        recovery_figure(recovery(run.run_id)), key="recovery", alt="Share of the planted space found, by epoch", bar="hover"
    )


def _take(run: RunSummary) -> None:
    """Vectors and what they stand for as two tables in a zip, which the Embedding Projector reads."""
    from mfcore.embeddings.export import zipped_vectors

    called = nouns(run.config.dataset)
    st.caption(
        "A zip of vectors.tsv and metadata.tsv, as TensorFlow's Embedding Projector loads them, of the model as it stands. "
        "Import brings them back here."
    )
    with st.container(horizontal=True):
        for what, words in (("items", called.items), ("users", called.users)):
            st.download_button(
                f"Vectors of all {words}",
                partial(zipped_vectors, run.run_id, what=what),
                file_name=f"{run.run_id}-{what}.zip",
                mime="application/zip",
                icon=":material/download:",
                key=f"take_{what}",
                on_click="ignore",
            )


def _bring() -> None:
    """Foreign embeddings: uploaded, kept, and shown on the same map."""
    from mfcore.embeddings.imported import ForeignEmbeddings
    from mfcore.embeddings.tsv import read_tables, read_zip

    st.caption(
        "Embeddings from elsewhere, as the Embedding Projector takes them: vectors.tsv (one line of numbers a point, tabs "
        "between) and, if you have it, metadata.tsv; or both in one zip. Columns called title, year, genres, ratings and mean "
        "are understood."
    )
    files = st.file_uploader("Files", type=["tsv", "txt", "zip"], accept_multiple_files=True, key="foreign_files")
    if not files or not st.button("Show them", type="primary", icon=":material/scatter_plot:", key="foreign_show"):
        return
    with plain_errors(), st.spinner("Reading …"):
        zips = [file for file in files if file.name.lower().endswith(".zip")]
        about = next((file for file in files if "meta" in file.name.lower()), None)
        vectors = next((file for file in files if file is not about and file not in zips), None)
        if zips:
            tables, name = read_zip(zips[0].getvalue()), zips[0].name
        elif vectors is not None:
            tables, name = read_tables(vectors.getvalue(), about.getvalue() if about else None), vectors.name
        else:
            raise UnusableRequest("metadata alone draws no map; add the file with the vectors")
        added = ForeignEmbeddings.add(tables, name.rpartition(".")[0] or name)
        st.switch_page(page_path("embeddings"), query_params={"embeddings": added.name})
