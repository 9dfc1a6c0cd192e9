"""What a person may ask of a run while it goes, and what a worker makes of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mfcore.files import dumps, read_json
from mfcore.settings import LARGEST_FACTOR, MOST_EPOCHS, MOST_SAMPLES
from mfcore.validate import choice, integer, number, require

COMMANDS: dict[str, str] = {
    "stop": "End now; what has been learned is kept and tested.",
    "pause": "Wait at the next step.",
    "resume": "Go on after a pause.",
    "step_batch": "Train one batch, then wait.",
    "step_epoch": "Train to the end of this epoch, then wait.",
    "pace": "Epochs a second to keep to; 0 is full speed.",
    "learning_rate": "Learning rate from the next step on.",
    "weight_decay": "Weight decay from the next batch on.",
    "batch_size": "Batch size from the next batch on.",
    "bias_lr_multiplier": "Learning rate of the biases, as a multiple of the main one.",
    "factor_lr_multiplier": "Learning rate of the embeddings, as a multiple of the main one.",
    "mlp_lr_multiplier": "Learning rate of the MLP, as a multiple of the main one.",
    "extend": "Train so many epochs more; the schedule and the patience begin anew.",
}
_VALUES: dict[str, Callable[[Any], float]] = {
    "pace": lambda value: number("pace", value, low=0.0),
    "learning_rate": lambda value: number("learning_rate", value, above=0.0),
    "batch_size": lambda value: integer("batch_size", value, low=1, high=MOST_SAMPLES),
    "extend": lambda value: integer("extend", value, low=1, high=MOST_EPOCHS),
    **{
        name: partial(number, name, low=0.0, high=LARGEST_FACTOR)
        for name in ("weight_decay", "bias_lr_multiplier", "factor_lr_multiplier", "mlp_lr_multiplier")
    },
}
_PATIENCE = 2.0
"""Seconds an unreadable command file may be one that is still being written."""


def check_command(kind: str, args: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The command in its one written form: ``("pace", {"value": 5.0})``.

    Raises:
        UnusableRequest: there is no such command, or its value is unusable.
    """
    kind = choice("command", "resume" if kind == "resume_training" else kind, COMMANDS)
    if kind not in _VALUES:
        require(not args, f"{kind} takes no value, got {', '.join(args)}")
        return kind, {}
    values = [args[name] for name in ("value", kind) if name in args]
    require(len(values) == 1 == len(args), f"{kind} takes one number as value")
    return kind, {"value": _VALUES[kind](values[0])}


def write_command(folder: Path, command: Mapping[str, Any]) -> int:
    """Put a command into a file of its own number, which is returned; another writer's file is never touched."""
    folder.mkdir(exist_ok=True)
    text = (dumps(command) + "\n").encode()
    number = last_number(folder)
    while True:
        number += 1
        try:
            handle = os.open(folder / f"{number:06d}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            continue
        try:
            os.write(handle, text)
        finally:
            os.close(handle)
        return number


def read_commands(folder: Path, after: int) -> list[dict[str, Any]]:
    """Commands with a number above ``after``, in order, each with its ``number``; see ``RunFolder.pending_commands``."""
    pending: list[dict[str, Any]] = []
    for found in sorted(n for n in _numbers(folder) if n > after):
        path = folder / f"{found:06d}.json"
        command = read_json(path)
        if command is None and time.time() - path.stat().st_mtime < _PATIENCE:
            break
        pending.append({"kind": "unreadable", **(command or {}), "number": found})
    return pending


def last_number(folder: Path) -> int:
    """The highest command number in use, 0 when there is none."""
    return max(_numbers(folder), default=0)


def _numbers(folder: Path) -> list[int]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    return [int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit()]
