"""Evaluate: how good a run is, beside what needs no learning, how far that can be trusted, and how it was measured."""

from __future__ import annotations

import dataclasses

import streamlit as st

from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.evaluation import EvaluationDetails
from mfcore.runs import RunSummary
from ui.address import write_param
from ui.controls import error_line
from ui.datasets import nouns
from ui.evaluate.compare import compare_section
from ui.evaluate.contestants import tie_choice
from ui.evaluate.curves import list_length_section, rivals_section
from ui.evaluate.deciles import PARAM, deciles_section, open_group
from ui.evaluate.lists import lists_section
from ui.evaluate.method import method_section
from ui.evaluate.rating_errors import errors_section
from ui.evaluate.results import interval_note, results_section, table_of, within_chance
from ui.evaluate.store import stored_details
from ui.runbar import run_bar, unfinished
from ui.verdict import candidates_of, comparison, epoch_sentence, headline, judge

RESULTS, RIVALS, LENGTH, GROUPS, ERRORS, LISTS, COMPARE, METHOD = SECTIONS = (
    "Results", "Rivals", "List length", "Deciles", "Errors", "Lists", "Compare", "Run card",
)  # fmt: skip
WITH_TIES = (RESULTS, RIVALS, LENGTH, GROUPS, COMPARE)


def answer(run: RunSummary, part: str, details: EvaluationDetails | None) -> None:
    """The headline in words, against the best baseline, with its interval; then which epoch this is."""
    metrics, baselines, k = getattr(run, part), run.baselines.get(part, {}), run.config.protocol.k
    verdict = judge(metrics, baselines, k)
    if verdict is not None and details is not None and within_chance(run, verdict, details):
        verdict = dataclasses.replace(verdict, chance=True)
    words, colour = comparison(verdict) if verdict is not None else ("not measured yet", "gray")
    told = headline(metrics, baselines, run.config.protocol, nouns(run.config.dataset), candidates_of(run, part))
    st.markdown(f"## {told} :{colour}-badge[{words}]")
    note = interval_note(run, verdict, details) if details is not None else ""
    st.caption(f"{note}{epoch_sentence(run.config, run.best_epoch, run.epochs_done, tested=bool(run.test))}")


def section(run: RunSummary, details: EvaluationDetails | None) -> None:
    """Choice of section, in the address, and that section alone."""
    offered = [name for name in SECTIONS if details is not None or name in (RESULTS, METHOD)]
    if details is not None and not len(details.predicted):
        offered.remove(ERRORS)
    back_to_group = open_group() and "show" not in st.query_params  # from Recommend, where a click on a user led
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        chosen = st.segmented_control(
            "Look at",
            offered,
            default=GROUPS if back_to_group else RESULTS,
            key="show",
            bind="query-params",
            on_change=write_param,
            args=(PARAM, None),
            required=True,
            label_visibility="collapsed",
        )
        ties = tie_choice(details) if details is not None and chosen in WITH_TIES else ""
    if chosen == METHOD:
        method_section(run)
    elif details is None or chosen in (RESULTS, None):
        results_section(run, details, ties)
    elif chosen == ERRORS:
        errors_section(run, details)
    elif chosen == LISTS:
        lists_section(run, details)
    else:
        draw = {RIVALS: rivals_section, LENGTH: list_length_section, GROUPS: deciles_section, COMPARE: compare_section}[chosen]
        draw(run, details, ties)


def stored(run: RunSummary) -> EvaluationDetails | None:
    """What the test saw; None, with the reason on the page, where that is not known."""
    try:
        return stored_details(run.run_id) if run.test else None
    except UnusableRequest as error:
        error_line(error)
        return None


run = run_bar("see how good it is, beside the baselines")
if run is not None:
    needs = "" if run.test or not run.valid else "Test is scored once, at the end; what follows is validation so far."
    unfinished(run, needs=needs)
    details = stored(run)
    if run.test or run.valid:
        answer(run, "test" if run.test else "valid", details)
    elif not run.over:
        st.markdown("Nothing has been measured yet: the first numbers come with the first epoch.")
    try:
        if run.test:
            section(run, details)
        else:
            if run.valid:
                table_of(run, "valid", run.valid, run.baselines.get("valid", {}))
            method_section(run)
    except (UnusableRequest, DataUnavailable) as error:
        error_line(error)
