"""Which dataset: choosing and shaping one, fetching one that is not here, and where it comes from."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mfcore.data.cache import DamagedCache, read_manifest
from mfcore.paths import data_dir
from mfcore.registry import DATASETS, DEFAULT_DATASET, DatasetSpec, Option
from ui.address import linked_choice, write_param
from ui.controls import link_to
from ui.data.fetching import show_fetch, start_fetch
from ui.datasets import STAND_IN, dataset_choices
from ui.format import escape_markdown
from ui.state import no_writing


def choose_dataset() -> DatasetSpec:
    """The dataset the page is about: ``?dataset=``, the default one unless chosen otherwise."""
    choices = dataset_choices()
    chosen = linked_choice("Dataset", list(choices), "dataset", text=choices.__getitem__, default=DEFAULT_DATASET)
    return DATASETS[chosen]


def choose_shape(entry: DatasetSpec) -> tuple[dict[str, float], Any]:
    """Numbers that shape a generated dataset, kept in the address as ``dataset.noise=…``, and the place beside them for a
    picture of what they make; empty and None for a real one."""
    for param in [key for key in st.query_params if key.startswith("dataset.")]:
        if param.removeprefix("dataset.") not in entry.options:
            write_param(param, None)  # left over from another dataset
    if not entry.options:
        return {}, None
    with st.expander("Shape of these made-up ratings", icon=":material/tune:"):
        controls, beside = st.columns([3, 2], gap="medium")
        with controls:
            exact = st.toggle("Type exact values", key="exact", bind="query-params")
            with st.grid(3, min_column_width=150):
                shape = {name: _shape_number(name, option, exact) for name, option in entry.options.items()}
    return shape, beside


def _shape_number(name: str, option: Option, exact: bool) -> float:
    kind = int if isinstance(option.default, int) else float
    low, high = kind(option.low), kind(option.high)
    try:
        value = min(max(kind(st.query_params.get(f"dataset.{name}", option.default)), low), high)
    except ValueError:
        value = option.default
    label, help_text = name.replace("_", " ").capitalize(), option.help
    first, last = map(kind, option.slider or (low, high))
    if exact or not first <= value <= last:
        form = "%d" if kind is int else "%.3g"
        wanted = st.number_input(label, low, high, value, 1 if kind is int else 0.01, form, help=help_text)
    else:
        step = max(1, (last - first) // 200) if kind is int else _step(last - first)
        wanted = st.slider(label, first, last, value, step, None if kind is int else "%.3g", help=help_text)
    write_param(f"dataset.{name}", None if wanted == option.default else f"{wanted:g}")
    return wanted


def _step(reach: float) -> float:
    """A round hundredth of a range."""
    return 0.01 if reach <= 2 else 0.05


def offer_fetch(entry: DatasetSpec) -> None:
    """What is shown in place of a dataset that is not here: what it is, how large, the button, how far it is; a failure names
    every origin."""
    with st.container(border=True, key="not_here"):
        st.markdown(f"**{escape_markdown(entry.title)} is not on this machine yet.** {escape_markdown(entry.description)}")
        st.caption(escape_markdown(f"{entry.size}. {entry.licence}"))
        place = st.empty()
    link_to("data", "Look at made-up ratings meanwhile", icon=":material/casino:", dataset=STAND_IN)
    with place.container():  # last, because what follows a fetch ends with it; and as a whole, so that nothing stale stays
        button: dict[str, Any] = {"type": "primary", "icon": ":material/download:", "key": "fetch", **no_writing()}
        if not show_fetch(entry.name) and st.button("Fetch it now", **button):
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
    if entry.folder is not None:
        return {**rows, "Stored": f"`{entry.folder}`"}
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
