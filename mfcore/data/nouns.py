"""What a dataset's users, items and ratings are called, wherever one speaks of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mfcore.data.config import DatasetConfig
from mfcore.registry import DATASETS


@dataclass(frozen=True)
class Nouns:
    """What things are called, one and several: a ``film`` among ``films``, rated by ``users`` in ``stars``, written as ★.

    ``feedback``: what the numbers are, one of :data:`mfcore.data.interactions.FEEDBACK`; only opinions are called ratings.
    """

    item: str = "item"
    items: str = "items"
    user: str = "user"
    users: str = "users"
    unit: str = "point"
    units: str = "points"
    symbol: str = ""
    feedback: str = "ratings"

    @property
    def did(self) -> str:
        """What users did with items: they rated, or chose them."""
        return "rated" if self.feedback == "ratings" else "chose"

    @property
    def rating(self) -> str:
        """One row of the data."""
        return "rating" if self.feedback == "ratings" else "interaction"

    @property
    def ratings(self) -> str:
        """Rows of the data."""
        return f"{self.rating}s"

    @property
    def has_values(self) -> bool:
        """Whether the numbers say anything: where items were only chosen, they are all the same."""
        return self.feedback != "chosen"

    @property
    def one_item(self) -> str:
        return one(self.item)

    @property
    def one_unit(self) -> str:
        return one(self.unit)

    def rated(self, value: str) -> str:
        """A rating with the sign of its unit, where it has one: "4 ★"."""
        return f"{value} {self.symbol}".rstrip()


def nouns(dataset: DatasetConfig | str) -> Nouns:
    """The words of a dataset; those of any data where it is not registered (any more)."""
    name, how = (dataset, "none") if isinstance(dataset, str) else (dataset.name, dataset.transform)
    spec = DATASETS.get(name)
    plain = Nouns(*spec.item, *spec.user, *spec.rating, spec.symbol, spec.feedback) if spec is not None else Nouns()
    if plain.feedback == "chosen" or how not in ("log", "binarise"):
        return plain
    if how == "binarise":
        return replace(plain, symbol="", feedback="chosen")
    return replace(plain, unit=f"ln(1 + {plain.units})", units=f"ln(1 + {plain.units})", symbol="")


def one(noun: str) -> str:
    """ "a film", "an item", and by its sound "a user"."""
    by_sound = noun[0] in "aeiou" and not noun.startswith(("us", "uni", "eu"))
    return f"{'an' if by_sound else 'a'} {noun}"
