"""How long a run will take, asked before it is begun and while it waits.

Told by what this machine has done: a run of the same data and shape took so long an epoch. Where there is none, by what one
sample costs; that is right within a factor of three or so, which is enough to tell minutes from weeks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcore.data import dataset_status, open_dataset
from mfcore.errors import UnusableRequest
from mfcore.registry import DATASETS, LOSSES, MODELS
from mfcore.runs.config import RunConfig
from mfcore.runs.summary import RunSummary

_MULTIPLICATIONS = 6e9
"""A second, forward and back: what a core does in practice on vectors of these lengths."""
_STEP = 1e-4
"""Seconds that a batch takes however small it is."""
_SETTING_OUT = 3.0
"""Seconds until the first step, and for the test at the end."""
_MATTERS = ("embedding_dim", "mlp_layers", "batch_size", "loss", "optimizer", "negatives", "device", "threads")
"""Settings that decide how long an epoch takes, beside data, split and model."""


@dataclass(frozen=True)
class DataShape:
    """How large a dataset is."""

    num_users: int
    num_items: int
    num_interactions: int


def shape_of(config: RunConfig, home: Path) -> DataShape | None:
    """Of a generated dataset by its options, of a stored one by what is stored; None where it would have to be fetched."""
    entry, options = DATASETS[config.dataset.name], config.dataset.options
    if {"num_users", "num_items", "density"} <= set(entry.options):
        users, items, density = (
            float(options.get(name, entry.options[name].default)) for name in ("num_users", "num_items", "density")
        )
        return DataShape(int(users), int(items), int(users * items * density))
    if dataset_status(entry.name, home) == "to fetch":
        return None
    data = open_dataset(config.dataset, home)
    return DataShape(data.num_users, data.num_items, len(data))


def seconds_an_epoch(config: RunConfig, shape: DataShape | None, known: Iterable[RunSummary] = ()) -> float | None:
    """Roughly; None where nothing is known of the data. ``known``: runs that may have taken as long."""
    like = _decides(config)
    for run in known:
        if run.unread is None and run.epochs_done and run.train_seconds > 0 and _decides(run.config) == like:
            return max(run.train_seconds / run.epochs_done, _pace(config))
    if shape is None:
        return None
    training, work = config.training, MODELS[config.model.name].work_of(config.model)
    samples = shape.num_interactions * (1 + training.negatives if LOSSES[training.loss].draws_negatives else 1)
    layers = sum(wide * narrow for wide, narrow in zip(work.widths, work.widths[1:], strict=False))
    computing = samples * 6 * (work.multiplications + layers) / _MULTIPLICATIONS
    steps = samples / training.batch_size * _STEP if training.batch_size > 1 else 0.0
    return max(computing + steps, _pace(config))


def whole_time(config: RunConfig, an_epoch: float) -> float:
    """Seconds of a run from its beginning to its end; it may end sooner."""
    epochs = config.training.num_epochs
    return _SETTING_OUT + an_epoch * epochs * (2 if config.training.refit else 1)


def time_left(run: RunSummary, known: Iterable[RunSummary], home: Path) -> float | None:
    """Seconds until a run that trains or waits will have ended, were it to train now; None where that is not known."""
    if run.unread is not None:
        return None
    try:
        # Of a branch both count the epochs that it inherited.
        own = run.train_seconds / run.epochs_done if run.epochs_done and run.train_seconds else None
        an_epoch = own or seconds_an_epoch(run.config, _cheap_shape(run.config, home), known)
    except UnusableRequest:
        return None
    if an_epoch is None:
        return None
    done = run.epochs_done / max(1, run.num_epochs)
    planned = run.config.with_flat({"num_epochs": max(1, run.num_epochs)})
    return whole_time(planned, max(an_epoch, _pace(run.config))) * max(0.0, 1.0 - done)


def expected_starts(
    running: Sequence[float | None], waiting: Sequence[tuple[str, float | None]], at_once: int
) -> dict[str, float]:
    """Seconds until each of those that wait begins, where that can be told.

    Args:
        running: seconds that those in training have left. waiting: id and seconds of those that wait, the next one first; None:
            unknown, and so is the beginning of whoever comes after. at_once: how many train at a time.
    """
    never = math.inf
    free = sorted(never if left is None else left for left in running)
    free = free[: max(1, at_once)] if len(free) > at_once else [0.0] * (at_once - len(free)) + free
    starts = {}
    for run_id, seconds in waiting:
        begins = free.pop(0)
        if begins < never:
            starts[run_id] = begins
        free = sorted([*free, never if seconds is None else begins + seconds])
    return starts


def _cheap_shape(config: RunConfig, home: Path) -> DataShape | None:
    """As :func:`shape_of`, without opening a file: this is asked every second."""
    entry = DATASETS[config.dataset.name]
    return shape_of(config, home) if entry.source is None and entry.folder is None else None


def _pace(config: RunConfig) -> float:
    """Seconds an epoch takes at least, where the run is held to a pace."""
    return 1.0 / config.pace if config.pace > 0 else 0.0


def _decides(config: RunConfig) -> tuple[Any, ...]:
    flat = config.to_flat(defaults=True)
    return config.dataset, config.split, config.model.name, *(str(flat[name]) for name in _MATTERS)
