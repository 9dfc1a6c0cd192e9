"""A dataset as pages speak of it: what items and ratings are called, whether it is here, how it is fetched."""

from __future__ import annotations

import streamlit as st

from mfcore.data import dataset_status, fetch
from mfcore.data.nouns import Nouns, nouns, one
from mfcore.registry import DATASETS, DEFAULT_DATASET
from ui.format import escape_markdown

__all__ = [
    "STAND_IN",
    "Nouns",
    "data_at_hand",
    "dataset_choices",
    "dataset_title",
    "fetch_with_progress",
    "nouns",
    "one",
]

STAND_IN = "planted"
"""What pages begin with while the default dataset is not on this machine: made on the spot, with something to learn."""


def dataset_title(name: str) -> str:
    """The dataset's name as people say it."""
    entry = DATASETS.get(name)
    return entry.title if entry else name


def dataset_choices() -> dict[str, str]:
    """Every dataset and its title, in the order in which they are offered: the default one, what can be loaded at once, and
    what must be fetched first, which says so."""
    here = {name: data_at_hand(name) for name in DATASETS}
    ordered = sorted(DATASETS, key=lambda name: (name != DEFAULT_DATASET, not here[name]))
    return {name: dataset_title(name) + ("" if here[name] or name == DEFAULT_DATASET else " (to fetch)") for name in ordered}


def data_at_hand(name: str = DEFAULT_DATASET) -> bool:
    """Whether a dataset can be loaded at once: stored on this machine, or made on the spot."""
    return dataset_status(name) != "to fetch"


def fetch_with_progress(name: str) -> None:
    """Fetch a dataset under a bar that says how far it is; the bar goes when it fails.

    Raises:
        UnusableRequest, DataUnavailable: as :func:`mfcore.data.fetch`.
    """
    bar = st.progress(0.0, text="Looking for a source …")

    def show(message: str, share: float | None) -> None:
        bar.progress(min(max(share or 0.0, 0.0), 1.0), text=escape_markdown(message))

    try:
        fetch(name, progress=show)
    except Exception:
        bar.empty()
        raise
