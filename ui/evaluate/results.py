"""The figures themselves: headline metrics with their intervals, then everything in one table beside the baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.evaluation import EvaluationDetails, Interval, bootstrap_intervals, summarise
from mfcore.evaluation.comparison import CANNOT_TELL
from mfcore.evaluation.metrics import best_baseline, lower_is_better
from mfcore.evaluation.words import PARTS
from mfcore.runs import RunConfig, RunSummary
from mfcore.settings.ties import TIES
from ui.datasets import Nouns, data_at_hand, nouns
from ui.evaluate.compare import paired
from ui.evaluate.contestants import scored_baseline, scored_run
from ui.evaluate.store import RANKERS, RATERS
from ui.evaluate.surprises import about_results, explain
from ui.format import NOTHING, count, headline_metrics, metric, metric_name, reading_order
from ui.state import manager
from ui.theme import colour
from ui.verdict import Verdict, judge
from ui.words import baseline_words, metric_tip

THIS_RUN, BEFORE_REFIT = "This run", "Before refit"  # rows of the table
EXPLAINED = {
    "test": "**Test**: held out until the end, scored once.",
    "valid": "**Validation**: held out from training too, but used to choose the epoch, so it may flatter a little.",
}
INTERVAL_HELP = (
    "95 % interval: with other users of the same kind the figure would, 19 times in 20, lie between these two "
    "(users drawn again 2,000 times). It does not say how much another seed would change."
)


def results_section(run: RunSummary, details: EvaluationDetails | None, ties: str) -> None:
    """Test as tiles and table, then validation as a table."""
    if details is None or ties == details.ties:
        metrics, baselines = run.test, run.baselines.get("test", {})
    else:
        metrics, baselines = recounted(run, ties)
        st.caption(f"{TIES[ties].sentence} {_effect(run, metrics)}")
    if details is not None:
        found, called = intervals(*_identity(run, ties)), nouns(run.dataset)
        tiles(run.config, metrics, baselines, found)
        verdict = judge(metrics, baselines, run.config.protocol.k)
        explain(about_results(run, metrics, baselines, found, details, verdict, called))
    table_of(run, "test", metrics, baselines, before=details is None or ties == details.ties)
    if run.cold and (details is None or ties == details.ties):
        known_apart(run)
    if run.valid:
        table_of(run, "valid", run.valid, run.baselines.get("valid", {}))


def known_apart(run: RunSummary) -> None:
    """Test in two parts: what training knew something about, and the rest."""
    called, cold = nouns(run.dataset), run.cold["cold"]
    what = f"{count(cold['cases'])} of {count(cold['cases'] + run.cold['warm']['cases'])} cases"
    if cold["ratings"]:
        what = f"{count(cold['ratings'])} of {count(cold['ratings'] + run.cold['warm']['ratings'])} ratings"
    st.markdown(
        f"**Known and unknown**: in {what} of test, training had nothing of the {called.user} or of the {called.item}. Nothing "
        "is learned about those; what is known of everybody stands in.",
        help="Warm: both had training rows. Cold: one of them had none, so a model of ratings says the mean and what the "
        "other's average adds, and a model that ranks says what is popular.",
    )
    names = {"warm": "Known (warm)", "cold": "Unknown (cold)"}
    table = metrics_table(run.cold["warm"]["metrics"], {names["cold"]: run.cold["cold"]["metrics"]}, None)
    table = table.rename(index={THIS_RUN: names["warm"]})
    show_metrics(table, run.config, key="metrics_cold", alt="Test metrics of the known and the unknown part")


def table_of(
    run: RunSummary,
    part: str,
    metrics: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
    *,
    before: bool = True,
) -> None:
    """All metrics of one part in one table, with the figures before the refit where there was one."""
    st.markdown(EXPLAINED[part], help=baselines_help(baselines, nouns(run.dataset)))
    refitted = manager().folder(run.run_id).result().get("test_before_refit") if part == "test" and before else None
    table = metrics_table(metrics, baselines, refitted)
    show_metrics(table, run.config, key=f"metrics_{part}", alt=f"All {PARTS[part]} metrics beside the baselines")


def baselines_help(baselines: Mapping[str, Mapping[str, float]], called: Nouns) -> str:
    """What each row of the table that is not a run does."""
    told = [f"**{name[:1].upper()}{name[1:]}**: {baseline_words(name, called)}" for name in baselines]
    return "Beside the run, what needs no learning of vectors. " + "; ".join(told) + "." if told else ""


def recounted(run: RunSummary, ties: str) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Metrics of the run and its baselines under another tie policy; rating errors know no ties and stay."""
    lines = {name: scored_baseline(run, name, ties) for name in RANKERS}
    stored = run.baselines.get("test", {})
    baselines = {name: dict(found) for name, found in stored.items() if name not in RANKERS}
    baselines |= {name: summarise(line.details) for name, line in lines.items() if line is not None and name in stored}
    return summarise(scored_run(run, ties).details), baselines


