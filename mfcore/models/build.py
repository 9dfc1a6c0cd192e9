"""From a name and training data to a model ready to train."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from mfcore.data.interactions import Interactions
from mfcore.models.base import RecommenderModel
from mfcore.models.config import ModelConfig
from mfcore.models.fallback import Fallback
from mfcore.models.memory import check_memory
from mfcore.registry import MODELS, load
from mfcore.validate import instance, require


def build_model(
    model: str | ModelConfig,
    train: Interactions,
    *,
    seed: int = 0,
    generator: torch.Generator | None = None,
    **fields: Any,
) -> RecommenderModel:
    """A model with freshly drawn weights, on the CPU. Its statistics (μ, numbers of users and items) are those of ``train``.

    ``model``: a registered name or a ModelConfig; ``fields`` are ModelConfig fields, such as ``embedding_dim=32``.
    Weights are drawn from ``generator``, else from a new one with ``seed``.

    Raises:
        UnusableRequest: no interactions to learn from, unknown name, a field out of range, or more memory than the machine has.
    """
    instance("train", train, Interactions, "split.train")
    known = [f.name for f in dataclasses.fields(ModelConfig) if f.name != "name"]
    unknown = [name for name in fields if name not in known]
    require(not unknown, f"unknown model setting {', '.join(unknown)}; known: {', '.join(known)}")
    config = dataclasses.replace(model, **fields) if isinstance(model, ModelConfig) else ModelConfig(name=model, **fields)
    check_memory(config, train.num_users, train.num_items)
    mean = float(train.rating.mean()) if len(train) else 0.0
    built: RecommenderModel = load(MODELS[config.name].implementation)(
        config, train.num_users, train.num_items, mean_rating=mean, rating_scale=train.rating_scale
    )
    built.fallback = Fallback(train)
    built.observe(train)
    built.reset_parameters(generator if generator is not None else torch.Generator().manual_seed(seed))
    return built
