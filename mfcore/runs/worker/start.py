"""The four ways a run sets out: from the beginning, from its last checkpoint, from another run's epoch, and beyond its end."""

from __future__ import annotations

from typing import Any

from mfcore.runs.worker.outcome import start_event
from mfcore.runs.worker.running import Running
from mfcore.settings import without_effect


def set_out(run: Running, extend_to: int) -> None:
    """Bring trainer and files to where training goes on from. ``extend_to``: epochs asked for after the run had ended, or 0."""
    if run.keeper.exists():
        _resume(run)
    elif run.config.parent:
        _branch(run)
    else:
        _begin(run)
    if extend_to:
        _extend(run, extend_to)


def _begin(run: Running) -> None:
    _tell_start(run)
    run.epoch_ends(run.trainer.validate(), keep_snapshot=True)


def _tell_start(run: Running) -> None:
    run.diary.record(start_event(run.config, run.split, run.trainer, run.home))
    if run.config.training.batch_size == 1:
        run.diary.message(run.trainer.engine_reason)
    for sentence in without_effect(run.config.to_flat()):
        run.diary.message(sentence)
    if run.trainer.validation_words:
        run.diary.message(run.trainer.validation_words)


def _resume(run: Running) -> None:
    """Events after the checkpoint are taken back, and the pace last asked for is kept."""
    told, trainer = run.keeper.restore(), run.trainer
    run.snapshots.take_back(trainer.epoch)
    run.diary.record({"kind": "resume", "step": trainer.step, "epoch": trainer.epoch})
    events = run.folder.load_events()
    for event in events:
        if event.get("kind") == "command" and event.get("name") == "pace" and "value" in event:
            run.conductor.pace = float(event["value"])
    # Killed after the checkpoint of an epoch and before its event: nobody has heard of it yet.
    if told and not any(event.get("kind") == "epoch" and event.get("epoch") == told["epoch"] for event in events):
        run.diary.record(told)


def _branch(run: Running) -> None:
    parent = run.config.parent
    run.keeper.branch(int(parent["epoch"]), list(parent.get("changes", {})))
    run.snapshots.take_back(run.trainer.epoch)
    _tell_start(run)
    run.keeper.save(force=True)
    run.tell_kept()


def _extend(run: Running, num_epochs: int) -> None:
    """Test has been scored; what it gave is remembered, and its files make room for the next."""
    folder, result = run.folder, run.folder.result()
    if result:
        seen = {"epochs": result.get("epochs", 0), "test": result.get("test", {})}
        known = folder.provenance()
        folder.write_provenance({**known, "scored_before": [*known.get("scored_before", []), seen]})
    for path in (folder.path / "result.json", folder.path / "evaluation.npz", folder.checkpoints / "refit.safetensors"):
        path.unlink(missing_ok=True)
    event: dict[str, Any] = {"kind": "command", "name": "extend", "value": num_epochs - run.trainer.epoch}
    facts = run.helm.extend_to(num_epochs)
    run.keeper.save(force=True)
    run.diary.record({**event, **facts, **run.diary.position()})
