"""How much of the validation part is measured after an epoch, so that measuring stays small beside training.

Decided by counting work, not by a clock: the same run measures the same users after the same epochs on every machine, today and
after a resume, and early stopping and the choice of the best epoch stay repeatable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from mfcore.models.config import ModelConfig
from mfcore.training.config import TrainConfig

ALWAYS_GRANTED = 0.25
"""Counted seconds of validation an epoch may take whatever training takes: MovieLens 100K is always measured whole."""
FEWEST_USERS = 1000
"""With fewer, a ranking metric moves by more than most epochs improve it; then epochs are left out instead."""

# Nanoseconds on one core of the machine of bench/results, see docs/decisions/validation-budget.md. Only ratios matter.
_MEASURING = 8e6
_MULTIPLY, _RANK_CANDIDATE = 0.03, 1.5
_TOWER_MULTIPLY, _HIDDEN = 0.1, 0.6
_PREDICT_PAIR, _RANK_NEGATIVE = 60.0, 1.5
_NATIVE_SAMPLE, _NATIVE_NUMBER = 8.0, 0.45
_OUT_OF_CACHE, _CACHED_WEIGHTS = 130.0, 4_000_000
_AUTOGRAD_STEP, _AUTOGRAD_SAMPLE, _AUTOGRAD_NUMBER, _AUTOGRAD_TOWER = 110_000.0, 70.0, 2.2, 0.3
_OPTIMIZE_WEIGHT = {"sgd": 0.12, "adagrad": 0.3, "rmsprop": 0.35, "adam": 0.37, "adamw": 0.37, "sparse-adam": 0.0}
_ALS_NUMBER, _ALS_WEIGHT = 0.08, 0.06


@dataclass(frozen=True)
class ValidationPlan:
    """``users`` of ``all_users`` are measured after every ``every``-th epoch; all of them after the last."""

    users: int
    all_users: int
    every: int = 1

    @property
    def complete(self) -> bool:
        """Whether everything is measured after every epoch."""
        return self.users >= self.all_users and self.every == 1

    @property
    def share(self) -> float:
        """Share of the validation users measured, 0 to 1."""
        return self.users / self.all_users if self.all_users else 1.0


@dataclass(frozen=True)
class Shape:
    """What the work depends on: training samples an epoch, weights, users and items ranked, and what each user has held out."""

    samples: int
    weights: int
    users: int
    items: int
    held: int
    candidates: int


def plan_validation(shape: Shape, model: ModelConfig, config: TrainConfig, engine: str) -> ValidationPlan:
    """The most users, evenly over epochs, that cost at most ``config.validation_budget`` of training.

    ``shape.held``: held-out interactions in all; ``shape.candidates``: sampled competitors of each, over all draws.
    """
    whole = ValidationPlan(shape.users, shape.users)
    if config.validation_budget == 0 or shape.users == 0:
        return whole
    allowed = max(config.validation_budget * training_seconds(shape, model, config, engine), ALWAYS_GRANTED)
    a_user = validation_seconds(shape, model) / shape.users
    affordable = int(allowed / a_user)
    if affordable >= shape.users:
        return whole
    users = min(shape.users, max(affordable, FEWEST_USERS))
    return ValidationPlan(users, shape.users, math.ceil(users * a_user / allowed) if users > affordable else 1)


def validation_seconds(shape: Shape, model: ModelConfig) -> float:
    """Counted seconds of measuring every validation user: rank all items, rank the sampled ones, predict what is held out."""
    widths = model.mlp_layers if model.name in ("mlp", "neumf") else ()
    hidden = sum(a * b for a, b in pairwise(widths[1:]))
    dot = 0 if model.name == "mlp" else model.embedding_dim
    a_score = _MULTIPLY * dot + _TOWER_MULTIPLY * hidden + _HIDDEN * sum(widths[1:]) + _RANK_CANDIDATE
    a_held = _PREDICT_PAIR + _RANK_NEGATIVE * shape.candidates
    return 1e-9 * (_MEASURING + shape.users * shape.items * a_score + shape.held * a_held)


def training_seconds(shape: Shape, model: ModelConfig, config: TrainConfig, engine: str) -> float:
    """Counted seconds of one epoch."""
    dim = 0 if model.name == "mlp" else model.embedding_dim
    if engine == "native":
        fetch = _OUT_OF_CACHE if shape.weights > _CACHED_WEIGHTS else 0.0
        return 1e-9 * shape.samples * (_NATIVE_SAMPLE + _NATIVE_NUMBER * dim + fetch)
    if engine == "als":  # a square from each rating, twice, and one system for each row: rows · dim³ = weights · dim²
        return 1e-9 * dim**2 * (_ALS_NUMBER * shape.samples + _ALS_WEIGHT * shape.weights)
    steps = math.ceil(shape.samples / config.batch_size)
    widths = model.mlp_layers if model.name in ("mlp", "neumf") else ()
    tower = sum(a * b for a, b in pairwise(widths))
    a_sample = _AUTOGRAD_SAMPLE + _AUTOGRAD_NUMBER * (dim + sum(widths)) + _AUTOGRAD_TOWER * tower
    a_step = _AUTOGRAD_STEP
    if not config.sparse_gradients:
        a_step += _OPTIMIZE_WEIGHT.get(config.optimizer, 0.37) * shape.weights
    return 1e-9 * (shape.samples * a_sample + steps * a_step)
