"""What every contestant trains on, as plain arrays in a folder, and how factors are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from mfcore.data import Interactions, Split, leave_last_out, load_dataset, official_split
from mfcore.evaluation import evaluate
from mfcore.evaluation.protocol import Protocol
from mfcore.models import build_model

RATINGS, RANKING = "ratings.npz", "ranking.npz"
ML1M = {"num_users": 6040, "num_items": 3706, "num_positives": 994_169}
"""The training part of MovieLens 1M when each user's latest interaction is held out."""


def write(folder: Path) -> None:
    """ratings.npz: the official fold u1 of MovieLens 100K. ranking.npz: all but each user's latest interaction."""
    _save(folder / RATINGS, official())
    _save(folder / RANKING, last_out())


def official() -> Split:
    """Fold u1, nothing kept for validation: 80,000 ratings to train on, 20,000 to test."""
    return official_split(load_dataset("ml-100k"), fold=1, valid=0.1, seed=0).with_validation_in_train()


def last_out() -> Split:
    """Every user's latest interaction is test, all others are training."""
    return leave_last_out(load_dataset("ml-100k")).with_validation_in_train()


def ndcg(vectors: str) -> float:
    """vectors: npz with users (num_users, d) and items (num_items, d), whose dot product is the score."""
    split = last_out()
    with np.load(vectors) as found:
        users, items = (torch.as_tensor(found[name], dtype=torch.float32) for name in ("users", "items"))
    model = build_model("mf", split.train, embedding_dim=users.shape[1])
    model.load_state_dict({**model.state_dict(), "user_factors": users, "item_factors": items})
    model.predicts_ratings = False
    return evaluate(model, split, protocol=Protocol(draws=20))["ndcg@10"]


def _save(path: Path, split: Split) -> None:
    # In the order of the file, which is the order some peers train in.
    parts = {part: split.data.select(np.sort(split.rows[part])) for part in ("train", "test")}
    arrays: dict[str, Any] = {f"{part}_{name}": array for part, rows in parts.items() for name, array in _columns(rows).items()}
    np.savez(path, shape=np.array([split.train.num_users, split.train.num_items]), **arrays)


def _columns(data: Interactions) -> dict[str, np.ndarray]:
    return {"user": data.user_idx, "item": data.item_idx, "rating": data.rating}
