"""Validation within its budget: who is measured, when, and that it changes neither the choice nor the last word."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data import Split
from mfcore.evaluation import Evaluator, Protocol
from mfcore.models import build_model
from mfcore.models.config import ModelConfig
from mfcore.training import EpochEnd, Limits, TrainConfig, Trainer
from mfcore.training.validation import Shape, plan_validation, training_seconds, validation_seconds

LARGE = Shape(samples=22_400_000, weights=18_500_000, users=200_948, items=87_585, held=3_200_000, candidates=495)
MF = ModelConfig(name="biased-mf", embedding_dim=64)
STRICT = Limits(granted_seconds=0.0, fewest_users=20, overhead_nanoseconds=0.0)
"""As if the small test data were large: nothing is granted beyond the share, and few users are enough."""


def make(split: Split, **fields: Any) -> Trainer:
    config = TrainConfig(**{"num_epochs": 6, "batch_size": 512, "learning_rate": 0.02, **fields})
    return Trainer(build_model("mf", split.train, embedding_dim=4, seed=0), split, config, limits=STRICT)


def budget_for(split: Split, users: int, every: int = 1) -> float:
    """The budget with which the plan is ``users`` of all, every ``every`` epochs."""
    trainer = make(split)
    shape = Shape(
        trainer.state.epoch_pass.size,
        trainer.model.num_parameters,
        len(np.unique(split.valid.user_idx)),
        split.data.num_items,
        len(split.valid),
        495,
    )
    share = users / shape.users * validation_seconds(shape, trainer.model.config, STRICT) / every
    return 1.001 * share / training_seconds(shape, trainer.model.config, trainer.config, "autograd")


@given(
    budget=st.floats(0.01, 1.0),
    users=st.integers(1, 300_000),
    items=st.integers(10, 100_000),
    samples=st.integers(1_000, 30_000_000),
    engine=st.sampled_from(["native", "autograd"]),
)
def test_a_plan_keeps_to_the_budget_and_wastes_none_of_it(
    budget: float, users: int, items: int, samples: int, engine: str
) -> None:
    shape = Shape(samples, 64 * (users + items), users, items, 10 * users, 495)
    config = TrainConfig(validation_budget=budget, batch_size=4096)
    plan = plan_validation(shape, MF, config, engine)
    allowed = max(budget * training_seconds(shape, MF, config, engine), Limits().granted_seconds)
    whole = validation_seconds(shape, MF)
    spent = plan.share * whole / plan.every
    assert 1 <= plan.users <= users
    assert spent <= allowed * (1 + 1e-9)
    if not plan.complete:
        assert plan.users >= min(users, Limits().fewest_users)
        one_more = (plan.users + 1) / users * whole
        assert one_more > allowed or plan.users == users  # more users would not have fitted
        if plan.every > 1:
            assert plan.share * whole / (plan.every - 1) > allowed  # nor more epochs


def test_movielens_100k_is_always_measured_whole_and_0_measures_everyone_anywhere() -> None:
    small = Shape(samples=80_000, weights=170_000, users=943, items=1682, held=10_000, candidates=495)
    assert plan_validation(small, MF, TrainConfig(batch_size=1, optimizer="sgd"), "native").complete
    neumf = ModelConfig(name="neumf", embedding_dim=8, mlp_layers=(64, 32, 16, 8))
    assert plan_validation(dataclasses.replace(small, candidates=1980), neumf, TrainConfig(loss="bce"), "autograd").complete
    assert not plan_validation(LARGE, MF, TrainConfig(batch_size=1, optimizer="sgd"), "native").complete
    assert plan_validation(LARGE, MF, TrainConfig(validation_budget=0.0), "autograd").complete


def test_fewer_users_are_measured_the_same_ones_every_time(planted: Split) -> None:
    trainer = make(planted, validation_budget=budget_for(planted, 50))
    assert "validation measures 50 of 192 users after every epoch" in trainer.validation_words
    first, second = trainer.train_epoch(), make(planted, validation_budget=budget_for(planted, 50)).train_epoch()
    assert first.validated == second.validated == 50 / 192
    assert first.metrics == second.metrics
    users = trainer.validation_users
    assert users is not None
    assert len(np.unique(users)) == 50
    part = planted.valid.of_users(users)
    predicted = trainer.model.predict(part.user_idx, part.item_idx).numpy()
    held = predicted.clip(*planted.data.rating_scale)
    assert first.metrics["rmse"] == pytest.approx(float(np.sqrt(np.mean((held - part.rating) ** 2))), rel=1e-6)
    assert first.valid_loss == pytest.approx(float(np.mean((predicted - part.rating) ** 2)), rel=1e-5)  # the loss itself
    assert first.metrics == Evaluator(planted, "valid", users=users).metrics(trainer.model)
    assert first.metrics != trainer.validate(complete=True).metrics


def test_whoever_is_measured_is_ranked_as_among_everyone(planted: Split) -> None:
    """Full ranking of a user does not depend on who else is measured (sampled competitors are drawn anew)."""
    model = make(planted).model
    everyone = Evaluator(planted, "valid", all_relevant=True).details(model)
    users = np.array([3, 4, 150])
    some = Evaluator(planted, "valid", all_relevant=True, users=users).details(model)
    among = np.isin(everyone.case_user, users)
    assert some.list_user is not None
    assert some.list_user.tolist() == [3, 4, 150]
    assert some.case_item.tolist() == everyone.case_item[among].tolist()
    assert some.rank_full.tolist() == everyone.rank_full[among].tolist()


def test_the_last_epoch_is_told_of_everyone(planted: Split) -> None:
    ends = list(make(planted, num_epochs=3, validation_budget=budget_for(planted, 50)).fit())
    assert [end.validated for end in ends] == [50 / 192, 50 / 192, 1.0]
    whole = list(make(planted, num_epochs=3, validation_budget=0).fit())
    assert [end.validated for end in whole] == [1.0] * 3
    assert ends[-1].metrics == whole[-1].metrics
    assert [end.train_loss for end in ends] == [end.train_loss for end in whole]


def test_epochs_are_left_out_when_even_few_users_cost_too_much(planted: Split) -> None:
    trainer = make(planted, num_epochs=7, validation_budget=budget_for(planted, 20, every=3))
    assert "20 of 192 users after every 3 epochs" in trainer.validation_words
    ends = list(trainer.fit())
    assert [end.validated for end in ends] == [0.0, 0.0, 20 / 192, 0.0, 0.0, 20 / 192, 1.0]
    for end in ends:
        assert (end.metrics == {}) == math.isnan(end.valid_loss) == (end.validated == 0)


def test_the_best_epoch_is_chosen_on_the_same_users_and_never_among_the_unmeasured(planted: Split) -> None:
    trainer = make(planted, num_epochs=8, learning_rate=0.3, validation_budget=budget_for(planted, 20, every=2))
    values, weights = {}, {}
    for end in trainer.fit():
        subset = trainer.validate().metrics["rmse"]
        values[end.number], weights[end.number] = subset, trainer.model.user_factors.detach().clone()
    measured = {number: value for number, value in values.items() if number % 2 == 0}
    best = min(measured, key=lambda number: measured[number])
    assert trainer.best_epoch == best
    trainer.load_best()
    assert torch.equal(trainer.model.user_factors, weights[best])


def test_patience_counts_measured_epochs(planted: Split) -> None:
    trainer = make(planted, num_epochs=50, learning_rate=0.3, patience=2, validation_budget=budget_for(planted, 20, every=3))
    ends: list[EpochEnd] = list(trainer.fit())
    measured = [end.number for end in ends if end.number % 3 == 0]
    assert trainer.stop_reason == "no better rmse for 2 epochs"
    assert ends[-1].number == measured[measured.index(trainer.best_epoch) + 2]
    assert ends[-1].validated == 1.0
    assert ends[-1].metrics == trainer.validate(complete=True).metrics


def test_until_an_epoch_is_measured_the_latest_is_the_best(planted: Split) -> None:
    trainer = make(planted, validation_budget=budget_for(planted, 20, every=4))
    assert [trainer.train_epoch().best for _ in range(4)] == [True] * 4
    assert trainer.best_epoch == 4


@pytest.mark.parametrize("every", [1, 3])
def test_resuming_measures_the_same(planted: Split, every: int) -> None:
    fields = {"loss": "bce", "validation_budget": budget_for(planted, 30, every)}
    whole = make(planted, **fields)
    expected = [(e.metrics, e.valid_loss, e.best, e.validated) for e in whole.fit()]
    first, second = make(planted, **fields), make(planted, **fields)
    got = [first.train_epoch(), first.train_epoch()]
    second.load_state_dict(first.state_dict())
    got += list(second.fit())
    np.testing.assert_equal([(e.metrics, e.valid_loss, e.best, e.validated) for e in got], expected)
    assert torch.equal(second.model.user_factors, whole.model.user_factors)


def test_the_users_follow_the_protocol_not_the_seed_of_training(planted: Split) -> None:
    chosen = []
    for seed, protocol in ((0, Protocol()), (1, Protocol()), (0, Protocol(negatives_seed=1))):
        config = TrainConfig(batch_size=512, seed=seed, validation_budget=budget_for(planted, 50))
        trainer = Trainer(build_model("mf", planted.train, embedding_dim=4, seed=0), planted, config, protocol, limits=STRICT)
        assert trainer.validation_users is not None
        chosen.append(trainer.validation_users.tolist())
    assert chosen[0] == chosen[1] != chosen[2]
