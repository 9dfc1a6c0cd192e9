"""The harness on the real MovieLens 100K must bring out known figures (popularity, leave last out: HR@10 ≈ .41 and so on)."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from mfcore import Interactions, Protocol, evaluate, leave_last_out, random_split
from mfcore.evaluation import baseline_metrics
from mfcore.models.baselines import Popularity, Random


def test_leave_last_out_popularity_and_random(ml_100k: Interactions) -> None:
    split = leave_last_out(ml_100k)
    draws = [evaluate(Popularity(split.train), split, protocol=Protocol(negatives_seed=seed)) for seed in range(5)]
    mean = {name: float(np.mean([draw[name] for draw in draws])) for name in draws[0]}
    assert mean["hr@10"] == pytest.approx(0.418, abs=0.006)
    assert mean["ndcg@10"] == pytest.approx(0.233, abs=0.005)
    assert mean["hr@10/full"] == pytest.approx(0.0838, abs=0.0005)  # of tied items the mean over all orders
    assert mean["ndcg@10/full"] == pytest.approx(0.0425, abs=0.001)
    lot = baseline_metrics(split, "test", all_relevant=True)["random"]
    assert lot["hr@10"] == pytest.approx(0.1)
    assert lot["hr@10/full"] == pytest.approx(0.006, abs=0.001)
    one_draw = evaluate(Random(split.train), split)
    assert one_draw["hr@10"] == pytest.approx(0.1, abs=0.03)


def test_rating_baselines_on_random_80_20(ml_100k: Interactions) -> None:
    splits = [random_split(ml_100k, seed=seed).with_validation_in_train() for seed in range(3)]
    found = [baseline_metrics(split, "test") for split in splits]
    rmse = {name: float(np.mean([one[name]["rmse"] for one in found])) for name in found[0] if "rmse" in found[0][name]}
    assert rmse["global mean"] == pytest.approx(1.126, abs=0.006)
    assert rmse["user mean"] == pytest.approx(1.041, abs=0.006)
    assert rmse["item mean"] == pytest.approx(1.024, abs=0.005)
    assert rmse["bias only"] == pytest.approx(0.939, abs=0.004)


def test_the_strong_lines_reach_what_they_are_known_to_reach(ml_100k: Interactions) -> None:
    """EASE λ=300: HR@10 ≈ .66, NDCG@10 ≈ .39 sampled, .15 and .08 full. Of the 943 users 415 share their latest moment among
    several ratings; which of them a draw holds out moves the last two by .003."""
    split = leave_last_out(ml_100k)
    started = perf_counter()
    found = baseline_metrics(split, "test", Protocol(draws=20), all_relevant=True, strong=True)
    seconds = perf_counter() - started
    assert found["EASE"]["hr@10"] == pytest.approx(0.664, abs=0.003)
    assert found["EASE"]["ndcg@10"] == pytest.approx(0.393, abs=0.003)
    assert found["EASE"]["hr@10/full"] == pytest.approx(0.1516, abs=0.001)
    assert found["EASE"]["ndcg@10/full"] == pytest.approx(0.0799, abs=0.001)
    assert 0.58 < found["item-kNN"]["hr@10"] < found["EASE"]["hr@10"]
    assert found["popularity"]["ndcg@10/full"] < found["item-kNN"]["ndcg@10/full"] < found["EASE"]["ndcg@10/full"]
    assert found["popularity"]["hr@10"] == pytest.approx(0.418, abs=0.003)
    assert seconds < 20  # two or so on an idle machine
