"""What equal scores count as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TiePolicy:
    """How many places a competitor with the same score costs.

    Attributes:
        title: its name on screen. sentence: what it does, below a figure. cost: places, of one.
    """

    title: str
    sentence: str
    cost: float


TIES = {
    "half": TiePolicy("Half", "Ties count half.", 0.5),
    "optimistic": TiePolicy("Optimistic", "Ties count as won, which flatters.", 0.0),
    "pessimistic": TiePolicy("Pessimistic", "Ties count as lost.", 1.0),
}
