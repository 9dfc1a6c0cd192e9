"""What is measured, and against which candidates."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfcore.validate import integer, number


@dataclass(frozen=True)
class Protocol:
    """How ranking is scored. Rank r = #greater + #equal/2 among the other candidates (ties count half).

    Full ranking: all items but the user's training (at test time also validation) items. Sampled ranking: the held-out item
    among ``sampled_negatives`` items the user never interacted with anywhere.
    """

    k: int = field(default=10, metadata={"help": "Length of the list that is judged: a hit is a held-out item in the first K."})
    sampled_negatives: int = field(
        default=99, metadata={"help": "Items each held-out item competes with in sampled ranking; 99 is customary."}
    )
    relevance_threshold: float = field(
        default=4.0, metadata={"help": "With explicit ratings, a held-out rating from here up counts as relevant for ranking."}
    )
    negatives_seed: int = field(default=0, metadata={"help": "Seed of the sampled negatives."})

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", integer("k", self.k, low=1))
        object.__setattr__(self, "sampled_negatives", integer("sampled_negatives", self.sampled_negatives, low=1))
        object.__setattr__(self, "relevance_threshold", number("relevance_threshold", self.relevance_threshold))
        object.__setattr__(self, "negatives_seed", integer("negatives_seed", self.negatives_seed, low=0))
