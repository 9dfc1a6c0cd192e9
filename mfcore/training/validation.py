"""What is measured on the validation part after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from mfcore.evaluation.protocol import Protocol
from mfcore.evaluation.protocol import all_relevant as relevant_by_rule
from mfcore.models.base import RecommenderModel
from mfcore.training.config import TrainConfig
from mfcore.training.engines.als.whole_matrix import HeldOutLoss
from mfcore.training.losses import loss_on
from mfcore.training.samples import SampleSource
from mfcore.training.validation_budget import Shape, ValidationPlan, plan_validation
from mfcore.typing import Int64

if TYPE_CHECKING:
    from mfcore.data import Interactions, Split


class Measured(NamedTuple):
    """Loss without L2, metrics by name, and the share of validation users they are over; NaN, none and 0: not measured."""

    loss: float
    metrics: dict[str, float]
    share: float


class Validation:
    """Loss and metrics of a model on ``split.valid``, of as many users as ``plan`` affords after an epoch.

    Ranking losses use negatives drawn once, with the seed: items of neither the user's training nor validation interactions.
    The users are drawn once, with the seed of the sampled negatives: every epoch, and every run with the same plan, measures
    the same ones.

    Attributes:
        metric: the one that chooses the best epoch, ``rmse`` or ``ndcg@K``. plan: who is measured, and when.
    """

    def __init__(
        self,
        split: Split,
        config: TrainConfig,
        protocol: Protocol,
        device: torch.device,
        *,
        model: RecommenderModel | None = None,
        samples: int = 0,
        engine: str = "autograd",
    ) -> None:
        self.split, self.config, self.protocol, self.device = split, config, protocol, device
        self.metric = f"ndcg@{protocol.k}" if config.implicit else "rmse"
        self._users: Int64 = np.unique(split.valid.user_idx)
        self.plan = ValidationPlan(len(self._users), len(self._users))
        if model is not None:
            shape = Shape(
                samples=samples,
                weights=model.num_parameters,
                users=len(self._users),
                items=split.data.num_items,
                held=len(split.valid),
                candidates=protocol.sampled_negatives * protocol.draws,
            )
            self.plan = plan_validation(shape, model.config, config, engine)
        self._parts: dict[bool, tuple[Callable[[RecommenderModel], float], Any]] = {}

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

    def run(self, model: RecommenderModel, epoch: int) -> Measured:
        """What the plan has for this epoch; nothing where the validation part is empty."""
        if len(self._users) == 0:
            return Measured(math.nan, {}, 1.0)
        if epoch % self.plan.every:
            return Measured(math.nan, {}, 0.0)
        return self._measure(model, everyone=self.plan.users >= self.plan.all_users)

    def everyone(self, model: RecommenderModel) -> Measured:
        """All validation users, whatever the plan says."""
        if len(self._users) == 0:
            return Measured(math.nan, {}, 1.0)
        return self._measure(model, everyone=True)

    def _measure(self, model: RecommenderModel, *, everyone: bool) -> Measured:
        loss, evaluator = self._part(everyone)
        return Measured(loss(model), evaluator.metrics(model), 1.0 if everyone else self.plan.share)

    def _part(self, everyone: bool) -> tuple[Callable[[RecommenderModel], float], Any]:
        """Prepared on first use, because most runs need one of the two only."""
        if everyone not in self._parts:
            from mfcore.evaluation import Evaluator  # refitting, without validation data, does without

            users = None if everyone else self.chosen()
            part = self.split.valid if users is None else self.split.valid.of_users(users)
            all_relevant = relevant_by_rule(self.split.config.kind, ranks=self.config.implicit)
            evaluator = Evaluator(self.split, "valid", self.protocol, all_relevant, users=users)
            self._parts[everyone] = self._loss_on(part), evaluator
        return self._parts[everyone]

    def _loss_on(self, part: Interactions) -> Callable[[RecommenderModel], float]:
        if self.config.loss == "weighted-mse":
            return HeldOutLoss(part, self.split.train, self.config.unobserved_weight, self.device)
        source = SampleSource(part, self.config, self.device, avoid=self.split.train)
        samples = source.draw(torch.Generator(self.device).manual_seed(self.config.seed), shuffle=False)
        return lambda model: loss_on(model, self.config.loss, samples)

    def chosen(self) -> Int64:
        """(m,) int64: the users that the plan measures, ascending."""
        drawn = np.random.default_rng(self.protocol.negatives_seed).permutation(self._users)
        return np.sort(drawn[: self.plan.users])
