"""Counting better and equal candidates, by every road there is: against counting one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mfcore.evaluation import ranks
from mfcore.evaluation.lists import top_lists
from mfcore.evaluation.ranks import NARROW, counts_among


def _world(width: int, cases_a_row: int, dtype: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidates with many ties and some that are none, rows without a case, and targets in ascending order of rows."""
    rng = np.random.default_rng(seed)
    candidates = rng.integers(-20, 20, (7, width)).astype(dtype)
    candidates[rng.random(candidates.shape) < 0.1] = -np.inf
    candidates[0, 0] = np.inf
    row = np.sort(rng.choice([0, 2, 3, 6], 4 * cases_a_row))
    target = candidates[row, rng.integers(0, width, len(row))]
    target[target == -np.inf] = 3.5
    return candidates, target, row


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cases_a_row", [0, 1, 3, 40])
@pytest.mark.parametrize("width", [1, 2, 40, NARROW, NARROW + 1, 1000, 4096])
def test_counts_are_those_of_counting_one_by_one(width: int, cases_a_row: int, dtype: str) -> None:
    candidates, target, row = _world(width, cases_a_row, dtype)
    arguments = torch.from_numpy(candidates), torch.from_numpy(target), torch.from_numpy(row)
    greater, equal = counts_among(*arguments, includes_target=False)
    assert greater.dtype == equal.dtype == torch.int64
    assert greater.tolist() == [sum(score > t for score in candidates[r]) for t, r in zip(target, row, strict=True)]
    assert equal.tolist() == [sum(score == t for score in candidates[r]) for t, r in zip(target, row, strict=True)]
    without = counts_among(*arguments, includes_target=True)
    assert without[0].tolist() == greater.tolist()
    assert without[1].tolist() == (equal - 1).tolist()


def test_a_row_with_many_cases_beside_one_with_few() -> None:
    rng = np.random.default_rng(3)
    candidates = rng.standard_normal((3, 2000)).astype(np.float32)
    row = np.repeat([0, 1, 2], [1, 500, 2])
    target = candidates[row, rng.integers(0, 2000, len(row))]
    greater, equal = counts_among(*map(torch.from_numpy, (candidates, target, row)), includes_target=True)
    assert greater.tolist() == (candidates[row] > target[:, None]).sum(axis=1).tolist()
    assert equal.tolist() == ((candidates[row] == target[:, None]).sum(axis=1) - 1).tolist()


def test_the_gpus_road_counts_alike() -> None:
    for width, cases in ((5, 3), (700, 20)):
        candidates, target, row = _world(width, cases, "float32")
        arguments = tuple(map(torch.from_numpy, (candidates, target, row)))
        for ours, theirs in zip(
            counts_among(*arguments, includes_target=False), ranks.counts_on_device(*arguments), strict=True
        ):
            assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("width", [1, 3, 60, 500])
@pytest.mark.parametrize("length", [1, 5, 50])
def test_lists_are_the_first_of_a_stable_sort(width: int, length: int) -> None:
    rng = np.random.default_rng(width)
    scores = rng.integers(0, 6, (20, width)).astype(np.float32)  # ties at every place
    scores[rng.random(scores.shape) < 0.3] = -np.inf
    scores[0], scores[1, 0] = -np.inf, np.inf
    for line, shown in zip(scores, top_lists(torch.from_numpy(scores), length).tolist(), strict=True):
        best = [item for item in np.argsort(-line, kind="stable").tolist() if line[item] > -np.inf][:length]
        assert shown == best + [-1] * (length - len(best))
