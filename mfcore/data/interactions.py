"""Who rated what, when: the one shape in which every dataset reaches splits, models and pages."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from mfcore.data.times import to_seconds
from mfcore.data.titles import spoken_title
from mfcore.data.vocabulary import Vocabulary
from mfcore.registry import DATASETS
from mfcore.typing import Float32, Float64, Int8, Int64
from mfcore.validate import choice, require

if TYPE_CHECKING:  # loaded with the first table: every process imports this module, and not all of them open data
    import pandas as pd


ITEM_COLUMNS = ("title", "year", "genres")
FEEDBACK = ("ratings", "counts", "chosen")
"""What the numbers are: opinions on a scale; how often something was done; or nothing but that it was chosen (all equal)."""
_FAR = 10**11
"""As seconds that would be the year 5138."""
PARTS = ("train", "valid", "test")
"""What 0, 1 and 2 stand for in a division that came with the data."""


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """n interactions of users with items, in file order.

    Attributes:
        user_idx, item_idx: (n,) int64 indices into ``users`` and ``items``.
        rating: (n,) float32, within ``rating_scale``.
        timestamp: (n,) int64 seconds since 1970 (UTC), or None where the source has none. Given in milliseconds, as text or as
            dates, they are recognised and converted.
        users, items: raw id ↔ index.
        item_table: one row per item, indexed 0 … num_items−1: title (str), year (Int64, may be missing), genres (tuple of str).
        rating_scale: lowest and highest possible rating.
        user_table: what is known about users, one row per user, or None.
        planted: true factors (P (num_users, rank), Q (num_items, rank)) of a planted dataset, else None.
        feedback: what ``rating`` holds, one of ``FEEDBACK``.
        part: (n,) int8, a division that came with the data: 0 train, 1 validation, 2 test; or None.
        negatives: (num_users, N) int64 items to rank each user's test item against, which came with the data, −1 where a user
            has none; or None.
        transform: what was done to the ratings since, as :mod:`mfcore.data.transform` calls it.

    Raises:
        UnusableRequest: lengths disagree, an index is out of range, a rating is not finite or off the scale, a user rates
            an item twice, or there is nothing at all.
    """

    user_idx: Int64
    item_idx: Int64
    rating: Float32
    timestamp: Int64 | None
    users: Vocabulary
    items: Vocabulary
    item_table: pd.DataFrame
    rating_scale: tuple[float, float]
    name: str = "interactions"
    user_table: pd.DataFrame | None = None
    planted: tuple[Float64, Float64] | None = None
    feedback: str = "ratings"
    part: Int8 | None = None
    negatives: Int64 | None = None
    transform: str = "none"

    def __post_init__(self) -> None:
        self._check()
        pairs = self._pairs()
        twice = pairs[1:][pairs[1:] == pairs[:-1]]
        if twice.size:
            user, item = divmod(int(twice[0]), len(self.items))
            raw = f"user {self.users.ids[user]} rates item {self.items.ids[item]}"
            require(False, f"{raw} more than once ({twice.size} repeats in all); keep one rating per user and item")

    @classmethod
    def checked_before(cls, **columns: Any) -> Interactions:
        """As the constructor, for columns that it let through when they were stored: repeats are not looked for again, which
        is most of the time that large data takes to open."""
        made = object.__new__(cls)
        for one in dataclasses.fields(cls):
            object.__setattr__(made, one.name, columns.get(one.name, one.default))
        made._check()
        return made

    def _check(self) -> None:
        fix = object.__setattr__
        choice("feedback", self.feedback, FEEDBACK)
        fix(self, "user_idx", _indices("user_idx", self.user_idx, len(self.users)))
        fix(self, "item_idx", _indices("item_idx", self.item_idx, len(self.items)))
        if self.timestamp is not None:
            fix(self, "timestamp", _seconds(self.timestamp))
        require(len(self.user_idx) > 0, f"{self.name} holds no interactions; at least one is needed")
        lengths = {len(self.user_idx), len(self.item_idx), len(self.rating)}
        lengths |= set() if self.timestamp is None else {len(self.timestamp)}
        require(len(lengths) == 1, f"user_idx, item_idx, rating and timestamp must have one length, got {sorted(lengths)}")
        self._check_ratings()
        self._check_tables()
        self._check_given()

    def _pairs(self) -> Int64:
        """(n,) user · num_items + item, ascending. In place, because this is where large data needs the most memory."""
        pairs = self.user_idx * len(self.items)
        pairs += self.item_idx
        if not bool((pairs[1:] >= pairs[:-1]).all()):  # large files often are in this order
            pairs.sort()
        return pairs

    def _check_ratings(self) -> None:
        rating = np.asarray(self.rating)
        require(rating.ndim == 1 and rating.dtype.kind in "fiu", f"rating must be one-dimensional numbers, got {rating.dtype}")
        object.__setattr__(self, "rating", rating.astype(np.float32))
        require(bool(np.isfinite(self.rating).all()), "rating must be finite, but some are NaN or infinite")
        low, high = (float(bound) for bound in self.rating_scale)
        object.__setattr__(self, "rating_scale", (low, high))
        require(low < high, f"rating_scale must be (low, high) with low < high, got ({low:g}, {high:g})")
        got = float(self.rating.min()), float(self.rating.max())
        # Ratings are float32, and so are the bounds they are held to: 4.4 is 4.4, and not 4.4000001.
        within = float(np.float32(low)) <= got[0] and got[1] <= float(np.float32(high))
        require(within, f"rating must lie within {low:g} to {high:g}, got {got[0]:g} to {got[1]:g}")

    def _check_tables(self) -> None:
        missing = [column for column in ITEM_COLUMNS if column not in self.item_table.columns]
        require(not missing, f"item_table lacks {', '.join(missing)}; it needs {', '.join(ITEM_COLUMNS)}")
        for kind, table, size in (("item", self.item_table, len(self.items)), ("user", self.user_table, len(self.users))):
            if table is not None:
                require(len(table) == size, f"{kind}_table must have one row per {kind} ({size}), got {len(table)}")
                object.__setattr__(self, f"{kind}_table", table.reset_index(drop=True))

    def _check_given(self) -> None:
        """The division and the negatives that came with the data, where there are any."""
        fix = object.__setattr__
        if self.part is not None:
            part = _indices("part", self.part, len(PARTS))
            require(len(part) == len(self), f"part must have one entry per interaction ({len(self)}), got {len(part)}")
            fix(self, "part", part.astype(np.int8))
        if self.negatives is not None:
            negatives = np.asarray(self.negatives)
            require(
                negatives.ndim == 2 and len(negatives) == len(self.users) and negatives.dtype.kind in "iu",
                f"negatives must be whole numbers, a row per user ({len(self.users)}), got {negatives.dtype} {negatives.shape}",
            )
            low, high = (int(negatives.min()), int(negatives.max())) if negatives.size else (0, 0)
            require(low >= -1 and high < len(self.items), f"negatives must be items, or -1, got {low} to {high}")
            fix(self, "negatives", negatives.astype(np.int64))

    def __len__(self) -> int:
        return len(self.user_idx)

    def __repr__(self) -> str:
        return f"Interactions({self.name}: {len(self):,} of {self.num_users:,} users with {self.num_items:,} items)"

    @property
    def num_users(self) -> int:
        """Users in the vocabulary, whether or not they occur in these rows."""
        return len(self.users)

    @property
    def num_items(self) -> int:
        """Items in the vocabulary, whether or not they occur in these rows."""
        return len(self.items)

    @property
    def density(self) -> float:
        """Share of the user × item matrix that is observed, 0 to 1."""
        return len(self) / (self.num_users * self.num_items)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all that a model can learn from: ids, interactions in order, scale. Titles are left out, so that
        mending a title does not orphan stored runs."""
        digest = hashlib.sha256(repr(("mf-explorer interactions 1", self.rating_scale)).encode())
        for vocabulary in (self.users, self.items):
            digest.update("\x1f".join(map(str, vocabulary.ids.tolist())).encode() + b"\x1e")
        for array in (self.user_idx, self.item_idx, self.rating, self.timestamp):
            if array is not None:
                digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
            digest.update(b"\x1e")
        # Added later: what has none of these keeps the fingerprint that stored runs know it by.
        if self.feedback != FEEDBACK[0]:
            digest.update(f"feedback {self.feedback}\x1e".encode())
        for name, given in (("part", self.part), ("negatives", self.negatives)):
            if given is not None:
                digest.update(f"{name} {given.shape}\x1e".encode())
                digest.update(np.ascontiguousarray(given, given.dtype.newbyteorder("<")).data)
        return digest.hexdigest()

    def select(self, rows: ArrayLike) -> Interactions:
        """The interactions at ``rows`` ((m,) positions, or an (n,) bool mask), in that order, with the same vocabularies.

        The only way to hold no interactions at all: a part of a split may be empty.
        """
        wanted = np.asarray(rows)
        if wanted.dtype != np.bool_:
            wanted = wanted.astype(np.int64)
        part = copy.copy(self)
        for cached in ("fingerprint", "_by_user"):
            part.__dict__.pop(cached, None)
        for column in ("user_idx", "item_idx", "rating", "timestamp", "part"):
            whole = getattr(self, column)
            object.__setattr__(part, column, None if whole is None else whole[wanted])
        return part

    def of_users(self, users: ArrayLike) -> Interactions:
        """The interactions of ``users`` ((m,) indices), in file order, with the same vocabularies; perhaps none."""
        wanted = np.zeros(self.num_users, np.bool_)
        wanted[np.asarray(users, dtype=np.int64)] = True
        return self.select(wanted[self.user_idx])

    def item_titles(self, item_idx: ArrayLike | None = None) -> list[str]:
        """A title for each of these items ((n,) indices; all by default), as people say it; see :func:`item_title`.

        ``item_table`` keeps what the source wrote, which may put the article last ("Saint, The"): its dataset's spec knows.
        """
        wanted = slice(None) if item_idx is None else np.asarray(item_idx, dtype=np.int64)
        pairs = zip(self.item_table["title"].iloc[wanted].tolist(), self.items.ids[wanted].tolist(), strict=True)
        titles = [item_title(title, item_id) for title, item_id in pairs]
        spec = DATASETS.get(self.name)
        return [spoken_title(title) for title in titles] if spec is not None and spec.article_last else titles

    def activity(self) -> Int64:
        """(num_users,) int64: interactions per user."""
        return np.bincount(self.user_idx, minlength=self.num_users).astype(np.int64)

    def popularity(self) -> Int64:
        """(num_items,) int64: interactions per item."""
        return np.bincount(self.item_idx, minlength=self.num_items).astype(np.int64)

    def items_of(self, user: int) -> Int64:
        """(m,) int64: the items of one user, ascending. Does not need, nor make, the table of all users."""
        if "_by_user" in self.__dict__:
            indptr, items = self._by_user
            return items[indptr[user] : indptr[user + 1]]
        return np.sort(self.item_idx[self.user_idx == user])

    def by_user(self) -> tuple[Int64, Int64]:
        """CSR: ``indptr`` (num_users+1,) and ``item_idx`` (n,). User u's items, ascending, are
        ``item_idx[indptr[u]:indptr[u + 1]]``. Both int64; shared, so do not write to them."""
        return self._by_user

    @cached_property
    def _by_user(self) -> tuple[Int64, Int64]:
        indptr = np.concatenate([[0], np.cumsum(self.activity())]).astype(np.int64)
        pairs = self._pairs()
        return indptr, np.remainder(pairs, max(1, self.num_items), out=pairs)


