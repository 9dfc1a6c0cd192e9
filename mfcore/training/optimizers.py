"""Optimizers by name, with a learning rate of its own for each kind of parameter."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, SparseAdam

from mfcore.models.base import RecommenderModel
from mfcore.registry import OPTIMIZERS, load
from mfcore.training.config import TrainConfig

Groups = list[dict[str, Any]]
"""Parameter groups: ``params``, their ``kind`` (factors, biases, mlp), and the ``multiplier`` of its learning rate."""


def build_optimizers(model: RecommenderModel, config: TrainConfig) -> list[Optimizer]:
    """What the optimizer's spec builds: usually one, several where no one can update all parameters.

    Every parameter group carries its ``multiplier``; :func:`set_rate` turns a learning rate into rates of groups.
    """
    if gradients_are_sparse(config):
        # Adagrad builds sparse tensors from the indices of gradients, which are sound; unasked, torch warns that it trusts so.
        torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]
    spec = OPTIMIZERS[config.optimizer]
    fused = model.device.type in spec.fused_on and not config.sparse_gradients
    built: list[Optimizer] = load(spec.build)(_groups(model, config), config, {"fused": True} if fused else {})
    return built


# What the specs build: (parameter groups, configuration, how to make steps one pass over memory) → optimizers.


def sgd(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[Optimizer]:
    """Gradient descent, with momentum if that is asked for."""
    return [SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=config.nesterov, **fused)]


def adagrad(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[Optimizer]:
    """Steps divided by the root of the sum of squared gradients (Duchi et al. 2011)."""
    return [Adagrad(groups, lr=config.learning_rate, **fused)]


def adam(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[Optimizer]:
    """Adam (Kingma & Ba 2015); L2 is part of the loss."""
    return [Adam(groups, lr=config.learning_rate, **fused)]


def adamw(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[Optimizer]:
    """Adam that decays weights itself, all of them, each step (Loshchilov & Hutter 2019)."""
    return [AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, **fused)]


def rmsprop(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[Optimizer]:
    """Steps divided by the root of a moving mean of squared gradients; torch has no fused one."""
    return [RMSprop(groups, lr=config.learning_rate, momentum=config.momentum)]


def sparse_adam(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[Optimizer]:
    """Adam for the rows that a batch touches; it cannot update the dense weights of an MLP, so Adam does."""
    sparse = [group for group in groups if group["kind"] != "mlp"]
    dense = [group for group in groups if group["kind"] == "mlp"]
    return [SparseAdam(sparse), *([Adam(dense, **fused)] if dense else [])]


def als(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[Optimizer]:
    """Never asked for a step, because ALS solves; like ALS it remembers nothing."""
    return [SGD(groups, lr=config.learning_rate)]


# What happens to them later.


def set_rate(optimizers: list[Optimizer], rate: float) -> None:
    """Give every group ``rate`` times its multiplier."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate * group["multiplier"]


def set_options(optimizers: list[Optimizer], config: TrainConfig) -> None:
    """Give every group the multiplier, and an optimizer that decays weights the weight decay, that ``config`` has now."""
    multipliers = _multipliers(config)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["multiplier"] = multipliers[group["kind"]]
            if decoupled_decay(config):
                group["weight_decay"] = config.weight_decay


def decoupled_decay(config: TrainConfig) -> bool:
    """Whether the optimizer decays weights itself, so that the loss carries no L2."""
    return OPTIMIZERS[config.optimizer].decays_weights


def gradients_are_sparse(config: TrainConfig) -> bool:
    """Whether gradients of the embedding tables hold only the rows that a batch touches."""
    return config.sparse_gradients or OPTIMIZERS[config.optimizer].sparse == "always"


def optimizer_state(optimizers: list[Optimizer]) -> list[dict[str, Any]]:
    """Everything they remember and how they are set, as torch has it."""
    return [optimizer.state_dict() for optimizer in optimizers]


def load_optimizer_state(optimizers: list[Optimizer], states: list[dict[str, Any]]) -> None:
    """Go on where :func:`optimizer_state` was taken."""
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.load_state_dict(state)


def load_optimizer_memory(optimizers: list[Optimizer], states: list[dict[str, Any]]) -> None:
    """What optimizers of the same kind remember (moments, sums of squares), under our own rates and options."""
    own = [{**optimizer.state_dict(), "state": state["state"]} for optimizer, state in zip(optimizers, states, strict=True)]
    load_optimizer_state(optimizers, own)


def zero_gradients(optimizers: list[Optimizer]) -> None:
    """Forget the gradients."""
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)


def _groups(model: RecommenderModel, config: TrainConfig) -> Groups:
    found, multipliers = model.parameter_groups(), _multipliers(config)
    return [{"params": found[kind], "kind": kind, "multiplier": multipliers[kind]} for kind in multipliers if found.get(kind)]


def _multipliers(config: TrainConfig) -> dict[str, float]:
    return {
        "biases": config.bias_lr_multiplier,
        "factors": config.factor_lr_multiplier,
        "mlp": config.mlp_lr_multiplier,
    }
