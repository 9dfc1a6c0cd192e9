"""Pictures of one stored evaluation: quality against list length, errors, predicted against true."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from mfcore.typing import Float32, Float64, Int64
from ui.charts import titled
from ui.format import count, in_its_unit, percent, unit_of
from ui.theme import colour

Curve = tuple[Int64, Float64]

OURS = "this run"  # the line that every chart is about
BIN = 0.25  # stars
MOST_BOXES = 12  # ratings with more distinct values than this are grouped


def against_k(
    stem: str, title: str, note: str, lines: Mapping[str, tuple[Curve, Mapping[str, object]]], *, k: int, things: str
) -> go.Figure:
    """A ranking metric for lists of 1 … K items, shares in percent; ``k`` marks the headline's K. ``stem``: hr, ndcg, recall …

    ``lines``: name → ((ks (n,), values (n,)), Plotly's look of the line); the one called "this run" lies on top.
    """
    scale, unit, digits = unit_of(stem)
    ks, values = lines[OURS][0]
    at_k = dict(zip(ks.tolist(), values.tolist(), strict=True)).get(k)
    title = f"{title}: {in_its_unit(stem, at_k)} in lists of {k}" if at_k is not None else title
    figure = titled(title, f"length of the list (K, {things})", "", note=note, hovermode="x unified", showlegend=False)
    for name in [*[name for name in lines if name != OURS][::-1], OURS]:
        (x, y), look = lines[name]
        number = f"%{{y:{digits}}}{unit}"
        hover = f"<b>{number}</b>" if name == OURS else number
        figure.add_scatter(x=x, y=scale * y, name=name, mode="lines", line=look, hovertemplate=hover)
    figure.add_vline(x=k, line={"color": colour("muted"), "width": 1, "dash": "dot"})
    figure.update_yaxes(rangemode="tozero", ticksuffix=unit, title=None)
    figure.update_xaxes(range=[1, ks[-1] if len(ks) else k])
    return figure


def error_histogram(predicted: Float32, actual: Float32, *, model: str) -> go.Figure:
    """How far off predictions are, in bins of a quarter star. predicted, actual: (n,) in rating units."""
    errors = (predicted - actual).astype(np.float32)
    reach = max(BIN, float(np.ceil(np.abs(errors).max(initial=0.0) / BIN) * BIN))
    edges = np.arange(-reach - BIN / 2, reach + BIN, BIN, dtype=np.float32)
    share = np.histogram(errors, edges)[0] / max(len(errors), 1)
    middle = (edges[:-1] + edges[1:]) / 2
    close = percent(float(np.mean(np.abs(errors) <= 0.5)), 0) if len(errors) else "–"
    lean = float(errors.mean()) if len(errors) else 0.0
    side = f"on average {abs(lean):.2f} stars too {'high' if lean > 0 else 'low'}"
    side = "no lean to either side" if abs(lean) < 0.02 else side
    figure = titled(
        f"{close} of predictions are within half a star",
        "predicted minus true (stars)",
        "",
        note=f"{count(len(errors))} test ratings, {side}",
        bargap=0.06,
        showlegend=False,
    )
    hover = "%{x:+.2f} stars: %{y:.1f} % of predictions<extra></extra>"
    figure.add_bar(x=middle, y=100 * share, marker={"color": colour(model)}, hovertemplate=hover)
    figure.add_vline(x=0, line={"color": colour("text"), "width": 1, "dash": "dot"})
    figure.update_yaxes(ticksuffix=" %")
    return figure


def predicted_by_rating(predicted: Float32, actual: Float32, *, model: str) -> go.Figure:
    """Box of predictions for each true rating, and the line where they agree. predicted, actual: (n,), in rating units."""
    groups = rating_groups(actual)
    levels = np.unique(groups)
    boxes = np.array([np.quantile(predicted[groups == level], (0.05, 0.25, 0.5, 0.75, 0.95)) for level in levels])
    figure = titled(
        _spread_title(levels, boxes),
        "true rating (stars)",
        "predicted (stars)",
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
    """The true ratings themselves, or rounded to half stars where there are too many values for a box each. (n,) → (n,)."""
    return actual if len(np.unique(actual)) <= MOST_BOXES else np.round(2 * actual) / 2


def _spread_title(levels: Float32, boxes: Float64) -> str:
    if len(levels) < 2:
        return "Predicted against true ratings"
    lowest, highest = boxes[0, 2], boxes[-1, 2]
    return f"Rated {levels[-1]:g}, predicted {highest:.1f}; rated {levels[0]:g}, predicted {lowest:.1f}"
