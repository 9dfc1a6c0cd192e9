"""Baselines against figures counted by hand, their cache, and what lot attains."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mfcore import UnusableRequest
from mfcore.data import Split
from mfcore.evaluation import Evaluator, Protocol, against_baseline, baseline_metrics, baselines, compare, fit_baseline
from mfcore.evaluation.baselines import RANKING_BASELINES, RATING_BASELINES
from mfcore.models.baselines import Baseline, BiasOnly, GlobalMean, ItemMean, Popularity, Random, UserMean
from tests.evaluation.examples import interactions, split_of

ROWS = [(0, 0, 5.0), (0, 1, 3.0), (1, 0, 4.0), (2, 0, 1.0), (2, 2, 2.0)]
KINDS = [GlobalMean, UserMean, ItemMean, BiasOnly, Popularity, Random]
TRAIN = interactions(ROWS, 4, 4)


@pytest.fixture
def split() -> Split:
    rng = np.random.default_rng(1)
    rows = [(u, int(i), float(rng.integers(1, 6))) for u in range(40) for i in rng.choice(60, 12, replace=False)]
    return split_of(rows[::2], rows[1::4], rows[3::4], 40, 60)


def test_popularity_is_the_count_of_training_interactions() -> None:
    assert Popularity(TRAIN).score_items([0, 3]).tolist() == [[3, 1, 1, 0]] * 2


def test_means_by_hand() -> None:
    users, items = np.array([0, 1, 2, 3]), np.array([0, 2, 3, 0])
    assert GlobalMean(TRAIN).predict(users, items).tolist() == [3.0] * 4
    assert UserMean(TRAIN).predict(users, items).tolist() == pytest.approx([4.0, 4.0, 1.5, 3.0])  # user 3: none, so μ
    assert ItemMean(TRAIN).predict(users, items).tolist() == pytest.approx([10 / 3, 2.0, 3.0, 10 / 3])  # item 3: none


def test_bias_only_is_the_ridge_solution() -> None:
    damping = 2.0
    design = np.zeros((len(ROWS), 8))
    for row, (user, item, _) in enumerate(ROWS):
        design[row, [user, 4 + item]] = 1
    residual = np.array([rating for _, _, rating in ROWS]) - 3.0
    exact = np.linalg.solve(design.T @ design + damping * np.eye(8), design.T @ residual)
    found = BiasOnly(TRAIN, damping, sweeps=100)
    assert np.concatenate([found.user_bias, found.item_bias]) == pytest.approx(exact)


@pytest.mark.parametrize("kind", KINDS)
def test_every_baseline_has_the_models_shape(kind: type[Baseline]) -> None:
    model = kind(TRAIN)
    users = torch.tensor([2, 0, 2])
    table = model.score_items(users)
    assert table.shape == (3, 4)
    assert table.dtype == np.float32
    assert np.array_equal(table[0], table[2])
    assert np.array_equal(model.predict(users, torch.tensor([1, 3, 0])), table[[0, 1, 2], [1, 3, 0]])
    assert model.score_items(np.zeros(0, np.int64)).shape == (0, 4)


def test_random_differs_between_users_and_seeds_and_repeats() -> None:
    first = Random(TRAIN, seed=1).score_items([0, 1])
    assert not np.array_equal(first[0], first[1])
    assert np.array_equal(first, Random(TRAIN, seed=1).score_items([0, 1]))
    assert not np.array_equal(first, Random(TRAIN, seed=2).score_items([0, 1]))


@pytest.mark.parametrize("all_relevant", [True, False])
def test_expected_random_is_what_many_draws_average_to(split: Split, all_relevant: bool) -> None:
    protocol = Protocol(k=5, sampled_negatives=20)
    expected = baseline_metrics(split, "test", protocol, all_relevant)["random"]
    evaluator = Evaluator(split, "test", protocol, all_relevant)
    draws = [evaluator.metrics(Random(split.train, seed)) for seed in range(200)]
    assert set(expected) == {"hr@5", "ndcg@5", "hr@5/full", "ndcg@5/full"}
    for name, value in expected.items():
        assert np.mean([draw[name] for draw in draws]) == pytest.approx(value, abs=0.01)


def test_who_reports_what(split: Split) -> None:
    found = baseline_metrics(split, "valid")
    assert list(found) == ["global mean", "user mean", "item mean", "bias only", "popularity", "random"]
    for name in ("global mean", "user mean", "item mean", "bias only"):
        assert set(found[name]) == {"rmse", "mae"}
    for name in ("popularity", "random"):
        assert {"hr@10", "ndcg@10", "hr@10/full", "ndcg@10/full"} <= set(found[name])
        assert "rmse" not in found[name]


def test_the_strong_ones_come_when_asked_for(split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = baseline_metrics(split, "valid", cache_dir=tmp_path)
    assert baseline_metrics(split, "valid", cache_dir=tmp_path, strong=None) == cheap
    everything = baseline_metrics(split, "valid", cache_dir=tmp_path, strong=True)
    assert list(everything) == [*cheap, "item-kNN", "EASE"]
    assert set(everything["EASE"]) == set(everything["popularity"])
    assert baseline_metrics(split, "valid", strong=True) == everything
    monkeypatch.setattr(baselines, "Evaluator", lambda *_, **__: pytest.fail("computed again"))
    assert baseline_metrics(split, "valid", cache_dir=tmp_path, strong=None) == everything
    assert baseline_metrics(split, "valid", cache_dir=tmp_path) == cheap


def test_too_large_a_catalogue_does_without_the_strong_ones(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MOST_ITEMS", 59)
    assert baseline_metrics(split, strong=True) == baseline_metrics(split)


def test_at_test_time_baselines_know_the_validation_part_and_before_they_do_not(split: Split) -> None:
    together = split.with_validation_in_train().train
    metrics = Evaluator(split, "test").metrics(Popularity(together))
    assert baseline_metrics(split, "test")["popularity"] == metrics
    assert baseline_metrics(split, "valid")["popularity"] == Evaluator(split, "valid").metrics(Popularity(split.train))
    assert np.array_equal(fit_baseline("popularity", split, "test").item_bias, together.popularity())
    with pytest.raises(UnusableRequest, match="baseline must be one of popularity, item-kNN, EASE"):
        fit_baseline("psychic", split)


def test_an_empty_part_leaves_every_baseline_empty() -> None:
    split = split_of(ROWS, [], [(3, 3, 5.0)], 4, 4)
    assert all(metrics == {} for metrics in baseline_metrics(split, "valid", strong=True).values())


def test_the_cache_is_used_and_told_apart(split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = baseline_metrics(split, "test", cache_dir=tmp_path / "new")
    baseline_metrics(split, "valid", cache_dir=tmp_path / "new")
    baseline_metrics(split, "test", Protocol(k=5), cache_dir=tmp_path / "new")
    baseline_metrics(split, "test", all_relevant=True, cache_dir=tmp_path / "new")
    assert len(list((tmp_path / "new").glob("*.json"))) == 4
    monkeypatch.setattr(baselines, "Evaluator", lambda *_, **__: pytest.fail("computed again"))
    assert baseline_metrics(split, "test", cache_dir=tmp_path / "new") == first


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format_version": 1}', '{"format_version": 0, "baselines": {}}'])
def test_a_damaged_cache_is_made_anew(split: Split, tmp_path: Path, damage: str) -> None:
    first = baseline_metrics(split, cache_dir=tmp_path)
    (path,) = tmp_path.glob("*.json")
    path.write_text(damage)
    assert baseline_metrics(split, cache_dir=tmp_path) == first
    assert json.loads(path.read_text())["baselines"] == first
    assert list(tmp_path.glob("*.json")) == [path]


def test_a_place_that_cannot_be_written_to_costs_only_the_caching(split: Split, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert baseline_metrics(split, cache_dir=tmp_path / "file") == baseline_metrics(split)


def test_a_run_is_set_beside_a_baseline_user_by_user(split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As comparing their evaluations would; what a baseline that ranks got is kept for the next run."""
    details = Evaluator(split, "test").details(BiasOnly(split.train))
    for name, metric in (("popularity", "ndcg@10/full"), ("EASE", "ndcg@10/full"), ("user mean", "rmse")):
        kind = {**RATING_BASELINES, **RANKING_BASELINES}[name]
        other = Evaluator(split, "test").details(kind(split.with_validation_in_train().train))
        expected = compare(details, other).get(metric)
        assert expected is not None and against_baseline(name, metric, details, split, tmp_path) == expected
    assert against_baseline("random", "ndcg@10/full", details, split, tmp_path) is None
    monkeypatch.setattr(baselines, "Evaluator", lambda *_, **__: pytest.fail("computed again"))
    assert against_baseline("EASE", "ndcg@10/full", details, split, tmp_path) is not None
