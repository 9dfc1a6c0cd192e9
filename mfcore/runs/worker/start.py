"""The four ways a run sets out: from the beginning, from its last checkpoint, from another run's epoch, and beyond its end."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfcore.data import Split
from mfcore.data.nouns import nouns
from mfcore.data.split import tied_last
from mfcore.data.transform import CURES
from mfcore.evaluation import baseline_metrics
from mfcore.evaluation.metrics import described, live_keys
from mfcore.evaluation.negatives import count_candidates
from mfcore.evaluation.words import rivals_words
from mfcore.models import RecommenderModel, build_model
from mfcore.runs.checkpoints.info import CheckpointInfo
from mfcore.runs.config import RunConfig
from mfcore.runs.events import CommandEvent, ResumeEvent, StartEvent
from mfcore.runs.history import RunHistory
from mfcore.runs.loaded import load_run
from mfcore.settings import without_effect
from mfcore.training.divergence import scale_to_blame
from mfcore.training.schedule import batch_factor

if TYPE_CHECKING:
    from mfcore.runs.worker.session import ActiveRun


def set_out(run: ActiveRun, extend_to: int) -> None:
    """Bring trainer and files to where training goes on from. ``extend_to``: epochs asked for after the run had ended, or 0."""
    if run.checkpoints.exists():
        _resume(run)
    elif run.config.parent:
        _branch(run)
    else:
        _begin(run)
    if extend_to:
        _extend(run, extend_to)


def start_model(config: RunConfig, split: Split, home: Path) -> RecommenderModel:
    """The untrained model of a run; some start from the weights of two earlier ones.

    Raises:
        UnusableRequest: such a run does not exist, is of another model, or has another shape.
    """
    model = build_model(config.model, split.train, seed=config.training.seed)
    if config.model.pretrained_gmf:
        gmf, mlp = (load_run(run, home).model for run in (config.model.pretrained_gmf, config.model.pretrained_mlp))
        model.load_pretrained(gmf, mlp)
    return model


def baselines(
    config: RunConfig, split: Split, on: str, home: Path, *, strong: bool | None, users: Any = None
) -> dict[str, dict[str, float]]:
    """Baseline → metric → value on one part, kept beside the shared splits. ``strong``, ``users``: see ``baseline_metrics``."""
    return baseline_metrics(split, on, config.protocol, config.all_relevant, home / "splits", strong=strong, users=users)


def packages() -> dict[str, str]:
    """Versions that can change a number."""
    names = ["torch", "numpy", "pandas", "scipy", "safetensors"]
    names += ["numba"] if find_spec("numba") else []  # optional
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def _begin(run: ActiveRun) -> None:
    _tell_start(run)
    run.epoch_ends(run.trainer.validate(), keep_snapshot=True)


def _resume(run: ActiveRun) -> None:
    """What came after the checkpoint is taken back: kept epochs, snapshots, events. The pace last asked for stays."""
    place, wrong = run.checkpoints.restore()
    run.snapshots.take_back(run.trainer.epoch)
    run.events.record(ResumeEvent(step=run.trainer.step, epoch=run.trainer.epoch))
    if wrong:
        run.message(
            f"{wrong.split(';')[0]}: it goes on from the end of epoch {place.epoch}, the latest that is whole", "warning"
        )
    told = run.folder.events.surviving()
    for event in told:
        if isinstance(event, CommandEvent) and event.name == "pace" and isinstance(event.value, (int, float)):
            run.controller.pace = float(event.value)
    for event in place.past(told)[len(told) :]:  # an epoch that nobody has heard of yet
        run.events.record(event)
    for command in _untold(run, place):
        run.events.record(command)


def _untold(run: ActiveRun, place: CheckpointInfo) -> Iterator[CommandEvent]:
    """Changes that only the checkpoint knows: it is written a moment before its command is told of."""
    told = RunHistory.read(run.folder).settings_at(place.step).to_flat(defaults=True)
    settings = place.settings(run.config)
    flat = settings.to_flat(defaults=True)
    for name in place.changed:
        before, after = told[name], flat[name]
        if math.isclose(before, after, rel_tol=1e-9):  # all that changes while a run goes is numbers
            continue
        at: dict[str, Any] = {"step": place.step, "epoch": place.epoch, "at": run.position.at}
        if name == "num_epochs":
            yield CommandEvent(name="extend", value=after - before, num_epochs=after, **at)
        else:
            asked = after * batch_factor(settings.training) if name == "learning_rate" else after
            yield CommandEvent(name=name, value=asked, **at)


def _branch(run: ActiveRun) -> None:
    parent = run.config.parent
    run.checkpoints.branch(int(parent["epoch"]), list(parent.get("changes", {})))
    run.snapshots.take_back(run.trainer.epoch)
    _tell_start(run)
    run.checkpoints.save(force=True)
    run.tell_kept()


def _extend(run: ActiveRun, num_epochs: int) -> None:
    """Test has been scored; what it gave is remembered, and its files make room for the next."""
    folder, result, more = run.folder, run.folder.result(), num_epochs - run.trainer.epoch
    if result:
        seen = {"epochs": result.get("epochs", 0), "test": result.get("test", {})}
        known = folder.provenance()
        folder.write_provenance({**known, "scored_before": [*known.get("scored_before", []), seen]})
    for path in (folder.path / "result.json", folder.path / "evaluation.npz", folder.checkpoints / "refit.safetensors"):
        path.unlink(missing_ok=True)
    facts = run.controller.extend_to(num_epochs)
    run.checkpoints.save(force=True)
    at = run.position
    run.events.record(CommandEvent(name="extend", value=more, step=at.step, epoch=at.epoch, at=at.at, **facts))


def _tell_start(run: ActiveRun) -> None:
    run.events.record(_start_event(run))
    if run.config.training.batch_size == 1:
        run.message(run.trainer.engine_reason)
    tied, users = tied_last(run.split.data) if run.config.split.kind == "leave-last-out" else (0, 0)
    if tied:
        run.message(
            f"of {users:,} users, {tied:,} share their latest moment among several interactions: a draw (seed "
            f"{run.config.split.seed}) decided which of them is held out"
        )
    scale = scale_to_blame(run.config.training, run.split.train)
    if scale:
        run.message(f"{scale}; {CURES}")
    for sentence in without_effect(run.config.to_flat()):
        run.message(sentence)
    if run.trainer.validation_words:
        run.message(run.trainer.validation_words)


def _start_event(run: ActiveRun) -> StartEvent:
    config, split, trainer = run.config, run.split, run.trainer
    return StartEvent(
        num_epochs=config.training.num_epochs,
        steps_per_epoch=trainer.steps_per_epoch,
        num_parameters=trainer.model.num_parameters,
        device=str(trainer.device),
        threads=trainer.threads,
        engine=trainer.engine,
        engine_reason=trainer.engine_reason,
        selection_metric=trainer.selection_metric,
        metrics=described(
            live_keys(config.protocol.k, ratings=not config.training.implicit),
            units=nouns(config.dataset).units,
            sampled=rivals_words(config.protocol, count_candidates(split, "valid", config.protocol)),
        ),
        # Fitting the strong ones would hold up the first point of the curve.
        baselines={"valid": baselines(config, split, "valid", run.home, strong=None, users=trainer.validation_users)},
        num_users=split.data.num_users,
        num_items=split.data.num_items,
        num_train=len(split.train_rows),
        num_valid=len(split.valid_rows),
        num_test=len(split.test_rows),
        candidates={"valid": list(count_candidates(split, "valid", config.protocol))},
        parent=config.parent or None,
    )
