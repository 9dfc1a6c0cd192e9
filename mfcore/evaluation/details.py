"""What an evaluation saw, case by case, and the metrics that follow from it."""

from __future__ import annotations

import dataclasses
import io
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mfcore.data.files import write_atomically
from mfcore.evaluation import ranking, rating
from mfcore.validate import UnusableRequest

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EvaluationDetails:
    """C cases (relevant held-out interactions), and n held-out ratings with what was predicted for them.

    Attributes:
        k: the K that headline metrics are taken at.
        case_user, case_item: (C,) int64 indices, by user and then in file order.
        rank_sampled, rank_full: (C,) float64; 0 is best, ties count half, NaN where there was nothing to compete with.
        num_sampled, num_full: (C,) int64, candidates ranked, the case itself included.
        num_relevant: (C,) int64, cases of the same user.
        rating_user, rating_item: (n,) int64; predicted, actual: (n,) float32 in rating units. n = 0 if the model does not
            predict ratings.
    """

    k: int
    case_user: Ints
    case_item: Ints
    rank_sampled: Floats
    rank_full: Floats
    num_sampled: Ints
    num_full: Ints
    num_relevant: Ints
    rating_user: Ints
    rating_item: Ints
    predicted: npt.NDArray[np.float32]
    actual: npt.NDArray[np.float32]

    def save(self, path: str | Path) -> None:
        """Write to ``path`` (npz), atomically."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{f.name: getattr(self, f.name) for f in dataclasses.fields(self)})
        write_atomically(Path(path), buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> EvaluationDetails:
        """Read what :meth:`save` wrote.

        Raises:
            UnusableRequest: the file is missing or damaged.
        """
        try:
            # By way of memory, because np.load leaves a damaged file open.
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as stored:
                arrays = {f.name: stored[f.name] for f in dataclasses.fields(cls)}
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise UnusableRequest(f"the stored evaluation {path} cannot be read ({error}); evaluate the run again") from error
        return cls(**{**arrays, "k": int(arrays["k"])})


def summarise(details: EvaluationDetails, k: int | None = None) -> dict[str, float]:
    """Every defined metric at ``k`` (default: the details' own).

    ``rmse``, ``mae``; sampled ranking, a mean over cases: ``hr@K``, ``ndcg@K``, ``mrr@K``; full ranking, a mean over users
    with a case: ``hr@K/full``, ``ndcg@K/full``, ``mrr@K/full``, ``recall@K/full``, ``precision@K/full``. What is undefined
    is absent.
    """
    k = details.k if k is None else k
    found = {
        "rmse": rating.rmse(details.predicted, details.actual),
        "mae": rating.mae(details.predicted, details.actual),
        **{f"{name}@{k}": value for name, value in ranking.per_case(details.rank_sampled, k).items()},
        **{f"{name}@{k}/full": value for name, value in ranking.per_user(details.case_user, details.rank_full, k).items()},
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}
