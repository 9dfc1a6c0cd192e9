"""What a training consists of: how it is built, put away, taken up again and branched off."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mfcore.evaluation.protocol import Protocol
from mfcore.models.base import RecommenderModel
from mfcore.models.neural import Dropout
from mfcore.training.config import TrainConfig
from mfcore.training.device import default_threads
from mfcore.training.engines.als.sweep import epoch_source
from mfcore.training.engines.choice import choose_device, choose_engine
from mfcore.training.engines.workbench import Workbench
from mfcore.training.epoch_pass import EpochPass, put_state
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import (
    build_optimizers,
    gradients_are_sparse,
    load_optimizer_memory,
    load_optimizer_state,
    optimizer_state,
    set_options,
    zero_gradients,
)
from mfcore.training.rates import Rates
from mfcore.training.selection import Selection
from mfcore.training.validation import Validation
from mfcore.validate import require

if TYPE_CHECKING:
    from mfcore.data import Split

_COUNTERS = ("epoch", "step", "train_seconds")
_DECISIVE = {field.name for field in dataclasses.fields(TrainConfig)} - {"device", "threads"}


class Training:
    """Model, optimizers, samples, engine and counters of one training. :class:`Trainer` goes through the epochs.

    Attributes:
        config: the settings in force. changed: those of them that were changed since the beginning, by name.
    """

    def __init__(self, model: RecommenderModel, split: Split, config: TrainConfig, protocol: Protocol) -> None:
        require(len(split.train) > 0, "there is nothing to train on: the training part of the split is empty")
        squeezed = model.config.output_range and config.implicit
        require(not squeezed, f"output_range squeezes ratings, so it needs loss mse, got {config.loss}")
        self.config = self._first_config = config
        self.protocol, self.changed = protocol, dict[str, Any]()
        self.device = choose_device(model, config)
        self.threads = config.threads or default_threads()
        torch.set_num_threads(self.threads)
        self.model = model.to(self.device)
        model.predicts_ratings = not config.implicit
        model.sparse_gradients = gradients_are_sparse(config)
        self.epoch = self.step = 0
        self.train_seconds = 0.0
        self.stop_reason = ""
        self._train_part = split.train
        self._optimizers = build_optimizers(model, config)
        self._source = epoch_source(split.train, config, self.device)
        self._pass = EpochPass(self._source, self.device, config.seed)
        self.rates = Rates(config, self._pass.size)
        self._best: dict[str, Tensor] | None = None
        self._dropper = torch.Generator(self.device).manual_seed(config.seed + 1)
        for module in model.modules():
            if isinstance(module, Dropout):
                module.generator = self._dropper
        self._meter = LossMeter(self.device)
        self._choose_engine()
        samples, engine = self._pass.size, self._engine.name
        self._validation = Validation(split, config, protocol, self.device, model=model, samples=samples, engine=engine)
        self._selection = Selection(self._validation.metric, higher_is_better=config.implicit)

    def _choose_engine(self) -> None:
        bench = Workbench(self.model, self.config, self._optimizers, self._meter, self._train_part, self.threads)
        self._engine, self.engine_reason = choose_engine(bench)

    def _follow_config(self) -> None:
        """What was built for another configuration is fitted to the present one."""
        set_options(self._optimizers, self.config)
        zero_gradients(self._optimizers)  # what another engine left there is not this one's
        self.rates.configure(self.config, self._pass.size)
        self._choose_engine()

    def _begin_epoch(self) -> None:
        self._pass.begin()
        self._meter.reset()

    def _read_losses(self) -> None:
        """Read what the meter has not read yet; raises TrainingDiverged."""
        raise NotImplementedError

    # Putting it away and taking it up again

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on exactly, a copy: tensors, numbers and text in dicts and lists."""
        self._read_losses()
        counters = {name: getattr(self, name) for name in _COUNTERS}
        counters |= {"_done": self._pass.done, "_seconds": self._pass.seconds}
        state = {
            "model": self.model.state_dict(),
            "optimizers": optimizer_state(self._optimizers),
            "selection": self._selection.state_dict(),
            "shuffler_at_start": self._pass.state(),
            "dropper": self._dropper.get_state(),
            "counters": counters | {"base_rate": self.rates.base, "loss_sum": self._meter.total},
            "schedule": self.rates.state_dict(),
            "changed": dict(self.changed),
        }
        # The best weights are replaced, never changed, so they need no copy.
        return {**_copied(state), "best": None if self._best is None else dict(self._best)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken, in the middle of an epoch too. Bit for bit on the CPU.

        Settings that were changed before then are changed here too.
        """
        changed = dict(state.get("changed", {}))
        load_optimizer_state(self._optimizers, _copied(state["optimizers"]))
        if changed or self.changed:
            self.config, self.changed = dataclasses.replace(self._first_config, **changed), changed
            self._follow_config()
        self._load(state)
        self.rates.load_state_dict(state.get("schedule", {}), state["counters"]["base_rate"], self.config)

    def branch_from(self, state: Mapping[str, Any], changes: Collection[str]) -> None:
        """Go on from another training's state at the end of an epoch, under our own configuration.

        ``changes``: names of the settings in which we differ from that training. None: the same weights as if it had gone on.

        Raises:
            UnusableRequest: the state was taken in the middle of an epoch.
        """
        counters = state["counters"]
        require(counters["_done"] == 0, "a branch starts at the end of an epoch")
        if "optimizer" not in changes:
            load_optimizer_memory(self._optimizers, _copied(state["optimizers"]))
        self._load(state)
        if "seed" in changes:
            self._pass.reseed(self.config.seed)
            self._dropper.manual_seed(self.config.seed + 1)
        if _DECISIVE & set(changes):  # epochs without a better one, under other settings, say nothing about these
            self._selection.be_patient()
        base = self.config.learning_rate if "learning_rate" in changes else counters["base_rate"]
        self.rates.load_state_dict(state.get("schedule", {}), base, self.config)
        self.rates.settle(self.epoch, 0, self.step)

    def _load(self, state: Mapping[str, Any]) -> None:
        counters, best = state["counters"], state["best"]
        self.model.load_state_dict(state["model"])
        self._best = None if best is None else {name: tensor.to(self.device) for name, tensor in best.items()}
        self._selection.load_state_dict(state["selection"])
        # The epoch's samples are drawn again from the state they were drawn from.
        self._pass.restore(state["shuffler_at_start"], counters["_done"], counters["_seconds"])
        put_state(self._dropper, state["dropper"])
        self._meter.reset()
        self._meter.total = counters["loss_sum"]
        for name in _COUNTERS:
            setattr(self, name, counters[name])
        self.stop_reason = ""


def _copied(value: Any) -> Any:
    """As copy.deepcopy, for nested dicts, lists and tuples of tensors and plain values, and several times as fast."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(entry) for entry in value)
    return value
