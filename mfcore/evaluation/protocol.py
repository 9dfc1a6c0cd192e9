"""What is measured, and against which candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mfcore.registry import SPLITS
from mfcore.settings import check, default
from mfcore.settings.ties import RENAMED_TIES


@dataclass(frozen=True)
class Protocol:
    """How ranking is scored. Rank r = #greater among the other candidates, and any number of #equal more: a metric is its mean
    over them, or the best or worst of them, as ``ties`` says.

    Full ranking: all items but the user's training (at test time also validation) items. Sampled ranking: the held-out item
    among ``sampled_negatives`` items the user never interacted with anywhere; as many as the catalogue has items, or more,
    means all of them. Every sampled figure is the mean over ``draws`` draws.
    """

    k: int = default("k")
    sampled_negatives: int = default("sampled_negatives")
    relevance_threshold: float | str = default("relevance_threshold")
    negatives_seed: int = default("negatives_seed")
    ties: str = default("ties")
    draws: int = default("draws")

    def __post_init__(self) -> None:
        object.__setattr__(self, "ties", RENAMED_TIES.get(self.ties, self.ties) if isinstance(self.ties, str) else self.ties)
        check(self)


UPPER_THIRD = 2 / 3
"""Of the scale: what lies above it is relevant, unless somebody says otherwise."""


def threshold_of(asked: float | str, scale: tuple[float, float] | None, feedback: str = "ratings") -> float:
    """The rating from which a held-out interaction is relevant.

    "auto" is the beginning of the upper third of ``scale`` (low, high), rounded up to a whole or half rating where the scale is
    that wide: 4 of 1 to 5. Of counts, and of what was only chosen, every one is relevant (−inf). NaN: the scale is not known.
    """
    if not isinstance(asked, str):
        return asked
    if feedback != "ratings":
        return -math.inf
    if scale is None:
        return math.nan
    low, high = scale
    start = low + UPPER_THIRD * (high - low)
    return math.ceil(2 * start - 1e-9) / 2 if high - low >= 2 else start


def threshold_words(asked: float | str, scale: tuple[float, float] | None = None, feedback: str = "ratings") -> str:
    """What makes a held-out interaction relevant, as the end of a sentence: "a rating of 4 or more"."""
    least = threshold_of(asked, scale, feedback)
    if math.isnan(least):
        return "a rating in the upper third of the scale"
    return f"a rating of {least:g} or more" if math.isfinite(least) else "any value"


def all_relevant(split: str, *, ranks: bool) -> bool:
    """Whether every held-out interaction counts as relevant, whatever its rating: where one a user is held out by its place in
    time, and where ranking is what is learned. Else ratings from the protocol's threshold up."""
    return ranks or SPLITS[split].holds_out_one
