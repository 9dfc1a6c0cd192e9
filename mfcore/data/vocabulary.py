"""Raw ids, exactly as a dataset writes them, and the indices 0 … n−1 that models count with."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfcore.errors import UnusableRequest
from mfcore.typing import Int64
from mfcore.validate import require

_INT64_END = 2**63


class Vocabulary:
    """A one-to-one map raw id ↔ index; the index of ``ids[k]`` is k.

    Ids are kept as they came: ``"b "`` is not ``"b"``, ``"007"`` is not ``"7"``, and whole numbers may be of any size.

    Args:
        ids: (n,) distinct raw ids, whole numbers or text; where both occur, and beyond 2⁶⁴, numbers are kept as text.
        kind: what they identify, used in messages ("user", "item").

    Attributes:
        ids: (n,) int64, uint64 where one is 2⁶³ or more, or text.

    Raises:
        UnusableRequest: ids repeat, one is missing, or they are neither whole numbers nor text.
    """

    def __init__(self, ids: ArrayLike, kind: str = "id") -> None:
        self.kind = kind
        self.ids: NDArray[Any] = _kept(ids, kind)
        self._order = np.argsort(self.ids, kind="stable")
        self._sorted = self.ids[self._order]
        repeated = self._sorted[1:][self._sorted[1:] == self._sorted[:-1]]
        require(repeated.size == 0, f"{kind} ids must be distinct, but {repeated[:1].tolist()} occurs twice")

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} {self.kind} ids)"

    @cached_property
    def _index_of(self) -> dict[int | str, int]:
        return {raw: index for index, raw in enumerate(self.ids.tolist())}

    def index(self, raw: int | str) -> int:
        """The index of ``raw``, which is compared exactly; a whole number may be given as text and the other way round.

        Raises:
            UnusableRequest: no such id.
        """
        found = self._index_of.get(self._key(raw))
        if found is None:
            raise UnusableRequest(self._unknown(repr(raw) if isinstance(raw, str) else str(raw)))
        return found

    def _key(self, raw: object) -> int | str:
        """``raw`` as the ids are written; a text that is no id among numbers stays text, which is not found."""
        if isinstance(raw, float | np.floating) and float(raw).is_integer():
            raw = int(raw)  # from a column that pandas holds as numbers with a decimal point
        text = str(raw)
        if self.ids.dtype.kind == "U":
            return text
        return int(text) if text.removeprefix("-").isdecimal() and text == str(int(text)) else text

    def indices(self, raw: ArrayLike) -> Int64:
        """(n,) raw ids → (n,) int64 indices.

        Raises:
            UnusableRequest: at least one id is unknown.
        """
        wanted = raw if isinstance(raw, np.ndarray) else _as_objects(raw)
        if wanted.size == 0:
            return np.zeros(0, dtype=np.int64)
        if wanted.dtype != self.ids.dtype and not (wanted.dtype.kind == self.ids.dtype.kind == "U"):
            return self._one_by_one(wanted)
        require(len(self) > 0, self._unknown(str(wanted[0])))
        place = np.minimum(np.searchsorted(self._sorted, wanted), len(self) - 1)
        missing = self._sorted[place] != wanted
        if missing.any():
            raise UnusableRequest(self._unknown(", ".join(map(str, wanted[missing][:3].tolist()))))
        return self._order[place].astype(np.int64)

    def _one_by_one(self, wanted: NDArray[Any]) -> Int64:
        """Of another kind than the ids: numpy would compare int64 and uint64 as floats, which rounds."""
        return np.array([self.index(one) for one in wanted.tolist()], dtype=np.int64)

    def _unknown(self, what: str) -> str:
        if len(self) == 0:
            return f"unknown {self.kind} {what}; there are no {self.kind}s"
        return f"unknown {self.kind} {what}; known are {len(self)} ids from {self._sorted[0]} to {self._sorted[-1]}"


def _kept(ids: ArrayLike, kind: str) -> NDArray[Any]:
    """``ids`` as they are stored: int64, uint64 or text, without a change that could make two of them one."""
    array = np.asarray(ids) if isinstance(ids, np.ndarray) else _as_objects(ids)
    require(array.ndim == 1, f"{kind} ids must be one-dimensional, got shape {array.shape}")
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind == "O":
        array = _of_objects(array.tolist(), kind)
    if array.dtype.kind == "T":
        array = array.astype(np.str_)
    require(array.dtype.kind in "iuU", f"{kind} ids must be whole numbers or text, got {array.dtype}")
    if array.dtype.kind == "u" and int(array.max()) >= _INT64_END:
        return array.astype(np.uint64)
    return array if array.dtype.kind == "U" else array.astype(np.int64)


def _as_objects(ids: Any) -> NDArray[Any]:
    """As numpy reads them, unless that would make text of numbers, or floats of large ones."""
    array = np.asarray(ids)
    exact = array.dtype.kind in "iu" or (
        array.dtype.kind == "U" and all(isinstance(one, str) and "\0" not in one for one in ids)
    )
    return array if exact or array.ndim != 1 else np.asarray(ids, dtype=object)


def _of_objects(ids: list[Any], kind: str) -> NDArray[Any]:
    for place, one in enumerate(ids):
        missing = one is None or (isinstance(one, float) and one != one) or type(one).__name__ in ("NAType", "NaTType")
        require(not missing, f"{kind} id number {place + 1} is missing; leave out rows without one")
        whole = isinstance(one, int | np.integer) and not isinstance(one, bool)
        require(whole or isinstance(one, str), f"{kind} ids must be whole numbers or text, got {one!r} (number {place + 1})")
        require(not (isinstance(one, str) and "\0" in one), f"{kind} id number {place + 1} holds a NUL character; take it out")
    if all(isinstance(one, int | np.integer) for one in ids):
        low, high = min(ids), max(ids)
        if low >= -_INT64_END and high < _INT64_END:
            return np.array(ids, dtype=np.int64)
        if low >= 0 and high < 2 * _INT64_END:
            return np.array(ids, dtype=np.uint64)
    return np.array([str(one) for one in ids], dtype=np.str_)
