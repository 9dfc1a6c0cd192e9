"""Alternating least squares solves what it says it solves: by hand, by brute force, and by the gradient of SGD's own loss."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mfcore.data import Interactions, Split
from mfcore.errors import UnusableRequest
from mfcore.models import RecommenderModel, build_model
from mfcore.runs import RunConfig
from mfcore.training import Limits, TrainConfig, Trainer, TrainingDiverged, TrainingStopped
from mfcore.training.engines.als.engine import AlsEngine
from mfcore.training.engines.als.normal_equations import solve_rows
from mfcore.training.engines.als.whole_matrix import HeldOutLoss, sum_of_squares
from mfcore.training.engines.base import TrainingContext
from mfcore.training.losses import batch_loss
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import build_optimizers
from mfcore.training.samples import Samples
from mfcore.training.weight_decay import L2Penalty

from .conftest import make_interactions

MODELS = ("mf", "biased-mf")
LOSSES = ("mse", "weighted-mse")
SCALINGS = ("none", "sqrt-count")
SOLVERS = ("batches", "compiled")


def as_config(loss: str = "mse", **fields: Any) -> TrainConfig:
    usual = {"weight_decay": 0.1 if loss == "mse" else 0.02, "unobserved_weight": 0.3, "device": "cpu", "threads": 1}
    return TrainConfig(**{"optimizer": "als", "loss": loss, **usual, **fields})


def make_context(train: Interactions, name: str, config: TrainConfig, dim: int = 4) -> TrainingContext:
    model = build_model(name, train, embedding_dim=dim, init_std=0.5, bias_std=0.3, seed=1)
    model.predicts_ratings = not config.implicit
    return TrainingContext(model, config, build_optimizers(model, config), LossMeter(model.device), train, 1)


def engine_of(context: TrainingContext, solver: str) -> AlsEngine:
    if solver == "batches":
        return AlsEngine(context, solve_rows)
    pytest.importorskip("numba")
    engine = AlsEngine(context)
    assert engine.note == "by compiled code"
    return engine


def few(seed: int = 0, users: int = 9, items: int = 7, count: int = 30) -> Interactions:
    """A handful of ratings; the last user and the last item have none."""
    rng = np.random.default_rng(seed)
    cell = rng.choice((users - 1) * (items - 1), count, replace=False)
    data = make_interactions(cell // (items - 1), cell % (items - 1), users, items)
    data.rating[:] = rng.integers(1, 6, count)
    return data


def uneven() -> Interactions:
    """200 users and 150 items; user u rated item i by chance (1 − u/199)(1 − i/149): from all others down to none."""
    rng = np.random.default_rng(4)
    user, item = np.nonzero(rng.random((200, 150)) < np.outer(np.linspace(1, 0, 200), np.linspace(1, 0, 150)))
    data = make_interactions(user, item, 200, 150)
    data.rating[:] = rng.integers(1, 6, len(user))
    counts = np.bincount(user, minlength=200)
    assert counts[-1] == 0 and 0 < counts[-20:-1].max() < 10 and counts.max() > 64 < np.bincount(item).max()
    return data


def objective(context: TrainingContext) -> Tensor:
    """Loss and L2 as their definitions say, over the whole training part at once; float64, every cell written down."""
    model, config, train = context.model, context.config, context.train
    grid = torch.cartesian_prod(torch.arange(train.num_users), torch.arange(train.num_items))
    chosen, target = torch.zeros(len(grid), dtype=torch.bool), torch.zeros(len(grid), dtype=torch.float64)
    place = torch.from_numpy(train.user_idx * train.num_items + train.item_idx)
    chosen[place] = True
    if config.loss == "mse":
        target[place] = torch.from_numpy(train.rating).double()
        weight = chosen.double()
    else:
        target[place] = 1.0
        weight = torch.where(chosen, 1.0, config.unobserved_weight).double()
    rows = model.gather(grid[:, 0], grid[:, 1])
    error = (model.score(rows) - target).square()
    decays = [torch.full((len(grid),), config.weight_decay, dtype=torch.float64)] * 2
    if config.weight_decay_scaling == "sqrt-count":
        for side, index in enumerate((train.user_idx, train.item_idx)):
            counts = torch.from_numpy(np.maximum(np.bincount(index, minlength=(train.num_users, train.num_items)[side]), 1))
            decays[side] = config.weight_decay / counts.double().sqrt()[grid[:, side]]
    penalty = sum(row.square().sum(1) * decays[place % 2] for place, row in enumerate(rows))
    return (weight * (error + penalty)).sum() / weight.sum()


def mean_loss(context: TrainingContext) -> float:
    """The objective without its L2."""
    free = dataclasses.replace(context, config=as_config(context.config.loss, weight_decay=0.0))
    return objective(free).item()


def weights(model: RecommenderModel) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


# The closed form


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_users_vector_is_the_ridge_regression_that_numpy_finds(solver: str) -> None:
    train = few()
    context = make_context(train, "mf", as_config(weight_decay=0.2), dim=3)
    engine_of(context, solver).solve(by_item=False)
    items = context.model.item_vectors().numpy().astype(np.float64)
    for user in range(train.num_users - 1):
        own = train.user_idx == user
        # Ridge as least squares: √(λ n) times the identity below the features, zeros below the targets.
        features = np.vstack([items[train.item_idx[own]], np.sqrt(0.2 * own.sum()) * np.eye(3)])
        targets = np.concatenate([train.rating[own], np.zeros(3)])
        expected = np.linalg.lstsq(features, targets, rcond=None)[0]
        np.testing.assert_allclose(context.model.user_vectors()[user], expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_bias_is_solved_with_its_vector(solver: str) -> None:
    train = few()
    context = make_context(train, "biased-mf", as_config(weight_decay=0.2), dim=3)
    engine_of(context, solver).solve(by_item=True)
    model = context.model
    users, user_bias = model.user_vectors().numpy().astype(np.float64), model.user_biases()
    item_bias = model.item_biases()
    assert user_bias is not None and item_bias is not None
    for item in range(train.num_items - 1):
        own = train.item_idx == item
        features = np.hstack([users[train.user_idx[own]], np.ones((own.sum(), 1))])
        features = np.vstack([features, np.sqrt(0.2 * own.sum()) * np.eye(4)])
        rest = train.rating[own] - float(model.global_mean) - user_bias.numpy()[train.user_idx[own]]
        expected = np.linalg.lstsq(features, np.concatenate([rest, np.zeros(4)]), rcond=None)[0]
        found = np.append(model.item_vectors()[item].numpy(), item_bias[item])
        np.testing.assert_allclose(found, expected, rtol=5e-5, atol=5e-6)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("unobserved", [0.0, 0.3, 1.0])
def test_weighted_cells_give_what_the_whole_matrix_gives(name: str, unobserved: float, solver: str) -> None:
    """Every cell written down, each user a weighted ridge regression over all items."""
    train = few()
    context = make_context(train, name, as_config("weighted-mse", weight_decay=0.05, unobserved_weight=unobserved), dim=3)
    engine_of(context, solver).solve(by_item=False)
    model, biased = context.model, name == "biased-mf"
    items = model.item_vectors().numpy().astype(np.float64)
    offset = np.zeros(train.num_items) if not biased else model.item_biases().numpy().astype(np.float64)  # type: ignore[union-attr]
    features = np.hstack([items, np.ones((train.num_items, 1))]) if biased else items
    for user in range(train.num_users):
        chosen = np.zeros(train.num_items)
        chosen[train.item_idx[train.user_idx == user]] = 1.0
        weight = np.where(chosen > 0, 1.0, unobserved)
        gram = (features * weight[:, None]).T @ features + 0.05 * weight.sum() * np.eye(features.shape[1])
        right = features.T @ (weight * (chosen - offset))
        expected = np.linalg.solve(gram, right) if weight.sum() > 0 else np.zeros(features.shape[1])
        found = model.user_vectors()[user].numpy()
        if biased:
            found = np.append(found, model.user_biases()[user])  # type: ignore[index]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


# The loss it minimises


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_every_half_sweep_lowers_the_objective_and_ends_without_a_gradient(
    name: str, loss: str, scaling: str, solver: str
) -> None:
    """After each half sweep the side just solved has no gradient left; after many, neither side has."""
    context = make_context(few(), name, as_config(loss, weight_decay_scaling=scaling))
    engine, parameters = engine_of(context, solver), dict(context.model.named_parameters())
    before = objective(context).item()
    for half in range(600):
        reported = float(engine.solve(by_item=half % 2 == 1))
        if half % 100 < 10:
            now = objective(context).item()
            assert now <= before + 1e-6
            before = now
            assert reported == pytest.approx(mean_loss(context), rel=1e-5, abs=1e-5), "float32 of squares up to 25"
        if half < 4:
            slopes = torch.autograd.grad(objective(context), list(parameters.values()))
            solved = [s for n, s in zip(parameters, slopes, strict=True) if n.startswith(("user", "item")[half % 2])]
            assert max(float(slope.abs().max()) for slope in solved) < 2e-6
    slopes = torch.autograd.grad(objective(context), list(parameters.values()))
    assert max(float(slope.abs().max()) for slope in slopes) < 2e-5


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("name", MODELS)
def test_the_fixed_point_has_no_gradient_in_the_loss_that_sgd_descends(name: str, scaling: str) -> None:
    """The very functions of the autograd engine, on the full batch: weight_decay keeps its meaning."""
    context = make_context(few(), name, as_config(weight_decay_scaling=scaling))
    engine, train = AlsEngine(context), context.train

    def steepest() -> float:
        index = torch.from_numpy(train.user_idx), torch.from_numpy(train.item_idx)
        batch = Samples(*index, torch.from_numpy(train.rating), torch.empty(0, dtype=torch.int64))
        loss, rows = batch_loss(context.model, "mse", batch)
        total = loss + L2Penalty(context).of(rows, index)
        return max(float(slope.abs().max()) for slope in torch.autograd.grad(total, list(context.model.parameters())))

    assert steepest() > 0.01
    for half in range(600):
        engine.solve(by_item=half % 2 == 1)
    assert steepest() < 2e-5


def test_planted_ratings_are_recovered_down_to_their_noise(planted: Split) -> None:
    model = build_model("biased-mf", planted.train, embedding_dim=3, seed=0)
    ends = list(Trainer(model, planted, as_config(weight_decay=0.001, num_epochs=15)).fit())
    assert 0.1 < ends[-1].metrics["rmse"] < 0.115, "noise of 0.1, and eight weights estimated from some 35 ratings"
    assert ends[4].metrics["rmse"] < ends[-1].metrics["rmse"] + 0.002, "five sweeps get there"


def test_the_withheld_item_of_ones_own_colour_comes_first(checkerboard: Split) -> None:
    model = build_model("mf", checkerboard.train, embedding_dim=2, seed=0)
    trainer = Trainer(model, checkerboard, as_config("weighted-mse", weight_decay=0.001, num_epochs=10))
    list(trainer.fit())
    scores = model.score_items(np.arange(20)).clone()
    scores[torch.from_numpy(checkerboard.train.user_idx), torch.from_numpy(checkerboard.train.item_idx)] = -torch.inf
    assert scores.argmax(1).tolist() == list(range(20))


# How it is computed


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_how_rows_are_cut_into_chunks_changes_nothing(name: str, loss: str) -> None:
    """From one row and one rating at a time to everything at once."""
    train, found = few(users=40, items=30, count=500), []
    for floats in (1, 60, 400, 1 << 24):
        context = make_context(train, name, as_config(loss))
        engine = AlsEngine(dataclasses.replace(context, limits=Limits(chunk_floats=floats)), solve_rows)
        losses = [float(engine.solve(by_item=half == 1)) for half in (0, 1)]
        found.append((len(engine.sides[0].chunks), losses, weights(context.model)))
    assert found[0][0] == train.num_users
    assert found[0][0] > found[2][0] > found[3][0]
    for _, losses, state in found[:-1]:
        assert losses == pytest.approx(found[-1][1], rel=1e-4)
        for key, tensor in state.items():
            torch.testing.assert_close(tensor, found[-1][2][key], rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_who_has_no_ratings_is_not_guessed_at(loss: str, solver: str) -> None:
    context = make_context(few(), "mf", as_config(loss))
    engine = engine_of(context, solver)
    engine.solve(by_item=False)
    engine.solve(by_item=True)
    assert context.model.user_vectors()[-1].abs().max() == 0.0
    assert context.model.item_vectors()[-1].abs().max() == 0.0
    assert context.model.user_vectors()[:-1].abs().amax(1).min() > 0.0


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_weight_decay_and_with_more_dimensions_than_ratings_it_still_stands(solver: str) -> None:
    context = make_context(few(), "biased-mf", as_config(weight_decay=0.0), dim=20)
    engine = engine_of(context, solver)
    for half in range(10):
        loss = float(engine.solve(by_item=half % 2 == 1))
    assert 0.0 <= loss < 1e-3, "thirty ratings and 340 weights"
    assert all(bool(torch.isfinite(p).all()) for p in context.model.parameters())


@pytest.mark.parametrize("dim", [1, 7, 8, 16, 17, 33, 64, 70])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_compiled_code_finds_what_batches_find(name: str, loss: str, dim: int) -> None:
    """Dimensions below, at and beyond the edges of a tile; rows without ratings, with a few, and with more than fit at once."""
    train = uneven()
    found = []
    for solver in SOLVERS:
        context = make_context(train, name, as_config(loss), dim)
        engine = engine_of(context, solver)
        found.append(([float(engine.solve(by_item=half % 2 == 1)) for half in range(2)], weights(context.model)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)
    for key, tensor in found[0][1].items():
        torch.testing.assert_close(tensor, found[1][1][key], rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_number_of_threads_changes_no_bit(loss: str) -> None:
    pytest.importorskip("numba")
    from mfcore.training.engines.als import compiled

    found = []
    for threads in (1, 2, 5):
        context = make_context(uneven(), "biased-mf", as_config(loss), dim=20)
        engine = AlsEngine(context, compiled.CompiledSolver(threads, piece_operations=1e5))
        losses = [float(engine.solve(by_item=half % 2 == 1)) for half in range(4)]
        found.append((losses, weights(context.model)))
    assert 20 < len(compiled.pieces(engine.sides[0].starts, 21, operations=1e5)) < 201
    for losses, state in found[1:]:
        assert losses == found[0][0]
        assert all(torch.equal(tensor, found[0][1][key]) for key, tensor in state.items())


def test_pieces_hold_every_row_once() -> None:
    pytest.importorskip("numba")
    from mfcore.training.engines.als.compiled import pieces

    rng = np.random.default_rng(0)
    for counts in (rng.integers(0, 90_000, 70), np.zeros(5, dtype=np.int64), rng.integers(0, 3, 40_000)):
        cuts = pieces(np.append(0, counts.cumsum()), 64)
        assert cuts[0] == 0 and cuts[-1] == len(counts) and (np.diff(cuts) > 0).all()


def test_a_matrix_that_rounding_made_indefinite_gets_a_little_more_ridge() -> None:
    pytest.importorskip("numba")
    from mfcore.training.engines.als import kernels
    from mfcore.training.engines.als.compiled import aligned_zeros

    gram, right, theta = aligned_zeros(2, 2), aligned_zeros(2), aligned_zeros(1, 2)
    gram[:2, :2] = torch.tensor([[1.0, 1.0005], [1.0005, 1.0]])  # one eigenvalue is -0.0005
    right[:2] = torch.tensor([1.0, -1.0])
    width, nothing, left = len(right), np.zeros(0, dtype=np.float32), np.zeros(1)
    gram = torch.nn.functional.pad(gram, (0, 0, 0, width - 2))
    rows = kernels.Rows(np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int32), nothing, np.zeros(1, dtype=np.float32))
    fixed = kernels.FixedSide(aligned_zeros(1, 2).numpy(), nothing, gram.numpy(), right.numpy(), 2, np.float32(-1.0))
    space = kernels.Workspace(*(aligned_zeros(*shape, 2).numpy() for shape in ((width,), (64,), (), ())))
    kernels.solve(0, 1, rows, fixed, space, theta.numpy(), left)
    ridge = 1e-6 + 1e-3  # the floor, and the second of three more tries: 1e-4 was too little
    expected = np.linalg.solve(gram[:2, :2].double().numpy() + ridge * np.eye(2), [1.0, -1.0])
    np.testing.assert_allclose(theta[0, :2], expected, rtol=1e-3)
    gram[0, 0] = -1.0
    kernels.solve(0, 1, rows, fixed, space, theta.numpy(), left)
    assert np.isnan(left[0]) and theta[0, :2].isnan().all(), "hopeless, and said so"


def test_weights_that_are_not_numbers_end_the_training(planted: Split) -> None:
    """And do not keep it busy for ever."""
    trainer = Trainer(build_model("mf", planted.train, embedding_dim=3, seed=0), planted, as_config())
    with torch.no_grad():
        trainer.model.item_factors[0, 0] = torch.inf
    with pytest.raises(TrainingDiverged):
        trainer.train_epoch()


def test_a_sum_of_squares_over_the_whole_matrix_without_the_matrix() -> None:
    for name in MODELS:
        model = make_context(few(), name, as_config()).model
        users, model.fallback = torch.tensor([0, 3, 4]), None
        assert sum_of_squares(model, users) == pytest.approx(float(model.score_items(users).double().square().sum()), rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_validation_loss_weighs_held_out_cells_as_training_weighs_chosen_ones(name: str) -> None:
    data = few(count=40)
    rows = np.arange(40)
    held, train = data.select(rows[:6]), data.select(rows[6:])
    model = make_context(train, name, as_config("weighted-mse")).model
    model.fallback = None
    users = np.unique(held.user_idx)
    of_ours = np.isin(train.user_idx, users)
    scores = model.score_items(np.arange(9)).clone().double().numpy()
    free = np.zeros((9, 7), dtype=bool)
    free[users] = True
    free[held.user_idx, held.item_idx] = free[train.user_idx, train.item_idx] = False
    chosen = of_ours.sum()
    other = 0.3 * (len(users) * 7 - chosen)
    miss = ((1.0 - scores[held.user_idx, held.item_idx]) ** 2).mean()
    expected = (chosen * miss + other * (scores[free] ** 2).mean()) / (chosen + other)
    assert HeldOutLoss(held, train, 0.3, model.device)(model) == pytest.approx(expected, rel=1e-5)


# As a training


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_a_sweep_is_an_epoch_of_two_steps(planted: Split, name: str, loss: str) -> None:
    trainer = Trainer(build_model(name, planted.train, embedding_dim=3, seed=0), planted, as_config(loss, num_epochs=2))
    assert (trainer.engine, trainer.steps_per_epoch) == ("als", 2)
    assert "no learning rate" in trainer.engine_reason
    end = trainer.train_epoch()
    assert (end.number, end.step, end.samples) == (1, 2, len(planted.train))
    assert np.isfinite([end.train_loss, end.valid_loss]).all()
    assert ("ndcg@10" in end.metrics, trainer.selection_metric) == (True, "rmse" if loss == "mse" else "ndcg@10")


@pytest.mark.parametrize("loss", LOSSES)
def test_batch_size_and_learning_rate_change_nothing(planted: Split, loss: str) -> None:
    ends = []
    for fields in ({}, {"batch_size": 1, "learning_rate": 9.0, "momentum": 0.5, "schedule": "one-cycle"}):
        trainer = Trainer(build_model("mf", planted.train, embedding_dim=3, seed=0), planted, as_config(loss, **fields))
        trainer.train_epoch()
        ends.append((trainer.step, weights(trainer.model)["item_factors"]))
    assert ends[0][0] == ends[1][0]
    assert torch.equal(ends[0][1], ends[1][1])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_a_stop_between_half_sweeps_changes_nothing(planted: Split, loss: str, stop_at: int) -> None:
    """Also in the middle of a sweep: the next trainer begins with the items."""
    config = as_config(loss, num_epochs=3)

    def make(**hooks: Any) -> Trainer:
        return Trainer(build_model("biased-mf", planted.train, embedding_dim=3, seed=0), planted, config, **hooks)

    whole = make()
    expected = [(end.step, end.train_loss, end.metrics) for end in whole.fit()]
    first = make(should_stop=lambda: first.step >= stop_at)
    done = []
    with pytest.raises(TrainingStopped):
        while True:
            done.append(first.train_epoch())
    assert first.step == stop_at
    second = make()
    second.load_state_dict(first.state_dict())
    done += list(second.fit())
    assert [(end.step, end.train_loss, end.metrics) for end in done] == expected
    for key, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[key]), key


def test_without_numba_pytorch_solves_and_says_why(planted: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name
        for name in sys.modules
        if name.startswith(("mfcore.training.engines.sgd_compiled.", "mfcore.training.engines.als."))
    ]:
        if name.endswith((".compiled", ".kernels")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    trainer = Trainer(build_model("mf", planted.train, embedding_dim=3, seed=0), planted, as_config(num_epochs=5))
    assert "exactly, in batches, because numba cannot be used (" in trainer.engine_reason
    assert list(trainer.fit())[-1].metrics["rmse"] < 0.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_a_gpu_finds_the_same(planted: Split, name: str, loss: str) -> None:
    found = []
    for device in ("cpu", "cuda", "cuda"):
        model = build_model(name, planted.train, embedding_dim=3, seed=0)
        list(Trainer(model, planted, as_config(loss, device=device, num_epochs=3)).fit())
        found.append({key: tensor.cpu() for key, tensor in model.state_dict().items()})
    for key in found[0]:
        torch.testing.assert_close(found[0][key], found[1][key], rtol=2e-3, atol=2e-3)
        assert torch.equal(found[1][key], found[2][key]), "the same numbers each time"


# What it refuses


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "mf", "optimizer": "als", "loss": "bce"}, "needs loss mse .* or weighted-mse"),
        ({"model": "mf", "optimizer": "als", "loss": "bpr"}, "needs loss mse .* or weighted-mse"),
        ({"model": "mf", "optimizer": "adam", "loss": "weighted-mse"}, "only optimizer als"),
        ({"model": "neumf", "optimizer": "als", "loss": "weighted-mse"}, "als trains mf and biased-mf, not neumf"),
        ({"model": "gmf", "optimizer": "als"}, "als trains mf and biased-mf, not gmf"),
        ({"model": "biased-mf", "optimizer": "als", "output_range": True}, "turn one of the two off"),
        ({"model": "mf", "optimizer": "als", "device": "mps"}, "mps"),
        ({"model": "mf", "optimizer": "als", "unobserved_weight": -0.1}, "unobserved_weight must be >= 0"),
        ({"model": "mf", "optimizer": "als", "unobserved_weight": 1.5}, "unobserved_weight must be <= 1"),
    ],
)
def test_what_als_cannot_do_is_said(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        RunConfig().with_flat(settings)


def test_the_library_refuses_what_the_page_refuses(planted: Split) -> None:
    with pytest.raises(UnusableRequest, match="not gmf"):
        Trainer(build_model("gmf", planted.train, embedding_dim=3, seed=0), planted, as_config())
    with pytest.raises(UnusableRequest, match="output_range"):
        Trainer(build_model("mf", planted.train, embedding_dim=3, output_range=True, seed=0), planted, as_config())
