"""What training minimises. Each loss is a mean over samples; L2 is added by the engines, not here."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from mfcore.models.base import RecommenderModel, scoring
from mfcore.registry import LOSSES, load
from mfcore.training.samples import Samples
from mfcore.validate import require

_BLOCK = 65_536


class Loss:
    """A loss on the scores of a batch of B samples. ``scores``: (B,), or (2B,) for pairs, the chosen items first.

    A new one says what each sample costs; the rest follows, and may be written out where that is faster.
    """

    def each(self, scores: Tensor, batch: Samples) -> Tensor:
        """The loss of each sample, (B,), differentiable."""
        raise NotImplementedError

    def mean(self, scores: Tensor, batch: Samples) -> Tensor:
        """The mean over the batch, a scalar that can be differentiated."""
        return self.each(scores, batch).mean()

    def slope(self, scores: Tensor, batch: Samples) -> tuple[Tensor, Tensor]:
        """The mean, a scalar, and its derivative by each score, as many as there are."""
        with torch.enable_grad():
            free = scores.detach().requires_grad_()
            mean = self.mean(free, batch)
            (slope,) = torch.autograd.grad(mean, free)
        return mean.detach(), slope


class SquaredError(Loss):
    """(r̂ − r)², so the gradient for one rating is 2e."""

    def mean(self, scores: Tensor, batch: Samples) -> Tensor:
        return F.mse_loss(scores, batch.target)

    def slope(self, scores: Tensor, batch: Samples) -> tuple[Tensor, Tensor]:
        error = scores - batch.target
        return torch.dot(error, error) / len(error), error * (2.0 / len(error))

    def each(self, scores: Tensor, batch: Samples) -> Tensor:
        return (scores - batch.target).square()


class Logistic(Loss):
    """−ln σ(s) for what was chosen, −ln σ(−s) for what was not (He et al. 2017)."""

    def mean(self, scores: Tensor, batch: Samples) -> Tensor:
        return F.binary_cross_entropy_with_logits(scores, batch.target)

    def slope(self, scores: Tensor, batch: Samples) -> tuple[Tensor, Tensor]:
        return self.mean(scores, batch), (torch.sigmoid(scores) - batch.target) / len(scores)

    def each(self, scores: Tensor, batch: Samples) -> Tensor:
        return F.binary_cross_entropy_with_logits(scores, batch.target, reduction="none")


class BPR(Loss):
    """−ln σ(s_ui − s_uj) for a chosen item i and another j of the same user (Rendle et al. 2009)."""

    def slope(self, scores: Tensor, batch: Samples) -> tuple[Tensor, Tensor]:
        chosen, other = scores.chunk(2)
        behind = other - chosen
        slope = torch.sigmoid(behind) / len(behind)
        return F.softplus(behind).mean(), torch.cat([-slope, slope])

    def each(self, scores: Tensor, batch: Samples) -> Tensor:
        chosen, other = scores.chunk(2)
        return F.softplus(other - chosen)


def mean_loss(loss: str, scores: Tensor, batch: Samples) -> Tensor:
    """The mean over the batch, a scalar that can be differentiated; of weighted samples Σ w·loss / B."""
    spec = loss_named(loss)
    return (spec.each(scores, batch) * batch.weight).mean() if len(batch.weight) else spec.mean(scores, batch)


def mean_and_slope(loss: str, scores: Tensor, batch: Samples) -> tuple[Tensor, Tensor]:
    """:func:`mean_loss`, a scalar, and its derivative by each score, as many as there are."""
    if not len(batch.weight):
        return loss_named(loss).slope(scores, batch)
    with torch.enable_grad():
        free = scores.detach().requires_grad_()
        mean = mean_loss(loss, free, batch)
        (slope,) = torch.autograd.grad(mean, free)
    return mean.detach(), slope


def loss_named(name: str) -> Loss:
    """The loss that training calls by this name.

    Raises:
        UnusableRequest: there is none, or only an optimizer that solves knows it.
    """
    spec = LOSSES[name]
    require(not spec.solved, f"loss {name} has no steps; it needs an optimizer that solves, such as als")
    return _made(spec.implementation)


@cache
def _made(implementation: Any) -> Loss:
    made: Loss = load(implementation)()
    return made


def batch_loss(model: RecommenderModel, loss: str, batch: Samples) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The mean loss of a batch, a scalar, and the embedding rows it touched (for L2)."""
    rows = model.gather(*pairs(loss, batch))
    return mean_loss(loss, model.score(rows), batch), rows


def pairs(loss: str, batch: Samples) -> tuple[Tensor, Tensor]:
    """The users and items whose rows a batch touches: (B,) int64 each; for pairs (2B,), the chosen items first."""
    users, items = batch.user_idx, batch.item_idx
    return (torch.cat([users, users]), torch.cat([items, batch.negative_idx])) if LOSSES[loss].pairs else (users, items)


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
