"""Alternating least squares, as the trainer sees it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mfcore.models.base import RecommenderModel
from mfcore.models.dot import MF
from mfcore.registry import LOSSES
from mfcore.training.confidence import confidence
from mfcore.training.config import TrainConfig
from mfcore.training.engines.als.normal_equations import Features, Grouped, Weights, solve_rows
from mfcore.training.engines.base import TrainingContext, load_kernels
from mfcore.training.samples import Samples
from mfcore.training.weight_decay import decay_per_row
from mfcore.typing import Float64

if TYPE_CHECKING:
    from mfcore.data import Interactions

Solver = Callable[[Grouped, Features, Weights, Tensor], tuple[Tensor, Tensor]]
"""As :func:`solve_rows`."""

KERNELS = "mfcore.training.engines.als.compiled"


class AlsEngine:
    """An epoch is a sweep of two steps: all users are solved, then all items. MF and BiasedMF, any device with float64.

    Each step finds the exact minimum of the loss that other optimizers descend, L2 included, over the rows of one side:
    λ per occurrence makes a ridge of λ·n_u for a user with n_u ratings (weighted-λ, Zhou et al. 2008). A bias is solved
    with its vector, as one more dimension whose feature is 1. Nothing is remembered between steps but the model.

    ``weighted-mse`` counts every cell of the matrix: 1 if chosen, else ``unobserved_weight``; occurrences carry the same
    weights, so that the ridge is λ·(n_u + w0·(num_items − n_u)) (Rendle et al. 2021, with their ν = 1). With counts as
    confidence a chosen cell counts c instead of 1, and its occurrence too.

    The loss of a step is the mean over ratings (cells, by weight) after it, without L2.

    On the CPU rows are solved by compiled code, elsewhere and without numba in batches by PyTorch; ``note`` says which.
    """

    name = "als"

    def __init__(self, context: TrainingContext, solver: Solver | None = None) -> None:
        assert isinstance(context.model, MF)
        self.model, self.meter, config, train = context.model, context.meter, context.config, context.train
        self.stretch = (max(2, len(train)) + 1) // 2
        self.weights = Weights(config.unobserved_weight if LOSSES[config.loss].solved else None)
        self._solve_rows, self.note = (solver, "") if solver else choose_solver(context)
        device, biased = self.model.device, self.model.user_biases() is not None
        dim = self.model.user_factors.shape[1] + biased
        shape = train.num_users, train.num_items
        users, items, ratings, floats = train.user_idx, train.item_idx, train.rating, context.limits.chunk_floats
        sure = confidence(config, train)
        self.sides = (
            Grouped(users, items, ratings, shape, dim, device, floats, sure),
            Grouped(items, users, ratings, shape[::-1], dim, device, floats, sure),
        )
        decays = (torch.from_numpy(decay).to(device) for decay in decay_per_row(config, train))
        self._ridges = tuple(decay * self.weights.of_rows(side) for decay, side in zip(decays, self.sides, strict=True))

    @staticmethod
    def why_not(model: RecommenderModel, config: TrainConfig, device: torch.device) -> str:
        # Models that it cannot solve were refused together with the optimizer.
        return "" if config.solves else f"optimizer {config.optimizer} takes steps"

    def reason(self, declined: str) -> str:
        return f"ALS solves all users, then all items, exactly, {self.note}; it has no learning rate and no batches"

    def train(self, part: Samples, rates: Float64) -> tuple[int, float] | None:
        return self.meter.add(self.solve(by_item=bool(part.user_idx[0])), len(part))

    @torch.no_grad()
    def solve(self, *, by_item: bool) -> Tensor:
        """Solve all items, or all users. Returns the mean loss afterwards, a scalar."""
        rows, ridge = self.sides[by_item], self._ridges[by_item]
        features = self._features(of_items=not by_item)
        solution, left = self._solve_rows(rows, features, self.weights, ridge)
        vectors, bias = self._tables(of_items=by_item)
        vectors.copy_(solution[:, : vectors.shape[1]])
        if bias is not None:
            bias.copy_(solution[:, -1:])
        return left.clamp(min=0.0) / self._total_weight()

    def _tables(self, *, of_items: bool) -> tuple[Tensor, Tensor | None]:
        # Read anew each time: taking up a checkpoint may put other tensors there.
        side = "item" if of_items else "user"
        bias = getattr(self.model, f"{side}_bias", None)
        return getattr(self.model, f"{side}_factors").detach(), None if bias is None else bias.detach()

    def _features(self, *, of_items: bool) -> Features:
        return Features.of(*self._tables(of_items=of_items), self.model.global_mean)

    def _total_weight(self) -> float:
        return float(self.weights.of_rows(self.sides[0]).sum(dtype=torch.float64))


def choose_solver(context: TrainingContext) -> tuple[Solver, str]:
    """What solves rows fastest here, and a few words about it."""
    if context.model.device.type != "cpu":
        return solve_rows, "in batches"
    why_not = load_kernels(KERNELS)
    if why_not:
        return solve_rows, f"in batches, because {why_not}"
    compiled = importlib.import_module(KERNELS)
    return compiled.CompiledSolver(context.threads, context.limits.piece_operations), "by compiled code"


class Sweep:
    """What an epoch goes through: as many samples as ratings, which only say whose turn it is. ``user_idx`` is 0 in the first
    half, for the users, then 1, for the items. The engine holds the ratings, in an order of its own.
    """

    def __init__(self, data: Interactions, device: torch.device) -> None:
        self.num_samples = max(2, len(data))
        turn = torch.zeros(self.num_samples, dtype=torch.uint8, device=device)
        turn[-(-self.num_samples // 2) :] = 1
        nothing = turn[:0]
        self._turns = Samples(turn, turn, nothing, nothing)

    def draw(self, generator: torch.Generator) -> Samples:
        """Nothing is random about a sweep."""
        return self._turns
