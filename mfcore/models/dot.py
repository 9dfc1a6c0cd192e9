"""Models whose score is a dot product: MF, BiasedMF and GMF."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mfcore.models.base import RecommenderModel, draw_linear, draw_normal, draw_vectors, linear, table
from mfcore.models.config import ModelConfig


class MF(RecommenderModel):
    """r̂ = p_u·q_i (Funk 2006). user_idx, item_idx: (B,) int64 → (B,) float32, in rating units or logits."""

    def __init__(self, config: ModelConfig, num_users: int, num_items: int, **statistics: Any) -> None:
        super().__init__(config, num_users, num_items, **statistics)
        self.user_factors = table(num_users, config.embedding_dim)
        self.item_factors = table(num_items, config.embedding_dim)

    def reset_parameters(self, generator: torch.Generator) -> None:
        draw_vectors(self.user_factors, self.config, generator)
        draw_vectors(self.item_factors, self.config, generator)

    def gather(self, user_idx: Tensor, item_idx: Tensor) -> tuple[Tensor, ...]:
        return self._look_up(self.user_factors, user_idx), self._look_up(self.item_factors, item_idx)

    def score(self, rows: tuple[Tensor, ...]) -> Tensor:
        return self._to_output(self.global_mean + torch.linalg.vecdot(rows[0], rows[1]))

    def _score_items(self, user_idx: Tensor) -> Tensor:
        return self._to_output(self.global_mean + self.user_factors[user_idx] @ self.item_factors.T)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        return {"biases": [], "factors": [self.user_factors, self.item_factors], "mlp": []}

    def user_vectors(self) -> Tensor:
        return self.user_factors.detach().cpu()

    def item_vectors(self) -> Tensor:
        return self.item_factors.detach().cpu()


class BiasedMF(MF):
    """r̂ = μ + b_u + b_i + p_u·q_i (Koren, Bell & Volinsky 2009), μ the mean of the training ratings.

    With ``output_range`` the sum goes through low + (high − low)·sigmoid(x), and μ is put on that scale.
    user_idx, item_idx: (B,) int64 → (B,) float32, in rating units or logits.
    """

    def __init__(self, config: ModelConfig, num_users: int, num_items: int, **statistics: Any) -> None:
        super().__init__(config, num_users, num_items, **statistics)
        self.user_bias = table(num_users, 1)
        self.item_bias = table(num_items, 1)

    def reset_parameters(self, generator: torch.Generator) -> None:
        super().reset_parameters(generator)
        # Drawing nothing when there is nothing to draw keeps the generator, and so the runs of before, as they were.
        for bias in (self.user_bias, self.item_bias):
            if self.config.bias_std > 0.0:
                draw_normal(bias, self.config.bias_std, generator)
            else:
                nn.init.zeros_(bias)

    def gather(self, user_idx: Tensor, item_idx: Tensor) -> tuple[Tensor, ...]:
        biases = self._look_up(self.user_bias, user_idx), self._look_up(self.item_bias, item_idx)
        return *super().gather(user_idx, item_idx), *biases

    def score(self, rows: tuple[Tensor, ...]) -> Tensor:
        p, q, user_bias, item_bias = rows
        dot = torch.linalg.vecdot(p, q)
        return self._to_output(self.global_mean + user_bias[:, 0] + item_bias[:, 0] + dot)

    def _score_items(self, user_idx: Tensor) -> Tensor:
        dot = self.user_factors[user_idx] @ self.item_factors.T
        return self._to_output(self.global_mean + self.user_bias[user_idx] + self.item_bias[:, 0] + dot)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        return {**super().parameter_groups(), "biases": [self.user_bias, self.item_bias]}

    def user_biases(self) -> Tensor:
        return self.user_bias.detach()[:, 0].cpu()

    def item_biases(self) -> Tensor:
        return self.item_bias.detach()[:, 0].cpu()


class GMF(MF):
    """r̂ = μ + h·(p_u ⊙ q_i) + c (He et al. 2017, §3.3): a dot product with a learned weight for each dimension.

    user_idx, item_idx: (B,) int64 → (B,) float32, in rating units or logits (then μ is 0).
    """

    def __init__(self, config: ModelConfig, num_users: int, num_items: int, **statistics: Any) -> None:
        super().__init__(config, num_users, num_items, **statistics)
        self.output = linear(config.embedding_dim, 1)

    def reset_parameters(self, generator: torch.Generator) -> None:
        super().reset_parameters(generator)
        draw_linear(self.output, generator)

    def score(self, rows: tuple[Tensor, ...]) -> Tensor:
        return self._to_output(self.global_mean + self.output(rows[0] * rows[1])[:, 0])

    def _score_items(self, user_idx: Tensor) -> Tensor:
        weighted = self.user_factors[user_idx] * self.output.weight
        return self._to_output(self.global_mean + weighted @ self.item_factors.T + self.output.bias)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        return {**super().parameter_groups(), "mlp": list(self.output.parameters())}
