"""What a training consists of between two steps: all that is put away, taken up again and branched off."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from mfcore.models.base import RecommenderModel
from mfcore.models.neural import Dropout
from mfcore.training.config import TrainConfig
from mfcore.training.limits import Limits
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import (
    build_optimizers,
    load_optimizer_memory,
    load_optimizer_state,
    optimizer_state,
    set_options,
    zero_gradients,
)
from mfcore.training.plan import PlanProgress
from mfcore.training.samples import EpochPass, Source, put_state
from mfcore.training.schedule import LearningRates
from mfcore.training.selection import Selection
from mfcore.validate import require

_COUNTERS = ("epoch", "step", "train_seconds")
_DECISIVE = {field.name for field in dataclasses.fields(TrainConfig)} - {"device", "threads", "plan"}


class TrainingState:
    """Model, optimizers, generators and counters of one training.

    Attributes:
        config: the settings in force. changed: those of them that were changed since the beginning, by name.
        epoch, step: epochs and steps done. train_seconds: spent on the epochs done. epoch_pass: how far the present one is.
        plan: what is to change on the way. rates: learning rates of the steps to come. selection: which epoch is the best so
            far. best: its weights, on the device; None before the first. meter: losses of the present epoch.
    """

    def __init__(self, model: RecommenderModel, config: TrainConfig, source: Source, metric: str, limits: Limits) -> None:
        self.model = model
        self.config = self._first_config = config
        self.changed: dict[str, Any] = {}
        self.epoch = self.step = 0
        self.train_seconds = 0.0
        self.optimizers = build_optimizers(model, config)
        self.epoch_pass = EpochPass(source, model.device, config.seed, limits.clock)
        self.plan = PlanProgress(config.plan)
        self.rates = LearningRates(config, self.epoch_pass.size)
        self.meter = LossMeter(model.device, limits)
        self.selection = Selection(metric, higher_is_better=config.implicit)
        self.best: dict[str, Tensor] | None = None
        self._dropper = torch.Generator(model.device).manual_seed(config.seed + 1)
        for module in model.modules():
            if isinstance(module, Dropout):
                module.generator = self._dropper

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, before multipliers; NaN for ALS, which has none."""
        return math.nan if self.config.solves else self.rates.at(self.step, self.selection.cuts)

    @property
    def samples_per_step(self) -> int:
        return self.config.samples_per_step(self.epoch_pass.size)

    @property
    def steps_into_epoch(self) -> int:
        """What is done of the epoch, in steps of the present batch size."""
        return round(self.epoch_pass.done / self.samples_per_step)

    def change(self, settings: Mapping[str, Any]) -> None:
        """From here on ``settings`` hold. :meth:`follow_config` makes the optimizers and rates obey them."""
        self.config = dataclasses.replace(self.config, **settings)
        self.changed.update(settings)

    def follow_config(self) -> None:
        """Fit what was built for another configuration to the present one."""
        set_options(self.optimizers, self.config)
        zero_gradients(self.optimizers)  # what another engine left there is not the next one's
        self.rates.configure(self.config)

    def keep_best(self) -> None:
        """The present weights are the best so far."""
        self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on exactly, a copy: tensors, numbers and text in dicts and lists."""
        counters = {name: getattr(self, name) for name in _COUNTERS}
        counters |= {"_done": self.epoch_pass.done, "_seconds": self.epoch_pass.seconds}
        state = {
            "model": self.model.state_dict(),
            "optimizers": optimizer_state(self.optimizers),
            "selection": self.selection.state_dict(),
            "shuffler_at_start": self.epoch_pass.state(),
            "dropper": self._dropper.get_state(),
            "counters": counters | {"base_rate": self.rates.base, "loss_sum": self.meter.total},
            "schedule": self.rates.state_dict(),
            "changed": dict(self.changed),
            "plan": self.plan.state_dict(),
        }
        # The best weights are replaced, never changed, so they need no copy.
        return {**_copied(state), "best": None if self.best is None else dict(self.best)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As :meth:`mfcore.training.Trainer.load_state_dict`."""
        changed = dict(state.get("changed", {}))
        load_optimizer_state(self.optimizers, _copied(state["optimizers"]))
        if changed or self.changed:
            self.config, self.changed = dataclasses.replace(self._first_config, **changed), changed
            self.follow_config()
        self._load(state)
        self.rates.load_state_dict(state.get("schedule", {}), state["counters"]["base_rate"], self.config)

    def branch_from(self, state: Mapping[str, Any], changes: Collection[str]) -> None:
        """As :meth:`mfcore.training.Trainer.branch_from`."""
        counters = state["counters"]
        require(counters["_done"] == 0, "a branch starts at the end of an epoch")
        if "optimizer" not in changes:
            load_optimizer_memory(self.optimizers, _copied(state["optimizers"]))
        self._load(state)
        if "seed" in changes:
            self.epoch_pass.reseed(self.config.seed)
            self._dropper.manual_seed(self.config.seed + 1)
        if _DECISIVE & set(changes):  # epochs without a better one, under other settings, say nothing about these
            self.selection.be_patient()
        self.rates.load_state_dict(state.get("schedule", {}), counters["base_rate"], self.config)
        self.rates.branch(self.config, changes, self.epoch, self.step)

    def _load(self, state: Mapping[str, Any]) -> None:
        counters, best = state["counters"], state["best"]
        self.model.load_state_dict(state["model"])
        self.best = None if best is None else {name: tensor.to(self.model.device) for name, tensor in best.items()}
        self.selection.load_state_dict(state["selection"])
        self.plan.load_state_dict(state.get("plan", {}), counters["epoch"])
        # The epoch's samples are drawn again from the state they were drawn from.
        self.epoch_pass.restore(state["shuffler_at_start"], counters["_done"], counters["_seconds"])
        put_state(self._dropper, state["dropper"])
        self.meter.reset()
        self.meter.total = counters["loss_sum"]
        for name in _COUNTERS:
            setattr(self, name, counters[name])


def _copied(value: Any) -> Any:
    """As copy.deepcopy, for nested dicts, lists and tuples of tensors and plain values, and several times as fast."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(entry) for entry in value)
    return value
