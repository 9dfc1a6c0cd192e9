"""Training learns what there is to learn, and ends when it should."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from mfcore.data import Split, leave_last_out, load_dataset, random_split
from mfcore.errors import UnusableRequest
from mfcore.models import RecommenderModel, build_model
from mfcore.registry import MODELS
from mfcore.training import TrainConfig, Trainer, TrainingDiverged, refit


def test_the_wrong_things_are_refused_by_name(planted: Split) -> None:
    model = build_model("mf", planted.train)
    words = r"split must be Split, such as random_split\(interactions\); got Interactions"
    with pytest.raises(UnusableRequest, match=words):
        Trainer(model, planted.train)  # type: ignore[arg-type]
    with pytest.raises(UnusableRequest, match=r"model must be RecommenderModel, such as build_model\(.*\); got str"):
        Trainer("mf", planted)  # type: ignore[arg-type]


def train(
    split: Split, model: str = "biased-mf", shape: dict[str, Any] | None = None, **fields: Any
) -> tuple[Trainer, list[Any]]:
    config = TrainConfig(**{"num_epochs": 5, "batch_size": 256, **fields})
    trainer = Trainer(build_model(model, split.train, seed=config.seed, **{"embedding_dim": 8, **(shape or {})}), split, config)
    return trainer, list(trainer.fit())


RATES = {"sgd": 2.0, "adagrad": 0.05, "adam": 0.01, "adamw": 0.01, "rmsprop": 0.003, "sparse-adam": 0.01}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("optimizer", RATES)
def test_every_optimizer_lowers_every_models_loss(planted: Split, optimizer: str, model: str) -> None:
    rate = {"gmf": 0.3, "mlp": 0.1, "neumf": 0.1}.get(model, 2.0) if optimizer == "sgd" else RATES[optimizer]
    trainer, ends = train(planted, model, {"init_std": 0.5}, optimizer=optimizer, learning_rate=rate, num_epochs=3)
    assert ends[-1].train_loss < ends[0].train_loss
    assert math.isfinite(ends[-1].valid_loss)
    assert ends[-1].samples == len(planted.train)
    assert trainer.step == 3 * trainer.steps_per_epoch


@pytest.mark.parametrize("fields", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"sparse_gradients": True}])
def test_sgd_variants_lower_the_loss(planted: Split, fields: dict[str, Any]) -> None:
    _, ends = train(planted, optimizer="sgd", learning_rate=0.5, **fields)
    assert ends[-1].train_loss < ends[0].train_loss


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_sparse_gradients_lead_to_the_same_weights(planted: Split, optimizer: str) -> None:
    settings = {"optimizer": optimizer, "learning_rate": 0.1, "weight_decay": 0.01}
    (dense, _), (sparse, _) = (train(planted, sparse_gradients=on, **settings) for on in (False, True))
    for name, weights in dense.model.state_dict().items():
        torch.testing.assert_close(weights, sparse.model.state_dict()[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", ["bce", "bpr"])
@pytest.mark.parametrize("sampling", ["uniform", "popularity"])
def test_ranking_losses_fall(planted: Split, loss: str, sampling: str) -> None:
    trainer, ends = train(planted, "mf", loss=loss, negative_sampling=sampling, learning_rate=0.02)
    assert ends[-1].train_loss < ends[0].train_loss
    assert trainer.model.predicts_ratings is False
    assert trainer.selection_metric == "ndcg@10"
    assert "rmse" not in ends[-1].metrics


def test_planted_factors_are_recovered() -> None:
    """With noise 0.1 no model can do better than an RMSE of 0.1 on unseen ratings, and this one comes close."""
    data = load_dataset("planted", num_users=300, num_items=200, density=0.3, rank=3, noise=0.1, seed=0)
    split = random_split(data, seed=0)
    trainer, ends = train(split, shape={"embedding_dim": 3}, learning_rate=0.02, num_epochs=30, schedule="one-cycle")
    assert 0.095 < ends[-1].metrics["rmse"] < 0.115
    assert trainer.selection_metric == "rmse"
    assert data.planted is not None
    truth = 3 + data.planted[0] @ data.planted[1].T
    learned = trainer.model.score_items(np.arange(300)).numpy()
    assert np.sqrt(((learned - truth) ** 2).mean()) < 0.05


@pytest.mark.parametrize("loss", ["bce", "bpr"])
@pytest.mark.parametrize("model", ["mf", "gmf", "neumf"])
def test_checkerboard_withheld_item_comes_first(checkerboard: Split, model: str, loss: str) -> None:
    """Every user's withheld item must outrank all items of the other colour."""
    trainer, _ = train(
        checkerboard, model, {"embedding_dim": 2}, loss=loss, negatives=1, learning_rate=0.02, num_epochs=80, weight_decay=0.01
    )
    scores = trainer.model.score_items(range(20)).clone()
    scores[checkerboard.train.user_idx, checkerboard.train.item_idx] = -math.inf
    assert scores.argmax(dim=1).tolist() == list(range(20))


