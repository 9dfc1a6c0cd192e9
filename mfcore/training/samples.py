"""What one epoch trains on: shuffled tensors on the device, no DataLoader; and how much of them is done.

A sample is what ``batch_size`` counts. Squared error: one rating. Logistic: one positive or one negative, mixed. BPR: one
pair of a positive and a negative of the same user.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from mfcore.registry import LOSSES
from mfcore.training.confidence import sample_weights
from mfcore.training.config import TrainConfig
from mfcore.training.negatives import NegativeSampler
from mfcore.validate import require

if TYPE_CHECKING:
    from mfcore.data import Interactions


@dataclass(frozen=True)
class Samples:
    """user_idx, item_idx: (n,) int64. target: (n,) float32, rating or 1/0 label. negative_idx: (n,) int64, BPR only.

    weight: (n,) float32, how much each counts in the mean loss; empty where all count 1.

    What a loss does not use is an empty tensor.
    """

    user_idx: Tensor
    item_idx: Tensor
    target: Tensor
    negative_idx: Tensor
    weight: Tensor = field(default_factory=lambda: torch.empty(0))

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
        return self.user_idx, self.item_idx, self.target, self.negative_idx, self.weight


class Source(Protocol):
    """Where an epoch's samples come from: ``num_samples`` of them, drawn anew for each epoch."""

    num_samples: int

    def draw(self, generator: torch.Generator) -> Samples:
        """The samples of one epoch in training order; the same ones from the same state of ``generator``."""


class SampleSource:
    """Draws the samples of an epoch from interactions; for ranking losses with new negatives each time.

    ``avoid``: further interactions, which were trained on and must not come up as negatives; the mean of the weights is over
    them. ``num_samples``: how many an epoch has.

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
        self._weight = self._no_floats
        if config.implicit:
            weights = sample_weights(config, data, data if avoid is None else avoid)
            weight = None if weights is None else torch.as_tensor(weights[order], device=device)
            self._prepare_negatives(data, avoid, device)
            if weight is not None:
                self._weight = self._weight_of_samples(weight)

    def _prepare_negatives(self, data: Interactions, avoid: Interactions | None, device: torch.device) -> None:
        users, items = self.user_idx, self.item_idx
        if avoid is not None:
            users = torch.cat([users, torch.as_tensor(avoid.user_idx, device=device)])
            items = torch.cat([items, torch.as_tensor(avoid.item_idx, device=device)])
        popularity = self.config.negative_sampling == "popularity"
        self.sampler = NegativeSampler(users, items, data.num_users, data.num_items, popularity=popularity)
        # Users who chose everything have no negatives; their positives still count for the logistic loss.
        self._has_negatives = has_negatives = self.sampler.num_candidates[self.user_idx] > 0
        self._users_for_negatives = self.user_idx[has_negatives].repeat_interleave(self.config.negatives)
        pairs = len(self._users_for_negatives)
        if LOSSES[self.config.loss].pairs:
            self._positives_for_pairs = self.item_idx[has_negatives].repeat_interleave(self.config.negatives)
            self.num_samples = pairs
        else:
            self._labels = torch.cat([torch.ones(len(self.user_idx)), torch.zeros(pairs)]).to(device)
            self.num_samples += pairs
        require(pairs > 0 or len(data) == 0, f"loss {self.config.loss} needs negatives, but every user has chosen every item")

    def _weight_of_samples(self, weight: Tensor) -> Tensor:
        """(num_samples,) from those of the positives: a pair weighs what its positive does, a negative alone 1."""
        if LOSSES[self.config.loss].pairs:
            return weight[self._has_negatives].repeat_interleave(self.config.negatives)
        return torch.cat([weight, weight.new_ones(self.num_samples - len(weight))])

    def draw(self, generator: torch.Generator, *, shuffle: bool = True) -> Samples:
        """The samples of one epoch, (num_samples,) each."""
        samples = self._draw(generator)
        return samples.shuffled(generator) if shuffle else samples

    def _draw(self, generator: torch.Generator) -> Samples:
        if not self.config.implicit:
            return Samples(self.user_idx, self.item_idx, self.rating, self._no_indices)
        users = self._users_for_negatives
        negatives = self.sampler.draw(users, generator)
        if LOSSES[self.config.loss].pairs:
            return Samples(users, self._positives_for_pairs, self._no_floats, negatives, self._weight)
        both = torch.cat([self.user_idx, users]), torch.cat([self.item_idx, negatives])
        return Samples(*both, self._labels, self._no_indices, self._weight)


class EpochPass:
    """The samples of the epoch being trained. An interrupted pass is taken up again by drawing the same samples once more.

    Attributes:
        done: samples trained so far in this epoch. seconds: training time so far in this epoch.
    """

    def __init__(self, source: Source, device: torch.device, seed: int, clock: Callable[[], float]) -> None:
        self._source, self._clock = source, clock
        self._shuffler = torch.Generator(device).manual_seed(seed)
        self.begin()

    def begin(self) -> None:
        """The next epoch starts here."""
        self._drawn_from: Tensor = self._shuffler.get_state()
        self._drawn: Samples | None = None
        self.done = 0
        self.seconds = 0.0

    @property
    def size(self) -> int:
        """Samples of a whole epoch."""
        return self._source.num_samples

    @property
    def share(self) -> float:
        """How much of the epoch is done, 0 to 1."""
        return self.done / self.size

    def samples(self) -> Samples:
        """All samples of the epoch in training order; drawn on first use."""
        if self._drawn is None:
            started = self._clock()
            self._drawn = self._source.draw(self._shuffler)
            self.seconds += self._clock() - started
        return self._drawn

    def next(self, count: int) -> Samples:
        """The ``count`` samples to be trained now, or what is left of the epoch."""
        return self.samples().slice(self.done, self.done + count)

    def last(self, count: int) -> Samples:
        """The samples trained last in this epoch, ``count`` of them at the most."""
        return self.samples().slice(max(0, self.done - count), self.done)

    def state(self) -> Tensor:
        """The generator's state this epoch's samples are drawn from."""
        return self._drawn_from

    def restore(self, state: Tensor, done: int, seconds: float) -> None:
        """Stand where a pass stood with ``done`` samples trained."""
        put_state(self._shuffler, state)
        self.begin()
        self.done, self.seconds = done, seconds

    def reseed(self, seed: int) -> None:
        """Draw everything from here on as ``seed`` says; for the beginning of an epoch only."""
        self._shuffler.manual_seed(seed)
        self.begin()


def put_state(generator: torch.Generator, state: Tensor) -> None:
    """Go on from ``state``; that of another kind of device, such as of a GPU on the CPU, only decides a seed."""
    try:
        generator.set_state(state)
    except RuntimeError:  # neither its size nor its meaning is ours
        generator.manual_seed(int.from_bytes(hashlib.sha256(state.cpu().numpy().tobytes()).digest()[:6], "big"))
