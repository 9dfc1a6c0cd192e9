"""What is measured, and against which candidates."""

from __future__ import annotations

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
    relevance_threshold: float = default("relevance_threshold")
    negatives_seed: int = default("negatives_seed")
    ties: str = default("ties")
    draws: int = default("draws")

    def __post_init__(self) -> None:
        object.__setattr__(self, "ties", RENAMED_TIES.get(self.ties, self.ties) if isinstance(self.ties, str) else self.ties)
        check(self)


def all_relevant(split: str, *, ranks: bool) -> bool:
    """Whether every held-out interaction counts as relevant, whatever its rating: where one a user is held out by its place in
    time, and where ranking is what is learned. Else ratings from the protocol's threshold up."""
    return ranks or SPLITS[split].holds_out_one
