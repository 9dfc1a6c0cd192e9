"""The stored evaluation of a run, and that of the baselines on the same split. Nothing here scores the run's model again."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mfcore.data import Split
from mfcore.evaluation import EvaluationDetails
from mfcore.runs import RunSummary
from ui.state import manager

RANKERS = ("popularity", "item-kNN", "EASE")
RATERS = ("bias only",)


def stored_details(run_id: str) -> EvaluationDetails | None:
    """What the test evaluation of a run saw, case by case; None when the run has none.

    Raises:
        UnusableRequest: the file is damaged.
    """
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


def with_ties(details: EvaluationDetails, ties: str) -> EvaluationDetails:
    """The same scores under a tie policy; as they are where the policy is theirs already."""
    return details if ties == details.ties else details.with_ties(ties)


def stored_split(run_id: str) -> Split:
    """The split a run was trained and scored on, without its model.

    Raises:
        UnusableRequest, DataUnavailable: its data is not here, or no longer the same.
    """
    return _split(split_hash(run_id) or run_id, run_id)


def split_hash(run_id: str) -> str:
    """Names the split of a run, alike for all runs on it; "" where the run says nothing of it."""
    return str(manager().folder(run_id).provenance().get("split_hash", ""))


def baseline_details(run: RunSummary, name: str) -> EvaluationDetails | None:
    """What a baseline (popularity, item-kNN, EASE, bias only) gets on the cases of a run; None where there are too many items.

    Shared by all runs on the same split under the same protocol.

    Raises:
        UnusableRequest, DataUnavailable: the run's data is not here, or no longer the same.
    """
    hashed = split_hash(run.run_id) or run.run_id
    return _baseline(name, hashed, repr(run.config.protocol), run.config.all_relevant, run.run_id)


def peers(run: RunSummary) -> list[RunSummary]:
    """Other runs whose test scores are of the very same cases, newest first: same split, part and notion of relevance."""

    def asked(other: RunSummary) -> tuple[object, ...]:
        config = other.config
        return (config.dataset, config.split, config.relevance_words)

    alike = [
        other
        for other in manager().list()
        if other.run_id != run.run_id and other.test and asked(other) == asked(run) and _path(other.run_id).is_file()
    ]
    same = [other for other in alike if split_hash(other.run_id) == split_hash(run.run_id)]
    return sorted(same, key=lambda other: other.run_id, reverse=True)


def scored_elsewhere(run: RunSummary) -> list[RunSummary]:
    """Other finished runs whose test scores are of other cases, newest first: nothing about one tells of the other."""
    same = {other.run_id for other in peers(run)}
    others = [
        other for other in manager().list() if other.run_id not in (run.run_id, *same) and other.test and not other.unread
    ]
    return sorted(others, key=lambda other: other.run_id, reverse=True)


def _path(run_id: str) -> Path:
    return manager().folder(run_id).evaluation_path


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(path: str, stamp: int) -> EvaluationDetails:
    return EvaluationDetails.load(path)


@st.cache_resource(max_entries=4, show_spinner="Opening the data …")
def _split(key: str, _run_id: str) -> Split:
    from mfcore.runs.loaded import open_split

    return open_split(manager().folder(_run_id).stored(), manager().home)


@st.cache_resource(max_entries=12, show_spinner="Scoring the baselines, for comparison …")
def _baseline(name: str, hashed: str, protocol: str, all_relevant: bool, _run_id: str) -> EvaluationDetails | None:
    from mfcore.evaluation import Evaluator, fit_baseline
    from mfcore.models.baselines import BiasOnly
    from mfcore.models.item_to_item import MOST_ITEMS

    split = stored_split(_run_id)
    if name in RANKERS[1:] and split.data.num_items > MOST_ITEMS:
        return None
    known = split.with_validation_in_train().train
    model = BiasOnly(known) if name in RATERS else fit_baseline(name, split)
    return Evaluator(split, "test", manager().folder(_run_id).config().protocol, all_relevant).details(model)
