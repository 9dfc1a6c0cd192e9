"""Counts as confidence: what weighs more is fitted better, by as much as the definition says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mfcore.data import Interactions, Split, random_split
from mfcore.errors import UnusableRequest
from mfcore.models import build_model
from mfcore.models.base import RecommenderModel
from mfcore.training import TrainConfig, Trainer
from mfcore.training.confidence import confidence, sample_weights
from mfcore.training.engines.als.engine import AlsEngine
from mfcore.training.engines.als.normal_equations import solve_rows
from mfcore.training.engines.als.whole_matrix import HeldOutLoss
from mfcore.training.engines.autograd import AutogradGradients, WrittenGradients
from mfcore.training.engines.base import TrainingContext
from mfcore.training.engines.cuda_graph import RecordedSteps, Step
from mfcore.training.engines.fused_step import Stepper
from mfcore.training.losses import batch_loss, loss_on
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import build_optimizers
from mfcore.training.samples import Samples, SampleSource

from .conftest import make_interactions

CPU = torch.device("cpu")
KINDS = ("linear", "log")
SOLVERS = ("batches", "compiled")


def plays(seed: int = 0, users: int = 9, items: int = 7, count: int = 30, *, equal: int = 0) -> Interactions:
    """Counts 1 … 40, or all ``equal``; the last user and the last item have none."""
    rng = np.random.default_rng(seed)
    cell = rng.choice((users - 1) * (items - 1), count, replace=False)
    data = make_interactions(cell // (items - 1), cell % (items - 1), users, items)
    data.rating[:] = equal or rng.integers(1, 41, count)
    return data


def context_of(train: Interactions, name: str, config: TrainConfig) -> TrainingContext:
    model = build_model(name, train, embedding_dim=3, init_std=0.5, bias_std=0.3, seed=1)
    model.predicts_ratings = False
    return TrainingContext(model, config, build_optimizers(model, config), LossMeter(CPU), train, 1)


def ials(kind: str = "linear", **fields: Any) -> TrainConfig:
    usual = {"weight_decay": 0.05, "unobserved_weight": 0.3, "confidence_alpha": 0.7, "device": "cpu", "threads": 1}
    return TrainConfig(loss="weighted-mse", optimizer="als", confidence=kind, **{**usual, **fields})


def engine_of(context: TrainingContext, solver: str) -> AlsEngine:
    if solver == "compiled":
        pytest.importorskip("numba")
    engine = AlsEngine(context, solve_rows if solver == "batches" else None)
    assert solver == "batches" or engine.note == "by compiled code"
    return engine


def c_of(kind: str, count: float, alpha: float) -> float:
    return 1 + alpha * (count if kind == "linear" else float(np.log(1 + count)))


def dense(data: Interactions, kind: str, alpha: float, unobserved: float) -> tuple[np.ndarray, np.ndarray]:
    """Weight and target of every cell, one after the other."""
    weight, target = np.full((data.num_users, data.num_items), unobserved), np.zeros((data.num_users, data.num_items))
    for user, item, count in zip(data.user_idx, data.item_idx, data.rating, strict=True):
        weight[user, item], target[user, item] = c_of(kind, float(count), alpha), 1.0
    return weight, target


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["mf", "biased-mf"])
@pytest.mark.parametrize("unobserved", [0.0, 0.3, 1.0])
def test_als_finds_the_weighted_least_squares_of_the_whole_matrix(name: str, kind: str, solver: str, unobserved: float) -> None:
    train = plays()
    context = context_of(train, name, ials(kind, unobserved_weight=unobserved))
    loss = float(engine_of(context, solver).solve(by_item=False))
    model, biased = context.model, name == "biased-mf"
    items = model.item_vectors().numpy().astype(np.float64)
    offset = np.zeros(7) if not biased else model.item_biases().numpy().astype(np.float64)  # type: ignore[union-attr]
    features = np.hstack([items, np.ones((7, 1))]) if biased else items
    weight, target = dense(train, kind, 0.7, unobserved)
    left = 0.0
    for user in range(9):
        w = weight[user]
        ridge = 0.05 * w.sum() * np.eye(features.shape[1])
        right = features.T @ (w * (target[user] - offset))
        expected = np.linalg.solve((features * w[:, None]).T @ features + ridge, right) if w.sum() else np.zeros(len(ridge))
        found = model.user_vectors()[user].numpy()
        if biased:
            found = np.append(found, model.user_biases()[user])  # type: ignore[index]
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
        left += float((w * (target[user] - offset - features @ expected) ** 2).sum())
    assert loss == pytest.approx(left / weight.sum(), rel=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_rows_of_many_counts_are_solved_alike_by_both(solver: str) -> None:
    """More ratings than are gathered at once, and more dimensions than a tile is wide."""
    rng = np.random.default_rng(3)
    user, item = np.nonzero(rng.random((40, 230)) < 0.6)
    train = make_interactions(user, item, 40, 230)
    train.rating[:] = rng.integers(1, 100, len(user))
    config = ials("log")
    model = build_model("mf", train, embedding_dim=21, init_std=0.5, seed=1)
    model.predicts_ratings = False
    context = TrainingContext(model, config, build_optimizers(model, config), LossMeter(CPU), train, 1)
    engine_of(context, solver).solve(by_item=False)
    items = model.item_vectors().numpy().astype(np.float64)
    weight, target = dense(train, "log", 0.7, 0.3)
    for who in range(40):
        w = weight[who]
        gram = (items * w[:, None]).T @ items + 0.05 * w.sum() * np.eye(21)
        np.testing.assert_allclose(model.user_vectors()[who], np.linalg.solve(gram, items.T @ (w * target[who])), atol=2e-5)


@pytest.mark.parametrize("name", ["mf", "biased-mf"])
def test_the_validation_loss_of_als_weighs_as_training_does(name: str) -> None:
    data = plays(count=40)
    held, train = data.select(np.arange(6)), data.select(np.arange(6, 40))
    config = ials()
    model = context_of(train, name, config).model
    model.fallback = None
    users = np.unique(held.user_idx)
    scores = model.score_items(np.arange(9)).double().numpy()
    free = np.zeros((9, 7), dtype=bool)
    free[users] = True
    free[held.user_idx, held.item_idx] = free[train.user_idx, train.item_idx] = False
    ours = np.isin(train.user_idx, users)
    chosen, other = (1 + 0.7 * train.rating[ours]).sum(), 0.3 * (len(users) * 7 - ours.sum())
    miss = np.average((1 - scores[held.user_idx, held.item_idx]) ** 2, weights=1 + 0.7 * held.rating)
    expected = (chosen * miss + other * (scores[free] ** 2).mean()) / (chosen + other)
    sure = confidence(config, held), confidence(config, train)
    assert HeldOutLoss(held, train, 0.3, CPU, sure)(model) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["bce", "bpr"])
def test_each_positive_weighs_its_count_over_their_mean(loss: str, kind: str) -> None:
    train = plays()
    config = TrainConfig(loss=loss, negatives=3, confidence=kind, confidence_alpha=0.5)
    samples = SampleSource(train, config, CPU).draw(torch.Generator().manual_seed(0))
    counts = {(int(u), int(i)): float(r) for u, i, r in zip(train.user_idx, train.item_idx, train.rating, strict=True)}
    mean = np.mean([c_of(kind, count, 0.5) for count in counts.values()])
    for place in range(len(samples)):
        positive = loss == "bpr" or samples.target[place] == 1
        pair = int(samples.user_idx[place]), int(samples.item_idx[place])
        expected = c_of(kind, counts[pair], 0.5) / mean if positive else 1.0
        assert float(samples.weight[place]) == pytest.approx(expected, rel=1e-6)
    positives = samples.weight if loss == "bpr" else samples.weight[samples.target == 1]
    assert float(positives.double().mean()) == pytest.approx(1.0, rel=1e-6)


def test_held_out_positives_weigh_by_the_mean_of_those_trained_on() -> None:
    data = plays(count=40)
    held, train = data.select(np.arange(10)), data.select(np.arange(10, 40))
    weights = sample_weights(TrainConfig(loss="bce", confidence="linear", confidence_alpha=2.0), held, train)
    np.testing.assert_allclose(weights, (1 + 2 * held.rating) / (1 + 2 * train.rating.astype(np.float64)).mean(), rtol=1e-6)


@pytest.mark.parametrize("loss", ["bce", "bpr"])
def test_a_weight_of_two_is_the_sample_twice(loss: str) -> None:
    """Σ w·loss / B by hand, and that of a batch in which what weighs 2 stands twice and what weighs 0 not at all."""
    model = build_model("biased-mf", plays(), embedding_dim=3, init_std=0.5, seed=2)
    model.predicts_ratings = False
    user, item, other = torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5]), torch.tensor([0, 1, 2])
    target = torch.tensor([1.0, 0.0, 1.0])
    columns = (user, item, target, other) if loss == "bpr" else (user, item, target, other[:0])
    weighted = Samples(*columns, torch.tensor([2.0, 0.0, 1.0]))
    twice = Samples(*(column[torch.tensor([0, 0, 2])] if len(column) else column for column in columns))
    assert batch_loss(model, loss, weighted)[0].item() == pytest.approx(batch_loss(model, loss, twice)[0].item(), rel=1e-6)
    assert loss_on(model, loss, weighted) == pytest.approx(loss_on(model, loss, twice), rel=1e-6)


@pytest.mark.parametrize("loss", ["bce", "bpr"])
@pytest.mark.parametrize("name", ["mf", "biased-mf"])
def test_written_gradients_of_weighted_samples_are_those_of_autograd(name: str, loss: str) -> None:
    config = TrainConfig(loss=loss, confidence="linear", confidence_alpha=0.3, weight_decay=0.2)
    context = context_of(plays(), name, config)
    context.model.double()
    batch = SampleSource(context.train, config, CPU).draw(torch.Generator().manual_seed(0))
    batch = Samples(batch.user_idx, batch.item_idx, batch.target.double(), batch.negative_idx, batch.weight.double())
    by_autograd = AutogradGradients(context)(batch)
    expected = [p.grad.clone() for p in context.model.parameters() if p.grad is not None]
    written = WrittenGradients(context)
    assert float(written(batch)) == pytest.approx(float(by_autograd), rel=1e-12)
    for parameter, gradient in zip(context.model.parameters(), expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-12, atol=1e-14)
    plain = Samples(batch.user_idx, batch.item_idx, batch.target, batch.negative_idx)
    assert float(AutogradGradients(context)(plain)) != pytest.approx(float(by_autograd), rel=1e-3), "weights do weigh"


@pytest.mark.parametrize("loss", ["bce", "bpr"])
@pytest.mark.parametrize("equal", [0, 5])
def test_recorded_steps_read_the_weights(loss: str, equal: int) -> None:
    """As on a GPU, with a recorder that runs the step anew. Where all weigh 1 there are no weights to read."""
    config = TrainConfig(loss=loss, confidence="linear", batch_size=8, optimizer="adam", device="cpu", learning_rate=0.02)
    losses = []
    for recorded in (True, False):
        context = context_of(plays(equal=equal), "biased-mf", config)
        batch = SampleSource(context.train, config, CPU).draw(torch.Generator().manual_seed(0)).slice(0, 24)
        gradients, stepper = AutogradGradients(context), Stepper(context.optimizers)
        rates = np.full(3, 0.02)
        if recorded:
            steps = RecordedSteps(context, gradients, stepper, _again)
            losses.append(steps.play(batch, rates).tolist())
            continue
        one_by_one = []
        for part in batch.split(8):
            one_by_one.append(float(gradients(part)))
            stepper.step(0.02)
        losses.append(one_by_one)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def _again(step: Step) -> Step:
    step()
    return step


def weights_after(split: Split, model: str, **fields: Any) -> tuple[dict[str, Tensor], list[tuple[float, float]]]:
    built = build_model(model, split.train, embedding_dim=3, seed=4)
    usual = {"num_epochs": 3, "device": "cpu", "threads": 1, "batch_size": 16}
    ends = [(end.train_loss, end.valid_loss) for end in Trainer(built, split, TrainConfig(**{**usual, **fields})).fit()]
    return built.state_dict(), ends


RUNS: list[dict[str, Any]] = [{"loss": "bce"}, {"loss": "bpr", "model": "mf"}, {"loss": "bce", "model": "mlp"}]
SOLVED: dict[str, Any] = {"loss": "weighted-mse", "optimizer": "als", "weight_decay": 0.05, "model": "mf"}


@pytest.mark.parametrize("fields", RUNS)
@pytest.mark.parametrize("kind", KINDS)
def test_equal_counts_train_as_no_counts_do_bit_for_bit(fields: dict[str, Any], kind: str) -> None:
    split = random_split(plays(users=20, items=15, count=150, equal=3), seed=1)
    given = {"model": "biased-mf", **fields}
    plain, weighted = weights_after(split, **given), weights_after(split, **given, confidence=kind, confidence_alpha=0.37)
    assert all(torch.equal(plain[0][name], weighted[0][name]) for name in plain[0])
    assert plain[1] == weighted[1]


@pytest.mark.parametrize("fields", [*RUNS, SOLVED])
def test_unequal_counts_do_not(fields: dict[str, Any]) -> None:
    split = random_split(plays(users=20, items=15, count=150), seed=1)
    given = {"model": "biased-mf", **fields}
    plain, weighted = weights_after(split, **given), weights_after(split, **given, confidence="linear")
    assert any(not torch.equal(plain[0][name], weighted[0][name]) for name in plain[0])
    assert all(np.isfinite(loss) for end in weighted[1] for loss in end)


@pytest.mark.parametrize("fields", [{"loss": "bpr", "optimizer": "sgd"}, {**SOLVED, "weight_decay": 0.001}])
def test_what_was_done_often_is_fitted_better(fields: dict[str, Any]) -> None:
    """Two kinds of choices, done once or fifty times, at random: the model has no room for all."""
    data = plays(users=40, items=30, count=500)
    often = np.random.default_rng(5).random(500) < 0.3
    data.rating[:] = np.where(often, 50.0, 1.0)
    split = random_split(data, test=0.01, valid=0.01, seed=1)
    rows = often[split.train_rows]

    def gap(**more: Any) -> float:
        model = build_model("mf", split.train, embedding_dim=4, seed=4)
        own = {name: value for name, value in fields.items() if name != "model"}
        usual = {"num_epochs": 20, "device": "cpu", "threads": 1, "batch_size": 64, "learning_rate": 1.0}
        list(Trainer(model, split, TrainConfig(**{**usual, **own, **more})).fit())
        scores = _scores(model, split.train)
        return float(scores[rows].mean() - scores[~rows].mean())

    assert gap(confidence="linear") > gap() + 0.05


def _scores(model: RecommenderModel, data: Interactions) -> np.ndarray:
    with torch.no_grad():
        return model(torch.from_numpy(data.user_idx), torch.from_numpy(data.item_idx)).numpy()


def test_one_at_a_time_is_left_to_the_engine_that_weighs() -> None:
    split = random_split(plays(users=20, items=15, count=150), seed=1)
    config = TrainConfig(loss="bpr", optimizer="sgd", batch_size=1, confidence="log", num_epochs=1, device="cpu", threads=1)
    trainer = Trainer(build_model("mf", split.train, embedding_dim=3, seed=0), split, config)
    assert trainer.engine == "autograd"
    assert "weighs all interactions alike" in trainer.engine_reason


@pytest.mark.parametrize("fields", [{"loss": "bce"}, {name: SOLVED[name] for name in ("loss", "optimizer")}])
def test_what_is_no_count_is_refused_in_one_line(fields: dict[str, Any]) -> None:
    data = make_interactions(np.array([0, 0, 1]), np.array([0, 1, 1]), 3, 4)
    data.rating[:] = [3, -2, 1]
    split = Split(data, np.arange(3), np.zeros(0, np.int64), np.zeros(0, np.int64), random_split(plays()).config)
    model = build_model("mf", data, embedding_dim=2)
    with pytest.raises(
        UnusableRequest, match=r"reads ratings as counts, but user 0 rates item 1 -2, which is below 0"
    ) as error:
        Trainer(model, split, TrainConfig(confidence="linear", **fields))
    assert "\n" not in str(error.value)
    split.train.rating[1] = 3e38
    with pytest.raises(UnusableRequest, match="choose a smaller one, or confidence log"):
        Trainer(model, split, TrainConfig(confidence="linear", **fields))
