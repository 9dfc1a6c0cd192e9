"""Warm and cold parts of an evaluation are the evaluations of these parts."""

from __future__ import annotations

import numpy as np
import pytest

from mfcore import build_model
from mfcore.data import Split, SplitConfig, load_dataset
from mfcore.evaluation import Evaluator, summarise
from mfcore.evaluation.cold import warm_and_cold


def test_warm_and_cold_add_up_to_the_whole() -> None:
    data = load_dataset("planted", num_users=60, num_items=30, density=0.3, seed=1)
    rows = np.arange(len(data))
    test = (data.user_idx % 5 == 0) | (rows % 4 == 0)
    split = Split(data, rows[~test], rows[:0], rows[test], SplitConfig("random"))
    model = build_model("biased-mf", split.train, embedding_dim=4)
    fallback = model.fallback
    assert fallback is not None and not fallback.user_known[::5].any()
    details = Evaluator(split).details(model)
    parts = warm_and_cold(details, fallback.user_known, fallback.item_known)
    cold = np.isin(split.test.user_idx, np.arange(0, 60, 5))
    assert (parts["cold"].num_ratings, parts["warm"].num_ratings) == (int(cold.sum()), int((~cold).sum()))
    assert parts["cold"].num_cases + parts["warm"].num_cases == len(details.case_user)
    held = Evaluator(Split(data, split.train_rows, rows[:0], np.sort(split.test_rows[cold]), SplitConfig("random"))).ranks(
        model
    )
    assert parts["cold"].metrics["rmse"] == pytest.approx(summarise(held)["rmse"], rel=1e-6)
    assert parts["cold"].metrics["hr@10/full"] == pytest.approx(summarise(held)["hr@10/full"])
    whole = summarise(details)["rmse"] ** 2 * len(details.actual)
    assert whole == pytest.approx(sum(part.metrics["rmse"] ** 2 * part.num_ratings for part in parts.values()))
