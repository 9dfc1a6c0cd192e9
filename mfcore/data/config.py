"""Which interactions, and which of them are held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mfcore.settings import check, default
from mfcore.validate import identifier, number, require


@dataclass(frozen=True)
class DatasetConfig:
    """A dataset by its registered name, with the options its source takes (generated sets only), and what is done to its
    ratings (:mod:`mfcore.data.transform`).

    Raises:
        UnusableRequest: no dataset could have such a name or option, or an option is no finite number.
    """

    name: str = default("dataset")
    options: dict[str, float] = field(default_factory=dict)
    transform: str = default("transform")

    def __post_init__(self) -> None:
        check(self)
        require(isinstance(self.options, Mapping), f"options of a dataset must be numbers by name, got {self.options!r}")
        for name, value in self.options.items():
            number(f"dataset.{identifier('an option of a dataset', name)}", value)


@dataclass(frozen=True)
class SplitConfig:
    """How interactions are divided into train, validation and test. Fractions are of all interactions.

    ``leave-last-out``: each user's latest interaction is test, the one before it validation. ``leave-one-out``: two of each
    user, that a draw with ``seed`` picks. ``time``: the latest ``test_fraction`` of all interactions is test, those before them
    validation. ``official``: the data's own fold ``fold`` is test (of ML-100K rows (fold−1)·20000+1 … fold·20000 of u.data);
    validation is drawn at random from the rest. Of interactions at the same moment a draw with ``seed`` decides which is later.

    ``positive_threshold``: "all", or a rating; what is rated lower is then in none of the parts, because it says that somebody
    did *not* want something. Only for learning to rank.

    Raises:
        UnusableRequest: a field is outside its range, or nothing would be left to train on.
    """

    kind: str = default("split")
    test_fraction: float = default("test_fraction")
    valid_fraction: float = default("valid_fraction")
    fold: int = default("fold")
    seed: int = default("split_seed")
    positive_threshold: float | str = default("positive_threshold")

    def __post_init__(self) -> None:
        check(self)
        require(
            self.test_fraction + self.valid_fraction < 1.0,
            "test_fraction + valid_fraction must leave something to train on, "
            f"got {self.test_fraction:g} + {self.valid_fraction:g}",
        )
