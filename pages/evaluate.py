"""Evaluate: how good a run is, beside what needs no learning, and how that was measured."""

from __future__ import annotations

import streamlit as st

from mfcore.evaluation import EvaluationDetails
from mfcore.runs.command import command_line
from mfcore.runs.summary import RunSummary
from mfcore.validate import UnusableRequest
from ui.controls import error_line
from ui.evaluate_charts import against_k, error_histogram, predicted_by_rating
from ui.evaluate_tables import metrics_table, show_metrics
from ui.evaluation_store import evaluated_at, list_curves, stored_details
from ui.figures import show
from ui.films import nouns
from ui.runbar import current_settings, run_bar, unfinished
from ui.session import ACTIVE, manager
from ui.verdict import PART_WORDS, comparison, epoch_sentence, headline, judge, protocol_sentence


def answer(run: RunSummary, part: str) -> None:
    """The headline in words, then every metric of one part beside its baselines."""
    metrics, baselines = getattr(run, part), run.baselines.get(part, {})
    thing = nouns(run.config.dataset)
    verdict = judge(metrics, baselines, run.config.protocol.k)
    words, colour = comparison(verdict) if verdict is not None else ("not measured yet", "gray")
    st.markdown(f"#### {headline(metrics, baselines, run.config.protocol.k, thing)} :{colour}-badge[{words}]")
    table_of(run, part)


def table_of(run: RunSummary, part: str) -> None:
    """All metrics of one part in one table."""
    explained = {
        "test": "**Test**: held out until the end, scored once.",
        "valid": "**Validation**: held out from training too, but used to choose the epoch, so a little flattering.",
    }
    st.markdown(explained[part])
    before = manager().folder(run.run_id).result().get("test_before_refit") if part == "test" else None
    table = metrics_table(getattr(run, part), run.baselines.get(part, {}), before)
    show_metrics(table, model=run.model, key=f"metrics_{part}", alt=f"All {PART_WORDS[part]} metrics beside the baselines")


def ranking_charts(run: RunSummary, details: EvaluationDetails) -> None:
    """HR and NDCG against the length of the list, sampled and full."""
    many = nouns(run.config.dataset)[1]
    st.subheader("How long must the list be?", anchor=False)
    if not run.config.training.implicit:
        st.caption("This run was trained to predict ratings, not to rank; against popularity, that alone is seldom enough.")
    every = list_curves(run.run_id, evaluated_at(run.run_id))
    sampled = f"among {run.config.protocol.sampled_negatives} other {many} (sampled)"
    full = f"among all {many} not seen in training (full)"
    titles = {
        "hr": ("Hit rate", sampled),
        "hr_full": ("Hit rate", full),
        "ndcg": ("NDCG", f"{sampled}; early hits count more"),
        "ndcg_full": ("NDCG", f"{full}; early hits count more"),
    }
    with st.grid(2, min_column_width=360):
        for name, (title, note) in titles.items():
            baselines = {other: every[other][name] for other in ("popularity", "random")}
            figure = against_k(title, note, every["ours"][name], baselines, model=run.model, k=details.k, things=many)
            show(figure, key=f"curve_{name}", alt=f"{title} against K, {note}, with baselines")


def rating_charts(run: RunSummary, details: EvaluationDetails) -> None:
    """How far off predicted ratings are, and for which true ratings."""
    st.subheader("Where does it err?", anchor=False)
    with st.grid(2, min_column_width=360):
        show(error_histogram(details.predicted, details.actual, model=run.model), key="errors", alt="Histogram of errors")
        figure = predicted_by_rating(details.predicted, details.actual, model=run.model)
        show(figure, key="by_rating", alt="Predicted ratings for each true rating")


def how_measured(run: RunSummary) -> None:
    """Protocol and command: what one needs to compare these numbers with others, and to get them again."""
    st.subheader("How this was measured", anchor=False)
    st.markdown(protocol_sentence(run.config, nouns(run.config.dataset)))
    st.markdown("The same run as a command:")
    st.code(command_line(run.config), language="bash", wrap_lines=True)
    with st.expander("Settings that differ from the defaults"):
        current_settings(run)


run = run_bar("see how good it is, beside the baselines")
if run is not None:
    needs = "" if run.test or not run.valid else "Test is scored once, at the end; what follows is validation so far."
    unfinished(run, needs=needs)
    if run.test:
        answer(run, "test")
    elif run.valid:
        answer(run, "valid")
    elif run.state in ACTIVE:
        st.markdown("Nothing has been measured yet: the first numbers come with the first epoch.")
    if run.test or run.valid:
        st.caption(epoch_sentence(run.config, run.best_epoch, run.epochs_done, tested=bool(run.test)))
    try:
        details = stored_details(run.run_id) if run.test else None
    except UnusableRequest as error:
        details = None
        error_line(error)
    if details is not None:
        if len(details.case_user):
            ranking_charts(run, details)
        if len(details.predicted):
            rating_charts(run, details)
    if run.test and run.valid:
        st.subheader("Before the test", anchor=False)
        table_of(run, "valid")
    how_measured(run)
