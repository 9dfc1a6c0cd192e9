"""A split, and models of it whose vectors are no longer zero."""

from __future__ import annotations

import torch

from mfcore.data import random_split
from mfcore.data.sources.generated import planted
from mfcore.models import RecommenderModel, build_model

SPLIT = random_split(planted(num_users=60, num_items=40, density=0.4), test=0.2, valid=0.1, seed=0)
MODELS = ["mf", "biased-mf", "gmf", "mlp", "neumf"]


def model(name: str = "biased-mf", **options: object) -> RecommenderModel:
    options = (
        {"embedding_dim": 4, "mlp_layers": (8, 4), **options} if name in ("mlp", "neumf") else {"embedding_dim": 4, **options}
    )
    made = build_model(name, SPLIT.train, seed=0, **options)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return made
