"""An imported dataset as its owner handles it: another title, taking it along, deleting it."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import streamlit as st

from mfcore.data.imported import delete_dataset, describe_dataset, disk_use, export_dataset, rename_dataset
from mfcore.errors import UnusableRequest
from mfcore.registry import DatasetSpec
from ui.controls import error_line
from ui.format import count, escape_markdown
from ui.state import manager, no_writing, page_path

_AT_ONCE = 2_000_000
"""Interactions up to which a page writes the table for a download; larger ones are exported on the command line."""


def show_management(entry: DatasetSpec, size: int) -> None:
    """Title and description, export, and deletion with the runs that depend on it. ``size``: interactions."""
    st.header("Yours to manage", anchor=False)
    about = describe_dataset(entry.name)
    st.caption(escape_markdown(f"Takes {disk_use(entry.name) / 1e6:,.1f} MB. Flags and runs know it as {entry.name}."))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input("Title", entry.title, key=f"title_{entry.name}_{entry.title}", max_chars=80, width=260)
        said = str(about.get("description", ""))
        text = st.text_input("Description", said, key=f"about_{entry.name}_{said[:20]}", max_chars=200, width=420)
        if st.button("Save", icon=":material/save:", key="rename_dataset", **no_writing()):
            try:
                rename_dataset(entry.name, title=title, description=text)
            except UnusableRequest as error:
                error_line(error)
            else:
                st.rerun()
    with st.container(horizontal=True):
        _export(entry, size)
        with st.popover("Delete", icon=":material/delete:", key="delete_dataset", disabled=bool(no_writing())):
            _delete(entry)


def _export(entry: DatasetSpec, size: int) -> None:
    if size > _AT_ONCE:
        st.caption(f"To export: `python -m mfcore datasets export {entry.name} FILE.parquet`")
        return
    for suffix, kind in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
        st.download_button(
            f"Export as {'CSV' if suffix == 'csv' else 'Parquet'}",
            functools.partial(_written, entry.name, suffix),
            f"{entry.name}.{suffix}",
            kind,
            icon=":material/download:",
            key=f"export_{suffix}",
            on_click="ignore",
        )


def _written(name: str, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="mf-explorer-") as folder:
        return export_dataset(name, Path(folder) / f"{name}.{suffix}").read_bytes()


def _delete(entry: DatasetSpec) -> None:
    runs = [run for run in manager().list() if run.dataset == entry.name]
    if runs:
        names = ", ".join(escape_markdown(run.title) for run in runs[:5]) + (" …" if len(runs) > 5 else "")
        st.markdown(
            f"**{count(len(runs))} {'run' if len(runs) == 1 else 'runs'}** cannot be opened any more without it: {names}."
        )
    else:
        st.markdown("No run depends on it.")
    if st.button("Delete it for good", type="primary", icon=":material/delete_forever:", key="delete_for_good", **no_writing()):
        try:
            delete_dataset(entry.name)
        except UnusableRequest as error:
            error_line(error)
        else:
            st.switch_page(page_path("data"))
