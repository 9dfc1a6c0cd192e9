"""Raw ids, as a dataset writes them, and the indices 0 … n−1 that models count with."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfcore.errors import UnusableRequest
from mfcore.typing import Int64
from mfcore.validate import require


class Vocabulary:
    """A one-to-one map raw id ↔ index; the index of ``ids[k]`` is k.

    Args:
        ids: (n,) distinct raw ids, all whole numbers or all text.
        kind: what they identify, used in messages ("user", "item").

    Raises:
        UnusableRequest: ids repeat, or are neither whole numbers nor text.
    """

    def __init__(self, ids: ArrayLike, kind: str = "id") -> None:
        array = np.asarray(ids)
        require(array.ndim == 1, f"{kind} ids must be one-dimensional, got shape {array.shape}")
        if array.size == 0:
            array = array.astype(np.int64)
        if array.dtype.kind in "OUT":
            array = array.astype(np.str_)
        require(array.dtype.kind in "iuU", f"{kind} ids must be whole numbers or text, got {array.dtype}")
        self.ids: NDArray[Any] = array.astype(np.int64) if array.dtype.kind in "iu" else array
        self.kind = kind
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
        """The index of ``raw``; a whole number may be given as text and the other way round.

        Raises:
            UnusableRequest: no such id.
        """
        key: int | str = raw.strip() if isinstance(raw, str) else int(raw)
        if self.ids.dtype.kind == "i" and isinstance(key, str):
            try:
                key = int(key)
            except ValueError:
                raise UnusableRequest(self._unknown(repr(key))) from None
        elif self.ids.dtype.kind == "U":
            key = str(key)
        found = self._index_of.get(key)
        if found is None:
            raise UnusableRequest(self._unknown(str(key)))
        return found

    def indices(self, raw: ArrayLike) -> Int64:
        """(n,) raw ids → (n,) int64 indices.

        Raises:
            UnusableRequest: at least one id is unknown.
        """
        wanted = np.asarray(raw)
        if wanted.size == 0:
            return np.zeros(0, dtype=np.int64)
        if wanted.dtype.kind not in ("iu" if self.ids.dtype.kind == "i" else "U"):
            return np.array([self.index(one) for one in wanted.tolist()], dtype=np.int64)
        require(len(self) > 0, self._unknown(str(wanted[0])))
        place = np.minimum(np.searchsorted(self._sorted, wanted), len(self) - 1)
        missing = self._sorted[place] != wanted
        if missing.any():
            raise UnusableRequest(self._unknown(", ".join(map(str, wanted[missing][:3].tolist()))))
        return self._order[place].astype(np.int64)

    def _unknown(self, what: str) -> str:
        if len(self) == 0:
            return f"unknown {self.kind} {what}; there are no {self.kind}s"
        return f"unknown {self.kind} {what}; known are {len(self)} ids from {self._sorted[0]} to {self._sorted[-1]}"
