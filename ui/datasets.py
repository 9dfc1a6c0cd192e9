"""A dataset as pages speak of it: what items and ratings are called, whether it is here, how it is fetched."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from mfcore.data.config import DatasetConfig
from mfcore.data.registry import DATASETS, dataset_status, fetch
from ui.format import escape_markdown

DEFAULT_DATASET = "ml-100k"
STAND_IN = "planted"
"""What pages begin with while the default dataset is not on this machine: made on the spot, with something to learn."""


@dataclass(frozen=True)
class Nouns:
    """What things are called, one and several: a ``film`` among ``films``, rated by ``users`` in ``stars``, written as ★."""

    item: str = "item"
    items: str = "items"
    user: str = "user"
    users: str = "users"
    unit: str = "star"
    units: str = "stars"
    symbol: str = "★"

    @property
    def one_item(self) -> str:
        return one(self.item)

    @property
    def one_unit(self) -> str:
        return one(self.unit)


def nouns(dataset: DatasetConfig | str) -> Nouns:
    """The words of a dataset; those of any data where it is not registered any more or names none of its own."""
    entry = DATASETS.get(dataset if isinstance(dataset, str) else dataset.name)
    usual = Nouns("film", "films") if entry is None or entry.has_titles else Nouns()
    item, items = getattr(entry, "item_noun", (usual.item, usual.items))
    user, users = getattr(entry, "user_noun", (usual.user, usual.users))
    unit, units = getattr(entry, "rating_unit", (usual.unit, usual.units))
    return Nouns(item, items, user, users, unit, units, getattr(entry, "rating_symbol", usual.symbol))


def one(noun: str) -> str:
    """ "a film", "an item"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def dataset_title(name: str) -> str:
    """The dataset's name as people say it."""
    entry = DATASETS.get(name)
    return entry.title if entry else name


def num_folds(name: str) -> int:
    """How many official folds it came with; 0 for none."""
    return int(getattr(DATASETS.get(name), "num_folds", 5 if name == DEFAULT_DATASET else 0))


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
