"""Which runs need a dataset that somebody brought."""

from __future__ import annotations

from mfcore.runs.store import RunStore
from mfcore.runs.summary import RunSummary


def runs_on(name: str, store: RunStore) -> list[RunSummary]:
    """Runs of this data directory that were trained on dataset ``name``, newest first. Without it they can be looked at, but
    neither evaluated again, nor resumed, nor asked for recommendations."""
    return [summary for summary in store.list() if summary.dataset == name]
