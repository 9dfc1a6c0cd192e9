"""How a run ends: the best epoch, once more on train + validation if that is wanted, and test, scored once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mfcore.evaluation import Evaluator, summarise
from mfcore.models import RecommenderModel
from mfcore.runs.events import EpochEvent
from mfcore.runs.worker.start import baselines, start_model
from mfcore.training import TrainingStopped, refit

if TYPE_CHECKING:
    from mfcore.runs.worker.session import ActiveRun


class LeftEarly(Exception):
    """The worker was asked to leave before the end was reached; the run can be continued."""


def finish(run: ActiveRun, reason: str) -> dict[str, Any]:
    """Put the best weights in, train on everything if that is wanted, and score test. Returns the result, which is kept.

    Raises:
        LeftEarly: the worker was asked to leave meanwhile.
    """
    run.controller.let_go()
    run.trainer.load_best()
    if run.trainer.best_epoch > 0:
        run.snapshot(run.trainer.best_epoch, keep=True)
    refitted = _refitted(run)
    if refitted is not None:
        run.checkpoints.save_refit(refitted, run.trainer.best_epoch)
    state = "stopped" if run.controller.stop else "finished"
    result = score_test(run, refitted)
    result |= {"state": state, "reason": "stopped by request" if state == "stopped" else reason}
    before = run.folder.provenance().get("scored_before", [])
    if before:
        result["scored_before"] = before
        run.message(f"test had been scored before, after epoch {before[-1]['epochs']}; the figures now are another look at it")
    run.folder.write_result(result)
    return result


def score_test(run: ActiveRun, refitted: RecommenderModel | None) -> dict[str, Any]:
    """Score test once, keep what it saw in evaluation.npz, and return the run's result (what ``--json`` prints).

    After a refit, ``test`` is of the refitted model and ``test_before_refit`` of the best epoch: one choice, two figures.
    """
    config, split, trainer, best = run.config, run.split, run.trainer, run.trainer.model
    evaluator = Evaluator(split, "test", config.protocol, config.all_relevant)
    details = evaluator.details(refitted if refitted is not None else best)
    details.save(run.folder.path / "evaluation.npz")
    epochs = run.folder.events.of(EpochEvent)
    chosen = next((epoch for epoch in epochs if epoch.epoch == trainer.best_epoch), None)
    measured = chosen.metrics if chosen is not None and chosen.validated == 1.0 else None
    seconds = sum(epoch.seconds for epoch in epochs)
    samples = sum(epoch.samples for epoch in epochs)
    result = {
        "run_id": run.folder.run_id,
        "dataset": config.dataset.name,
        "model": config.model.name,
        "test": summarise(details),
        "valid": measured or trainer.validate(complete=True).metrics,
        "baselines": baselines(config, split, "test", run.home, strong=True),
        "selection_metric": trainer.selection_metric,
        "best_epoch": trainer.best_epoch,
        "epochs": trainer.epoch,
        "train_seconds": round(seconds, 6),
        "samples_per_second": round(samples / seconds, 1) if seconds > 0 else 0.0,
        "device": str(trainer.device),
        "threads": trainer.threads,
    }
    if refitted is not None:
        result["test_before_refit"] = evaluator.metrics(best)
    return result


def _refitted(run: ActiveRun) -> RecommenderModel | None:
    """The model trained on train + validation under the settings now in force, if that is wanted and not stopped."""
    controller, epochs = run.controller, run.trainer.best_epoch
    if not run.config.training.refit or controller.stop or epochs == 0:
        return None
    together = run.split.with_validation_in_train()
    run.message(f"training once more on train + validation, {epochs} epochs, before test is scored")
    model = start_model(run.config, together, run.home)
    settings, protocol = run.trainer.config, run.config.protocol
    try:
        return refit(model, together, settings, epochs, protocol=protocol, should_stop=controller.should_stop)
    except TrainingStopped:
        if not controller.stop:
            raise LeftEarly("the worker was asked to leave while it trained on train + validation") from None
        run.message("stopped before training on train + validation was complete; test scores the best epoch instead")
        return None
