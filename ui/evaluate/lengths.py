"""Every ranking metric against the length of the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mfcore.evaluation import ranking
from ui.charts import show
from ui.evaluate.charts import Curve, against_k
from ui.evaluate.contest import Scored, baseline_line, contestants, legend, runs_beside
from ui.evaluate.store import peers
from ui.format import metric_help

if TYPE_CHECKING:
    from mfcore.evaluation import EvaluationDetails
    from mfcore.runs.summary import RunSummary

LONGEST_LIST = 50
TITLES = {"hr": "Hit rate", "ndcg": "NDCG", "mrr": "MRR", "recall": "Recall", "precision": "Precision", "map": "MAP"}
PAIR = "Hit rate and NDCG"
SAMPLED = ("hr", "ndcg", "mrr")


def lengths(run: RunSummary, details: EvaluationDetails, ties: str, thing: tuple[str, str]) -> None:
    """Choice of metric, and its curves against K: sampled where that is defined, and full."""
    st.subheader("How long must the list be?", anchor=False)
    if not len(details.case_user):
        st.markdown(f"No held-out {thing[0]} counts as relevant here, so there is nothing to find.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        names = _choice()
    with right:
        beside = runs_beside(run, peers(run))
    if not run.config.training.implicit:
        st.caption("This run was trained to predict ratings, not to rank; against popularity, that alone is seldom enough.")
    shown = contestants(run, beside, ties)
    ks = tuple(list_lengths(details))
    curves = {line.name: metric_curves(line.key, ks, line.details) for line in shown} | {"random": by_lot(details, ks)}
    notes = {
        "": f"among {run.config.protocol.sampled_negatives} other {thing[1]} (sampled)",
        "_full": f"among all {thing[1]} not seen in training (full)",
    }
    drawn = [(stem, variant) for stem in names for variant in notes if variant or stem in SAMPLED]
    lines = [_lines(curves, looks(shown), stem + variant) for stem, variant in drawn]
    legend({name: look for found in lines for name, (_, look) in found.items()})
    with st.grid(min(2, len(drawn)), min_column_width=360):
        for (stem, variant), found in zip(drawn, lines, strict=True):
            figure = against_k(
                stem,
                TITLES[stem],
                notes[variant],
                found,
                k=details.k,
                things=thing[1],
            )
            show(figure, key=f"curve_{stem}{variant}", alt=f"{TITLES[stem]} against K, {notes[variant]}, with baselines")


def _choice() -> list[str]:
    options = [PAIR, *[TITLES[stem] for stem in ("mrr", "recall", "precision", "map")]]
    told = " ".join(f"{TITLES[stem]}: {metric_help(f'{stem}@10').split('. On ')[0].rstrip('.')}." for stem in TITLES)
    chosen = st.segmented_control("Metric", options, default=PAIR, key="metric", bind="query-params", required=True, help=told)
    return ["hr", "ndcg"] if chosen in (PAIR, None) else [next(stem for stem, title in TITLES.items() if title == chosen)]


def looks(shown: Sequence[Scored]) -> dict[str, dict[str, object]]:
    """Name → how its line is drawn, the lottery included."""
    return {line.name: line.line for line in shown} | {"random": baseline_line("random")}


def _lines(
    curves: dict[str, dict[str, Curve]], looks: dict[str, dict[str, object]], name: str
) -> dict[str, tuple[Curve, dict[str, object]]]:
    return {who: (found[name], looks[who]) for who, found in curves.items() if name in found}


def list_lengths(details: EvaluationDetails) -> list[int]:
    """K = 1 … 50, or fewer where there are not so many candidates."""
    return list(range(1, min(LONGEST_LIST, int(details.num_full.max(initial=1))) + 1))


@st.cache_data(max_entries=64, show_spinner=False)
def metric_curves(key: str, ks: tuple[int, ...], _details: EvaluationDetails) -> dict[str, Curve]:
    """hr, ndcg, mrr (sampled), and hr_full … map_full against K."""
    drawn, whole = _details.rank_draws, _details.rank_full
    sampled = [ranking.per_case(drawn, k) for k in ks]
    full = [ranking.per_user(_details.case_user, whole, k) for k in ks]
    found = {name: np.array([row[name] for row in sampled]) for name in SAMPLED}
    found |= {f"{name}_full": np.array([row[name] for row in full]) for name in TITLES}
    return {name: (np.array(ks), values) for name, values in found.items()}


def by_lot(details: EvaluationDetails, ks: Sequence[int]) -> dict[str, Curve]:
    """hr, ndcg (sampled and full), recall and precision (full) as drawing by lot attains them in expectation (exact)."""
    _, first, relevant = np.unique(details.case_user, return_index=True, return_counts=True)
    alone = np.ones(len(details.case_user), np.int64)
    sampled = [ranking.expected_random(details.num_sampled, alone, k) for k in ks]
    candidates = details.num_full[first]
    full = [ranking.expected_random(candidates, relevant, k) for k in ks]
    found = {stem: np.array([row[stem] for row in sampled]) for stem in ("hr", "ndcg")}
    found |= {f"{stem}_full": np.array([row[stem] for row in full]) for stem in ("hr", "ndcg")}
    contested = candidates > 1
    n, m = candidates[contested], relevant[contested]
    if len(n):
        found["recall_full"] = np.array([np.mean(np.minimum(k, n) / n) for k in ks])
        found["precision_full"] = np.array([np.mean(np.minimum(k, n) / n * m / k) for k in ks])
    return {name: (np.array(ks), values) for name, values in found.items()}
