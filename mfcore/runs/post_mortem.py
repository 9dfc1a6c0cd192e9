"""What is told of a run whose numbers ran away: where it froze, which rating did it, and the epoch to go back to."""

from __future__ import annotations

import math
from typing import Any

from mfcore.data import Split
from mfcore.runs.running import Running
from mfcore.training.culprit import Culprit, find_culprit
from mfcore.training.events import TrainingDiverged


def post_mortem(run: Running, error: TrainingDiverged) -> None:
    """Tell of the divergence; the last good epoch becomes the run's last checkpoint and can be branched from."""
    run.diary.frozen_at = {"step": error.step, "epoch": error.epoch - 1}
    anchor, rate = run.keeper.anchor, run.trainer.rates.base
    culprit = None if anchor is None else find_culprit(run.trainer, anchor, error)
    event = {"kind": "diverged", "step": error.step, "epoch": error.epoch, "learning_rate": rate}
    if culprit is not None:
        event |= _named(culprit, run.split)
    event["last_good_epoch"] = run.keeper.fall_back()
    run.diary.record(event)


def _named(culprit: Culprit, split: Split) -> dict[str, Any]:
    """The culprit as people know it. ``predicted_text``: a prediction that is no finite number."""
    data = split.data
    facts: dict[str, Any] = {
        "user_id": data.users.ids[culprit.user_idx],
        "item_id": data.items.ids[culprit.item_idx],
        "title": str(data.item_table["title"].iloc[culprit.item_idx]),
        "rating": culprit.rating,
        "predicted": culprit.predicted,
        "user_norm": culprit.user_norm,
        "item_norm": culprit.item_norm,
    }
    if not math.isfinite(culprit.predicted):
        facts["predicted_text"] = "nan" if math.isnan(culprit.predicted) else f"{culprit.predicted:g}"
    return facts
