"""When a setting matters: what is chosen beside it, and why it then has no effect."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mfcore.registry import (
    DATASETS,
    LOSSES,
    MODELS,
    OPTIMIZERS,
    SPLITS,
    DatasetSpec,
    LossSpec,
    ModelSpec,
    OptimizerSpec,
    Registry,
    SplitSpec,
)
from mfcore.validate import typed_number

CUTTING = ("step", "plateau")
"""Schedules that cut the learning rate now and then."""


class Choices:
    """The settings of a run by flat key, as values or as typed: what "when does this matter" is asked of.

    Nothing here raises: a form asks while half of it is typed. What is absent has its default.
    """

    def __init__(self, flat: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self._flat, self._defaults = flat, defaults

    def get(self, key: str) -> Any:
        """As it was given, else the default."""
        return self._flat.get(key, self._defaults[key])

    def number(self, key: str) -> float:
        """As a number; NaN where it is none."""
        try:
            value = self.get(key)
            return typed_number(value) if isinstance(value, str) else float(value)
        except (TypeError, ValueError):
            return math.nan

    def flag(self, key: str) -> bool:
        """Whether it is on."""
        return self.get(key) in (True, "true", "yes", "on", "1")

    @property
    def model(self) -> ModelSpec | None:
        return MODELS.get(str(self.get("model")))

    @property
    def loss(self) -> LossSpec | None:
        return LOSSES.get(str(self.get("loss")))

    @property
    def optimizer(self) -> OptimizerSpec | None:
        return OPTIMIZERS.get(str(self.get("optimizer")))

    @property
    def split(self) -> SplitSpec | None:
        return SPLITS.get(str(self.get("split")))

    @property
    def dataset(self) -> DatasetSpec | None:
        return DATASETS.get(str(self.get("dataset")))


Idle = Callable[[Choices], str]
"""Why a setting changes nothing here, in words; empty where it does."""


def always(chosen: Choices) -> str:
    return ""


def who(registry: Registry[Any], uses: Callable[[Any], bool]) -> str:
    """The names for which ``uses`` holds, as a sentence has them: "mlp and neumf"."""
    *first, last = [name for name, spec in registry.items() if uses(spec)] or ["nothing"]
    return f"{', '.join(first)} and {last}" if first else last


def have(registry: Registry[Any], uses: Callable[[Any], bool], one: str, many: str) -> str:
    return f"only {who(registry, uses)} {one if sum(map(uses, registry.values())) == 1 else many}"


def steps(chosen: Choices) -> str:
    solves = chosen.optimizer is not None and chosen.optimizer.solves
    return f"{chosen.optimizer.label} takes no steps, it solves" if solves and chosen.optimizer else ""


def model_uses(key: str, what: str) -> Idle:
    def idle(chosen: Choices) -> str:
        if chosen.model is None or key in chosen.model.uses:
            return ""
        return have(MODELS, lambda spec: key in spec.uses, f"has {what}", f"have {what}")

    return idle


def model_has(group: str, what: str) -> Idle:
    def idle(chosen: Choices) -> str:
        if steps(chosen) or chosen.model is None or group in chosen.model.groups:
            return steps(chosen)
        return have(MODELS, lambda spec: group in spec.groups, f"has {what}", f"have {what}")

    return idle


def optimizer_uses(key: str, why: str) -> Idle:
    return lambda chosen: "" if chosen.optimizer is None or key in chosen.optimizer.uses else why


def split_uses(key: str, why: str) -> Idle:
    return lambda chosen: "" if chosen.split is None or key in chosen.split.uses else why


def transform(chosen: Choices) -> str:
    only_chosen = chosen.dataset is not None and chosen.dataset.feedback == "chosen"
    return "this data only says what was chosen" if only_chosen else ""


def draws_negatives(chosen: Choices) -> str:
    if chosen.loss is None or chosen.loss.draws_negatives:
        return ""
    return f"only the losses {who(LOSSES, lambda spec: spec.draws_negatives)} draw negatives"


def counts_cells(chosen: Choices) -> str:
    if chosen.loss is None or chosen.loss.solved:
        return ""
    return f"only the loss {who(LOSSES, lambda spec: spec.solved)} counts what was not chosen"


def confidence(chosen: Choices) -> str:
    ranks = chosen.loss is None or chosen.loss.ranks
    return "" if ranks else "a model of ratings predicts the numbers themselves"


def confidence_alpha(chosen: Choices) -> str:
    return confidence(chosen) or ("confidence is none" if chosen.get("confidence") == "none" else "")


def cuts(chosen: Choices) -> str:
    return steps(chosen) or ("" if chosen.get("schedule") in CUTTING else f"only schedules {' and '.join(CUTTING)} cut")


def embedding_dim(chosen: Choices) -> str:
    if chosen.model is None or "embedding_dim" in chosen.model.uses:
        return ""
    return f"the widths of {chosen.model.name} are mlp_layers"


def spread(chosen: Choices) -> str:
    return "vectors start uniform on 0 to 1" if chosen.get("init") == "uniform" else ""


def mean(chosen: Choices) -> str:
    shape: Any = _Shape(True, chosen.flag("output_range"))
    starts = chosen.model is None or chosen.model.starts_from_mean(shape)
    ranks = chosen.loss is not None and chosen.loss.ranks
    return "" if starts and not ranks else "only predicted ratings start from a mean, mf's only in an output range"


@dataclass(frozen=True)
class _Shape:
    """As much of a model's configuration as decides whether it starts from the mean."""

    global_mean: bool
    output_range: bool


def squeezed(chosen: Choices) -> str:
    ranks = chosen.loss is not None and chosen.loss.ranks
    return "only predicted ratings are squeezed" if ranks else steps(chosen)


def positives(chosen: Choices) -> str:
    ranks = chosen.loss is None or chosen.loss.ranks
    return "" if ranks else "a model of ratings learns from all of them"


def relevance(chosen: Choices) -> str:
    ranks = chosen.loss is not None and chosen.loss.ranks
    return "when ranking is trained, all held-out items count" if ranks else ""


def nesterov(chosen: Choices) -> str:
    unused = optimizer_uses("nesterov", "only SGD can look ahead")(chosen)
    return unused or ("momentum is 0" if chosen.number("momentum") == 0 else "")


def sparse(chosen: Choices) -> str:
    spec = chosen.optimizer
    return "" if spec is None or spec.sparse != "never" else f"{spec.label} updates every row"


def hogwild(chosen: Choices) -> str:
    return steps(chosen) or ("" if chosen.number("batch_size") == 1 else "only batch_size 1 trains without locks")


def decay_scaling(chosen: Choices) -> str:
    return "weight_decay is 0" if chosen.number("weight_decay") == 0 else ""
