"""How much to keep: a budget of time for writing, and which of too many to drop."""

from __future__ import annotations

SHARE = 1 / 100
"""Of the time that passes, what writing may take."""
IN_HAND = 0.03
"""Seconds of writing that may be saved up: one slow write must not stop the next ones."""


class Budget:
    """Seconds that may be spent: a fixed share of those that pass, saved up to a limit."""

    def __init__(self) -> None:
        self._left = IN_HAND
        self._at: float | None = None

    def left(self, now: float) -> float:
        """``now``: any clock, in seconds."""
        earned = 0.0 if self._at is None else (now - self._at) * SHARE
        self._left, self._at = min(IN_HAND, self._left + earned), now
        return self._left

    def spend(self, seconds: float) -> None:
        self._left -= seconds


def superfluous(epochs: list[int], keep: set[int]) -> int:
    """Which of ``epochs`` (ascending, at least 3) to drop: the one whose neighbours are closest to each other.

    Neither the first nor the last, nor, while there are others, those in ``keep``. Dropping one at a time keeps gaps even.
    """
    inner = range(1, len(epochs) - 1)
    free = [place for place in inner if epochs[place] not in keep] or list(inner)
    return epochs[min(free, key=lambda place: epochs[place + 1] - epochs[place - 1])]