def test_l2_is_per_occurrence() -> None:
    """Nothing but L2 to follow: with SGD each occurrence in a batch of B pulls a vector by 2·lr·λ/B."""
    split = random_split(load_dataset("synthetic", num_users=10, num_items=10, density=0.5), test=0.1, valid=0.1)
    model = build_model("mf", split.train, embedding_dim=2, init_std=1e-4)
    before = model.user_vectors().clone()
    # Vectors so short that predictions are 0: the loss pulls with e·q, which is negligible beside what is measured.
    with torch.no_grad():
        model.item_factors.zero_()
    rows = len(split.train)
    config = TrainConfig(optimizer="sgd", learning_rate=1.0, weight_decay=0.5, batch_size=rows, num_epochs=1)
    Trainer(model, split, config).train_epoch()
    counts = torch.bincount(torch.as_tensor(split.train.user_idx), minlength=10)
    expected = before * (1 - 2 * 1.0 * 0.5 * counts / rows)[:, None]
    torch.testing.assert_close(model.user_vectors(), expected, rtol=1e-4, atol=1e-8)


def test_learning_rate_multipliers_freeze_and_speed(planted: Split) -> None:
    model = build_model("neumf", planted.train, embedding_dim=4)
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    Trainer(model, planted, TrainConfig(factor_lr_multiplier=0.0, num_epochs=1)).train_epoch()
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, before[name]) is ("factors" in name or name == "global_mean"), name


def test_dropout_is_off_when_validating(planted: Split) -> None:
    trainer, ends = train(planted, "neumf", {"dropout": 0.5}, num_epochs=1)
    assert trainer.validate().metrics == ends[0].metrics
    assert trainer.validate().valid_loss == ends[0].valid_loss
    assert all(m.training for m in trainer.model.modules())


def test_the_best_epoch_is_kept(planted: Split) -> None:
    trainer, ends = train(planted, num_epochs=12, learning_rate=0.05)
    values = [e.metrics["rmse"] for e in ends]
    assert trainer.best_epoch == 1 + values.index(min(values)) < 12
    assert [e.best for e in ends] == [value == min(values[: i + 1]) for i, value in enumerate(values)]
    assert trainer.validate().metrics["rmse"] == values[-1]
    trainer.load_best()
    assert trainer.validate().metrics["rmse"] == min(values)


def test_epoch_zero_is_the_untrained_model(planted: Split) -> None:
    model = build_model("biased-mf", planted.train, init_std=0.0)
    end = Trainer(model, planted, TrainConfig()).validate()
    spread = planted.valid.rating - planted.train.rating.mean()
    assert end.number == end.step == 0
    assert math.isnan(end.train_loss)
    assert end.metrics["rmse"] == pytest.approx(float(np.sqrt((spread.astype(float) ** 2).mean())), rel=1e-5)
    assert end.valid_loss == pytest.approx(end.metrics["rmse"] ** 2, rel=1e-5)


def test_early_stopping(planted: Split) -> None:
    trainer, ends = train(planted, num_epochs=50, learning_rate=0.05, patience=2)
    assert trainer.stop_reason == "no better rmse for 2 epochs"
    assert len(ends) == trainer.best_epoch + 2 < 50


