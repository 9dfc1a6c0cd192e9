"""Models with a multi-layer perceptron: MLP and NeuMF (He et al. 2017)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from mfcore.models.base import RecommenderModel, draw_linear, draw_vectors, linear, table
from mfcore.models.config import ModelConfig
from mfcore.models.dot import GMF
from mfcore.validate import require

BLOCK_NUMBERS = 4_000_000
"""Hidden activations held at once while scoring all items: 16 MB, which stays near the processor."""


class Dropout(nn.Module):
    """Dropout that draws from a given generator, so that a run can be repeated and resumed exactly."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0.0:
            return x
        keep = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.share
        return x * keep / (1.0 - self.share)


class Tower(nn.Module):
    """[p_u, q_i] → dropout → linear → ReLU → dropout → … : (B, widths[0]) float32 → (B, widths[-1]) float32."""

    def __init__(self, widths: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(linear(a, b) for a, b in pairwise(widths))
        self.dropout = Dropout(dropout)

    def reset_parameters(self, generator: torch.Generator) -> None:
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            draw_linear(layer, generator)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.relu(layer(self.dropout(x)))
        return x

    def all_pairs(self, p: Tensor, q: Tensor, weight: Tensor) -> Tensor:
        """weight·tower([p_u, q_i]) for every pair: p (B, d), q (n, d), weight (widths[-1],) → (B, n).

        The first layer is linear, so its user half is computed once per user and its item half once per item.
        """
        half = p.shape[1]
        if not self.layers:
            return (p @ weight[:half])[:, None] + q @ weight[half:]
        first = self.layers[0]
        assert isinstance(first, nn.Linear)
        from_user = p @ first.weight[:, :half].T
        from_item = q @ first.weight[:, half:].T + first.bias
        block = max(1, BLOCK_NUMBERS // (len(q) * first.out_features))
        return torch.cat([self._block(users, from_item, weight) for users in torch.split(from_user, block)])

    def _block(self, from_user: Tensor, from_item: Tensor, weight: Tensor) -> Tensor:
        x = (from_user[:, None, :] + from_item[None, :, :]).relu_()
        for layer in list(self.layers)[1:]:
            x = layer(x).relu_()
        return x @ weight


class MLP(RecommenderModel):
    """r̂ = μ + w·tower([p_u, q_i]) + c (He et al. 2017, §3.4).

    Widths are ``mlp_layers``; the embeddings are half as wide as the first. user_idx, item_idx: (B,) int64 → (B,) float32,
    in rating units or logits (then μ is 0).
    """

    def __init__(self, config: ModelConfig, num_users: int, num_items: int, **statistics: Any) -> None:
        super().__init__(config, num_users, num_items, **statistics)
        widths = config.mlp_layers
        self.mlp_user_factors = table(num_users, widths[0] // 2)
        self.mlp_item_factors = table(num_items, widths[0] // 2)
        self.tower = Tower(widths, config.dropout)
        self.output = linear(self._output_width(), 1)

    def _output_width(self) -> int:
        return self.config.mlp_layers[-1]

    def reset_parameters(self, generator: torch.Generator) -> None:
        draw_vectors(self.mlp_user_factors, self.config, generator)
        draw_vectors(self.mlp_item_factors, self.config, generator)
        self.tower.reset_parameters(generator)
        draw_linear(self.output, generator)

    def gather(self, user_idx: Tensor, item_idx: Tensor) -> tuple[Tensor, ...]:
        return self._look_up(self.mlp_user_factors, user_idx), self._look_up(self.mlp_item_factors, item_idx)

    def score(self, rows: tuple[Tensor, ...]) -> Tensor:
        hidden = self.tower(torch.cat(rows, dim=1))
        return self._to_output(self.global_mean + self.output(hidden)[:, 0])

    def _score_items(self, user_idx: Tensor) -> Tensor:
        raw = self.tower.all_pairs(self.mlp_user_factors[user_idx], self.mlp_item_factors, self.output.weight[0])
        return self._to_output(self.global_mean + raw + self.output.bias)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        mlp = [*self.tower.parameters(), *self.output.parameters()]
        return {"biases": [], "factors": [self.mlp_user_factors, self.mlp_item_factors], "mlp": mlp}

    def user_vectors(self) -> Tensor:
        return self.mlp_user_factors.detach().cpu()

    def item_vectors(self) -> Tensor:
        return self.mlp_item_factors.detach().cpu()


class NeuMF(MLP):
    """r̂ = μ + w·[p_u ⊙ q_i, tower([p'_u, q'_i])] + c: GMF and MLP with separate embeddings (He et al. 2017, §3.5).

    ``embedding_dim`` is the width of the GMF part. user_idx, item_idx: (B,) int64 → (B,) float32, in rating units or logits
    (then μ is 0). Vectors are those of the two parts side by side, GMF first.
    """

    def __init__(self, config: ModelConfig, num_users: int, num_items: int, **statistics: Any) -> None:
        super().__init__(config, num_users, num_items, **statistics)
        self.user_factors = table(num_users, config.embedding_dim)
        self.item_factors = table(num_items, config.embedding_dim)

    def _output_width(self) -> int:
        return self.config.embedding_dim + self.config.mlp_layers[-1]

    def reset_parameters(self, generator: torch.Generator) -> None:
        super().reset_parameters(generator)
        draw_vectors(self.user_factors, self.config, generator)
        draw_vectors(self.item_factors, self.config, generator)

    def gather(self, user_idx: Tensor, item_idx: Tensor) -> tuple[Tensor, ...]:
        gmf = self._look_up(self.user_factors, user_idx), self._look_up(self.item_factors, item_idx)
        return *gmf, *super().gather(user_idx, item_idx)

    def score(self, rows: tuple[Tensor, ...]) -> Tensor:
        p, q, mlp_p, mlp_q = rows
        hidden = self.tower(torch.cat([mlp_p, mlp_q], dim=1))
        return self._to_output(self.global_mean + self.output(torch.cat([p * q, hidden], dim=1))[:, 0])

    def _score_items(self, user_idx: Tensor) -> Tensor:
        dim = self.config.embedding_dim
        weight = self.output.weight[0]
        raw = self.tower.all_pairs(self.mlp_user_factors[user_idx], self.mlp_item_factors, weight[dim:])
        raw = raw + (self.user_factors[user_idx] * weight[:dim]) @ self.item_factors.T
        return self._to_output(self.global_mean + raw + self.output.bias)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        groups = super().parameter_groups()
        return {**groups, "factors": [self.user_factors, self.item_factors, *groups["factors"]]}

    def user_vectors(self) -> Tensor:
        return torch.cat([self.user_factors, self.mlp_user_factors], dim=1).detach().cpu()

    def item_vectors(self) -> Tensor:
        return torch.cat([self.item_factors, self.mlp_item_factors], dim=1).detach().cpu()

    @classmethod
    def from_pretrained(cls, gmf: GMF, mlp: MLP, alpha: float = 0.5) -> NeuMF:
        """A NeuMF that starts as α·GMF + (1 − α)·MLP: output weights are scaled so and put side by side (§3.5.1).

        Raises:
            UnusableRequest: the two were trained on different users or items, or alpha is outside [0, 1].
        """
        require(0.0 <= alpha <= 1.0, f"alpha must be between 0 and 1, got {alpha:g}")
        require(
            (gmf.num_users, gmf.num_items) == (mlp.num_users, mlp.num_items),
            "the GMF and MLP to start from must know the same users and items: "
            f"{gmf.num_users} users and {gmf.num_items} items against {mlp.num_users} and {mlp.num_items}",
        )
        config = ModelConfig(
            name="neumf",
            embedding_dim=gmf.config.embedding_dim,
            mlp_layers=mlp.config.mlp_layers,
            dropout=mlp.config.dropout,
            init=gmf.config.init,
            init_std=gmf.config.init_std,
            global_mean=gmf.config.global_mean,
            output_range=gmf.config.output_range,
        )
        model = cls(config, gmf.num_users, gmf.num_items, rating_scale=(gmf.low, gmf.high))
        model.load_pretrained(gmf, mlp, alpha)
        return model

    def load_pretrained(self, gmf: GMF, mlp: MLP, alpha: float = 0.5) -> None:
        """Overwrite this model's weights with those of ``gmf`` and ``mlp``, as :meth:`from_pretrained` does."""
        mine = (self.num_users, self.num_items, self.config.embedding_dim, self.config.mlp_layers)
        theirs = (gmf.num_users, gmf.num_items, gmf.config.embedding_dim, mlp.config.mlp_layers)
        require(
            mine == theirs,
            f"users, items, embedding_dim and mlp_layers must match those of the runs to start from: {mine}, {theirs}",
        )
        with torch.no_grad():
            for name in ("user_factors", "item_factors"):
                getattr(self, name).copy_(getattr(gmf, name))
                getattr(self, f"mlp_{name}").copy_(getattr(mlp, f"mlp_{name}"))
            self.tower.load_state_dict(mlp.tower.state_dict())
            weights = [alpha * gmf.output.weight, (1 - alpha) * mlp.output.weight]
            self.output.weight.copy_(torch.cat([w.to(self.device) for w in weights], dim=1))
            self.output.bias.copy_(alpha * gmf.output.bias + (1 - alpha) * mlp.output.bias)
            self._predicts_ratings = gmf.predicts_ratings
            self._start_at = alpha * gmf._start_at + (1 - alpha) * mlp._start_at
            self.global_mean.copy_(alpha * gmf.global_mean + (1 - alpha) * mlp.global_mean)
