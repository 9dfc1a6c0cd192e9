"""Home: what this is, a living picture of a run, and where to start."""

from __future__ import annotations

import streamlit as st

from mfcore.registry import DEFAULT_DATASET
from mfcore.runs.presets import FIRST
from ui.components.live import live_run
from ui.controls import link_to, state_badge
from ui.datasets import data_at_hand, dataset_title, nouns
from ui.format import escape_markdown, metric, metric_name, when
from ui.home.starts import preset_cards, start
from ui.run_titles import run_label
from ui.state import manager
from ui.verdict import comparison, verdict_on_test

RECENT = 5
runs, called, real = manager().list(), nouns(DEFAULT_DATASET), dataset_title(DEFAULT_DATASET)

text, picture = st.columns([5, 6], gap="large", vertical_alignment="center")

with text:
    st.title("Watch a recommender learn", anchor=False)
    st.markdown(
        f"Everybody rates a few {called.items} and leaves the rest blank; a recommender **guesses the blanks**. "
        f"Matrix factorization gives every person and every {called.item} a short list of numbers, random at first, and "
        "nudges them, rating by rating, until **multiplying the two lists gives about the rating**: nobody tells it which "
        f"{called.items} are alike, yet those end up side by side. It is judged only on "
        "**ratings it was never shown**: press the button and watch that error fall."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Train a recommender now", type="primary", icon=":material/play_arrow:", key="start_now"):
            start(FIRST)
        link_to("train", "or set one up yourself", icon=":material/tune:")
    if not data_at_hand():
        st.warning(
            f"**Made-up ratings are in use.** {real}, the real data, is not on this machine: it could not be downloaded "
            "during set-up, or was never asked for. Presets learn a made-up table with known answers until it is here.",
            icon=":material/cloud_off:",
        )
        link_to("data", f"Fetch {real}", icon=":material/download:", dataset=DEFAULT_DATASET)

with picture, st.container(border=True, key="living_picture"):
    if runs:
        st.markdown(f"Newest run: **{escape_markdown(run_label(runs[0]))}**")
    live_run(
        runs[0].run_id if runs else None,
        height=230,
        key="home_live",
        compact=True,
        going=bool(runs) and not runs[0].over,
        idle="Your first run draws itself here.",
    )


preset_cards("good", "Good starts", "One click trains it and takes you there. Each says what to look for.")
preset_cards("bad", "Instructive failures", "Nothing teaches a learning rate like one that is wrong.")

if runs:
    st.subheader("Recent runs", anchor=False)
    for run in runs[:RECENT]:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width=260):
                page = "evaluate" if run.over and run.state != "failed" else "train"
                link_to(page, escape_markdown(run_label(run)), run=run.run_id)
            st.markdown(state_badge(run.state), width="content")
            found = verdict_on_test(run)
            if found:
                st.markdown(f"{metric_name(found.metric)} **{metric(found.value)}**", width="content")
                words, tone = comparison(found)
                st.markdown(f":{tone}-badge[{words}]", width="content")
            st.caption(when(run.created), width="content")
    link_to("runs", "All runs", icon=":material/list:")

preset_cards("seed", "From the literature", "What three tutorials trained, at their settings: what they reported, and why.")
