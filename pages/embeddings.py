"""Embeddings: the vectors a model learned, as a map of films and of users that moves through the epochs of training."""

from __future__ import annotations

import streamlit as st

from ui.components.space import space_map
from ui.films import nouns
from ui.runbar import run_bar, unfinished
from ui.session import ACTIVE

STILL = "No vectors of single epochs were kept for this run, so there is one moment to see: the model as it is."

summary = run_bar("see what it learned about films and users")
if summary is not None:
    going = summary.state in ACTIVE
    if not going:
        unfinished(summary, needs="")
    if space_map(
        f"/api/runs/{summary.run_id}/space",
        run_id=summary.run_id,
        nouns=nouns(summary.config.dataset),
        going=going,
        still_words=STILL,
    ):
        st.rerun()
