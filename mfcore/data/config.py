"""Which interactions, and which of them are held out."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfcore.validate import LARGEST_SEED, choice, integer, number, require

SPLITS: dict[str, str] = {
    "random": "Random",
    "leave-last-out": "Leave last out",
    "time": "By time",
    "official": "Official folds",
}
TIMED_SPLITS = ("leave-last-out", "time")
"""Splits that need to know what came after what."""


@dataclass(frozen=True)
class DatasetConfig:
    """A dataset by its registered name, with the options its source takes (synthetic sets only)."""

    name: str = field(default="ml-100k", metadata={"help": "Which interactions to learn from."})
    options: dict[str, float] = field(default_factory=dict, metadata={"help": "Options of a synthetic dataset, such as noise."})


@dataclass(frozen=True)
class SplitConfig:
    """How interactions are divided into train, validation and test. Fractions are of all interactions.

    ``leave-last-out``: each user's latest interaction is test, the one before validation. ``time``: the latest
    ``test_fraction`` of all interactions is test, those before them validation. ``official``: ML-100K's fold ``fold`` is
    test (rows (fold−1)·20000+1 … fold·20000 of u.data); validation is drawn at random from the rest.
    """

    kind: str = field(default="random", metadata={"help": "How ratings are divided into train, validation and test."})
    test_fraction: float = field(default=0.2, metadata={"help": "Share of ratings kept for the final test (random, time)."})
    valid_fraction: float = field(
        default=0.1, metadata={"help": "Share of ratings that steer choices during training (random, time, official)."}
    )
    fold: int = field(default=1, metadata={"help": "Which of the five official ML-100K folds is the test set."})
    seed: int = field(default=0, metadata={"help": "Seed of the random division."})

    def __post_init__(self) -> None:
        choice("split", self.kind, SPLITS)
        fix = object.__setattr__
        fix(self, "test_fraction", number("test_fraction", self.test_fraction, above=0.0, below=1.0))
        fix(self, "valid_fraction", number("valid_fraction", self.valid_fraction, above=0.0, below=1.0))
        require(
            self.test_fraction + self.valid_fraction < 1.0,
            "test_fraction + valid_fraction must leave something to train on, "
            f"got {self.test_fraction:g} + {self.valid_fraction:g}",
        )
        fix(self, "fold", integer("fold", self.fold, low=1, high=5))
        fix(self, "seed", integer("split_seed", self.seed, low=0, high=LARGEST_SEED))
