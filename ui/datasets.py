"""A dataset as pages speak of it: what items and ratings are called, whether it is here, how it is fetched."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from mfcore.data import dataset_status, fetch
from mfcore.data.config import DatasetConfig
from mfcore.registry import DATASETS, DEFAULT_DATASET
from ui.format import escape_markdown

STAND_IN = "planted"
"""What pages begin with while the default dataset is not on this machine: made on the spot, with something to learn."""


@dataclass(frozen=True)
class Nouns:
    """What things are called, one and several: a ``film`` among ``films``, rated by ``users`` in ``stars``, written as ★."""

    item: str = "item"
    items: str = "items"
    user: str = "user"
    users: str = "users"
    unit: str = "point"
    units: str = "points"
    symbol: str = ""

    @property
    def one_item(self) -> str:
        return one(self.item)

    @property
    def one_unit(self) -> str:
        return one(self.unit)

    def rated(self, value: str) -> str:
        """A rating with the sign of its unit, where it has one: "4 ★"."""
        return f"{value} {self.symbol}".rstrip()


def nouns(dataset: DatasetConfig | str) -> Nouns:
    """The words of a dataset; those of any data where it is not registered (any more)."""
    spec = DATASETS.get(dataset if isinstance(dataset, str) else dataset.name)
    return Nouns(*spec.item, *spec.user, *spec.rating, spec.symbol) if spec is not None else Nouns()


def one(noun: str) -> str:
    """ "a film", "an item", and by its sound "a user"."""
    by_sound = noun[0] in "aeiou" and not noun.startswith(("us", "uni", "eu"))
    return f"{'an' if by_sound else 'a'} {noun}"


def dataset_title(name: str) -> str:
    """The dataset's name as people say it."""
    entry = DATASETS.get(name)
    return entry.title if entry else name


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
