"""Squared error over every cell of the matrix, without ever writing the matrix down."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mfcore.models.base import RecommenderModel, scoring
from mfcore.models.dot import MF, BiasedMF
from mfcore.typing import Float32

if TYPE_CHECKING:
    from mfcore.data import Interactions

_BLOCK = 65_536


class HeldOutLoss:
    """The loss ``weighted-mse`` on held-out interactions, without L2.

    (n·m₁ + w0·c·m₀) / (n + w0·c): m₁ is the mean of (1 − r̂)² over the held-out cells; m₀ the mean of r̂² over the cells, of
    users with held-out interactions, that nobody chose, neither in training nor held out; n and c count the training part's
    chosen cells of these users and their other cells. So it weighs both as training does, and the two curves compare.

    ``confidence``: what each interaction of ``held`` and of ``train`` weighs, (n,) float32 each, or None for 1: then m₁ is a
    weighted mean, and n the summed weight.
    """

    def __init__(
        self,
        held: Interactions,
        train: Interactions,
        unobserved_weight: float,
        device: torch.device,
        confidence: tuple[Float32 | None, Float32 | None] = (None, None),
    ) -> None:
        self._users = torch.from_numpy(np.unique(held.user_idx)).to(device)
        self._held = _pairs(held, device)
        in_train = _pairs(train, device)
        is_ours = torch.zeros(train.num_users, dtype=torch.bool, device=device)
        is_ours[self._users] = True
        ours = is_ours[in_train[0]]
        self._train = in_train[0][ours], in_train[1][ours]
        cells, chosen = len(self._users) * train.num_items, len(self._train[0])
        self._sure, sure = (None if one is None else torch.from_numpy(one).to(device) for one in confidence)
        self._chosen = chosen if sure is None else float(sure[ours].sum(dtype=torch.float64))
        self._other = unobserved_weight * (cells - chosen)
        self._free = cells - chosen - len(self._held[0])

    def __call__(self, model: RecommenderModel) -> float:
        """NaN when nothing is held out."""
        if len(self._held[0]) == 0:
            return math.nan
        with scoring(model):
            miss = _sum(model, self._held, lambda score: (1.0 - score).square(), self._sure)
            everywhere = sum_of_squares(model, self._users)
            touched = _sum(model, self._held, torch.square) + _sum(model, self._train, torch.square)
        unchosen = max(everywhere - touched, 0.0) / self._free if self._free else 0.0
        held = len(self._held[0]) if self._sure is None else float(self._sure.sum(dtype=torch.float64))
        total = self._chosen * miss / held + self._other * unchosen
        return total / (self._chosen + self._other)


@torch.no_grad()
def sum_of_squares(model: RecommenderModel, users: Tensor) -> float:
    """Σ r̂² over all items of ``users`` (n,) int64, from two small Gram matrices: Σ (x_u·y_i)² = Σ (XᵀX ∘ YᵀY)."""
    assert isinstance(model, MF)
    p, q = model.user_factors[users].double(), model.item_factors.double()
    if isinstance(model, BiasedMF):
        p_bias, q_bias = model.user_bias[users].double(), model.item_bias.double()
        p = torch.cat([p, p_bias + model.global_mean, torch.ones_like(p_bias)], 1)
        q = torch.cat([q, torch.ones_like(q_bias), q_bias], 1)
    return float(((p.mT @ p) * (q.mT @ q)).sum())


def _sum(
    model: RecommenderModel,
    cells: tuple[Tensor, Tensor],
    of: Callable[[Tensor], Tensor],
    weight: Tensor | None = None,
) -> float:
    total = 0.0
    for start in range(0, len(cells[0]), _BLOCK):
        block = slice(start, start + _BLOCK)
        values = of(model(cells[0][block], cells[1][block]))
        total += float((values if weight is None else values * weight[block]).sum(dtype=torch.float64))
    return total


def _pairs(data: Interactions, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.as_tensor(data.user_idx, device=device), torch.as_tensor(data.item_idx, device=device)
