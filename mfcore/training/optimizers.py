"""Optimizers by name, with a learning rate of its own for each kind of parameter."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, SparseAdam

from mfcore.models.base import RecommenderModel
from mfcore.training.config import TrainConfig


def build_optimizers(model: RecommenderModel, config: TrainConfig) -> list[Optimizer]:
    """One optimizer, or two for SparseAdam, which cannot update the dense weights of an MLP (Adam does).

    Every parameter group carries its ``multiplier``; :func:`set_rate` turns a learning rate into rates of groups. AdamW
    decays weights itself (all of them, each step); for the others L2 is part of the loss.
    """
    groups = _groups(model, config)
    if gradients_are_sparse(config):
        # Adagrad builds sparse tensors from the indices of gradients, which are sound; unasked, torch warns that it trusts so.
        torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]
    if config.optimizer == "sparse-adam":
        sparse = [group for group in groups if group["kind"] != "mlp"]
        dense = [group for group in groups if group["kind"] == "mlp"]
        return [SparseAdam(sparse), *([Adam(dense, **_fast(model, config.optimizer))] if dense else [])]
    return [_single(groups, model, config)]


def set_rate(optimizers: list[Optimizer], rate: float) -> None:
    """Give every group ``rate`` times its multiplier."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate * group["multiplier"]


def set_options(optimizers: list[Optimizer], config: TrainConfig) -> None:
    """Give every group the multiplier, and AdamW the weight decay, that ``config`` has now."""
    multipliers = _multipliers(config)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["multiplier"] = multipliers[group["kind"]]
            if decoupled_decay(config):
                group["weight_decay"] = config.weight_decay


def decoupled_decay(config: TrainConfig) -> bool:
    """Whether the optimizer decays weights itself, so that the loss carries no L2."""
    return config.optimizer == "adamw"


def _groups(model: RecommenderModel, config: TrainConfig) -> list[dict[str, Any]]:
    multipliers = _multipliers(config)
    found: dict[str, list[nn.Parameter]] = model.parameter_groups()
    return [{"params": found[kind], "kind": kind, "multiplier": multipliers[kind]} for kind in multipliers if found[kind]]


def _multipliers(config: TrainConfig) -> dict[str, float]:
    return {
        "biases": config.bias_lr_multiplier,
        "factors": config.factor_lr_multiplier,
        "mlp": config.mlp_lr_multiplier,
    }


def _single(groups: list[dict[str, Any]], model: RecommenderModel, config: TrainConfig) -> Optimizer:
    rate = config.learning_rate
    fast: dict[str, Any] = {} if config.sparse_gradients else _fast(model, config.optimizer)
    if config.optimizer == "als":
        return SGD(groups, lr=rate)  # never asked for a step: ALS remembers nothing, and neither does it
    if config.optimizer == "sgd":
        return SGD(groups, lr=rate, momentum=config.momentum, nesterov=config.nesterov, **fast)
    if config.optimizer == "adagrad":
        return Adagrad(groups, lr=rate, **fast)
    if config.optimizer == "rmsprop":
        return RMSprop(groups, lr=rate, momentum=config.momentum)
    if config.optimizer == "adamw":
        return AdamW(groups, lr=rate, weight_decay=config.weight_decay, **fast)
    return Adam(groups, lr=rate, **fast)


def _fast(model: RecommenderModel, optimizer: str) -> dict[str, Any]:
    """One pass over memory per step instead of one per operation, where torch has it (not Adagrad on GPUs)."""
    has_it = model.device.type == "cpu" or (model.device.type == "cuda" and optimizer != "adagrad")
    return {"fused": True} if has_it else {}


def gradients_are_sparse(config: TrainConfig) -> bool:
    return config.sparse_gradients or config.optimizer == "sparse-adam"


def optimizer_state(optimizers: list[Optimizer]) -> list[dict[str, Any]]:
    return [optimizer.state_dict() for optimizer in optimizers]


def load_optimizer_state(optimizers: list[Optimizer], states: list[dict[str, Any]]) -> None:
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.load_state_dict(state)


def load_optimizer_memory(optimizers: list[Optimizer], states: list[dict[str, Any]]) -> None:
    """What optimizers of the same kind remember (moments, sums of squares), under our own rates and options."""
    own = [{**optimizer.state_dict(), "state": state["state"]} for optimizer, state in zip(optimizers, states, strict=True)]
    load_optimizer_state(optimizers, own)


def zero_gradients(optimizers: list[Optimizer]) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)


def take_step(optimizers: list[Optimizer]) -> None:
    for optimizer in optimizers:
        optimizer.step()
