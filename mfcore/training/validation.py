"""What is measured on the validation part after every epoch, and how much of it, so that measuring stays small beside training.

How much is decided by counting work, not by a clock: the same run measures the same users after the same epochs on every
machine, today and after a resume, and early stopping and the choice of the best epoch stay repeatable.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from mfcore.evaluation.metrics import selection_key
from mfcore.evaluation.protocol import Protocol
from mfcore.evaluation.protocol import all_relevant as relevant_by_rule
from mfcore.models.base import RecommenderModel
from mfcore.models.config import ModelConfig
from mfcore.registry import LOSSES, MODELS, OPTIMIZERS, load
from mfcore.training.confidence import confidence
from mfcore.training.config import TrainConfig
from mfcore.training.limits import USUAL, Limits
from mfcore.training.losses import loss_on
from mfcore.training.samples import SampleSource
from mfcore.typing import Int64

if TYPE_CHECKING:
    from mfcore.data import Interactions, Split
    from mfcore.evaluation import Evaluator

# Nanoseconds on one core of the machine of bench/results, see docs/decisions/validation-budget.md. Only ratios matter.
_MULTIPLY, _RANK_CANDIDATE = 0.03, 1.5
_TOWER_MULTIPLY, _HIDDEN = 0.1, 0.6
_PREDICT_PAIR, _RANK_NEGATIVE = 60.0, 1.5
_NATIVE_SAMPLE, _NATIVE_NUMBER = 8.0, 0.45
_OUT_OF_CACHE, _CACHED_WEIGHTS = 130.0, 4_000_000
_AUTOGRAD_STEP, _AUTOGRAD_SAMPLE, _AUTOGRAD_NUMBER, _AUTOGRAD_TOWER = 110_000.0, 70.0, 2.2, 0.3
_ALS_NUMBER, _ALS_WEIGHT = 0.08, 0.06


class Measured(NamedTuple):
    """Loss without L2, metrics by name, and the share of validation users they are over; NaN, none and 0: not measured."""

    loss: float
    metrics: dict[str, float]
    share: float


def selection_metric(config: TrainConfig, protocol: Protocol) -> str:
    """The metric that chooses the best epoch: ``rmse``, or ``ndcg@K`` where training learns to rank."""
    return selection_key(protocol.k, ranks=config.implicit)


class Measuring(typing.Protocol):
    """What measures a model after an epoch: :class:`Validation`, or :class:`Remembered`."""

    @property
    def words(self) -> str: ...

    @property
    def users(self) -> Int64 | None: ...

    def run(self, model: RecommenderModel, epoch: int, *, complete: bool = False) -> Measured: ...


@dataclass(frozen=True)
class Remembered:
    """Measures nothing: the figures of each epoch are those that another training had, ``{epoch: {metric: value}}``.

    For training once more on more data: a schedule that waits for a better epoch then cuts where it did.
    """

    metrics: Mapping[int, Mapping[str, float]]
    words: str = ""
    users: Int64 | None = None

    def run(self, model: RecommenderModel, epoch: int, *, complete: bool = False) -> Measured:
        """What is known of that epoch; nothing where it was not measured."""
        known = self.metrics.get(epoch, {})
        return Measured(math.nan, dict(known), 1.0 if known else 0.0)


class Validation:
    """Loss and metrics of a model on ``split.valid``, of as many users as ``plan`` affords after an epoch.

    Ranking losses use negatives drawn once, with the seed: items of neither the user's training nor validation interactions.
    The users are drawn once, with the seed of the sampled negatives: every epoch, and every run with the same plan, measures
    the same ones.

    Args:
        samples: training samples an epoch. engine: the name of what trains them.

    Attributes:
        plan: how many are measured, and when. users: who, (m,) int64 ascending; None: everyone.
    """

    def __init__(
        self,
        split: Split,
        config: TrainConfig,
        protocol: Protocol,
        model: RecommenderModel,
        samples: int,
        engine: str,
        limits: Limits = USUAL,
    ) -> None:
        self.split, self.config, self.protocol, self.device = split, config, protocol, model.device
        everyone: Int64 = np.unique(split.valid.user_idx)
        candidates = protocol.sampled_negatives * protocol.draws
        items, held = split.data.num_items, len(split.valid)
        shape = Shape(samples, model.num_parameters, len(everyone), items, held, candidates)
        self.plan = plan_validation(shape, model.config, config, engine, limits)
        drawn = np.random.default_rng(protocol.negatives_seed).permutation(everyone)[: self.plan.users]
        self.users: Int64 | None = None if self.plan.users >= len(everyone) else np.sort(drawn)
        self._parts: dict[bool, tuple[Callable[[RecommenderModel], float], Evaluator]] = {}

    @property
    def words(self) -> str:
        """What is left out, for people to read; empty if nothing is."""
        plan = self.plan
        if plan.complete:
            return ""
        who = "every user" if plan.users == plan.all_users else f"{plan.users:,} of {plan.all_users:,} users"
        when = "after every epoch" if plan.every == 1 else f"after every {plan.every} epochs"
        return (
            f"validation measures {who} {when}, to stay within {100 * self.config.validation_budget:.3g} % of training time, "
            "and everyone at the end"
        )

    def run(self, model: RecommenderModel, epoch: int, *, complete: bool = False) -> Measured:
        """What the plan has for this epoch; nothing where the validation part is empty. ``complete``: every user anyway."""
        if self.plan.all_users == 0:
            return Measured(math.nan, {}, 1.0)
        if epoch % self.plan.every and not complete:
            return Measured(math.nan, {}, 0.0)
        everyone = complete or self.users is None
        loss, evaluator = self._part(everyone)
        return Measured(loss(model), evaluator.metrics(model), 1.0 if everyone else self.plan.share)

    def _part(self, everyone: bool) -> tuple[Callable[[RecommenderModel], float], Evaluator]:
        """Prepared on first use, because most runs need one of the two only."""
        if everyone not in self._parts:
            from mfcore.evaluation import Evaluator  # refitting, without validation data, does without

            users = None if everyone else self.users
            part = self.split.valid if users is None else self.split.valid.of_users(users)
            all_relevant = relevant_by_rule(self.split.config.kind, ranks=self.config.implicit)
            evaluator = Evaluator(self.split, "valid", self.protocol, all_relevant, users=users)
            self._parts[everyone] = self._loss_on(part), evaluator
        return self._parts[everyone]

    def _loss_on(self, part: Interactions) -> Callable[[RecommenderModel], float]:
        loss = LOSSES[self.config.loss]
        if loss.solved:
            sure = confidence(self.config, part), confidence(self.config, self.split.train)
            measure: Callable[[RecommenderModel], float] = load(loss.implementation)(
                part, self.split.train, self.config.unobserved_weight, self.device, sure
            )
            return measure
        source = SampleSource(part, self.config, self.device, avoid=self.split.train)
        samples = source.draw(torch.Generator(self.device).manual_seed(self.config.seed), shuffle=False)
        return lambda model: loss_on(model, self.config.loss, samples)


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
    """What the work depends on: training ``samples`` an epoch, ``weights`` of the model, validation ``users`` and the
    ``items`` ranked, interactions ``held`` out in all, and sampled ``candidates`` beside each, over all draws."""

    samples: int
    weights: int
    users: int
    items: int
    held: int
    candidates: int


def plan_validation(
    shape: Shape, model: ModelConfig, config: TrainConfig, engine: str, limits: Limits = USUAL
) -> ValidationPlan:
    """The most users, evenly over epochs, that cost at most ``config.validation_budget`` of training."""
    whole = ValidationPlan(shape.users, shape.users)
    if config.validation_budget == 0 or shape.users == 0:
        return whole
    allowed = max(config.validation_budget * training_seconds(shape, model, config, engine), limits.granted_seconds)
    a_user = validation_seconds(shape, model, limits) / shape.users
    affordable = int(allowed / a_user)
    if affordable >= shape.users:
        return whole
    users = min(shape.users, max(affordable, limits.fewest_users))
    return ValidationPlan(users, shape.users, math.ceil(users * a_user / allowed) if users > affordable else 1)


def validation_seconds(shape: Shape, model: ModelConfig, limits: Limits = USUAL) -> float:
    """Counted seconds of measuring every validation user: rank all items, rank the sampled ones, predict what is held out."""
    work = MODELS[model.name].work_of(model)
    dim, widths = work.multiplications, work.widths
    hidden = sum(a * b for a, b in pairwise(widths[1:]))
    a_score = _MULTIPLY * dim + _TOWER_MULTIPLY * hidden + _HIDDEN * sum(widths[1:]) + _RANK_CANDIDATE
    a_held = _PREDICT_PAIR + _RANK_NEGATIVE * shape.candidates
    return 1e-9 * (limits.overhead_nanoseconds + shape.users * shape.items * a_score + shape.held * a_held)


def training_seconds(shape: Shape, model: ModelConfig, config: TrainConfig, engine: str) -> float:
    """Counted seconds of one epoch."""
    work = MODELS[model.name].work_of(model)
    dim, widths = work.multiplications, work.widths
    if engine == "native":
        fetch = _OUT_OF_CACHE if shape.weights > _CACHED_WEIGHTS else 0.0
        return 1e-9 * shape.samples * (_NATIVE_SAMPLE + _NATIVE_NUMBER * dim + fetch)
    if engine == "als":  # a square from each rating, twice, and one system for each row: rows · dim³ = weights · dim²
        return 1e-9 * dim**2 * (_ALS_NUMBER * shape.samples + _ALS_WEIGHT * shape.weights)
    if engine != "autograd":
        raise ValueError(f"nobody has measured what engine {engine} costs")
    steps = math.ceil(shape.samples / config.batch_size)
    tower = sum(a * b for a, b in pairwise(widths))
    a_sample = _AUTOGRAD_SAMPLE + _AUTOGRAD_NUMBER * (dim + sum(widths)) + _AUTOGRAD_TOWER * tower
    a_step = _AUTOGRAD_STEP
    if not config.sparse_gradients:
        a_step += OPTIMIZERS[config.optimizer].step_cost * shape.weights
    return 1e-9 * (shape.samples * a_sample + steps * a_step)
