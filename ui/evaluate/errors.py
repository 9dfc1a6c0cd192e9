"""How far off predicted ratings are, for which true ratings, and whether a predicted 4 means 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go
import streamlit as st

from mfcore.evaluation import Calibration, calibration_table
from ui.charts import show, titled
from ui.evaluate.charts import error_histogram, predicted_by_rating
from ui.format import count
from ui.theme import colour

if TYPE_CHECKING:
    from mfcore.evaluation import EvaluationDetails
    from mfcore.runs.summary import RunSummary

FEWEST_IN_A_BIN = 10  # below, a mean says little and the title would hang on it


def errors(run: RunSummary, details: EvaluationDetails) -> None:
    """Histogram of errors, predictions by true rating, calibration."""
    st.subheader("Where does it err?", anchor=False)
    with st.grid(2, min_column_width=360):
        show(error_histogram(details.predicted, details.actual, model=run.model), key="errors", alt="Histogram of errors")
        figure = predicted_by_rating(details.predicted, details.actual, model=run.model)
        show(figure, key="by_rating", alt="Predicted ratings for each true rating")
        figure = calibration_chart(calibration_table(details, bins=12), model=run.model)
        show(figure, key="calibration", alt="Mean true rating for each range of predictions")
        st.markdown(
            "**Does a predicted 4 mean 4?** Test ratings are put into groups by what was predicted for them, and each group's "
            "mean rating is set against its mean prediction. Above the dotted line the model is too modest, below it "
            "promises too much. A model can be right about every group and still be far off for single ratings: that is what "
            "the charts above show."
        )


def calibration_chart(found: Calibration, *, model: str) -> go.Figure:
    """Mean true against mean predicted rating of each bin; on the dotted line a predicted 4 is a 4 on average."""
    table = found.table
    figure = titled(
        f"Group by group, predictions are right to {found.gap:.2f} stars" if len(table) else "No predictions",
        "predicted rating (stars)",
        "mean true rating (stars)",
        note="dotted: a predicted 4 is rated 4 on average; larger point: more ratings",
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