def check_same_data(model: Any, data: Interactions) -> None:
    """A model and data that know the same users and items; a model that does not say how many it knows is believed.

    Raises:
        UnusableRequest: their numbers differ.
    """
    sizes = getattr(model, "num_users", None), getattr(model, "num_items", None)
    if None in sizes:
        return
    require(
        (int(sizes[0]), int(sizes[1])) == (data.num_users, data.num_items),  # type: ignore[arg-type]
        f"this model knows {sizes[0]} users and {sizes[1]} items, {data.name} has {data.num_users} and {data.num_items}; "
        "use the data it was trained on",
    )


def item_title(title: object, item_id: object) -> str:
    """The title as the data gives it; "item 17" where it gives none: missing, blank, or a missing value turned into text."""
    text = "" if title is None else str(title).strip()
    return text if text and text.lower() not in ("nan", "<na>") else f"item {item_id}"


def make_item_table(titles: ArrayLike, years: Any = None, genres: Any = None) -> pd.DataFrame:
    """An ``item_table`` from (num_items,) titles, with years (None where unknown) and tuples of genres if there are any."""
    import pandas as pd

    size = len(np.asarray(titles))
    return pd.DataFrame(
        {
            "title": pd.Series(list(np.asarray(titles).tolist()), dtype="str"),
            "year": pd.array([None] * size if years is None else list(years), dtype="Int64"),
            "genres": pd.Series([()] * size if genres is None else [tuple(one) for one in genres], dtype=object),
        }
    )


def _seconds(timestamp: ArrayLike) -> Int64:
    """Whole seconds as they are; milliseconds and the like, text, and dates are recognised by :func:`to_seconds`."""
    array = np.asarray(timestamp)
    if array.dtype.kind in "iu" and (not array.size or (int(array.min()) > -_FAR and int(array.max()) < _FAR)):
        require(array.ndim == 1, f"timestamp must be one-dimensional, got shape {array.shape}")
        return array.astype(np.int64)
    return to_seconds(timestamp).seconds


def _indices(name: str, values: ArrayLike, size: int | None) -> Int64:
    array = np.asarray(values)
    require(array.ndim == 1, f"{name} must be one-dimensional, got shape {array.shape}")
    require(array.dtype.kind in "iu", f"{name} must be whole numbers, got {array.dtype}")
    if size is not None and array.size:
        low, high = int(array.min()), int(array.max())
        require(low >= 0 and high < size, f"{name} must lie within 0 to {size - 1}, got {low} to {high}")
    return array.astype(np.int64)
