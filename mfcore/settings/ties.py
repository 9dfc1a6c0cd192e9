"""What equal scores count as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TiePolicy:
    """Where an item stands among those with the same score.

    Attributes:
        title: its name on screen. sentence: what it does, below a figure. cost: places that each of them costs it, on average.
    """

    title: str
    sentence: str
    cost: float


TIES = {
    "mean": TiePolicy("Mean", "Of ties, the mean over all their orders counts.", 0.5),
    "optimistic": TiePolicy("Optimistic", "Ties count as won, which flatters.", 0.0),
    "pessimistic": TiePolicy("Pessimistic", "Ties count as lost.", 1.0),
}
RENAMED_TIES = {"half": "mean"}
"""What earlier versions wrote. They gave a tied item the middle one of its places instead of the mean over all of them."""
