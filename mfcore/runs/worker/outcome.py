"""What a run says about itself at its start and at its end."""

from __future__ import annotations

import errno
import platform
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mfcore.data import Split
from mfcore.evaluation import Evaluator, baseline_metrics, summarise
from mfcore.evaluation.metrics import described, live_keys
from mfcore.evaluation.protocol import all_relevant as relevant_by_rule
from mfcore.models import RecommenderModel
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder
from mfcore.training import Trainer


def all_relevant(config: RunConfig) -> bool:
    """Whether every held-out interaction counts as relevant: DESIGN's rule for leave-last-out and for ranking losses."""
    return relevant_by_rule(config.split.kind, ranks=config.training.implicit)


def baselines(
    config: RunConfig, split: Split, on: str, home: Path, *, strong: bool | None, users: Any = None
) -> dict[str, dict[str, float]]:
    """Baseline → metric → value on one part, kept beside the shared splits. ``strong``, ``users``: see ``baseline_metrics``."""
    return baseline_metrics(split, on, config.protocol, all_relevant(config), home / "splits", strong=strong, users=users)


def start_event(config: RunConfig, split: Split, trainer: Trainer, home: Path) -> dict[str, Any]:
    """The first event: what is about to be trained, and the floor it has to rise from."""
    live = live_keys(config.protocol.k, ratings=not config.training.implicit)
    return {
        "kind": "start",
        "num_epochs": config.training.num_epochs,
        "steps_per_epoch": trainer.steps_per_epoch,
        "num_parameters": trainer.model.num_parameters,
        "device": str(trainer.device),
        "threads": trainer.threads,
        "engine": trainer.engine,
        "engine_reason": trainer.engine_reason,
        "selection_metric": trainer.selection_metric,
        "metrics": described(live),
        # Fitting the strong ones would hold up the first point of the curve.
        "baselines": {"valid": baselines(config, split, "valid", home, strong=None, users=trainer.validation_users)},
        "num_users": split.data.num_users,
        "num_items": split.data.num_items,
        "num_train": len(split.train_rows),
        "num_valid": len(split.valid_rows),
        "num_test": len(split.test_rows),
        "parent": config.parent or None,
    }


def score_test(
    folder: RunFolder,
    config: RunConfig,
    split: Split,
    trainer: Trainer,
    best: RecommenderModel,
    refitted: RecommenderModel | None,
    home: Path,
) -> dict[str, Any]:
    """Score test once, keep what it saw in evaluation.npz, and return the run's result (what ``--json`` prints).

    After a refit, ``test`` is of the refitted model and ``test_before_refit`` of the best epoch: one choice, two figures.
    """
    evaluator = Evaluator(split, "test", config.protocol, all_relevant(config))
    details = evaluator.details(refitted if refitted is not None else best)
    details.save(folder.path / "evaluation.npz")
    epochs = folder.load_events_of("epoch")
    chosen = next((e for e in epochs if e["epoch"] == trainer.best_epoch), {})
    measured = chosen.get("metrics") if chosen.get("validated", 1.0) == 1.0 else None
    seconds = sum(event.get("seconds", 0.0) for event in epochs)
    samples = sum(event.get("samples", 0) for event in epochs)
    result = {
        "run_id": folder.run_id,
        "dataset": config.dataset.name,
        "model": config.model.name,
        "test": summarise(details),
        "valid": measured or trainer.validate(complete=True).metrics,
        "baselines": baselines(config, split, "test", home, strong=True),
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


def packages() -> dict[str, str]:
    """Versions that can change a number."""
    names = ["torch", "numpy", "pandas", "scipy", "safetensors"]
    names += ["numba"] if find_spec("numba") else []  # optional
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def first_line(error: BaseException) -> str:
    """One clear line for an error nobody foresaw."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return "memory ran out while training; try a smaller embedding_dim or batch_size, or fewer negatives"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; free some space and resume the run"
    return f"{type(error).__name__}: {text}; the file worker.log of this run has the details"
