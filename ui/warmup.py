"""What the server does in the background as it starts, so that the first click is as quick as the tenth."""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import Callable

from mfcore import log
from mfcore.errors import UnusableRequest

_page_begins, _page_stands = threading.Event(), threading.Event()
PATIENCE = 3.0
"""Seconds for which the warm-up waits for a first page, before it goes on without one."""


def start() -> threading.Thread:
    """Warm everything that costs a second the first time, in a thread: the first page must not wait for it."""
    thread = threading.Thread(target=_warm, name="warmup", daemon=True)
    thread.start()
    return thread


def first_page_begins() -> None:
    """A browser has come: from now on somebody may press Train, so the worker had better be on its way."""
    _page_begins.set()


def first_page_stands() -> None:
    """A page was drawn: what it did not need may be loaded now, and no longer takes turns with it."""
    _page_stands.set()


def _warm() -> None:
    _try(_tables)  # while the browser still fetches its scripts
    _page_begins.wait(PATIENCE)
    _try(_spare_worker)  # a process of its own
    _page_stands.wait(PATIENCE)
    # Each step by itself: that one fails (no data yet, say) must not keep the others cold.
    for step in (_assets, _ratings, _libraries):
        _try(step)
    log.take_over()  # what Streamlit loaded with its first page has brought loggers of its own
    # What the libraries brought stays for good: no collection need ever look through those million objects again.
    gc.freeze()


def _try(step: Callable[[], None]) -> None:
    try:
        step()
    except UnusableRequest as error:
        log.event("warm-up left something out", level="warning", step=step.__name__.strip("_"), why=str(error))
    except Exception as error:
        log.event("warm-up failed", level="warning", step=step.__name__.strip("_"), error=error)


def _tables() -> None:
    importlib.import_module("pandas")  # Streamlit asks it about whatever is passed to a component


def _spare_worker() -> None:
    from ui.visitor_runs import server_manager

    server_manager().warm()


def _assets() -> None:
    from ui.api.assets import plotly_script

    plotly_script()


def _ratings() -> None:
    from mfcore.data import load_dataset
    from mfcore.registry import DEFAULT_DATASET
    from ui.datasets import data_at_hand

    if data_at_hand():
        load_dataset(DEFAULT_DATASET)


def _libraries() -> None:
    for name in ("plotly.graph_objects", "scipy.stats", "torch"):
        importlib.import_module(name)
