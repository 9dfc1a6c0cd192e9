"""What training minimises. Each loss is a mean over samples; L2 is added by the trainer, not here."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from mfcore.models.base import RecommenderModel, scoring
from mfcore.training.samples import Samples

_BLOCK = 65_536


def batch_loss(model: RecommenderModel, loss: str, batch: Samples) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The mean loss of a batch, a scalar, and the embedding rows it touched (for L2)."""
    rows = model.gather(*pairs(loss, batch))
    return _mean_loss(loss, model.score(rows), batch), rows


def pairs(loss: str, batch: Samples) -> tuple[Tensor, Tensor]:
    """The users and items whose rows a batch touches: (B,) int64 each, for BPR (2B,), the chosen items first."""
    users, items = batch.user_idx, batch.item_idx
    return (torch.cat([users, users]), torch.cat([items, batch.negative_idx])) if loss == "bpr" else (users, items)


def loss_and_slope(loss: str, scores: Tensor, batch: Samples) -> tuple[Tensor, Tensor]:
    """The mean loss of a batch, a scalar, and its derivative by each score. scores: as many as :func:`pairs` → the same."""
    if loss == "mse":
        error = scores - batch.target
        return torch.dot(error, error) / len(error), error * (2.0 / len(error))
    if loss == "bce":
        value = F.binary_cross_entropy_with_logits(scores, batch.target)
        return value, (torch.sigmoid(scores) - batch.target) / len(scores)
    positive, negative = scores.chunk(2)
    behind = negative - positive
    slope = torch.sigmoid(behind) / len(behind)
    return F.softplus(behind).mean(), torch.cat([-slope, slope])


def loss_on(model: RecommenderModel, loss: str, samples: Samples) -> float:
    """The mean loss over ``samples`` without L2, dropout and gradients; NaN when there are none."""
    if len(samples) == 0:
        return float("nan")
    total = torch.zeros((), dtype=torch.float64 if model.device.type != "mps" else torch.float32, device=model.device)
    with scoring(model):
        for start in range(0, len(samples), _BLOCK):
            block = samples.slice(start, start + _BLOCK)
            total += batch_loss(model, loss, block)[0] * len(block)
    return float(total) / len(samples)


def _mean_loss(loss: str, scores: Tensor, batch: Samples) -> Tensor:
    if loss == "mse":
        # (r̂ − r)², so the gradient for one rating is 2e.
        return F.mse_loss(scores, batch.target)
    if loss == "bce":
        return F.binary_cross_entropy_with_logits(scores, batch.target)
    # −ln σ(s_ui − s_uj) (Rendle et al. 2009)
    positive, negative = scores.chunk(2)
    return F.softplus(negative - positive).mean()
