"""Runs to start with one click: a card for each preset, and the one big button."""

from __future__ import annotations

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.runs import PRESETS, RunConfig, preset_config
from ui.controls import error_line
from ui.datasets import STAND_IN, data_at_hand
from ui.state import manager, no_writing, open_run


def preset_cards(kind: str, title: str, sentence: str) -> None:
    """A heading and a card for each preset of one kind."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.header(title, anchor=False, width="content")
        st.caption(sentence, width="content")
    with st.grid(4 if kind == "good" else 3, min_column_width=220):
        for preset in (p for p in PRESETS.values() if p.kind == kind):
            with st.container(border=True, height="stretch", vertical_alignment="distribute", key=f"card_{preset.name}"):
                st.markdown(f"**{preset.title}**  \n{preset.sentence}")
                if preset.figures:
                    st.caption(preset.figures)
                if st.button("Start", key=f"start_{preset.name}", icon=":material/play_arrow:", **no_writing()):
                    start(preset.name)


def start(preset: str) -> None:
    """Submit a run of ``preset`` and go and watch it; what stands in the way is said in one line."""
    try:
        config = with_data_at_hand(preset_config(preset))
        run_id = manager().submit(config)
    except (UnusableRequest, OSError) as error:
        error_line(error)
    else:
        open_run(run_id, "train")


def with_data_at_hand(config: RunConfig) -> RunConfig:
    """``config``, or the same on planted ratings while its dataset is not on this machine."""
    if data_at_hand(config.dataset.name):
        return config
    return config.with_flat({"dataset": STAND_IN, "split": "random"})
