"""All metrics of a run as one table, the baselines beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from ui.format import NOTHING, lower_is_better, metric_help, metric_name
from ui.theme import colour

OURS = "This run"
REFIT = "Before refit"


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
    rows = {OURS: dict(metrics), **({REFIT: dict(before_refit)} if before_refit else {})}
    rows |= {name[:1].upper() + name[1:]: dict(baselines[name]) for name in ordered}
    table = pd.DataFrame.from_dict(rows, orient="index", dtype="float64").reindex(columns=sorted(metrics, key=_order))
    return table.dropna(how="all").rename_axis("")


def show_metrics(table: pd.DataFrame, *, model: str, key: str, alt: str) -> None:
    """Draw :func:`metrics_table`: the run's row in its model's colour, the best of each column in bold, tooltips on headers."""
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(_header(name), format="%.3f", help=metric_help(name) or None, width=_width(name))
        for name in table.columns
    }
    columns[""] = st.column_config.TextColumn("", pinned=True, width=100)
    styled = table.style.apply(_bold_best, axis=0).apply(lambda row: _tint(row, model), axis=1)
    st.dataframe(styled, column_config=columns, height="content", placeholder=NOTHING, key=key, alt=alt)


def _header(name: str) -> str:
    """Short enough for a narrow column: "HR@10 all" is full ranking; the tooltip says so."""
    return metric_name(name).replace(" (all items)", " all").replace("Precision", "Prec.")


def _width(name: str) -> int:
    """As wide as its header needs, so that all fit on a screen of 1280 pixels."""
    return round(28 + 6.6 * len(_header(name)))


def _order(name: str) -> tuple[int, int, str]:
    """Rating errors, then sampled ranking, then full ranking; HR and NDCG first in each."""
    stem = name.partition("@")[0]
    family = 0 if lower_is_better(name) else 2 if name.endswith("/full") else 1
    known = ["rmse", "mae", "hr", "ndcg", "mrr", "map", "recall", "precision", "auc"]
    return family, known.index(stem) if stem in known else len(known), name


def _bold_best(column: pd.Series[float]) -> list[str]:
    best = column.min() if lower_is_better(str(column.name)) else column.max()
    return ["font-weight: bold" if value == best else "" for value in column]


def _tint(row: pd.Series[float], model: str) -> list[str]:
    return [f"background-color: {colour(model)}22" if row.name == OURS else ""] * len(row)
