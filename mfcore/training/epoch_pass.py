"""One pass through the samples: which are drawn, in which order, and how many of them are done."""

from __future__ import annotations

import hashlib
from time import perf_counter

import torch
from torch import Tensor

from mfcore.training.samples import Samples, SampleSource


class EpochPass:
    """The samples of the epoch being trained. An interrupted pass is taken up again by drawing the same samples once more.

    Attributes:
        done: samples trained so far in this epoch. seconds: training time so far in this epoch.
    """

    def __init__(self, source: SampleSource, device: torch.device, seed: int) -> None:
        self.source = source
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
        return self.source.num_samples

    @property
    def share(self) -> float:
        """How much of the epoch is done, 0 to 1."""
        return self.done / self.size

    def samples(self) -> Samples:
        """All samples of the epoch in training order; drawn on first use."""
        if self._drawn is None:
            started = perf_counter()
            self._drawn = self.source.draw(self._shuffler)
            self.seconds += perf_counter() - started
        return self._drawn

    def last(self, most: int) -> Samples:
        """The samples trained last in this epoch, ``most`` of them at the most."""
        return self.samples().slice(max(0, self.done - most), self.done) if most else self.samples().slice(0, 0)

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