def _effect(run: RunSummary, metrics: Mapping[str, float]) -> str:
    k = run.config.protocol.k
    key = next((key for key in (f"ndcg@{k}", f"ndcg@{k}/full") if key in metrics and key in run.test), None)
    if key is None:
        return ""
    same = abs(metrics[key] - run.test[key]) < 0.0005
    changed = "stays" if same else f"becomes {metric(metrics[key])} instead of"
    why = ": this model's scores hardly ever tie" if same else ""
    return f"{metric_name(key)} {changed} {metric(run.test[key])}{why}."


def _identity(run: RunSummary, ties: str) -> tuple[str, EvaluationDetails]:
    line = scored_run(run, ties)
    return line.key, line.details


@st.cache_data(max_entries=32, show_spinner=False)
def intervals(key: str, _details: EvaluationDetails) -> dict[str, Interval]:
    """Bootstrap interval of every metric."""
    return bootstrap_intervals(_details)


def interval_note(run: RunSummary, verdict: Verdict | None, details: EvaluationDetails) -> str:
    """The interval of the headline metric, as a sentence before others."""
    found = intervals(*_identity(run, details.ties)).get(verdict.metric) if verdict is not None else None
    words = interval_words(found)
    return f"{words[0].upper()}{words[1:]}. " if words else ""


def within_chance(run: RunSummary, verdict: Verdict, details: EvaluationDetails) -> bool:
    """Whether other users might turn the order of the run and the best baseline, compared user by user.

    False where that cannot be known: another baseline than those kept here, or data that is not at hand.
    """
    if verdict.baseline_name not in (*RANKERS, *RATERS) or not data_at_hand(run.dataset):
        return False
    try:
        ours, other = scored_run(run, details.ties), scored_baseline(run, verdict.baseline_name, details.ties)
        if other is None:
            return False
        found = paired(ours.key, other.key, details.k, ours.details, other.details).get(verdict.metric)
    except (UnusableRequest, DataUnavailable):
        return False
    return found is not None and found.verdict == CANNOT_TELL and math.isfinite(found.low)


def tiles(
    config: RunConfig,
    metrics: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
    found: Mapping[str, Interval],
) -> None:
    """Up to four headline metrics, each with its interval and its distance to the best baseline."""
    wanted = headline_metrics(metrics, config.protocol.k)[:4]
    with st.grid(len(wanted) or 1, min_column_width=150):
        for key in wanted:
            best = best_baseline(key, baselines)
            with st.container(border=True, gap="xxsmall"):
                st.metric(
                    metric_name(key),
                    metric(metrics[key]),
                    delta=f"{metrics[key] - baselines[best][key]:+.3f}" if best else None,
                    delta_description=f"to {best}" if best else None,
                    delta_color="inverse" if lower_is_better(key) else "normal",
                    help=metric_tip(key, config),
                )
                st.caption(interval_words(found.get(key)) or "Too few users for an interval", help=INTERVAL_HELP)


def interval_words(interval: Interval | None) -> str:
    """95 % interval 0.637 to 0.698; empty without one."""
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    return f"95 % interval {metric(interval.low)} to {metric(interval.high)}"


# --- the table ----------------------------------------------------------------------------------------------------------


def metrics_table(
    metrics: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]], before_refit: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """One row for the run, one for the model before its refit if there is one, then one per baseline, best first.

    One column per metric the run has. Undefined is NaN.
    """
    rank = next((key for key in metrics if key.startswith("ndcg@")), "")
    ordered = sorted(
        baselines,
        key=lambda name: (*(baselines[name].get(key, 9.0) for key in ("rmse", "mae")), -baselines[name].get(rank, 0.0)),
    )
    rows = {THIS_RUN: dict(metrics), **({BEFORE_REFIT: dict(before_refit)} if before_refit else {})}
    rows |= {name[:1].upper() + name[1:]: dict(baselines[name]) for name in ordered}
    table = pd.DataFrame.from_dict(rows, orient="index", dtype="float64").reindex(columns=reading_order(metrics))
    return table.dropna(how="all").rename_axis("")


def show_metrics(table: pd.DataFrame, config: RunConfig, *, key: str, alt: str) -> None:
    """Draw :func:`metrics_table`: the run's row in its model's colour, the best of each column in bold, tooltips on headers."""
    columns: dict[str, Any] = {name: _column(name, config) for name in table.columns}
    columns[""] = st.column_config.TextColumn("", pinned=True, width=100)
    styled = table.style.apply(_bold_best, axis=0).apply(lambda row: _tint(row, config.model.name), axis=1)
    st.dataframe(styled, column_config=columns, height="content", placeholder=NOTHING, key=key, alt=alt)


def _column(name: str, config: RunConfig) -> Any:
    """Header, tooltip and format of one metric; as wide as its header needs, so that all fit on a screen of 1280 pixels."""
    header = metric_name(name, short=True)
    width = round(28 + 6.6 * len(header))
    return st.column_config.NumberColumn(header, format="%.3f", help=metric_tip(name, config), width=width)


def _bold_best(column: pd.Series[float]) -> list[str]:
    best = column.min() if lower_is_better(str(column.name)) else column.max()
    return ["font-weight: bold" if value == best else "" for value in column]


def _tint(row: pd.Series[float], model: str) -> list[str]:
    return [f"background-color: {colour(model)}22" if row.name == THIS_RUN else ""] * len(row)
