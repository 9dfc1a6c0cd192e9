"""One run, picked from the table: what it is, its name and note, and all that can be done with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.runs import RunSummary, repeating_command, run_script
from mfcore.runs.history import RunHistory
from mfcore.runs.status import NEVER_BEGAN
from ui.address import write_param
from ui.components.live import live_run
from ui.components.queue import why_it_waits
from ui.controls import error_line, failed_state, link_to, plain_errors, whose_badge
from ui.datasets import dataset_title
from ui.format import duration, escape_markdown, silent_words, when
from ui.run_titles import lineage, run_title
from ui.runs.table import on_the_way
from ui.state import forget, manager, no_changing, recall, remember
from ui.visitors import me
from ui.words import STAR, choice_title

_UNSAVED = "labels_unsaved"
FINAL_ERRORS = ("TrainingDiverged", "UnusableRequest")  # failures that would only repeat themselves


def show_run(run: RunSummary) -> None:
    """The panel of one run."""
    with st.container(border=True, key="run_panel"):
        st.markdown(f"## {STAR + ' ' if run.starred else ''}{escape_markdown(run_title(run))} {whose_badge(run)}".rstrip())
        st.caption(escape_markdown(facts(run)))
        if run.changes:
            st.caption(f":material/tune: Changed on the way: {escape_markdown(on_the_way(run))}")
        if run.state in ("queued", "resuming"):
            why_it_waits(run.run_id)
        if run.went_wrong:
            failed_state(run.reason)
        elif run.silent_since is not None:
            st.warning(silent_words(run.silent_since), icon=":material/hourglass_disabled:")
        elif run.reason and run.state in ("interrupted", "stopped"):
            st.caption(f":material/info: {escape_markdown(run.reason)}")
        _links(run)
        picture, labels = st.columns([3, 2], gap="large")
        with picture:
            live_run(run.run_id, height=230, key="panel_live", compact=True, going=not run.over)
        with labels:
            _labels(run)
        _actions(run)


def facts(run: RunSummary) -> str:
    """The run in one line of plain words."""
    training = run.config.training
    settings = [
        f"{dataset_title(run.dataset)}, {choice_title('split', run.config.split.kind).lower()}",
        choice_title("optimizer", training.optimizer),
        "" if training.solves else f"learning rate {training.learning_rate:g}",
    ]
    parts = [
        choice_title("model", run.model),
        *([run.dataset] if run.unread else settings),
        f"{run.epochs_done} of {run.num_epochs} epochs",
        f"{duration(run.own_seconds)} of training" if run.own_seconds else "",
        f"queued for {duration(time.time() - run.queued)}" if run.state in ("queued", "resuming") else "",
        f"on {run.device}" if run.device else "",
        f"created {when(run.created)}",
        run.run_id,
    ]
    return " · ".join(part for part in parts if part)


def _links(run: RunSummary) -> None:
    with st.container(horizontal=True, gap="medium"):
        parent = run.config.parent
        if parent:
            words = lineage(run, {other.run_id: other for other in manager().list()})
            link_to("runs", escape_markdown(words), run=parent["run_id"])
        link_to("train", "Training" if run.over else "Watch", icon=":material/show_chart:", run=run.run_id)
        if run.epochs_done:
            link_to("evaluate", "Evaluate", icon=":material/monitoring:", run=run.run_id)
            link_to("recommend", "Recommend", icon=":material/recommend:", run=run.run_id)
            link_to("embeddings", "Embeddings", icon=":material/scatter_plot:", run=run.run_id)


def _labels(run: RunSummary) -> None:
    """Name, note and star. Each is kept as soon as it is left, by Enter, a click elsewhere or a link: nothing typed is lost."""
    labels, locked = {"name": run.name, "note": run.note, "starred": run.starred}, no_changing(run)

    def keeps(label: str) -> dict[str, Any]:
        key = f"{label}_{run.run_id}"  # with it a field stays the same when its value changes
        return {"value": labels[label], "key": key, "on_change": _keep_label, "args": (run.run_id, label, key)} | locked

    st.text_input("Name", max_chars=200, placeholder=run_title(run), live="500ms", **keeps("name"))
    st.text_area("Note", max_chars=10_000, height=90, placeholder="What did this run show?", **keeps("note"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("Star", **({"help": "Starred runs can be listed on their own."} | keeps("starred")))
        if me().account:
            _share(run, locked)
        problem = recall(_UNSAVED)
        forget(_UNSAVED)
        if problem:
            error_line(problem)
        else:
            st.caption(locked.get("help") or "Kept as soon as you go on.")


def _share(run: RunSummary, locked: dict[str, Any]) -> None:
    """Whether all who are let in here may look at it."""
    key = f"shared_{run.run_id}"
    words = {"help": "Others who are let in here may look at it, copy it and branch from it; only you can change it."}
    st.toggle("Share", value=run.shared, key=key, on_change=_keep_shared, args=(run.run_id, key), **(words | locked))


def _keep_shared(run_id: str, key: str) -> None:
    try:
        manager().share(run_id, bool(recall(key)))
    except (UnusableRequest, OSError) as error:
        remember(_UNSAVED, f"Not saved: {error}")


def _keep_label(run_id: str, label: str, key: str) -> None:
    try:
        manager().set_meta(run_id, **{label: recall(key)})
    except (UnusableRequest, OSError) as error:
        remember(_UNSAVED, f"Not saved: {error}")


def _actions(run: RunSummary) -> None:
    with st.container(horizontal=True):
        locked, runs = no_changing(run), manager()
        kept = {"help": "What it has learned is kept."}
        if not run.over and st.button("Stop", icon=":material/stop:", key="stop", **(kept | locked)):
            with plain_errors():
                manager().stop(run.run_id)
                st.toast("Stopping at the next step. What it has learned is kept.", icon=":material/stop:")
        since = run.silent_since
        hangs = {"help": silent_words(since)} if since is not None else {}
        if hangs and st.button("End it", icon=":material/power_settings_new:", key="end", **(hangs | locked)):
            with plain_errors():
                manager().kill(run.run_id)
                st.rerun()
        if can_resume(run) and st.button("Resume", type="primary", icon=":material/resume:", key="resume", **locked):
            with plain_errors():
                manager().resume(run.run_id)
                st.rerun()
        busy = None if run.over else "Stop it first: a run that is still going changes under the copy."
        st.download_button(
            "Export",
            data=lambda: runs.export_zip(run.run_id),  # asked for later, when nobody knows any more who looks at the page
            file_name=f"{run.run_id}.zip",
            mime="application/zip",
            icon=":material/archive:",
            key="export",
            on_click="ignore",
            disabled=busy is not None,
            help=busy or "The whole run as a zip file, to keep or to import elsewhere.",
        )
        if not run.unread:
            _ways_to_repeat(run)
        delete_button([run])


def _ways_to_repeat(run: RunSummary) -> None:
    history = RunHistory.read(manager().folder(run.run_id))
    st.download_button(
        "Python script",
        data=lambda: run_script(run.config, history),
        file_name=f"{run.run_id}.py",
        mime="text/x-python",
        icon=":material/code:",
        key="script",
        on_click="ignore",
        help="A short program that trains this again and prints the same test numbers.",
    )
    with st.popover("Command", icon=":material/terminal:", help="The same run from a terminal."):
        st.code(repeating_command(history), language="bash", wrap_lines=True)


def can_resume(run: RunSummary) -> bool:
    """Whether the run stopped half-way through no fault of its settings."""
    return run.state == "interrupted" or run.reason == NEVER_BEGAN or (run.state == "failed" and run.error not in FINAL_ERRORS)


def delete_button(runs: list[RunSummary]) -> None:
    """Delete, after a question. Runs that are going must be stopped first."""
    going = not all(run.over for run in runs)
    label = "Delete" if len(runs) == 1 else f"Delete {len(runs)} runs"
    first: dict[str, Any] = {"disabled": going, "help": "Stop it first." if going else None}
    if st.button(label, icon=":material/delete:", key="delete", **(first | no_changing(*runs))):
        _confirm_delete(runs)


@st.dialog("Delete for good?", icon=":material/delete:")
def _confirm_delete(runs: list[RunSummary]) -> None:
    st.markdown("Curves, results and learned vectors will be gone from this machine. An exported zip file stays.")
    for run in runs[:8]:
        st.markdown(f"- **{escape_markdown(run_title(run))}**, {when(run.created)}")
    if len(runs) > 8:
        st.markdown(f"- and {len(runs) - 8} more")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep", key="keep"):
            st.rerun()
        if st.button("Delete", type="primary", icon=":material/delete:", key="delete_now"):
            problems = delete_runs([run.run_id for run in runs])
            if not problems:
                for param in ("run", "runs"):  # a link to what is gone would only be warned about
                    write_param(param, None)
                st.rerun()
            error_line("; ".join(problems))


def delete_runs(run_ids: Sequence[str]) -> list[str]:
    """Delete all of them that can be; returns what kept the others from it."""
    problems = []
    for run_id in run_ids:
        try:
            manager().delete(run_id)
        except (UnusableRequest, OSError) as error:
            problems.append(str(error))
    return problems
