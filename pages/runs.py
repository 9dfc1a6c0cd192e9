"""Runs: every run with its result, one row each; pick one to keep house, several to compare."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.runs import RunSummary
from mfcore.runs.comparability import differing_tests, letters_of_tests
from ui.address import write_param
from ui.charts import show_chart
from ui.controls import empty_state, error_line, page_header
from ui.format import count, escape_markdown
from ui.runs.disk import disk_notice
from ui.runs.panel import delete_button, show_run
from ui.runs.table import columns, differences, matching, overlay, table
from ui.state import manager, no_writing
from ui.words import choice_title, state_word

VISIBLE = 8  # rows shown without scrolling


def show_import() -> None:
    """Bring in a run that was exported here or elsewhere."""
    with st.popover("Import", icon=":material/upload:", **({"help": "Add a run from a zip file."} | no_writing())):
        with st.form("import", clear_on_submit=True, border=False):
            file = st.file_uploader("A run exported as a zip file", type="zip", key="import_file")
            sent = st.form_submit_button("Add this run", icon=":material/upload:")
        if not sent:
            return
        if file is None:
            error_line("Choose a zip file first: one that Export on this page wrote.")
        else:
            try:
                run_id = manager().import_zip(file.getvalue())
            except (UnusableRequest, OSError) as error:
                error_line(error)
            else:
                st.success(f"Added as `{run_id}`; it is in the table now.", icon=":material/check:")


def any_of(what: str, values: set[str], word: Callable[[str], str]) -> list[str]:
    """A choice of several of ``values``, which ``word`` names on screen; nothing chosen means any."""
    return st.multiselect(
        what.capitalize(),
        sorted(values),
        format_func=word,
        key=f"{what}s",
        bind="query-params",
        placeholder=f"Any {what}",
        label_visibility="collapsed",
        width=220,
    )


def show_filters(runs: list[RunSummary]) -> list[RunSummary]:
    """Text, model, state, star; returns the runs that fit all of them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        text = st.text_input(
            "Search",
            type="search",
            live="300ms",
            key="find",
            bind="query-params",
            placeholder="Search name, note, model …",
            label_visibility="collapsed",
            width=240,
        )
        models = any_of("model", {run.model for run in runs}, lambda name: choice_title("model", name))
        states = any_of("state", {run.state for run in runs}, state_word)
        starred = st.toggle("Starred", key="starred", bind="query-params")
        st.button(
            "Refresh", icon=":material/refresh:", key="refresh", help="Read the table anew; it does not update by itself."
        )
    return matching(runs, text or "", models, states, starred)


def asked_for() -> list[str]:
    """The runs that the address names: ``?run=`` one, ``?runs=`` several."""
    several = st.query_params.get("runs", "").split(",")
    return [run_id for run_id in [st.query_params.get("run", ""), *several] if run_id]


def _runs(number: int) -> str:
    return f"{count(number)} run{'' if number == 1 else 's'}"


def _count_line(shown: int, every: int) -> bool:
    """How many runs there are, and how to see them; returns whether all rows are to stand on the page."""
    said = f"{_runs(every)}, newest first" if shown == every else f"{count(shown)} of {_runs(every)} fit"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{said}." if shown <= VISIBLE else f"{said}; scroll in the table for the rest.", width="content")
        return shown > VISIBLE and st.toggle("All rows", key="all_rows", bind="query-params", help="Without scrolling.")


def show_table(runs: list[RunSummary], every: list[RunSummary]) -> list[RunSummary]:
    """The table; returns the selected runs. The selection lives in the address, so a link shows the same."""
    wanted = asked_for()
    everything = _count_line(len(runs), len(every))
    ids = [run.run_id for run in runs]
    rows = table(runs, every)
    event = st.dataframe(
        rows,
        # Another set of rows is another table: a selection by position must never slip on to a different run.
        key=f"runs_{hash(tuple(ids))}",
        hide_index=True,
        height="content" if len(runs) <= VISIBLE or everything else 335,  # half a row shows that it goes on
        column_config=columns(branches="lineage" in rows),
        placeholder="",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(run_id) for run_id in wanted if run_id in ids]}},
        alt="All runs, newest first",
    )
    chosen = [runs[row] for row in event.selection.rows if row < len(runs)]
    write_param("run", chosen[0].run_id if len(chosen) == 1 else None)
    write_param("runs", ",".join(run.run_id for run in chosen) if len(chosen) > 1 else None)
    return chosen


def show_comparison(chosen: list[RunSummary]) -> None:
    """Curves of several runs over one another, and the settings in which they differ."""
    curves, settings = st.columns([3, 2], gap="large")
    with curves:
        for metric in dict.fromkeys(run.selection_metric for run in chosen if run.curve):
            same = [run for run in chosen if run.selection_metric == metric]
            show_chart(overlay(same, metric), key=f"overlay_{metric}", alt=f"{metric} of {len(same)} runs, epoch by epoch")
    with settings:
        if letters_of_tests(chosen):
            reasons = dict.fromkeys(why for run in chosen[1:] for why in differing_tests(chosen[0], run))
            why = f" ({'; '.join(reasons)})" if reasons else ""
            st.warning(f"Their figures on test do not compare: they were tested on different cases{escape_markdown(why)}.")
        st.markdown("**What sets them apart**")
        apart = differences(chosen)
        if apart.empty:
            st.caption("Nothing: the same settings from the first step to the last, so the curves should be the same.")
        else:
            st.dataframe(apart, key="apart", alt="Settings in which the selected runs differ")
        delete_button(chosen)


title, tools = st.columns([4, 1], vertical_alignment="bottom")
with title:
    page_header(
        "Runs", "Every run with its result on ratings it never saw. Select one to work with it, several to compare them."
    )
with tools, st.container(horizontal=True, horizontal_alignment="right"):
    show_import()
runs = manager().list()
disk_notice(runs)
if not runs:
    empty_state("There are no runs yet. Train one, or import one that somebody sent you.")
    st.stop()
for run_id in asked_for():
    if run_id not in {run.run_id for run in runs}:
        st.warning(f"Run {escape_markdown(run_id)} is not here: it was deleted, or the link comes from another machine.")
shown = show_filters(runs)
if not shown:
    st.info(f"None of the {count(len(runs))} runs fits these filters.", icon=":material/filter_alt_off:")
    st.stop()
chosen = show_table(shown, runs)
if len(chosen) == 1:
    show_run(chosen[0])
elif chosen:
    show_comparison(chosen)
