"""The bar on top of every page about a run: which run, its model, data and state, its headline; and the model behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.evaluation.words import PARTS
from mfcore.runs import RunSummary
from mfcore.runs.status import DAMAGED
from ui.address import write_param
from ui.components.queue import why_it_waits
from ui.controls import empty_state, error_line, failed_state, link_to, plain_errors, run_missing, state_badge, whose_badge
from ui.datasets import dataset_title
from ui.format import escape_markdown, metric, metric_name
from ui.run_titles import run_label
from ui.state import current_run_id, manager, no_changing
from ui.verdict import comparison, judge, verdict_on_test
from ui.words import choice_title

if TYPE_CHECKING:
    from mfcore.runs import LoadedRun


def run_bar(purpose: str) -> RunSummary | None:
    """Draw the bar. Returns the run this page is about, or None when there is none (the page has then said why).

    ``purpose``: what the page would show, for the empty state: "see how good a model is".
    """
    runs = {run.run_id: run for run in manager().list()}
    if not runs:
        nothing_yet(purpose)
        return None
    current = current_run_id() or next(iter(runs))
    with st.container(border=True, key="runbar"):
        pick, facts, again = st.columns([7, 12, 3], vertical_alignment="center")
        with pick:
            chosen = _switch(runs, current)
        if chosen is None:
            run_missing(current)
            return None
        facts.markdown(_facts(runs[chosen]))
        with again:
            link_to("runs", "Script, command", icon=":material/code:", run=chosen)
    if runs[chosen].state == DAMAGED:
        failed_state(runs[chosen].reason)
        link_to("runs", "Look at it, or delete it", icon=":material/delete:", run=chosen)
        return None
    return runs[chosen]


def nothing_yet(purpose: str) -> None:
    """The empty state of a page that needs a run."""
    empty_state(f"**Nothing is trained yet.** Train a model first, then come back here to {purpose}.")
    link_to("home", "Or start from one of the presets on the home page", icon=":material/home:")


def unfinished(run: RunSummary, *, needs: str) -> None:
    """What a run that is not finished has to say for itself: why, and what to do next. ``needs``: what is still missing."""
    if run.went_wrong:
        failed_state(run.reason)
        if needs:
            st.caption(needs)
        retry_link(run, "Change the settings and train again")
    elif run.state == "queued":
        st.info(f"This run waits for its turn. {needs}", icon=":material/hourglass:")
        why_it_waits(run.run_id)
    elif not run.over:
        words = {"paused": "is paused", "resuming": "waits to go on"}.get(run.state, "is being trained")
        st.info(f"This run {words}: epoch {run.epochs_done} of {run.num_epochs}. {needs}", icon=":material/timelapse:")
    elif run.state != "finished":
        why = f" ({escape_markdown(run.reason)})" if run.reason else ""
        where = f"after epoch {run.epochs_done} of {run.num_epochs}"
        st.info(f"This run was {run.state} {where}{why}. {needs}", icon=":material/info:")
    if not run.over:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Show newest", icon=":material/refresh:", help="Read the run again as it stands now.")
            link_to("train", "Watch it live", icon=":material/show_chart:", run=run.run_id)

    elif run.state == "interrupted" and st.button(
        "Go on from its last checkpoint", icon=":material/resume:", **no_changing(run)
    ):
        with plain_errors():
            manager().resume(run.run_id)
            st.rerun()


def retry_link(run: RunSummary, words: str) -> None:
    """A link to Train with this run's settings filled in; none where nothing here can train them."""
    if run.unread:
        return
    link_to("train", words, icon=":material/tune:", **{key: str(value) for key, value in run.config.to_flat().items()})


def open_model(run: RunSummary) -> LoadedRun | None:
    """The run with its model; None when it has none to show, and the page has then said why.

    A run that is not finished shows what its checkpoint knows, and says after which epoch that is.
    """
    from mfcore.runs.loaded import load_run  # here: it loads torch

    try:
        with st.spinner("Opening the model …"):
            loaded = load_run(run.run_id)
    except (UnusableRequest, DataUnavailable) as error:
        unfinished(run, needs="" if run.over else "There is nothing to show before its first epoch is done.")
        if run.over and not run.went_wrong:
            error_line(error)
            link_to("train", "Train another run", icon=":material/arrow_forward:")
        return None
    if run.state != "finished":
        unfinished(run, needs=f"Shown here: {_which_epoch(loaded)}.")
    return loaded


def _which_epoch(loaded: LoadedRun) -> str:
    if loaded.checkpoint_epoch == 0:
        return "the untrained model, which is still the best on validation"
    kind = {"best": "its best epoch so far", "last": "its latest checkpoint"}.get(loaded.checkpoint, "its refit")
    return f"{kind}, epoch {loaded.checkpoint_epoch}"


def model_and_data(run: RunSummary) -> str:
    """Markdown badges with model and dataset of a run."""
    named = choice_title("model", run.model), dataset_title(run.dataset)
    return " ".join(f":gray-badge[{escape_markdown(name)}]" for name in named)


def _switch(runs: dict[str, RunSummary], current: str) -> str | None:
    """Select box over all runs. The address is its only memory, so that it never disagrees with a link or the back button."""
    ids = list(runs)
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(current) if current in runs else None,
        format_func=lambda run_id: run_label(runs[run_id]),
        placeholder="Choose a run",
        label_visibility="collapsed",
    )
    if chosen is not None:
        write_param("run", chosen)
        if chosen != current:
            st.rerun()  # the box is drawn anew from the address; else its own memory would overrule the back button
    return chosen


def _facts(run: RunSummary) -> str:
    part = "test" if run.test else "valid"
    measured = judge(run.valid, run.baselines.get("valid", {}), run.config.protocol.k)
    verdict = verdict_on_test(run) if run.test else measured
    words = " ".join(filter(None, (state_badge(run.state), whose_badge(run), model_and_data(run))))
    if verdict is None:
        return words
    words += f" &nbsp; **{metric_name(verdict.metric)} {metric(verdict.value)}** on {PARTS[part]}"
    if not verdict.baseline_name:
        return words
    _, colour = comparison(verdict)
    chance = ", may be chance" if verdict.chance else ""
    return f"{words} · :{colour}[best baseline {metric(verdict.baseline)}] ({verdict.baseline_name}{chance})"
