"""Whose vectors the map shows, and how they stand to those that the other pages ask."""

from __future__ import annotations

from mfcore.runs import RunSummary
from mfcore.runs.layout import open_folder


def whose_words(run: RunSummary) -> str:
    """One sentence or two for below the map; nothing while a run goes on, for its last epoch is the model as it stands."""
    if not run.over:
        return ""
    from mfcore.runs.loaded import CHECKPOINTS, REFIT

    folder = open_folder(run.run_id).checkpoints
    stands = next((name for name in CHECKPOINTS if (folder / f"{name}.safetensors").is_file()), "")
    if stands == REFIT:
        return (
            "These are the vectors of the training itself, epoch by epoch, on train alone. Recommend asks the model that was "
            "trained once more, on train + validation, so its neighbours may differ a little."
        )
    if stands == "best" and run.best_epoch is not None and run.best_epoch < run.epochs_done:
        return (
            f"Recommend asks the model as it was after epoch {run.best_epoch} of {run.epochs_done}, the best on validation: "
            "on the slider that epoch has its vectors."
        )
    return "Recommend asks the same model, as it was after the last epoch." if stands else ""
