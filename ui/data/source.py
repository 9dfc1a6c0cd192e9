"""Which dataset: choosing and shaping one, fetching one that is not here, and where it comes from."""

from __future__ import annotations

import streamlit as st

from mfcore.data.cache import DamagedCache, read_manifest
from mfcore.paths import data_dir
from mfcore.registry import DATASETS, DEFAULT_DATASET, DatasetSpec
from ui.address import linked_choice, write_param
from ui.data.fetching import show_fetch, start_fetch
from ui.datasets import dataset_choices
from ui.format import escape_markdown
from ui.state import no_writing


def choose_dataset() -> DatasetSpec:
    """The dataset the page is about: ``?dataset=``, the default one unless chosen otherwise."""
    choices = dataset_choices()
    chosen = linked_choice("Dataset", list(choices), "dataset", text=choices.__getitem__, default=DEFAULT_DATASET)
    return DATASETS[chosen]


def choose_shape(entry: DatasetSpec) -> dict[str, float]:
    """Numbers that shape a generated dataset, kept in the address as ``dataset.noise=…``; empty for a real one."""
    for param in [key for key in st.query_params if key.startswith("dataset.")]:
        if param.removeprefix("dataset.") not in entry.options:
            write_param(param, None)  # left over from another dataset
    if not entry.options:
        return {}
    shape: dict[str, float] = {}
    with st.expander("Shape of these made-up ratings", icon=":material/tune:"), st.grid(3, min_column_width=150):
        for name, option in entry.options.items():
            shape[name] = _shape_number(name, option.default, option.low, option.high, option.help)
    return shape


def _shape_number(name: str, default: float, low: float, high: float, meaning: str) -> float:
    kind = int if isinstance(default, int) else float
    try:
        value = min(max(kind(st.query_params.get(f"dataset.{name}", default)), kind(low)), kind(high))
    except ValueError:
        value = default
    wanted = st.number_input(
        name.replace("_", " ").capitalize(),
        min_value=kind(low),
        max_value=kind(high),
        value=value,
        step=1 if kind is int else 0.01,
        format="%d" if kind is int else "%.3g",
        help=meaning,
    )
    write_param(f"dataset.{name}", None if wanted == default else f"{wanted:g}")
    return wanted


def offer_fetch(entry: DatasetSpec) -> None:
    """What is shown in place of a dataset that is not here: what it is, how large, the button; a failure names every origin."""
    with st.container(border=True, key="not_here"):
        st.markdown(f"**{escape_markdown(entry.title)} is not on this machine yet.** {escape_markdown(entry.description)}")
        st.caption(escape_markdown(f"{entry.size}. {entry.licence}"))
        if show_fetch(entry.name):
            st.caption("You may leave this page meanwhile; it goes on.")
        elif st.button("Fetch it now", type="primary", icon=":material/download:", key="fetch", **no_writing()):
            start_fetch(entry.name)
            st.rerun()


def show_source(entry: DatasetSpec) -> None:
    """Whose data this is, on what terms, and where it lies."""
    st.header("Where this comes from", anchor=False)
    st.markdown(escape_markdown(entry.description))
    st.table(_source_rows(entry), border="horizontal")


def _source_rows(entry: DatasetSpec) -> dict[str, str]:
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
