"""The command that repeats a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from mfcore.runs.config import RunConfig

FLAGS: dict[str, str] = {
    "dataset": "--dataset",
    "model": "--model",
    "loss": "--loss",
    "optimizer": "--optimizer",
    "learning_rate": "--lr",
    "weight_decay": "--weight-decay",
    "batch_size": "--batch-size",
    "embedding_dim": "--embedding-dim",
    "num_epochs": "--epochs",
    "negatives": "--negatives",
    "split": "--split",
    "fold": "--fold",
    "device": "--device",
    "threads": "--threads",
    "seed": "--seed",
}
"""Flat keys that have a flag of their own; ``--set KEY=VALUE`` reaches the others."""

_ALWAYS = ("dataset", "model", "loss", "optimizer", "learning_rate", "num_epochs", "split", "seed")
_WITHOUT_EFFECT = ("preset", "name", "pace", "checkpoint_every")


def command_line(config: RunConfig) -> str:
    """``python -m mfcore train …`` for this run. It spells the values out, so that it means the same when a preset changes.

    A branch is repeated from its parent: ``python -m mfcore branch PARENT --epoch …``.
    """
    if config.parent:
        return _branch_line(config.parent)
    flat, everything = config.to_flat(), config.to_flat(defaults=True)
    words = ["python", "-m", "mfcore", "train"]
    for key, flag in FLAGS.items():
        if key == "fold" and config.split.kind != "official":  # it says nothing there, and would be refused
            continue
        if key in flat or key in _ALWAYS:
            words += [flag, _text(everything[key])]
    for key, value in flat.items():
        if key not in FLAGS and key not in _WITHOUT_EFFECT:
            words += ["--set", f"{key}={_text(value)}"]
    return shlex.join(words)


def _branch_line(parent: Mapping[str, Any]) -> str:
    words = ["python", "-m", "mfcore", "branch", str(parent["run_id"]), "--epoch", str(parent["epoch"])]
    for key, value in parent.get("changes", {}).items():
        if key not in _WITHOUT_EFFECT:
            words += ["--set", f"{key}={_text(value)}"]
    return shlex.join(words)


def _text(value: object) -> str:
    """Booleans as people write them; floats in full, so that nothing is rounded."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
