"""What is told of a run whose numbers ran away: where it froze, which rating did it, and the epoch to go back to."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mfcore.data import Split
from mfcore.runs.worker.running import Running
from mfcore.training.events import TrainingDiverged
from mfcore.training.offending_sample import Culprit, find_culprit

TOO_FAR = 4.0
"""Times the lowest loss: an RMSE twice as large. Learning by heart rarely takes a validation loss that far."""


def post_mortem(run: Running, error: TrainingDiverged) -> None:
    """Tell of the divergence; the last good epoch becomes the run's last checkpoint and can be branched from."""
    run.diary.frozen_at = {"step": error.step, "epoch": error.epoch - 1}
    anchor, rate = run.keeper.anchor, run.trainer.rates.base
    culprit = None if anchor is None else find_culprit(run.trainer, anchor, error)
    event = {"kind": "diverged", "step": error.step, "epoch": error.epoch, "learning_rate": rate}
    if culprit is not None:
        event |= _named(culprit, run.split)
    finite = run.keeper.fall_back()
    event["last_good_epoch"] = last_good(run.folder.load_events(), run.folder.kept_epochs(), finite)
    run.diary.record(event)


def last_good(events: Iterable[Mapping[str, Any]], kept: Collection[int], finite: int | None) -> int | None:
    """The latest kept epoch from which training is worth going on.

    The last epochs before the numbers end may be finite and yet lost, as their loss was already running away. Good is an epoch
    whose loss on validation (in training, where none was measured) is at most ``TOO_FAR`` times the lowest one before it.

    Args:
        finite: the last epoch whose weights are finite; the answer where none of ``kept`` is good.
    """
    good: set[int] = set()
    lowest = {"valid_loss": math.inf, "train_loss": math.inf}
    for event in events:
        if event.get("kind") != "epoch":
            continue
        key = "valid_loss" if "valid_loss" in event else "train_loss"
        bar = lowest[key] if math.isfinite(lowest[key]) else min(lowest.values())
        if event["epoch"] == 0 or event.get(key, math.inf) <= TOO_FAR * bar:
            good.add(event["epoch"])
        lowest = {key: min(value, event.get(key, math.inf)) for key, value in lowest.items()}
    return max(good.intersection(kept), default=finite)


def _named(culprit: Culprit, split: Split) -> dict[str, Any]:
    """The culprit as people know it. ``predicted_text``: a prediction that is no finite number."""
    data = split.data
    facts: dict[str, Any] = {
        "user_id": data.users.ids[culprit.user_idx],
        "item_id": data.items.ids[culprit.item_idx],
        "title": data.item_titles([culprit.item_idx])[0],
        "rating": culprit.rating,
        "predicted": culprit.predicted,
        "user_norm": culprit.user_norm,
        "item_norm": culprit.item_norm,
    }
    if not math.isfinite(culprit.predicted):
        facts["predicted_text"] = "nan" if math.isnan(culprit.predicted) else f"{culprit.predicted:g}"
    return facts
