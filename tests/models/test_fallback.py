"""What is said about users and items that were not trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mfcore import Recommender, TrainConfig, Trainer, build_model, evaluate
from mfcore.data import Interactions, Split, SplitConfig, Vocabulary, load_dataset, make_item_table
from mfcore.models.baselines import BiasOnly
from mfcore.registry import MODELS

TRAIN = [(0, 0, 5), (0, 1, 1), (1, 0, 4), (1, 2, 3), (2, 0, 4), (2, 1, 2)]
HELD = [(0, 2, 4), (1, 3, 2), (3, 0, 5), (3, 3, 3), (2, 2, 1)]
"""User 3 and item 3 have no training rows."""


def split() -> Split:
    rows = [*TRAIN, *HELD]
    users, items, rating = (np.array(column) for column in zip(*rows, strict=True))
    data = Interactions(
        user_idx=users,
        item_idx=items,
        rating=rating,
        timestamp=None,
        users=Vocabulary(["a", "b", "c", "new"], "user"),
        items=Vocabulary(["w", "x", "y", "unseen"], "item"),
        item_table=make_item_table(["W", "X", "Y", "Z"]),
        rating_scale=(1, 5),
    )
    whole = np.arange(len(rows))
    return Split(data, whole[: len(TRAIN)], whole[:0], whole[len(TRAIN) :], SplitConfig("random"))


def model(name: str = "mf", *, ratings: bool = True, **fields: Any) -> Any:
    built = build_model(name, split().train, seed=3, init_std=1.0, **fields)
    built.predicts_ratings = ratings
    return built


@pytest.mark.parametrize("name", [name for name, spec in MODELS.items() if "init_std" in spec.uses])
def test_an_unknown_rating_is_mean_and_biases(name: str) -> None:
    built, plain = model(name), BiasOnly(split().train, sweeps=3)
    rows = built.score_items(np.arange(4)).numpy()
    expected = plain.score_items(np.arange(4))
    known = np.zeros((4, 4), bool)
    known[:3, :3] = True
    assert rows[~known] == pytest.approx(expected[~known], abs=1e-6)
    assert not np.isclose(rows[known], expected[known]).any()
    assert rows[3, 3] == pytest.approx(np.mean([row[2] for row in TRAIN]), abs=1e-6)
    users, items = np.divmod(np.arange(16), 4)
    assert built.predict(users, items).numpy() == pytest.approx(rows.reshape(-1), abs=1e-5)


def test_ranking_falls_back_to_popularity_and_puts_the_unknown_last() -> None:
    built = model(ratings=False)
    rows = built.score_items(np.arange(4)).numpy()
    assert rows[3].tolist() == [3, 2, 1, 0]
    assert (rows[:3, 3] < rows[:3, :3].min(axis=1)).all()
    users, items = np.divmod(np.arange(16), 4)
    assert built.predict(users, items).numpy() == pytest.approx(rows.reshape(-1), abs=1e-5)


def test_a_recommender_says_who_is_known() -> None:
    answers = Recommender(model(ratings=False), split().data)
    assert [answers.knows(user) for user in ("a", "new")] == [True, False]
    fresh = answers.recommend("new", include_seen=True)
    assert fresh["item_id"].tolist() == ["w", "x", "y", "unseen"] and not fresh["known"].any()
    known = answers.recommend("a", include_seen=True).set_index("item_id")["known"]
    assert known.to_dict() == {"w": True, "x": True, "y": True, "unseen": False}


def test_training_does_not_see_it_and_weights_do_not_hold_it() -> None:
    built = model()
    assert "fallback" not in " ".join(built.state_dict())
    users, items = torch.tensor([3]), torch.tensor([3])
    raw = built(users, items)
    assert raw.requires_grad and float(raw.detach()) != pytest.approx(float(built.predict([3], [3])))


def test_a_cold_part_is_no_worse_than_the_mean() -> None:
    """Plain MF, a fifth of the items never trained: their starting vectors predict 0, far from any rating."""
    data = load_dataset("planted", num_users=200, num_items=60, density=0.2, seed=3)
    unseen = data.item_idx >= 48
    rows = np.arange(len(data))
    cold = Split(data, rows[~unseen], rows[:0], rows[unseen], SplitConfig("random"))
    trained = build_model("mf", cold.train, embedding_dim=4, seed=0)
    list(Trainer(trained, cold, TrainConfig(num_epochs=3, device="cpu", threads=1)).fit())
    mean = float(np.sqrt(np.mean((cold.test.rating - cold.train.rating.mean()) ** 2)))
    assert evaluate(trained, cold)["rmse"] < 1.1 * mean
    trained.fallback = None
    assert evaluate(trained, cold)["rmse"] > 1.5 * mean


def test_cold_users_of_a_ranking_model_do_better_than_chance() -> None:
    data = load_dataset("planted", num_users=1000, num_items=50, density=0.02, seed=0, popularity=1.0)
    held = without_every_third(data)
    trained = build_model("mf", held.train, embedding_dim=8, seed=0)
    config = TrainConfig(loss="weighted-mse", optimizer="als", num_epochs=3, weight_decay=0.01, device="cpu", threads=1)
    list(Trainer(trained, held, config).fit())
    warm_and_cold = evaluate(trained, held, all_relevant=True)["ndcg@10"]
    trained.fallback = None
    assert warm_and_cold > evaluate(trained, held, all_relevant=True)["ndcg@10"] + 0.05


def without_every_third(data: Interactions) -> Split:
    """Everything of every third user is test."""
    rows = np.arange(len(data))
    test = data.user_idx % 3 == 0
    return Split(data, rows[~test], rows[:0], rows[test], SplitConfig("random"))
