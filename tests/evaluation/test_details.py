"""Storing an evaluation, and curves against K."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mfcore import UnusableRequest
from mfcore.evaluation import EvaluationDetails, Evaluator, Protocol, curve_at_k, summarise
from tests.evaluation.examples import Table, split_of


@pytest.fixture
def details() -> EvaluationDetails:
    rng = np.random.default_rng(3)
    rows = [(u, int(i), float(rng.integers(1, 6))) for u in range(20) for i in rng.choice(40, 9, replace=False)]
    split = split_of(rows[::3] + rows[1::3], [], rows[2::3], 20, 40)
    return Evaluator(split, "test", Protocol(k=5, sampled_negatives=20)).details(Table(rng.random((20, 40)).round(1) * 5))


def test_what_is_saved_is_what_is_loaded(details: EvaluationDetails, tmp_path: Path) -> None:
    path = tmp_path / "evaluation.npz"
    details.save(path)
    loaded = EvaluationDetails.load(path)
    assert isinstance(loaded.k, int)
    for name, value in vars(details).items():
        np.testing.assert_array_equal(getattr(loaded, name), value, err_msg=name)
        assert np.asarray(getattr(loaded, name)).dtype == np.asarray(value).dtype
    assert summarise(loaded) == summarise(details)


@pytest.mark.parametrize("damage", [lambda raw: raw[:100], lambda raw: b"", lambda raw: b"nonsense" * 9])
def test_a_damaged_file_is_named_and_cured(details: EvaluationDetails, tmp_path: Path, damage: object) -> None:
    path = tmp_path / "evaluation.npz"
    details.save(path)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(UnusableRequest, match=r"evaluation\.npz cannot be read .*evaluate the run again"):
        EvaluationDetails.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableRequest, match="cannot be read"):
        EvaluationDetails.load(tmp_path / "evaluation.npz")


def test_the_curve_runs_through_the_headline_metrics_and_never_falls(details: EvaluationDetails) -> None:
    curve = curve_at_k(details, [1, 5, 20, 40])
    headline = summarise(details)
    at_5 = curve.set_index("k").loc[5]
    assert at_5["hr"] == pytest.approx(headline["hr@5"])
    assert at_5["ndcg"] == pytest.approx(headline["ndcg@5"])
    assert at_5["hr_full"] == pytest.approx(headline["hr@5/full"])
    assert at_5["ndcg_full"] == pytest.approx(headline["ndcg@5/full"])
    assert (curve[["hr", "hr_full"]].diff().dropna() >= -1e-12).all().all()
    assert curve["hr"].iloc[-1] == pytest.approx(1.0) and curve["hr_full"].iloc[-1] == pytest.approx(1.0)


def test_a_curve_over_nothing_is_nan_and_k_0_is_refused(details: EvaluationDetails) -> None:
    split = split_of([(0, 0, 3)], [], [(0, 1, 1)], 1, 6)
    nothing = curve_at_k(Evaluator(split).details(Table([[0] * 6])), [1, 2])
    assert nothing[["hr", "ndcg", "hr_full", "ndcg_full"]].isna().all().all()
    assert len(curve_at_k(details, [])) == 0
    with pytest.raises(UnusableRequest, match="k must be >= 1, got 0"):
        curve_at_k(details, [0])
