"""How a run ends: the best epoch, once more on train + validation if that is wanted, and test, scored once."""

from __future__ import annotations

from typing import Any

from mfcore.models import RecommenderModel
from mfcore.runs.worker.initial_model import start_model
from mfcore.runs.worker.outcome import score_test
from mfcore.runs.worker.running import Running
from mfcore.training import TrainingStopped, refit


class LeftEarly(Exception):
    """The worker was asked to leave before the end was reached; the run can be continued."""


def finish(run: Running, reason: str) -> dict[str, Any]:
    """Put the best weights in, train on everything if that is wanted, and score test. Returns the result, which is kept.

    Raises:
        LeftEarly: the worker was asked to leave meanwhile.
    """
    run.conductor.let_go()
    run.trainer.load_best()
    if run.trainer.best_epoch > 0:
        run.snapshot(run.trainer.best_epoch, keep=True)
    refitted = _refitted(run)
    if refitted is not None:
        run.keeper.save_refit(refitted, run.trainer.best_epoch)
    state = "stopped" if run.conductor.stop else "finished"
    result = score_test(run.folder, run.config, run.split, run.trainer, run.trainer.model, refitted, run.home)
    result |= {"state": state, "reason": "stopped by request" if state == "stopped" else reason}
    before = run.folder.provenance().get("scored_before", [])
    if before:
        result["scored_before"] = before
        run.diary.message(
            f"test had been scored before, after epoch {before[-1]['epochs']}; the figures now are another look at it"
        )
    run.keeper.write_result(result)
    return result


def _refitted(run: Running) -> RecommenderModel | None:
    """The model trained on train + validation under the settings now in force, if that is wanted and not stopped."""
    if not run.config.training.refit or run.conductor.stop or run.trainer.best_epoch == 0:
        return None
    epochs, together = run.trainer.best_epoch, run.split.with_validation_in_train()
    run.diary.message(f"training once more on train + validation, {epochs} epochs, before test is scored")
    model = start_model(run.config, together, run.home)
    stop = run.conductor.should_stop
    try:
        return refit(model, together, run.trainer.config, epochs, protocol=run.config.protocol, should_stop=stop)
    except TrainingStopped:
        if not run.conductor.stop:
            raise LeftEarly("the worker was asked to leave while it trained on train + validation") from None
        run.diary.message("stopped before training on train + validation was complete; test scores the best epoch instead")
        return None
