"""The one shape of interface every model has, whatever is inside."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import skip_init

from mfcore.models.config import ModelConfig
from mfcore.models.fallback import Fallback
from mfcore.registry import MODELS

if TYPE_CHECKING:
    from mfcore.data.interactions import Interactions

_SCORES_AT_ONCE = 2_000_000


class RecommenderModel(nn.Module):
    """A score for each (user, item) pair: a rating for models trained with squared error, a logit for the others.

    A model is three small functions: :meth:`gather` looks up the rows a batch touches, :meth:`score` turns them into
    scores, :meth:`penalty` sums their squares. Training calls them apart, so that rows are looked up once.

    Attributes:
        predicts_ratings: True when scores are ratings (the trainer sets it from the loss). Only then is the mean rating
            added to a score, and only then do RMSE and MAE mean anything.
        sparse_gradients: True makes the gradients of the embedding tables sparse tensors (the trainer sets it).
        fallback: what stands in for users and items without training rows in :meth:`predict` and :meth:`score_items`; None:
            their starting vectors do. :func:`mfcore.models.build.build_model` sets it.
    """

    global_mean: Tensor
    fallback: Fallback | None = None

    def __init__(
        self,
        config: ModelConfig,
        num_users: int,
        num_items: int,
        *,
        mean_rating: float = 0.0,
        rating_scale: tuple[float, float] = (1.0, 5.0),
    ) -> None:
        super().__init__()
        self.config = config
        self.num_users = num_users
        self.num_items = num_items
        self.low, self.high = (float(bound) for bound in rating_scale)
        self.sparse_gradients = False
        self._start_at = self._offset_for(mean_rating) if self.uses_global_mean() else 0.0
        self._predicts_ratings = True
        self.register_buffer("global_mean", torch.tensor(self._start_at, dtype=torch.float32))

    # What each model fills in

    def observe(self, train: Interactions) -> None:
        """Take in what the model must know of the training part besides its size, such as which items each user has; called
        once, before weights are drawn. Nothing by default; what is kept in buffers is stored with the weights."""

    def gather(self, user_idx: Tensor, item_idx: Tensor) -> tuple[Tensor, ...]:
        """The rows of every table that the pairs touch: user_idx, item_idx (B,) int64 → tensors (B, d) float32.

        Tables of users and of items take turns, users first.
        """
        raise NotImplementedError

    def score(self, rows: tuple[Tensor, ...]) -> Tensor:
        """Rows from :meth:`gather` → (B,) float32 scores, in rating units or logits."""
        raise NotImplementedError

    def _score_items(self, user_idx: Tensor) -> Tensor:
        raise NotImplementedError

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw all weights anew from ``generator`` (on the CPU, so that every device starts alike)."""
        raise NotImplementedError

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Every parameter once, under ``biases``, ``factors`` or ``mlp`` (each may have its own learning rate)."""
        raise NotImplementedError

    def user_vectors(self) -> Tensor:
        """(num_users, d) float32 on the CPU: what the model learned about each user, biases apart."""
        raise NotImplementedError

    def item_vectors(self) -> Tensor:
        """(num_items, d) float32 on the CPU: what the model learned about each item, biases apart."""
        raise NotImplementedError

    def user_biases(self) -> Tensor | None:
        """(num_users,) float32 on the CPU, or None for models without user biases."""
        return None

    def item_biases(self) -> Tensor | None:
        """(num_items,) float32 on the CPU, or None for models without item biases."""
        return None

    def uses_global_mean(self) -> bool:
        """Whether predictions start from the training data's mean rating."""
        return MODELS[self.config.name].starts_from_mean(self.config)

    # What all models share

    def forward(self, user_idx: Tensor, item_idx: Tensor) -> Tensor:
        """user_idx, item_idx: (B,) int64 → (B,) float32 scores."""
        return self.score(self.gather(user_idx, item_idx))

    def penalty(self, rows: tuple[Tensor, ...], weights: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Σ‖row‖² over the rows of one pair, averaged over the batch: a scalar, per occurrence of a user and an item.

        ``weights``: factors for the rows of users and for those of items, (B,) each.
        """
        if weights is not None:
            squares = [(row.square().sum(1) * weights[place % 2]).sum() for place, row in enumerate(rows)]
            return torch.stack(squares).sum() / rows[0].shape[0]
        return torch.stack([row.square().sum() for row in rows]).sum() / rows[0].shape[0]

    def predict(self, user_idx: Any, item_idx: Any) -> Tensor:
        """As :meth:`forward`, for use after training: no gradients, no dropout, any (B,) array, the mode left as it was; and
        with ``fallback`` for users and items without training rows."""
        users, items = self._indices(user_idx), self._indices(item_idx)
        with scoring(self):
            if self.fallback is None or self.fallback.complete:
                return self.forward(users, items)
            if self.predicts_ratings:
                return self.fallback.fill_pairs(self.forward(users, items), users, items)
        return self._ranked_pairs(users, items)

    def _ranked_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Where an unknown item stands follows from all the others, so whole rows are asked for, a block of users at a time."""
        different, place = torch.unique(users, return_inverse=True)
        scores = torch.empty(len(users), device=self.device)
        for start in range(0, len(different), block := max(1, _SCORES_AT_ONCE // max(1, self.num_items))):
            ours = (place >= start) & (place < start + block)
            scores[ours] = self.score_items(different[start : start + block])[place[ours] - start, items[ours]]
        return scores

    def score_items(self, user_idx: Any) -> Tensor:
        """Scores of every item, with ``fallback`` for users and items without training rows. user_idx: (B,) int64 →
        (B, num_items) float32, on the model's device.

        An inference tensor: clone it before changing it in place.
        """
        users = self._indices(user_idx)
        with scoring(self):
            scores = self._score_items(users)
            return scores if self.fallback is None else self.fallback.fill_rows(scores, users, ratings=self.predicts_ratings)

    @property
    def predicts_ratings(self) -> bool:
        return self._predicts_ratings

    @predicts_ratings.setter
    def predicts_ratings(self, value: bool) -> None:
        self._predicts_ratings = bool(value)
        # A mean rating of 3.5 would be a nonsensical logit, so ranking starts from zero.
        self.global_mean.fill_(self._start_at if value else 0.0)

    @property
    def device(self) -> torch.device:
        return self.global_mean.device

    def load_pretrained(self, gmf: RecommenderModel, mlp: RecommenderModel) -> None:
        """Start from what two other models have learned; for models whose spec says that they use ``pretrained_gmf``."""
        raise NotImplementedError

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())

    def _look_up(self, table: nn.Parameter, index: Tensor) -> Tensor:
        # On the CPU index_select has the cheaper backward (index_add). On a GPU its additions come in any order, which
        # would change the last digits from run to run; embedding's backward sorts first.
        if self.sparse_gradients or index.device.type == "cuda":
            return F.embedding(index, table, sparse=self.sparse_gradients)
        return table.index_select(0, index)

    def _to_output(self, raw: Tensor) -> Tensor:
        if not self.config.output_range:
            return raw
        return self.low + (self.high - self.low) * torch.sigmoid(raw)

    def _offset_for(self, mean_rating: float) -> float:
        """The constant that makes an otherwise zero model predict ``mean_rating``."""
        if not self.config.output_range:
            return mean_rating
        share = (mean_rating - self.low) / (self.high - self.low)
        share = min(max(share, 1e-3), 1 - 1e-3)
        return math.log(share / (1 - share))

    def _indices(self, index: Any) -> Tensor:
        return torch.as_tensor(index, dtype=torch.int64, device=self.device)


@contextmanager
def scoring(model: nn.Module) -> Iterator[None]:
    """Eval mode and no autograd inside; the mode is put back afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def table(num_rows: int, dim: int) -> nn.Parameter:
    """An embedding table, still undrawn: (num_rows, dim) float32."""
    return nn.Parameter(torch.empty(num_rows, dim))


def linear(num_inputs: int, num_outputs: int) -> nn.Linear:
    """A linear layer, still undrawn: torch's own constructor would draw from the global generator."""
    layer: nn.Linear = skip_init(nn.Linear, num_inputs, num_outputs)  # type: ignore[no-untyped-call]
    return layer


def draw_normal(parameter: nn.Parameter, std: float, generator: torch.Generator) -> None:
    with torch.no_grad():
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)


def draw_vectors(parameter: nn.Parameter, config: ModelConfig, generator: torch.Generator) -> None:
    """An embedding table as ``config.init`` says: N(0, init_std²), or uniform on [0, 1)."""
    if config.init == "normal":
        draw_normal(parameter, config.init_std, generator)
        return
    with torch.no_grad():
        parameter.copy_(torch.rand(parameter.shape, generator=generator))


def draw_linear(layer: nn.Linear, generator: torch.Generator) -> None:
    """Glorot-uniform weights, zero bias."""
    bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
    with torch.no_grad():
        layer.weight.copy_((torch.rand(layer.weight.shape, generator=generator) * 2 - 1) * bound)
        layer.bias.zero_()
