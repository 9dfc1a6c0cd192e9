"""Gradients of dot-product models, written out: what autograd finds, without its bookkeeping."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfcore.models.base import RecommenderModel
from mfcore.models.dot import MF, BiasedMF
from mfcore.training.config import TrainConfig
from mfcore.training.engines.workbench import Workbench
from mfcore.training.losses import loss_and_slope, pairs
from mfcore.training.optimizers import gradients_are_sparse
from mfcore.training.penalty import Penalty
from mfcore.training.samples import Samples


def can_be_by_hand(model: RecommenderModel, config: TrainConfig) -> bool:
    """Whether :class:`GradientsByHand` can take this: MF and biased MF with dense gradients, on the CPU."""
    # On a GPU index_add_ adds in any order, and captured steps leave nothing to gain.
    return type(model) in (MF, BiasedMF) and model.device.type == "cpu" and not gradients_are_sparse(config)


class GradientsByHand:
    """Puts the gradients of a batch into ``.grad``, in tensors that are kept from step to step.

    With s = ∂loss/∂score of each pair (u, i) of the batch and B pairs, ∂/∂p_u = Σ s·q_i + 2λp_u/B over the pairs of user u,
    and likewise for q_i; biases get Σ s + 2λb/B.
    """

    def __init__(self, bench: Workbench) -> None:
        model = bench.model
        assert isinstance(model, MF)
        self._model, self._loss = model, bench.config.loss
        self._factors = model.user_factors, model.item_factors
        self._biases: tuple[nn.Parameter, ...] = ()
        if isinstance(model, BiasedMF):
            self._biases = model.user_bias, model.item_bias
        self._gradients = {parameter: torch.zeros_like(parameter) for parameter in (*self._factors, *self._biases)}
        self._penalty = Penalty(bench)

    @torch.no_grad()
    def __call__(self, batch: Samples) -> Tensor:
        """The mean loss of the batch, a scalar without L2."""
        for parameter, gradient in self._gradients.items():
            gradient.zero_()
            parameter.grad = gradient
        index = pairs(self._loss, batch)
        decays = self._penalty.slopes(index)
        p, q = (table.index_select(0, rows) for table, rows in zip(self._factors, index, strict=True))
        biases = [bias.view(-1).index_select(0, rows) for bias, rows in zip(self._biases, index, strict=False)]
        loss, slope = self._loss_and_slope(p, q, biases, batch)
        for bias, rows, held, decay in zip(self._biases, index, biases, decays, strict=False):
            # In a pair of BPR the user's bias is in both scores: exactly nothing is left; adding would leave roundings.
            own = torch.zeros_like(slope) if self._loss == "bpr" and bias is self._biases[0] else slope.clone()
            self._gradients[bias].view(-1).index_add_(0, rows, _pulled(own, held, decay))
        column = slope[:, None]
        to_item = _pulled(p * column, q, decays[1])
        to_user = _pulled(q.mul_(column), p, decays[0])
        for table, rows, change in zip(self._factors, index, (to_user, to_item), strict=True):
            self._gradients[table].index_add_(0, rows, change)
        return loss

    def _loss_and_slope(self, p: Tensor, q: Tensor, biases: list[Tensor], batch: Samples) -> tuple[Tensor, Tensor]:
        raw = torch.linalg.vecdot(p, q) + self._model.global_mean
        for bias in biases:
            raw += bias
        if not self._model.config.output_range:
            return loss_and_slope(self._loss, raw, batch)
        share, span = torch.sigmoid(raw), self._model.high - self._model.low
        loss, slope = loss_and_slope(self._loss, self._model.low + span * share, batch)
        return loss, slope * (span * share * (1.0 - share))


def _pulled(slope: Tensor, value: Tensor, decay: float | Tensor) -> Tensor:
    """slope + decay × value, in place. slope, value: (B, d) or (B,); decay: a number or (B,)."""
    if isinstance(decay, Tensor):
        return slope.addcmul_(value, decay if value.ndim == 1 else decay[:, None])
    return slope.add_(value, alpha=decay) if decay else slope