def test_convergence(planted: Split) -> None:
    trainer, ends = train(planted, num_epochs=50, tolerance=0.01)
    assert trainer.stop_reason.startswith("converged: the training loss changed by less than 0.01")
    assert abs(ends[-1].train_loss - ends[-2].train_loss) < 0.01 <= abs(ends[-2].train_loss - ends[-3].train_loss)


def test_without_validation_the_latest_epoch_is_the_best(planted: Split) -> None:
    trainer, ends = train(planted.with_validation_in_train(), num_epochs=3, patience=1)
    assert [e.best for e in ends] == [True] * 3
    assert trainer.best_epoch == 3
    assert all(e.metrics == {} and math.isnan(e.valid_loss) for e in ends)


def test_refit_trains_on_validation_too_with_the_same_rates(planted: Split) -> None:
    config = TrainConfig(num_epochs=10, schedule="one-cycle", batch_size=256, seed=3)
    ends: list[Any] = []
    together = planted.with_validation_in_train()
    model = refit(build_model("mf", together.train, seed=config.seed), together, config, 4, on_epoch=ends.append)
    together = planted.with_validation_in_train()
    trainer = Trainer(build_model("mf", together.train, seed=3), together, config)
    expected = [trainer.train_epoch() for _ in range(4)]
    assert ends[-1].samples == len(planted.train) + len(planted.valid)
    assert [e.learning_rate for e in ends] == [e.learning_rate for e in expected]
    assert torch.equal(model.user_vectors(), trainer.model.user_vectors())
    assert ends[-1].learning_rate > 0.9 * config.learning_rate


def test_divergence_says_where_and_why(planted: Split) -> None:
    with pytest.raises(TrainingDiverged) as caught:
        train(planted, optimizer="sgd", learning_rate=1000.0)
    error = caught.value
    assert error.epoch == 1
    assert error.step > 1
    where = f"in epoch 1 at step {error.step}"
    assert str(error) in {
        f"loss became {what} {where}: learning rate 1000 is too large for SGD here; try 100"
        for what in ("infinite", "not a number")
    }


def test_divergence_at_the_start_blames_the_starting_weights(planted: Split) -> None:
    with pytest.raises(TrainingDiverged, match="loss became infinite in epoch 1 at step 1: the starting weights are too large"):
        train(planted, shape={"init_std": 1e15})


def test_divergence_in_the_last_step_is_noticed(planted: Split) -> None:
    """The loss of a step is measured before the step; only the weights show that the last one was fatal."""
    rows = len(planted.train)
    with pytest.raises(TrainingDiverged, match="a weight became"):
        train(planted, optimizer="sgd", learning_rate=3e38, batch_size=rows, num_epochs=1, shape={"init_std": 100.0})


def test_unusable_requests(planted: Split) -> None:
    empty = dataclasses.replace(planted, train_rows=planted.train_rows[:1])
    object.__setattr__(empty, "train_rows", planted.train_rows[:0])
    model = build_model("biased-mf", planted.train, output_range=True)
    with pytest.raises(UnusableRequest, match="nothing to train on"):
        Trainer(model, empty)
    with pytest.raises(UnusableRequest, match="output_range squeezes ratings"):
        Trainer(model, planted, TrainConfig(loss="bce"))


def test_threads_are_set(planted: Split) -> None:
    before = torch.get_num_threads()
    try:
        trainer = Trainer(build_model("mf", planted.train), planted, TrainConfig(threads=1))
        assert trainer.threads == torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_leave_last_out_selects_by_ranking(ml_100k: Any) -> None:
    """On real films one epoch of ranking already beats chance by far."""
    split = leave_last_out(ml_100k)
    model: RecommenderModel = build_model("mf", split.train, embedding_dim=16)
    end = Trainer(model, split, TrainConfig(loss="bce", learning_rate=0.02)).train_epoch()
    assert end.metrics["ndcg@10"] > 0.2
    assert end.samples == 5 * len(split.train)
