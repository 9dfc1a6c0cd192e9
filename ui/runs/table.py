"""Many runs at a glance: the table, its filter, the overlay of several curves and what sets runs apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from mfcore.evaluation.metrics import lower_is_better
from mfcore.runs import RunSummary
from mfcore.runs.comparability import letters_of_tests
from mfcore.settings import SETTINGS
from ui.charts import new_chart
from ui.format import duration, escape_plotly, metric, metric_name
from ui.run_colours import run_colours
from ui.run_titles import distinct_titles, lineage, run_title
from ui.verdict import verdict_on_test
from ui.words import STAR, choice_title, choice_word, state_word

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def table(runs: list[RunSummary], every: Sequence[RunSummary] = ()) -> pd.DataFrame:
    """One row a run, newest first, in the order of ``runs``. ``every``: all runs, for the names of those branched from."""
    by_id = {run.run_id: run for run in every or runs}
    titles = distinct_titles(every or runs)
    made = pd.DataFrame([_row(run, titles[run.run_id]) for run in runs])
    letters = letters_of_tests(runs)
    made["metric"] = [f"{name} {letters.get(run.run_id, '')}".strip() for name, run in zip(made["metric"], runs, strict=True)]
    origins = [lineage(run, by_id) for run in runs]
    if any(origins):  # where nothing was branched the column would only take room
        made.insert(1, "lineage", origins)
    return made


def _row(run: RunSummary, title: str) -> dict[str, Any]:
    found = verdict_on_test(run)
    return {
        "name": title,
        "star": STAR if run.starred else "",
        "model": choice_word("model", run.model),
        "dataset": run.dataset,
        "split": choice_title("split", run.config.split.kind),
        "state": state_word(run.state),
        "curve": sparkline(run),
        "metric": metric_name(found.metric) if found else "",
        "test": found.value if found else None,
        "baseline": f"{metric(found.baseline)} {found.baseline_name}" if found and found.baseline_name else "",
        "gain": round(100 * found.gain, 1) + 0.0 if found and math.isfinite(found.gain) else None,
        "created": pd.Timestamp.fromtimestamp(run.created),
        "note": run.note,
        "time": duration(run.own_seconds) if run.own_seconds else "",
    }


def sparkline(run: RunSummary) -> list[float] | None:
    """The validation curve on a scale of 0 to 1 that also holds the baselines: a run that barely moves looks flat."""
    curve = [value for value in run.curve if math.isfinite(value)]
    if len(curve) < 2:
        return None
    floors = [
        values[run.selection_metric] for values in run.baselines.get("valid", {}).values() if run.selection_metric in values
    ]
    low, high = min(curve + floors), max(curve + floors)
    return [(value - low) / ((high - low) or 1.0) for value in curve]


def matching(
    runs: list[RunSummary], text: str = "", models: Sequence[str] = (), states: Sequence[str] = (), starred: bool = False
) -> list[RunSummary]:
    """The runs to show: every word of ``text`` in name, note, id, model or dataset; empty lists ask for nothing."""

    def fits(run: RunSummary) -> bool:
        haystack = " ".join(
            (run_title(run), run.note, run.run_id, run.model, choice_title("model", run.model), run.dataset)
        ).lower()
        return (
            all(word in haystack for word in text.lower().split())
            and (not models or run.model in models)
            and (not states or run.state in states)
            and (not starred or run.starred)
        )

    return [run for run in runs if fits(run)]


def columns(*, branches: bool = False) -> dict[str, Any]:
    """How the columns of :func:`table` look, each with what it means. ``branches``: whether any row is one.

    The widths leave only the last column, the time it took, to a sideways scroll on a screen of 1280 pixels.
    """
    c = st.column_config
    origin = c.TextColumn("Branch of", width=150, help="The run and the epoch from which this one went its own way.")
    return {
        "name": c.TextColumn("Run", width=170),
        **({"lineage": origin} if branches else {}),
        "star": c.TextColumn(STAR, width=28, help="Starred runs; star one in its panel below."),
        "model": c.TextColumn("Model", width=78),
        "dataset": c.TextColumn("Data", width=66),
        "split": c.TextColumn("Split", width=92, help="How ratings were divided into train, validation and test."),
        "state": c.TextColumn("State", width=78),
        "curve": c.LineChartColumn(
            "Validation",
            width=72,
            y_min=0,
            y_max=1,
            help="The validation metric, epoch by epoch, drawn to fit in the baselines.",
        ),
        "metric": c.TextColumn(
            "Metric",
            width=76,
            help="RMSE: error of predicted ratings, lower is better. NDCG: how near the top of a list the right items are, "
            "higher is better. Letters: tests differ; only figures with the same letter were measured on the same cases.",
        ),
        "test": c.NumberColumn("Test", width=50, format="%.3f", help="On held-out ratings that no choice ever looked at."),
        "baseline": c.TextColumn("Best baseline", width=114, help="The best that can be had without learning any vectors."),
        "gain": c.NumberColumn(
            "Gain",
            width=66,
            format="%+.1f %%",
            help="How much better than the best baseline. Below zero, the baseline would have been the better choice.",
        ),
        "created": c.DatetimeColumn("Created", width=106, format="D MMM YY, HH:mm"),
        "note": c.TextColumn("Note", width=90),
        "time": c.TextColumn(
            "Took",
            width=64,
            help="Time this run itself spent training; waiting, pauses and the run it branched from not counted.",
        ),
    }


def overlay(runs: list[RunSummary], key: str) -> go.Figure:
    """Validation curves of several runs on one metric, each in a colour and a dash of its own."""
    way = "lower" if lower_is_better(key) else "higher"
    chart = new_chart(
        f"{metric_name(key)} on validation, epoch by epoch",
        "epoch (0 = before training)",
        metric_name(key),
        note=f"{way} is better; one colour and dash a run",
        legend={"orientation": "h", "x": 0, "y": -0.25, "yanchor": "top"},
        showlegend=True,
    )
    colours, titles = run_colours([run.run_id for run in runs]), distinct_titles(runs)
    for nth, run in enumerate(runs):
        chart.add_scatter(
            x=list(range(len(run.curve))),
            y=run.curve,
            mode="lines",
            name=escape_plotly(titles[run.run_id]),
            line={"color": colours[run.run_id], "width": 2, "dash": DASHES[nth % len(DASHES)]},
            hovertemplate="epoch %{x}: %{y:.3f}",
        )
    return chart


def on_the_way(run: RunSummary) -> str:
    """What was changed while it trained, in one line; empty where nothing was."""
    return "; ".join(change.words for change in run.changes)


def differences(runs: list[RunSummary]) -> pd.DataFrame:
    """The settings in which the runs differ: one row a setting, one column a run."""
    flats = [run.config.to_flat(defaults=True) for run in runs]
    every = dict.fromkeys(key for flat in flats for key in flat)
    keys = [key for key in every if key not in SETTINGS or SETTINGS[key].effect != "none"]
    rows = {key: [str(flat.get(key, "–")) for flat in flats] for key in keys}
    rows["changed on the way"] = [on_the_way(run) or "–" for run in runs]
    titles = [f"{number}. {title}" for number, title in enumerate(distinct_titles(runs).values(), start=1)]
    return pd.DataFrame(
        [row for row in rows.values() if len(set(row)) > 1],
        columns=titles,
        index=pd.Index([key.replace("_", " ") for key, row in rows.items() if len(set(row)) > 1], name="setting"),
    )
