"""How a run ends: the best epoch, once more on train + validation if that is wanted, and test, scored once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfcore.data import Split
from mfcore.evaluation import EvaluationDetails, Evaluator, against_baseline, summarise
from mfcore.evaluation.cold import warm_and_cold
from mfcore.evaluation.metrics import best_baseline, headline_key
from mfcore.evaluation.negatives import count_candidates
from mfcore.models import RecommenderModel
from mfcore.runs.events import EpochEvent, RefitEvent
from mfcore.runs.history import RunHistory
from mfcore.runs.worker.start import baselines, start_model
from mfcore.training import EpochEnd, TrainingDiverged, TrainingStopped, refit

if TYPE_CHECKING:
    from mfcore.runs.worker.session import ActiveRun

_TELL_EVERY = 0.2
"""Seconds between two words on how far the training on train + validation is."""


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
    refitted = _refitted(run, reason)
    if refitted is not None:
        run.checkpoints.save_refit(refitted, run.trainer.best_epoch)
    state = "stopped" if _stopped(run, reason) else "finished"
    result = score_test(run, refitted)
    by_request = "stopped by request" if run.controller.stop else "stopped as planned"
    result |= {"state": state, "reason": by_request if state == "stopped" else reason}
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
    test, floors = summarise(details), baselines(config, split, "test", run.home, strong=True)
    result = {
        "run_id": run.folder.run_id,
        "dataset": config.dataset.name,
        "model": config.model.name,
        "test": test,
        "valid": measured or trainer.validate(complete=True).metrics,
        "baselines": floors,
        "candidates": {"test": list(count_candidates(split, "test", config.protocol))},
        "selection_metric": trainer.selection_metric,
        "best_epoch": trainer.best_epoch,
        "epochs": trainer.epoch,
        "train_seconds": round(seconds, 6),
        "samples_per_second": round(samples / seconds, 1) if seconds > 0 else 0.0,
        "device": str(trainer.device),
        "threads": trainer.threads,
    }
    result |= _known_apart(details, refitted if refitted is not None else best)
    if refitted is not None:
        result["test_before_refit"] = evaluator.metrics(best)
    found = against(test, floors, details, split, run.home)
    return result | ({"against": found} if found else {})


def _known_apart(details: EvaluationDetails, model: RecommenderModel) -> dict[str, Any]:
    """``{"warm": …, "cold": …}``, each with cases, ratings and metrics; nothing where all of test was known."""
    fallback = model.fallback
    if fallback is None:
        return {}
    parts = warm_and_cold(details, fallback.user_known, fallback.item_known)
    if not parts["cold"].num_cases + parts["cold"].num_ratings:
        return {}
    return {
        name: {"cases": part.num_cases, "ratings": part.num_ratings, "metrics": part.metrics} for name, part in parts.items()
    }


def against(
    test: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
    details: EvaluationDetails,
    split: Split,
    home: Path,
) -> dict[str, Any]:
    """The headline metric beside the best baseline, user by user: ``{"baseline", "metric", "difference", "low", "high",
    "verdict"}``; empty where that cannot be said. The difference is the run's figure minus the baseline's."""
    metric = headline_key(test, details.k)
    if metric is None:
        return {}
    name = best_baseline(metric, baselines)
    found = against_baseline(name, metric, details, split, home / "splits")
    if found is None or not (math.isfinite(found.low) and math.isfinite(found.high)):
        return {}
    numbers = {"difference": found.difference, "low": found.low, "high": found.high}
    return {"baseline": name, "metric": metric, **numbers, "verdict": found.verdict}


def _stopped(run: ActiveRun, reason: str) -> bool:
    return run.controller.stop or reason == "stopped"


def _refitted(run: ActiveRun, reason: str) -> RecommenderModel | None:
    """The model trained on train + validation just as it was on train; None if that is not wanted, or cannot be."""
    epochs = run.trainer.best_epoch
    if not run.config.training.refit or _stopped(run, reason) or epochs == 0:
        return None
    history = RunHistory.read(run.folder)
    if history.line is None:
        run.message(
            f"not trained once more on train + validation: the settings that run {history.ancestry[-1].run_id} began with are "
            "not known any more, so it cannot be done again in the same way; test scores the best epoch",
            "warning",
        )
        return None
    together = run.split.with_validation_in_train()
    run.message(f"training once more on train + validation, {epochs} epochs, before test is scored")
    progress = _Progress(run, epochs)
    try:
        return refit(
            start_model(history.begun_with, together, run.home),
            together,
            history.line,
            epochs,
            protocol=run.config.protocol,
            measured={epoch.epoch: epoch.metrics for epoch in run.folder.events.of(EpochEvent) if epoch.validated > 0},
            on_epoch=progress,
            should_stop=run.controller.should_stop,
        )
    except TrainingStopped:
        if not run.controller.stop:
            raise LeftEarly("the worker was asked to leave while it trained on train + validation") from None
        run.message("stopped before training on train + validation was complete; test scores the best epoch instead")
    except TrainingDiverged as error:
        run.message(f"training on train + validation failed ({error}); test scores the best epoch instead", "warning")
    return None


class _Progress:
    """Tells how far it is, now and then."""

    def __init__(self, run: ActiveRun, epochs: int) -> None:
        self._run, self._epochs, self._next = run, epochs, 0.0
        self._tell(0)

    def __call__(self, end: EpochEnd) -> None:
        if self._run.clock() >= self._next or end.number == self._epochs:
            self._tell(end.number)

    def _tell(self, epoch: int) -> None:
        self._next = self._run.clock() + _TELL_EVERY
        self._run.events.record(RefitEvent(step=self._run.trainer.step, epoch=epoch, epochs=self._epochs))
