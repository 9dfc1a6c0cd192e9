"""What is measured, and against which candidates."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfcore.validate import LARGEST_SEED, choice, integer, number

TIES = {"half": 0.5, "optimistic": 0.0, "pessimistic": 1.0}
"""Policy → how many places a competitor with the same score costs."""
MOST_DRAWS = 100
LONGEST_LIST = 1000


@dataclass(frozen=True)
class Protocol:
    """How ranking is scored. Rank r = #greater + w · #equal among the other candidates; w is ½, 0 or 1 as ``ties`` says.

    Full ranking: all items but the user's training (at test time also validation) items. Sampled ranking: the held-out item
    among ``sampled_negatives`` items the user never interacted with anywhere; as many as the catalogue has items, or more,
    means all of them. Every sampled figure is the mean over ``draws`` draws.
    """

    k: int = field(default=10, metadata={"help": "Length of the list that is judged: a hit is a held-out item in the first K."})
    sampled_negatives: int = field(
        default=99, metadata={"help": "Items each held-out item competes with in sampled ranking; 99 is customary."}
    )
    relevance_threshold: float = field(
        default=4.0, metadata={"help": "With explicit ratings, a held-out rating from here up counts as relevant for ranking."}
    )
    negatives_seed: int = field(default=0, metadata={"help": "Seed of the sampled negatives."})
    ties: str = field(
        default="half",
        metadata={
            "help": "Where items with the same score stand: half of them above (fair), none (optimistic: a model that scores "
            "everything alike looks perfect), or all (pessimistic)."
        },
    )
    draws: int = field(
        default=5, metadata={"help": "How often negatives are drawn; figures are means. One draw moves NDCG@10 by up to ± .01."}
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", integer("k", self.k, low=1, high=LONGEST_LIST))
        object.__setattr__(self, "sampled_negatives", integer("sampled_negatives", self.sampled_negatives, low=1))
        object.__setattr__(self, "relevance_threshold", number("relevance_threshold", self.relevance_threshold))
        object.__setattr__(self, "negatives_seed", integer("negatives_seed", self.negatives_seed, low=0, high=LARGEST_SEED))
        object.__setattr__(self, "ties", choice("ties", self.ties, TIES))
        object.__setattr__(self, "draws", integer("draws", self.draws, low=1, high=MOST_DRAWS))
