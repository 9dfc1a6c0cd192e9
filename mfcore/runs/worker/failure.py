"""What is told of a run that failed; of one whose numbers ran away: where it froze, at which rating, and the way back."""

from __future__ import annotations

import errno
import math
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from mfcore.data import Split
from mfcore.data.transform import CURES
from mfcore.runs.events import DivergedEvent, EpochEvent
from mfcore.runs.worker.event_log import Position
from mfcore.training.divergence import OffendingSample, advised, find_offending_sample, scale_to_blame
from mfcore.training.events import TrainingDiverged

if TYPE_CHECKING:
    from mfcore.runs.worker.session import ActiveRun

TOO_FAR = 4.0
"""Times the lowest loss: an RMSE twice as large. Learning by heart rarely takes a validation loss that far."""


def post_mortem(run: ActiveRun, error: TrainingDiverged) -> None:
    """Tell of the divergence; the last good epoch becomes the run's last checkpoint and can be branched from."""
    run.diverged_at = Position(error.step, error.epoch - 1)
    anchor, rate = run.checkpoints.anchor, run.trainer.rates.base
    sample = None if anchor is None else find_offending_sample(run.trainer, anchor, error)
    finite, scale = run.checkpoints.fall_back(), scale_to_blame(run.trainer.config, run.split.train)
    run.events.record(
        DivergedEvent(
            step=error.step,
            epoch=error.epoch,
            learning_rate=rate,
            advice=math.nan if run.trainer.config.solves or scale else advised(rate, run.trainer.config),
            scale=f"{scale}; {CURES}" if scale else None,
            last_good_epoch=last_good(run.folder.events.of(EpochEvent), run.folder.kept_epochs(), finite),
            **({} if sample is None else _named(sample, run.split)),
        )
    )


def last_good(epochs: Iterable[EpochEvent], kept: Collection[int], finite: int | None) -> int | None:
    """The latest kept epoch from which training is worth going on.

    The last epochs before the numbers end may be finite and yet lost, as their loss was already running away. Good is an epoch
    whose loss on validation (in training, where none was measured) is at most ``TOO_FAR`` times the lowest one before it.

    Args:
        finite: the last epoch whose weights are finite; the answer where none of ``kept`` is good.
    """
    good: set[int] = set()
    lowest = {"valid_loss": math.inf, "train_loss": math.inf}
    for epoch in epochs:
        losses = {name: getattr(epoch, name) for name in lowest}
        key = "train_loss" if math.isnan(epoch.valid_loss) else "valid_loss"
        bar = lowest[key] if math.isfinite(lowest[key]) else min(lowest.values())
        if epoch.epoch == 0 or losses[key] <= TOO_FAR * bar:
            good.add(epoch.epoch)
        lowest = {name: min(value, losses[name]) for name, value in lowest.items()}  # NaN, if any, second: it never wins
    return max(good.intersection(kept), default=finite)


def first_line(error: BaseException) -> str:
    """One clear line for an error nobody foresaw."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return "memory ran out while training; try a smaller embedding_dim or batch_size, or fewer negatives"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; free some space and resume the run"
    return f"{type(error).__name__}: {text}; the file worker.log of this run has the details"


def _named(sample: OffendingSample, split: Split) -> dict[str, Any]:
    """The offending sample as people know it, as fields of the event."""
    data = split.data
    facts: dict[str, Any] = {
        "user_id": data.users.ids[sample.user_idx],
        "item_id": data.items.ids[sample.item_idx],
        "title": data.item_titles([sample.item_idx])[0],
        "rating": sample.rating,
        "predicted": sample.predicted,
        "user_norm": sample.user_norm,
        "item_norm": sample.item_norm,
    }
    if not math.isfinite(sample.predicted):
        facts["predicted_text"] = "nan" if math.isnan(sample.predicted) else f"{sample.predicted:g}"
    return facts
