"""What an epoch of alternating least squares goes through: not samples, but two sides, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mfcore.training.config import TrainConfig
from mfcore.training.samples import Samples, SampleSource

if TYPE_CHECKING:
    from mfcore.data import Interactions


class Sweep(SampleSource):
    """As many samples as ratings, which only say whose turn it is: ``user_idx`` is 0 in the first half, for the users, then
    1, for the items. The engine holds the ratings, in an order of its own."""

    def __init__(self, data: Interactions, device: torch.device) -> None:
        self.num_samples = max(2, len(data))
        turn = torch.zeros(self.num_samples, dtype=torch.uint8, device=device)
        turn[-(-self.num_samples // 2) :] = 1
        nothing = turn[:0]
        self._turns = Samples(turn, turn, nothing, nothing)

    def draw(self, generator: torch.Generator, *, shuffle: bool = True) -> Samples:
        """Nothing is random about a sweep."""
        return self._turns


def epoch_source(data: Interactions, config: TrainConfig, device: torch.device) -> SampleSource:
    """Where the samples of an epoch come from, for any optimizer."""
    return Sweep(data, device) if config.optimizer == "als" else SampleSource(data, config, device)
