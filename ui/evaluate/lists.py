"""Beyond accuracy: what the lists of all users look like together, beside the baselines' lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from mfcore.data import Interactions
from mfcore.evaluation import EvaluationDetails, beyond_accuracy
from mfcore.evaluation.lists import exposure
from mfcore.runs import RunSummary
from mfcore.typing import Float64, Int64
from ui.charts import new_chart, show_chart
from ui.datasets import nouns
from ui.evaluate.contestants import TRAIN_AGAIN, Scored, contestants, legend, runs_beside
from ui.evaluate.store import peers, stored_split
from ui.format import percent
from ui.theme import colour


def lists_section(run: RunSummary, details: EvaluationDetails) -> None:
    """Coverage, novelty, popularity and inequality of the first K of everybody, and how exposure is shared out."""
    k, many = details.k, nouns(run.config.dataset).items
    st.header(f"What do all lists of {k} show together?", anchor=False)
    if details.lists is None:
        st.markdown(TRAIN_AGAIN)
        return
    with st.columns([2, 3])[0]:
        beside = runs_beside(run, peers(run))
    train = stored_split(run.run_id).train
    shown = [line for line in contestants(run, beside, details.ties) if line.details.lists is not None]
    table = beyond_table(shown, train)
    st.dataframe(table, column_config=_columns(many), height="content", key="beyond", alt="Lists of this run and the baselines")
    legend({line.name: line.line for line in shown}, nouns(run.dataset))
    figure = exposure_chart(shown, train.num_items, many)
    show_chart(figure, key="exposure", alt=f"Share of all places on lists against the share of {many}")
    st.caption(
        f"Counted over the first {k} places of every user with something held out, {many} they had already met left out. "
        "High accuracy with everybody seeing the same few is what popularity does; neither end is right in itself."
    )


def beyond_table(shown: Sequence[Scored], train: Interactions) -> pd.DataFrame:
    """One row per contestant: coverage (percent), gini, novelty (bits), popularity (training ratings)."""
    rows = {line.name[:1].upper() + line.name[1:]: beyond_accuracy(line.details, train) for line in shown}
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=["coverage", "popularity", "novelty", "gini"])
    return table.assign(coverage=100 * table["coverage"]).rename_axis("")


def _columns(things: str) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "": st.column_config.TextColumn("", pinned=True, width=130),
        "coverage": number("Coverage", format="%.1f %%", help=f"Share of all {things} that appear on anybody's list."),
        "popularity": number(
            "Mean popularity", format="%.0f", help=f"Training ratings of the {things} shown, on average over all places."
        ),
        "novelty": number(
            "Novelty",
            format="%.2f bits",
            help="Surprise of what is shown: 0 bits if everybody had met it, one more per halving.",
        ),
        "gini": number(
            "Gini",
            format="%.3f",
            help=f"Inequality of exposure: 0 if all {things} are shown equally often, near 1 if a few are.",
        ),
    }


def exposure_chart(shown: Sequence[Scored], num_items: int, things: str) -> go.Figure:
    """Places on lists that the most shown items hold, against their share of the catalogue; dotted: all shown alike."""
    ours = next(line for line in shown if line.ours)
    half = half_share(exposure(ours.details, num_items))
    figure = new_chart(
        f"Half of all places go to {percent(half)} of the {things}",
        f"share of {things}, most shown first (%)",
        "share of all places (%)",
        note="lower: more gets seen; dotted: all shown equally often",
        hovermode="x unified",
        showlegend=False,
    )
    grey = {"color": colour("muted"), "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=grey, hoverinfo="skip")
    at = np.unique(np.linspace(0, num_items, 201).astype(int))  # no more points than can be told apart
    for line in [*[line for line in shown if not line.ours][::-1], ours]:
        held = np.concatenate([[0.0], np.sort(exposure(line.details, num_items))[::-1].cumsum()])
        y = 100 * held[at] / max(held[-1], 1.0)
        figure.add_scatter(
            x=100 * at / num_items, y=y, name=line.name, mode="lines", line=line.line, hovertemplate="%{y:.1f} %"
        )
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", hoverformat=".1f")
    return figure.update_yaxes(range=[0, 102], ticksuffix=" %")


def half_share(shown: Int64 | Float64) -> float:
    """Smallest share of items that hold half of all places; NaN when nothing is shown. shown: (num_items,)."""
    held = np.sort(shown)[::-1].cumsum()
    if not len(held) or not held[-1]:
        return float("nan")
    return float((np.searchsorted(held, held[-1] / 2) + 1) / len(held))
