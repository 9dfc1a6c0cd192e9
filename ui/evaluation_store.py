"""The stored evaluation of a run, and the baselines' curves that go with it. Nothing here scores the run's model again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mfcore.evaluation import EvaluationDetails, curve_at_k, ranking
from ui.evaluate_charts import Curve
from ui.session import manager

if TYPE_CHECKING:
    import pandas as pd

LONGEST_LIST = 50
CURVES = {"hr": "hr", "ndcg": "ndcg", "hr_full": "hr", "ndcg_full": "ndcg"}


def stored_details(run_id: str) -> EvaluationDetails | None:
    """What the test evaluation of a run saw, case by case; None when the run has none."""
    try:
        return _read(str(_path(run_id)), evaluated_at(run_id))
    except FileNotFoundError:
        return None


def evaluated_at(run_id: str) -> int:
    """When the run was evaluated, as a number that changes with it.

    Raises:
        FileNotFoundError: it has not been.
    """
    return _path(run_id).stat().st_mtime_ns


def _path(run_id: str) -> Path:
    return manager().folder(run_id).path / "evaluation.npz"


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(path: str, stamp: int) -> EvaluationDetails:
    return EvaluationDetails.load(path)


def list_lengths(details: EvaluationDetails) -> list[int]:
    """K = 1 … 50, or fewer where there are not so many candidates."""
    return list(range(1, min(LONGEST_LIST, int(details.num_full.max(initial=1))) + 1))


def curves(details: EvaluationDetails) -> dict[str, Curve]:
    """hr, ndcg (sampled), hr_full, ndcg_full of the run against K."""
    return _columns(curve_at_k(details, list_lengths(details)))


def _columns(frame: pd.DataFrame) -> dict[str, Curve]:
    return {name: (frame["k"].to_numpy(), frame[name].to_numpy()) for name in CURVES}


def random_curves(details: EvaluationDetails) -> dict[str, Curve]:
    """The same four, as drawing by lot attains them in expectation (exact, no draw)."""
    ks = list_lengths(details)
    _, first, relevant = np.unique(details.case_user, return_index=True, return_counts=True)
    alone = np.ones(len(details.case_user), np.int64)
    sampled = [ranking.expected_random(details.num_sampled, alone, k) for k in ks]
    full = [ranking.expected_random(details.num_full[first], relevant, k) for k in ks]
    parts: Mapping[str, list[dict[str, float]]] = {"hr": sampled, "ndcg": sampled, "hr_full": full, "ndcg_full": full}
    return {name: (np.array(ks), np.array([row[stem] for row in parts[name]])) for name, stem in CURVES.items()}


@st.cache_resource(max_entries=16, show_spinner="Ranking the most popular items, for comparison …")
def list_curves(run_id: str, stamp: int) -> dict[str, dict[str, Curve]]:
    """The same four of the run, of recommending what is most popular in its training data, and of drawing by lot.

    ``stamp``: :func:`evaluated_at`, so that a run evaluated again is read again.
    """
    details = stored_details(run_id)
    assert details is not None
    return {"ours": curves(details), "popularity": _popularity_curves(run_id), "random": random_curves(details)}


def _popularity_curves(run_id: str) -> dict[str, Curve]:
    from mfcore.evaluation import Evaluator
    from mfcore.models.baselines import Popularity
    from mfcore.runs import load_run
    from mfcore.runs.outcome import all_relevant

    run = load_run(run_id)
    evaluator = Evaluator(run.split, "test", run.config.protocol, all_relevant(run.config))
    return curves(evaluator.details(Popularity(run.split.train)))
