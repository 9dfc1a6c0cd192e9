"""What an evaluation saw, case by case. Every metric follows from it, at any K and under any tie policy."""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.errors import UnusableRequest
from mfcore.evaluation.ranking import Places
from mfcore.files import loads, read_arrays, write_atomically
from mfcore.settings.ties import RENAMED_TIES, TIES
from mfcore.typing import Float32, Float64, Int64
from mfcore.validate import choice, require

FORMAT_VERSION = 2
_BY_CASE = (
    "case_user", "case_item", "greater_full", "equal_full", "num_sampled", "num_full", "num_relevant", "greater_free",
    "equal_free", "num_free",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class EvaluationDetails:
    """C cases (relevant held-out interactions), and n held-out ratings with what was predicted for them.

    Attributes:
        k: the K that headline metrics are taken at. ties: how equal scores rank: mean, optimistic or pessimistic.
        case_user, case_item: (C,) int64 indices, by user and then in file order.
        greater_sampled, equal_sampled: (D, C) int64: of the negatives of each of D draws, how many score more, and the same.
        greater_full, equal_full: (C,) int64, the same for full ranking.
        num_sampled, num_full: (C,) int64, candidates ranked, the case itself included.
        num_relevant: (C,) int64, cases of the same user.
        rating_user, rating_item: (n,) int64; predicted, actual: (n,) float32 in rating units. n = 0 if the model does not
            predict ratings.
        greater_free, equal_free, num_free: (C,) int64: of all items the user never interacted with, how many score more, the
            same, and how many there are; None where this was not recorded.
        list_user: (U,) int64, every user with a held-out interaction; lists: (U, L) int32, the first L candidates of full
            ranking, best first, ties by index, −1 where there are no more; None where this was not recorded.
        ties_known: False for evaluations stored by a version that kept half ranks only.
        about: split_hash, on, all_relevant and the protocol's fields; empty for old evaluations.
    """

    k: int
    case_user: Int64
    case_item: Int64
    greater_sampled: Int64
    equal_sampled: Int64
    greater_full: Int64
    equal_full: Int64
    num_sampled: Int64
    num_full: Int64
    num_relevant: Int64
    rating_user: Int64
    rating_item: Int64
    predicted: Float32
    actual: Float32
    ties: str = "mean"
    greater_free: Int64 | None = None
    equal_free: Int64 | None = None
    num_free: Int64 | None = None
    list_user: Int64 | None = None
    lists: npt.NDArray[np.int32] | None = None
    ties_known: bool = True
    about: dict[str, Any] = field(default_factory=dict)

    def _check(self) -> None:
        """Raises ValueError where arrays do not fit each other: a file may hold anything."""
        cases, ratings = np.asarray(self.case_user).size, np.asarray(self.predicted).size
        rows = None if self.list_user is None else self.list_user.size
        whole = (
            all(_is(getattr(self, name), "iu", cases) for name in _BY_CASE)
            and all(_is(array, "iu", None, cases) for array in (self.greater_sampled, self.equal_sampled))
            and self.greater_sampled.shape == self.equal_sampled.shape
            and all(_is(array, "iu", ratings) for array in (self.rating_user, self.rating_item))
            and all(_is(array, "f", ratings) for array in (self.predicted, self.actual))
            and _is(self.list_user, "iu", rows)
            and _is(self.lists, "iu", rows, None)
            and isinstance(self.about, dict)
            and self.ties in TIES
        )
        if not whole:
            raise ValueError("its arrays do not fit each other")

    @property
    def places_draws(self) -> Places:
        """(D, C): where each case stands among the negatives of each draw, under the tie policy."""
        known = np.broadcast_to(self.num_sampled > 1, self.greater_sampled.shape)
        return Places(self.greater_sampled, self.equal_sampled, known).under(self.ties)

    @property
    def tied_full(self) -> Places:
        """(C,): where each case stands among all candidates, with ties left open."""
        return Places(self.greater_full, self.equal_full, self.num_full > 1)

    @property
    def places_full(self) -> Places:
        """(C,): the same under the tie policy, each case on its own."""
        return self.tied_full.under(self.ties)

    @property
    def rank_draws(self) -> Float64:
        """(D, C): mean rank among the negatives of each draw; 0 is best, NaN where there was nothing to compete with."""
        return self.places_draws.mean

    @property
    def rank_full(self) -> Float64:
        """(C,): mean rank among all candidates; 0 is best, NaN where there was nothing to compete with."""
        return self.places_full.mean

    def with_ties(self, ties: str) -> EvaluationDetails:
        """The same scores under another tie policy; nothing is scored again.

        Raises:
            UnusableRequest: unknown policy, or an old evaluation that kept half ranks only.
        """
        choice("ties", ties, TIES)
        known = self.ties_known or ties == self.ties
        require(known, "this evaluation was stored without its ties; evaluate the run again to see another tie policy")
        return dataclasses.replace(self, ties=ties, about={**self.about, "ties": ties} if self.about else {})

    def save(self, path: str | Path) -> None:
        """Write to ``path`` (npz), atomically."""
        kept = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        kept["about"] = json.dumps(self.about, allow_nan=False)
        buffer = io.BytesIO()
        arrays = {name: value for name, value in kept.items() if value is not None}
        np.savez_compressed(buffer, format_version=FORMAT_VERSION, **arrays)
        write_atomically(Path(path), buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> EvaluationDetails:
        """Read what :meth:`save` wrote, or an earlier version did.

        Raises:
            UnusableRequest: the file is missing or damaged, or a later version wrote it.
        """
        try:
            arrays: dict[str, Any] = read_arrays(Path(path))
            version = int(arrays.pop("format_version", 1))
            require(version <= FORMAT_VERSION, f"the stored evaluation {path} needs a newer version of MF Explorer")
            values = _from_version_1(arrays) if version == 1 else arrays
            values |= {"k": int(values["k"]), "ties": _policy(values.get("ties", "mean"))}
            about = loads(str(values.get("about", "{}")))
            if isinstance(about, dict) and "ties" in about:
                about["ties"] = _policy(about["ties"])
            values |= {"ties_known": bool(values["ties_known"]), "about": about}
            found = cls(**values)
            found._check()
            return found
        except UnusableRequest:
            raise
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise UnusableRequest(f"the stored evaluation {path} cannot be read ({error}); evaluate the run again") from error


def _is(array: npt.NDArray[Any] | None, kinds: str, *shape: int | None) -> bool:
    """Whether an array is of a kind and a shape, None being any length; what is not there is."""
    if array is None:
        return True
    fits = array.ndim == len(shape) and all(wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True))
    return fits and array.dtype.kind in kinds


def _policy(stored: Any) -> str:
    """A tie policy by the name that it has today."""
    return RENAMED_TIES.get(str(stored), str(stored))


def _from_version_1(arrays: dict[str, Any]) -> dict[str, Any]:
    """Version 1 kept mean ranks: split so that they come out again, though how many were tied is lost."""
    values = {**arrays, "ties_known": False}
    for name in ("sampled", "full"):
        rank = np.nan_to_num(values.pop(f"rank_{name}"))
        greater = np.floor(rank)
        values[f"greater_{name}"], values[f"equal_{name}"] = greater.astype(np.int64), (2 * (rank - greater)).astype(np.int64)
    for name in ("greater_sampled", "equal_sampled"):
        values[name] = values[name][None, :]
    return values
