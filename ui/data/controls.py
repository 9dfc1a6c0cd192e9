"""Choosing a dataset, shaping a generated one, fetching one that is not here."""

from __future__ import annotations

import streamlit as st

from mfcore.data import DATASETS, DatasetEntry, fetch
from mfcore.data.config import SPLITS, SplitConfig
from mfcore.errors import DataUnavailable, UnusableRequest
from ui.address import linked_choice, write_param
from ui.controls import error_line
from ui.format import escape_markdown


def choose_dataset() -> DatasetEntry:
    """The dataset the page is about: ``?dataset=``, MovieLens 100K unless chosen otherwise."""
    chosen = linked_choice("Dataset", list(DATASETS), "dataset", text=lambda name: DATASETS[name].title, default="ml-100k")
    return DATASETS[chosen]


def choose_shape(entry: DatasetEntry) -> dict[str, float]:
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


def choose_split(entry: DatasetEntry) -> SplitConfig:
    """How ratings are divided: ``?split=``, for the official folds ``?fold=``. Only what this dataset allows is offered."""
    kinds = [kind for kind in SPLITS if kind == "random" or (entry.has_timestamps and kind != "official")]
    kinds += ["official"] if entry.name == "ml-100k" else []
    kind = linked_choice("How ratings are divided", kinds, "split", text=SPLITS.__getitem__, default="random")
    if kind != "official":
        write_param("fold", None)
        return SplitConfig(kind)
    fold = linked_choice(
        "Fold", [1, 2, 3, 4, 5], "fold", default=1, help="Fold 1 tests the first fifth of the file, and so on."
    )
    return SplitConfig(kind, fold=fold)


def offer_fetch(entry: DatasetEntry) -> None:
    """What is shown in place of a dataset that is not here: what it is, how large, the button; a failure names every origin."""
    with st.container(border=True, key="not_here"):
        st.markdown(f"**{escape_markdown(entry.title)} is not on this machine yet.** {escape_markdown(entry.description)}")
        st.caption(escape_markdown(f"{entry.size}. {entry.licence}"))
        if st.button("Fetch it now", type="primary", icon=":material/download:", key="fetch"):
            _fetch(entry.name)


def _fetch(name: str) -> None:
    st.caption("This takes up to a minute. Leaving the page cancels it.")
    bar = st.progress(0.0, text="Starting")
    try:
        fetch(
            name, progress=lambda message, share: bar.progress(min(max(share or 0.0, 0.0), 1.0), text=escape_markdown(message))
        )
    except DataUnavailable as failure:
        bar.empty()
        error_line("It could not be fetched by any road.")
        for origin, why in failure.attempts:
            st.markdown(f"- **{escape_markdown(origin)}**: {escape_markdown(why)}")
        st.markdown(f"**What to do.** {escape_markdown(failure.advice)}.")
    except UnusableRequest as error:
        bar.empty()
        error_line(error)
    else:
        st.rerun()
