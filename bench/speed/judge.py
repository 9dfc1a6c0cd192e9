"""NDCG@10 of factors, whoever trained them: the latest interaction among 99 others, mean over 20 draws."""

from __future__ import annotations

import numpy as np
import torch

from bench.speed import data
from mfcore.evaluation import evaluate
from mfcore.evaluation.protocol import Protocol
from mfcore.models import build_model


def ndcg(vectors: str) -> float:
    """vectors: npz with users (num_users, d) and items (num_items, d), whose dot product is the score."""
    split = data.last_out()
    with np.load(vectors) as found:
        users, items = (torch.as_tensor(found[name], dtype=torch.float32) for name in ("users", "items"))
    model = build_model("mf", split.train, embedding_dim=users.shape[1])
    model.load_state_dict({**model.state_dict(), "user_factors": users, "item_factors": items})
    model.predicts_ratings = False
    return evaluate(model, split, protocol=Protocol(draws=20))["ndcg@10"]
