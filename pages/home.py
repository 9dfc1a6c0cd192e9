"""Home: what this is, a living picture of a run, and where to start."""

from __future__ import annotations

import streamlit as st

from mfcore.registry import DEFAULT_DATASET
from mfcore.runs.comparability import marks_of_tests
from mfcore.runs.presets import FIRST, FIRST_RANKING, PRESETS
from ui.components.live import live_run
from ui.controls import link_to, state_badge, whose_badge
from ui.datasets import data_at_hand, dataset_title, nouns
from ui.format import escape_markdown, metric, metric_name, when
from ui.home.starts import preset_cards, start
from ui.run_titles import run_label
from ui.state import manager, no_writing
from ui.verdict import comparison, headline_of, verdict_on_test

RECENT = 5
# Measured by tests/runs/test_presets.py. A string alone on a line would be drawn on the page.
ALIKE = (
    f"To see alike {nouns(DEFAULT_DATASET).items} gather, start “{PRESETS[FIRST_RANKING].title}” below and open its map. "
    f"Measured on {dataset_title(DEFAULT_DATASET)}: of the ten nearest to a comedy, more than half are comedies too, where a "
    "third of all are (20 ratings or more each, by direction in all dimensions). A model that guesses ratings hardly does that."
)
runs, called, real = manager().list(), nouns(DEFAULT_DATASET), dataset_title(DEFAULT_DATASET)

text, picture = st.columns([5, 6], gap="large", vertical_alignment="center")

with text:
    st.title("Watch a recommender learn", anchor=False)
    st.markdown(
        f"Everybody rates a few {called.items} and leaves the rest blank; a recommender **guesses the blanks**. "
        f"Matrix factorization gives every person and every {called.item} a short list of numbers, random at first, and "
        "nudges them, rating by rating, until **multiplying the two lists gives about the rating**. Nobody tells it what any "
        f"{called.item} is about. It is judged only on "
        "**ratings it was never shown**: press the button and watch that error fall."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Train a recommender now", type="primary", icon=":material/play_arrow:", key="start_now", **no_writing()):
            start(FIRST)
        link_to("train", "or set one up yourself", icon=":material/tune:")
        link_to("data", "bring your own ratings", icon=":material/upload_file:", bring="true")
    st.caption(ALIKE)
    if not data_at_hand():
        st.warning(
            f"**Made-up ratings are in use.** {real}, the real data, is not on this machine: it could not be downloaded "
            "during set-up, or was never asked for. Presets learn a made-up table with known answers until it is here.",
            icon=":material/cloud_off:",
        )
        link_to("data", f"Fetch {real}", icon=":material/download:", dataset=DEFAULT_DATASET)

with picture, st.container(border=True, key="living_picture"):
    # What waits in the queue has nothing to show: a run that trains stays in sight.
    pictured = next((run for run in runs if run.state == "running"), runs[0] if runs else None)
    if pictured:
        words = "Training now" if pictured.state == "running" else "Newest run"
        link_to(
            "train", f"{words}: **{escape_markdown(run_label(pictured))}**", icon=":material/play_circle:", run=pictured.run_id
        )
    live_run(
        pictured.run_id if pictured else None,
        height=230,
        key="home_live",
        compact=True,
        going=pictured is not None and not pictured.over,
        idle="Your first run draws itself here.",
    )


preset_cards("good", "Good starts", "One click trains it and takes you there. Each says what to look for.")
preset_cards("bad", "Instructive failures", "Nothing teaches a learning rate like one that is wrong.")

if runs:
    st.header("Recent runs", anchor=False)
    apart = marks_of_tests(runs[:RECENT], headline_of)
    for run in runs[:RECENT]:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width=440):
                page = "evaluate" if run.over and not run.went_wrong else "train"
                link_to(page, escape_markdown(run_label(run)), run=run.run_id)
            st.markdown(f"{state_badge(run.state)} {whose_badge(run)}", width="content")
            found = verdict_on_test(run)
            if found:
                st.markdown(f"{metric_name(found.metric)} **{metric(found.value)}**", width="content")
                words, tone = comparison(found)
                st.markdown(f":{tone}-badge[{words}]", width="content")
            if run.run_id in apart:
                letter, reasons = apart[run.run_id]
                why = f"Figures compare only where the letter is the same. Set apart by: {'; '.join(reasons)}."
                st.markdown(f":gray-badge[test {letter}]", help=why, width="content")
            st.caption(when(run.created), width="content")
    if apart:
        st.caption("Tests with different letters are different tests: only figures with the same letter compare.")
    link_to("runs", "All runs", icon=":material/list:")

preset_cards("seed", "From the literature", "What three tutorials trained, at their settings: what they reported, and why.")
