"""Ranks from scores: how many of the other candidates score more, and how many the same."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def counts_among(
    candidates: Tensor, targets: Tensor, row: Tensor, slot: Tensor, width: int, *, includes_target: bool
) -> tuple[Tensor, Tensor]:
    """How many of its row's other candidates are greater than each target, and how many equal.

    candidates: (B, M) floats, −inf for "not a candidate"; targets: (C,), of which target c belongs to row ``row[c]`` and is
    that row's ``slot[c]``-th of at most ``width``; ``includes_target``: the target itself is one of the candidates.
    → two of (C,) int64.
    Candidates must not be NaN; what a target that is not finite gets here has no meaning (the caller overrules it).
    """
    ordered = _sorted_rows(candidates)
    wanted = torch.zeros((len(candidates), width), dtype=candidates.dtype, device=candidates.device)
    wanted[row, slot] = targets
    not_above = torch.searchsorted(ordered, wanted, right=True)[row, slot]
    below = torch.searchsorted(ordered, wanted)[row, slot]
    greater = candidates.shape[1] - not_above
    equal = not_above - below - int(includes_target)
    return greater, equal


def _sorted_rows(values: Tensor) -> Tensor:
    """Ascending along axis 1. On the CPU numpy's vectorised sort is some 30 times faster than torch's."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.numpy(), axis=1))
    return values.sort(dim=1).values
