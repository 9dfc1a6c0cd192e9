"""How far off predicted ratings are, for which true ratings, and whether predictions hold on average."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mfcore.evaluation import Calibration, EvaluationDetails, calibration_table
from mfcore.runs import RunSummary
from mfcore.typing import Float32, Float64
from ui.charts import new_chart, show_chart
from ui.datasets import Nouns, nouns
from ui.format import count, percent
from ui.theme import colour

BIN = 0.25  # of errors, in units of a rating
MOST_BOXES = 12  # ratings with more distinct values than this are grouped
FEWEST_IN_A_BIN = 10  # below, a mean says little and the title would hang on it


def errors_section(run: RunSummary, details: EvaluationDetails) -> None:
    """Histogram of errors, predictions by true rating, calibration."""
    st.header("Where does it err?", anchor=False)
    called, predicted, actual = nouns(run.config.dataset), details.predicted, details.actual
    with st.grid(2, min_column_width=360):
        figure = error_histogram(predicted, actual, called, model=run.model)
        show_chart(figure, key="errors", alt="Histogram of errors")
        figure = predicted_by_rating(predicted, actual, called, model=run.model)
        show_chart(figure, key="by_rating", alt="Predicted ratings for each true rating")
        figure = calibration_chart(calibration_table(details, bins=12), called, model=run.model)
        show_chart(figure, key="calibration", alt="Mean true rating for each range of predictions")
        st.markdown(
            "**Does it keep what it promises?** Test ratings are put into groups by what was predicted for them, and each "
            "group's mean rating is set against its mean prediction. Above the dotted line the model is too modest, below it "
            "promises too much. A model can be right about every group and still be far off for single ratings: that is what "
            "the charts above show."
        )


def calibration_chart(found: Calibration, called: Nouns, *, model: str) -> go.Figure:
    """Mean true against mean predicted rating of each bin; on the dotted line both are the same."""
    table = found.table
    figure = new_chart(
        f"Group by group, predictions are right to {found.gap:.2f} {called.units}" if len(table) else "No predictions",
        f"predicted rating ({called.units})",
        f"mean true rating ({called.units})",
        note="dotted: rated on average as predicted; larger point: more ratings",
        showlegend=False,
    )
    if not len(table):
        return figure
    both = (table["predicted"], table["actual"])
    ends = [float(min(v.min() for v in both)), float(max(v.max() for v in both))]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": colour("muted"), "dash": "dot"}, hoverinfo="skip")
    share = (table["count"] / table["count"].max()) ** 0.5
    faint = table["count"] < FEWEST_IN_A_BIN
    figure.add_scatter(
        x=table["predicted"],
        y=table["actual"],
        mode="lines+markers",
        line={"color": colour(model), "width": 2},
        marker={"size": 6 + 14 * share, "opacity": [0.4 if few else 1.0 for few in faint]},
        customdata=[count(n) for n in table["count"]],
        hovertemplate="predicted %{x:.2f}, rated %{y:.2f}<br>%{customdata} ratings<extra></extra>",
    )
    return figure


def error_histogram(predicted: Float32, actual: Float32, called: Nouns, *, model: str) -> go.Figure:
    """How far off predictions are, in bins of a quarter of a unit. predicted, actual: (n,) in rating units."""
    errors = (predicted - actual).astype(np.float32)
    reach = max(BIN, float(np.ceil(np.abs(errors).max(initial=0.0) / BIN) * BIN))
    edges = np.arange(-reach - BIN / 2, reach + BIN, BIN, dtype=np.float32)
    share = np.histogram(errors, edges)[0] / max(len(errors), 1)
    middle = (edges[:-1] + edges[1:]) / 2
    close = percent(float(np.mean(np.abs(errors) <= 0.5)), 0) if len(errors) else "–"
    lean = float(errors.mean()) if len(errors) else 0.0
    side = f"on average {abs(lean):.2f} {called.units} too {'high' if lean > 0 else 'low'}"
    side = "no lean to either side" if abs(lean) < 0.02 else side
    figure = new_chart(
        f"{close} of predictions are within half {called.one_unit}",
        f"predicted minus true ({called.units})",
        "share of predictions (%)",
        note=f"{count(len(errors))} test ratings, {side}",
        bargap=0.06,
        showlegend=False,
    )
    hover = f"%{{x:+.2f}} {called.units}: %{{y:.1f}} % of predictions<extra></extra>"
    figure.add_bar(x=middle, y=100 * share, marker={"color": colour(model)}, hovertemplate=hover)
    figure.add_vline(x=0, line={"color": colour("text"), "width": 1, "dash": "dot"})
    figure.update_yaxes(ticksuffix=" %")
    return figure


def predicted_by_rating(predicted: Float32, actual: Float32, called: Nouns, *, model: str) -> go.Figure:
    """Box of predictions for each true rating, and the line where they agree. predicted, actual: (n,), in rating units."""
    groups = rating_groups(actual)
    levels = np.unique(groups)
    boxes = np.array([np.quantile(predicted[groups == level], (0.05, 0.25, 0.5, 0.75, 0.95)) for level in levels])
    figure = new_chart(
        _spread_title(levels, boxes),
        f"true rating ({called.units})",
        f"predicted ({called.units})",
        note="box: half of the predictions, whiskers: 90 %; dotted: perfect",
        showlegend=False,
    )
    ends = [float(levels[0]), float(levels[-1])] if len(levels) else []
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": colour("muted"), "dash": "dot"}, hoverinfo="skip")
    if len(levels):
        low, q1, middle, q3, high = boxes.T
        width = 0.6 * (float(np.diff(levels).min()) if len(levels) > 1 else 1.0)
        figure.add_box(
            x=levels,
            lowerfence=low,
            q1=q1,
            median=middle,
            q3=q3,
            upperfence=high,
            width=width,
            line={"color": colour(model), "width": 1.5},
            hoverinfo="y",
            yhoverformat=".2f",
        )
    if len(levels) <= MOST_BOXES:
        figure.update_xaxes(tickvals=levels)
    return figure


def rating_groups(actual: Float32) -> Float32:
    """The true ratings themselves, or rounded to halves where there are too many values for a box each. (n,) → (n,)."""
    return actual if len(np.unique(actual)) <= MOST_BOXES else (np.round(2 * actual) / 2).astype(np.float32)


def _spread_title(levels: Float32, boxes: Float64) -> str:
    if len(levels) < 2:
        return "Predicted against true ratings"
    lowest, highest = boxes[0, 2], boxes[-1, 2]
    return f"Rated {levels[-1]:g}, predicted {highest:.1f}; rated {levels[0]:g}, predicted {lowest:.1f}"
