"""What one epoch trains on: shuffled tensors on the device, no DataLoader.

A sample is what ``batch_size`` counts. Squared error: one rating. Logistic: one positive or one negative, mixed. BPR: one
pair of a positive and a negative of the same user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mfcore.training.config import TrainConfig
from mfcore.training.negatives import NegativeSampler
from mfcore.validate import require

if TYPE_CHECKING:
    from mfcore.data import Interactions


@dataclass(frozen=True)
class Samples:
    """user_idx, item_idx: (n,) int64. target: (n,) float32, rating or 1/0 label. negative_idx: (n,) int64, BPR only.

    What a loss does not use is an empty tensor.
    """

    user_idx: Tensor
    item_idx: Tensor
    target: Tensor
    negative_idx: Tensor

    def __len__(self) -> int:
        return len(self.user_idx)

    def slice(self, start: int, stop: int) -> Samples:
        return Samples(*(column[start:stop] for column in self._columns()))

    def split(self, size: int) -> list[Samples]:
        """Consecutive parts of ``size`` samples, the last one with what is left."""
        count = -(-len(self) // size)
        columns = (torch.split(column, size) if len(column) else (column,) * count for column in self._columns())
        return [Samples(*parts) for parts in zip(*columns, strict=True)]

    def shuffled(self, generator: torch.Generator) -> Samples:
        return self.take(torch.randperm(len(self), generator=generator, device=self.user_idx.device))

    def take(self, rows: Tensor) -> Samples:
        """The samples at ``rows``, (m,) int64, in that order."""
        return Samples(*(column.index_select(0, rows) if len(column) else column for column in self._columns()))

    def put(self, part: Samples) -> None:
        """Overwrite the first samples with ``part``."""
        for column, new in zip(self._columns(), part._columns(), strict=True):
            column[: len(new)].copy_(new)

    def _columns(self) -> tuple[Tensor, ...]:
        return self.user_idx, self.item_idx, self.target, self.negative_idx


class SampleSource:
    """Draws the samples of an epoch from interactions; for ranking losses with new negatives each time.

    ``avoid``: further interactions that must not come up as negatives. ``num_samples``: how many an epoch has.

    Raises:
        UnusableRequest: there is nothing to train on, or no user has an item left to be a negative.
    """

    def __init__(
        self, data: Interactions, config: TrainConfig, device: torch.device, avoid: Interactions | None = None
    ) -> None:
        self.config = config
        # By user: then the sampler's searches stay close together, which the processor's cache likes.
        order = data.user_idx.argsort(kind="stable") if config.implicit else slice(None)
        self.user_idx = torch.as_tensor(data.user_idx[order], device=device)
        self.item_idx = torch.as_tensor(data.item_idx[order], device=device)
        self.rating = torch.as_tensor(data.rating[order], dtype=torch.float32, device=device)
        self._no_floats = torch.empty(0, device=device)
        self._no_indices = torch.empty(0, dtype=torch.int64, device=device)
        self.num_samples = len(self.user_idx)
        if config.implicit:
            self._prepare_negatives(data, avoid, device)

    def _prepare_negatives(self, data: Interactions, avoid: Interactions | None, device: torch.device) -> None:
        users, items = self.user_idx, self.item_idx
        if avoid is not None:
            users = torch.cat([users, torch.as_tensor(avoid.user_idx, device=device)])
            items = torch.cat([items, torch.as_tensor(avoid.item_idx, device=device)])
        popularity = self.config.negative_sampling == "popularity"
        self.sampler = NegativeSampler(users, items, data.num_users, data.num_items, popularity=popularity)
        # Users who chose everything have no negatives; their positives still count for the logistic loss.
        has_negatives = self.sampler.num_candidates[self.user_idx] > 0
        self._users_for_negatives = self.user_idx[has_negatives].repeat_interleave(self.config.negatives)
        pairs = len(self._users_for_negatives)
        if self.config.loss == "bpr":
            self._positives_for_pairs = self.item_idx[has_negatives].repeat_interleave(self.config.negatives)
            self.num_samples = pairs
        else:
            self._labels = torch.cat([torch.ones(len(self.user_idx)), torch.zeros(pairs)]).to(device)
            self.num_samples += pairs
        require(pairs > 0 or len(data) == 0, f"loss {self.config.loss} needs negatives, but every user has chosen every item")

    def draw(self, generator: torch.Generator, *, shuffle: bool = True) -> Samples:
        """The samples of one epoch, (num_samples,) each."""
        samples = self._draw(generator)
        return samples.shuffled(generator) if shuffle else samples

    def _draw(self, generator: torch.Generator) -> Samples:
        if not self.config.implicit:
            return Samples(self.user_idx, self.item_idx, self.rating, self._no_indices)
        users = self._users_for_negatives
        negatives = self.sampler.draw(users, generator)
        if self.config.loss == "bpr":
            return Samples(users, self._positives_for_pairs, self._no_floats, negatives)
        both = torch.cat([self.user_idx, users]), torch.cat([self.item_idx, negatives])
        return Samples(*both, self._labels, self._no_indices)
