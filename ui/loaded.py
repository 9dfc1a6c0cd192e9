"""The model behind a page, opened with a word on what is going on, and one clear line where that is not possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.runs.loaded import load_run
from ui.controls import error_line, link_to
from ui.runbar import unfinished
from ui.state import ACTIVE

if TYPE_CHECKING:
    from mfcore.runs.loaded import LoadedRun
    from mfcore.runs.summary import RunSummary


def open_model(run: RunSummary) -> LoadedRun | None:
    """The run with its model; None when it has none to show, and the page has then said why.

    A run that is not finished shows what its checkpoint knows, and says after which epoch that is.
    """
    try:
        with st.spinner("Opening the model …"):
            loaded = load_run(run.run_id)
    except (UnusableRequest, DataUnavailable) as error:
        unfinished(run, needs="There is nothing to show before its first epoch is done." if run.state in ACTIVE else "")
        if run.state not in (*ACTIVE, "failed"):
            error_line(error)
            link_to("train", "Train another run", icon=":material/arrow_forward:")
        return None
    if run.state != "finished":
        unfinished(run, needs=f"Shown here: {_which(loaded)}.")
    return loaded


def _which(loaded: LoadedRun) -> str:
    if loaded.checkpoint_epoch == 0:
        return "the untrained model, which is still the best on validation"
    kind = {"best": "its best epoch so far", "last": "its latest checkpoint"}.get(loaded.checkpoint, "its refit")
    return f"{kind}, epoch {loaded.checkpoint_epoch}"
