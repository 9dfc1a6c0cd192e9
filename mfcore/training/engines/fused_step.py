"""The optimizers' steps, without what ``Optimizer.step`` does around them each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from mfcore.training.optimizers import set_rate


class Stepper:
    """Calls torch's own fused update with lists that were collected once.

    ``Optimizer.step`` collects weights and state anew each time, one group after the other; for a model of this size that takes
    as long as the update itself. The first step is left to it, because it makes the state. Optimizers without a fused update
    (RMSprop, sparse ones) keep their own ``step``.
    """

    def __init__(self, optimizers: list[Optimizer]) -> None:
        self._optimizers = optimizers
        self._updates: list[Callable[[float | Tensor], None]] = []
        self._collected_from: list[object] = []

    def step(self, rate: float | Tensor) -> None:
        """One step with learning rate ``rate``, before multipliers; a tensor (on the device) only once state exists."""
        if self.stale():
            assert isinstance(rate, float)
            set_rate(self._optimizers, rate)
            for optimizer in self._optimizers:
                optimizer.step()
            self.collect()
            return
        with torch.no_grad():
            for update in self._updates:
                update(rate)

    def collect(self) -> None:
        """Note where weights and state are now. Needed again when a checkpoint put other tensors there, which is noticed."""
        self._updates = [update for optimizer in self._optimizers for update in _updates(optimizer)]
        self._collected_from = [optimizer.state for optimizer in self._optimizers]

    def stale(self) -> bool:
        """Whether there is no state yet, or another than was noted."""
        if not self._collected_from:
            return True
        pairs = zip(self._collected_from, self._optimizers, strict=True)
        return any(state is not optimizer.state for state, optimizer in pairs)


def is_fused(optimizer: Optimizer) -> bool:
    """Whether :class:`Stepper` calls this optimizer's update itself."""
    return type(optimizer) in _FUNCTIONS and all(group.get("fused") for group in optimizer.param_groups)


def _updates(optimizer: Optimizer) -> list[Callable[[float | Tensor], None]]:
    if not is_fused(optimizer):
        return [lambda rate: _own_step(optimizer, rate)]
    by_multiplier: dict[float, list[dict[str, Any]]] = {}
    for group in optimizer.param_groups:
        by_multiplier.setdefault(group["multiplier"], []).append(group)
    return [_FusedUpdate(optimizer, multiplier, groups) for multiplier, groups in by_multiplier.items()]


def _own_step(optimizer: Optimizer, rate: float | Tensor) -> None:
    assert isinstance(rate, float)
    set_rate([optimizer], rate)
    optimizer.step()


class _FusedUpdate:
    """All groups of one multiplier in one call: what the optimizer itself would do, in the same order of operations."""

    def __init__(self, optimizer: Optimizer, multiplier: float, groups: list[dict[str, Any]]) -> None:
        rule = _FUNCTIONS[type(optimizer)]
        self._function, self._multiplier = rule.function, multiplier
        self._parameters = [parameter for group in groups for parameter in group["params"]]
        found = [optimizer.state.get(parameter, {}) for parameter in self._parameters]
        self._state = [[state[name] for state in found] if name in found[0] else _without(name, found) for name in rule.state]
        self._options = {name: groups[0][key] for name, key in rule.options.items()}
        if "betas" in groups[0]:
            self._options["beta1"], self._options["beta2"] = groups[0]["betas"]

    def __call__(self, rate: float | Tensor) -> None:
        gradients = [parameter.grad for parameter in self._parameters]
        rate = rate * self._multiplier if self._multiplier != 1.0 else rate
        self._function(self._parameters, gradients, *self._state, **self._options, lr=rate, fused=True)


def _without(name: str, found: list[dict[str, Tensor]]) -> list[None]:
    # SGD wants a place for each weight's momentum even where there is none; Adam wants no list of maxima.
    return [None] * len(found) if name == "momentum_buffer" else []


@dataclass(frozen=True)
class _Rule:
    """``state``: names of the state tensors, in the order of the function's arguments. ``options``: keyword → a group's key."""

    function: Callable[..., None]
    state: tuple[str, ...]
    options: dict[str, str]


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_ADAM_STATE = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step")
_ADAM_OPTIONS = _same("amsgrad", "weight_decay", "eps", "maximize")
_FUNCTIONS: dict[type[Optimizer], _Rule] = {
    SGD: _Rule(sgd, ("momentum_buffer",), _same("weight_decay", "momentum", "dampening", "nesterov", "maximize")),
    Adagrad: _Rule(adagrad, ("sum", "step"), _same("lr_decay", "weight_decay", "eps", "maximize")),
    Adam: _Rule(adam, _ADAM_STATE, _ADAM_OPTIONS),
    AdamW: _Rule(adamw, _ADAM_STATE, _ADAM_OPTIONS),
}
