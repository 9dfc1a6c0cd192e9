"""One verdict for all pages: a run beside the best baseline, and whether that may be chance."""

from __future__ import annotations

from typing import Any

import pytest

from mfcore.evaluation.comparison import A_IS_BETTER, B_IS_BETTER, CANNOT_TELL
from mfcore.runs import RunConfig
from mfcore.runs.summary import RunSummary
from ui.verdict import comparison, verdict_on_test


def scored(rmse: float, **against: Any) -> RunSummary:
    return RunSummary(
        "a", "", "", False, RunConfig(), "finished", "", 1.0,
        test={"rmse": rmse}, baselines={"test": {"bias only": {"rmse": 1.0}}}, against=against,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rmse", "verdict", "words", "tone"),
    [
        (0.8, A_IS_BETTER, "20 % better than the best baseline", "green"),
        (1.1, B_IS_BETTER, "10 % worse than the best baseline", "red"),
        (0.985, CANNOT_TELL, "1.5 % better than the best baseline, but that may be chance", "orange"),
    ],
)
def test_what_the_worker_found_decides(rmse: float, verdict: str, words: str, tone: str) -> None:
    found = verdict_on_test(scored(rmse, metric="rmse", baseline="bias only", verdict=verdict))
    assert found is not None and found.chance == (verdict == CANNOT_TELL)
    assert comparison(found) == (words, tone)


@pytest.mark.parametrize("against", [{}, {"metric": "mae", "baseline": "bias only", "verdict": CANNOT_TELL}])
def test_of_another_figure_or_an_early_run_nobody_knows(against: dict[str, Any]) -> None:
    found = verdict_on_test(scored(0.9, **against))
    assert found is not None and found.chance is None
