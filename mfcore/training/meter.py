"""Reads losses off the device no more often than needed, sums them, and paces reports."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mfcore.training.limits import USUAL, Limits

_READ_AT_ONCE = 100


class LossMeter:
    """The mean loss of an epoch so far.

    Reading a number makes a GPU finish all it was given, so losses of many steps are read together there; the CPU has
    them at hand and reads each, so that a diverging run ends at once.

    Attributes:
        total: Σ loss × samples of the losses read in this epoch.
    """

    def __init__(self, device: torch.device, limits: Limits = USUAL) -> None:
        self._limits = limits
        self._read_at = 1 if device.type == "cpu" else _READ_AT_ONCE
        self.reset()

    def reset(self) -> None:
        """Begin an epoch."""
        self.total = 0.0
        self._unread: list[tuple[Tensor, int]] = []
        self._since_report = (0.0, 0)
        self.start_clock()

    def start_clock(self) -> None:
        """Count the time to the next report from now, so that a wait between epochs is not followed by a report of one step."""
        self._reported_at = self._limits.clock()

    def add(self, loss: Tensor, num_samples: int) -> tuple[int, float] | None:
        """Take in a step's mean loss, a scalar. Returns as :meth:`read` does."""
        return self.add_many([loss.detach()], [num_samples])

    def add_many(self, losses: list[Tensor], num_samples: list[int]) -> tuple[int, float] | None:
        """Take in the mean losses of several steps, scalars without history, in their order. Returns as :meth:`read` does."""
        self._unread.extend(zip(losses, num_samples, strict=True))
        return self.read() if len(self._unread) >= self._read_at else None

    def set_total(self, total: float, num_samples: int) -> None:
        """Take in many samples that were summed up elsewhere, from the present total on; nothing may be unread."""
        added, count = self._since_report
        self._since_report = (added + total - self.total, count + num_samples)
        self.total = total

    def read(self) -> tuple[int, float] | None:
        """Read what is unread. Returns None, or the first loss that is NaN or infinite: (steps ago, value)."""
        if not self._unread:
            return None
        losses = torch.stack([loss for loss, _ in self._unread]).tolist()
        for place, (value, (_, size)) in enumerate(zip(losses, self._unread, strict=True)):
            if not math.isfinite(value):
                return len(losses) - 1 - place, value
            self.total += value * size
            self._since_report = (self._since_report[0] + value * size, self._since_report[1] + size)
        self._unread.clear()
        return None

    def report_due(self) -> bool:
        """Whether the last report is long enough ago."""
        return self._limits.clock() - self._reported_at >= self._limits.report_seconds

    def report(self, send: Callable[[float], None]) -> None:
        """Send the mean loss since the last report; what is unread must have been read."""
        total, count = self._since_report
        if count:
            send(total / count)
        self._since_report = (0.0, 0)
        self.start_clock()
