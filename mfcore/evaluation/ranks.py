"""Ranks from scores: how many of the other candidates score more, and how many the same.

Nothing is sorted where counting is cheaper. One comparison of a row of scores with one number runs at the speed of memory, so a
user with few cases is ranked by as many passes; only the rows of users with many are put in order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mfcore.typing import Int64

NARROW = 256
"""Up to as many candidates, all cases are compared at once: a call for each would cost more than the comparing."""
_COMPARED_AT_ONCE = 2_000_000
_SORT, _COMPARE, _CALL = 4.5, 0.25, 3000.0
"""Nanoseconds to sort a row, for each candidate; to compare it with one case, for each candidate; and to ask for that."""


def counts_among(candidates: Tensor, targets: Tensor, row: Tensor, *, includes_target: bool) -> tuple[Tensor, Tensor]:
    """How many of its row's other candidates are greater than each target, and how many equal.

    candidates: (B, M) floats, −inf for "not a candidate"; targets: (C,), of which target c belongs to row ``row[c]``, in
    ascending order of rows; ``includes_target``: the target itself is one of the candidates. → two of (C,) int64.
    Candidates must not be NaN; what a target that is not finite gets here has no meaning (the caller overrules it).
    """
    if candidates.device.type == "cpu":
        found = _on_cpu(candidates.numpy(), targets.numpy(), row.numpy())
        greater, equal = (torch.from_numpy(counts) for counts in found)
    else:
        greater, equal = counts_on_device(candidates, targets, row)
    return greater, equal - int(includes_target)


def _on_cpu(candidates: npt.NDArray[np.floating], targets: npt.NDArray[np.floating], row: Int64) -> tuple[Int64, Int64]:
    width = candidates.shape[1]
    if width <= NARROW:
        return _compared_together(candidates, targets, row)
    greater, equal = np.empty(len(targets), np.int64), np.empty(len(targets), np.int64)
    crowded = (np.bincount(row, minlength=len(candidates)) > _SORT * width / (_CALL + _COMPARE * width))[row]
    for case in np.flatnonzero(~crowded).tolist():
        scores, target = candidates[row[case]], targets[case]
        greater[case] = np.count_nonzero(scores > target)
        equal[case] = np.count_nonzero(scores == target)
    if crowded.any():
        rows, place = np.unique(row[crowded], return_inverse=True)
        ordered = np.sort(candidates[rows], axis=1)  # numpy's vectorised sort is some 30 times faster than torch's
        not_above = _bisected(ordered, targets[crowded], place, right=True)
        greater[crowded] = width - not_above
        equal[crowded] = not_above - _bisected(ordered, targets[crowded], place, right=False)
    return greater, equal


def _compared_together(
    candidates: npt.NDArray[np.floating], targets: npt.NDArray[np.floating], row: Int64
) -> tuple[Int64, Int64]:
    greater, equal = np.empty(len(targets), np.int64), np.empty(len(targets), np.int64)
    at_once = max(1, _COMPARED_AT_ONCE // max(1, candidates.shape[1]))
    for start in range(0, len(targets), at_once):
        some = slice(start, start + at_once)
        scores, target = candidates[row[some]], targets[some, None]
        greater[some] = (scores > target).sum(axis=1)
        equal[some] = (scores == target).sum(axis=1)
    return greater, equal


def _bisected(ordered: npt.NDArray[np.floating], targets: npt.NDArray[np.floating], row: Int64, *, right: bool) -> Int64:
    """np.searchsorted of each target in its own row of ``ordered``, all of them a step at a time. (C,) int64."""
    low, high = np.zeros(len(targets), np.int64), np.full(len(targets), ordered.shape[1], np.int64)
    for _ in range(int(ordered.shape[1]).bit_length()):
        middle = (low + high) // 2
        value = ordered[row, np.minimum(middle, ordered.shape[1] - 1)]
        after = ((value <= targets) if right else (value < targets)) & (low < high)
        low, high = np.where(after, middle + 1, low), np.where(after, high, np.minimum(high, middle))
    return low


def counts_on_device(candidates: Tensor, targets: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
    """On a GPU sorting is cheap and a call for each case is not."""
    ordered = candidates.sort(dim=1).values
    first = torch.searchsorted(row, row)
    slot = torch.arange(len(row), device=row.device) - first
    wanted = torch.zeros((len(candidates), int(slot.max()) + 1 if len(slot) else 1), dtype=candidates.dtype, device=row.device)
    wanted[row, slot] = targets
    not_above = torch.searchsorted(ordered, wanted, right=True)[row, slot]
    below = torch.searchsorted(ordered, wanted)[row, slot]
    return candidates.shape[1] - not_above, not_above - below
