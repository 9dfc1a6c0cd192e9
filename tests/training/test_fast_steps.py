"""What makes steps fast computes what plain autograd and ``Optimizer.step`` compute."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from mfcore.data import Split
from mfcore.models import build_model
from mfcore.training import Limits, TrainConfig, Trainer, TrainingDiverged
from mfcore.training.engines.autograd import AutogradEngine, AutogradGradients, WrittenGradients, can_be_written
from mfcore.training.engines.base import EngineKind, TrainingContext
from mfcore.training.engines.fused_step import Stepper
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import build_optimizers, load_optimizer_state, optimizer_state
from mfcore.training.samples import SampleSource

LOSSES = ("mse", "bce", "bpr")


class PlainAutograd(AutogradEngine):
    """Nothing written out."""

    def __init__(self, context: TrainingContext) -> None:
        super().__init__(context, written=False)


def make_context(split: Split, model: str = "biased-mf", shape: dict[str, Any] | None = None, **fields: Any) -> TrainingContext:
    config = TrainConfig(**{"batch_size": 64, "learning_rate": 0.02, "seed": 3, **fields})
    built = build_model(model, split.train, seed=3, **{"embedding_dim": 5, "init_std": 0.4, "bias_std": 0.3, **(shape or {})})
    built.predicts_ratings = not config.implicit
    optimizers = build_optimizers(built, config)
    return TrainingContext(built, config, optimizers, LossMeter(torch.device("cpu")), split.train, 1)


def gradients(context: TrainingContext) -> list[Tensor]:
    found = [parameter.grad for parameter in context.model.parameters()]
    assert all(gradient is not None for gradient in found)
    return [gradient.clone() for gradient in found if gradient is not None]


@pytest.mark.parametrize("model", ["mf", "biased-mf"])
@pytest.mark.parametrize(("loss", "squeezed"), [("mse", False), ("mse", True), ("bce", False), ("bpr", False)])
@pytest.mark.parametrize("decay", [{}, {"weight_decay": 0.3}, {"weight_decay": 0.3, "weight_decay_scaling": "sqrt-count"}])
def test_written_gradients_are_those_of_autograd(
    planted: Split, model: str, loss: str, decay: dict[str, Any], squeezed: bool
) -> None:
    """In double precision, so that only a wrong formula could differ; with users and items that occur several times."""
    context = make_context(planted, model, {"output_range": squeezed}, loss=loss, **decay)
    context.model.double()
    source = SampleSource(planted.train, context.config, torch.device("cpu"))
    batch = source.draw(torch.Generator().manual_seed(0)).slice(0, 300)
    batch = type(batch)(batch.user_idx, batch.item_idx, batch.target.double(), batch.negative_idx)
    by_autograd = AutogradGradients(context)(batch)
    expected = gradients(context)
    written = WrittenGradients(context)
    for _ in range(2):  # the second time into tensors that hold the first
        torch.testing.assert_close(written(batch), by_autograd, rtol=1e-6, atol=1e-6)
    for found, wanted in zip(gradients(context), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-9)
    assert max(float(wanted.abs().max()) for wanted in expected) > 1e-4


@pytest.mark.parametrize("fields", [{"sparse_gradients": True, "optimizer": "sgd"}, {"optimizer": "sparse-adam"}])
def test_sparse_gradients_are_left_to_autograd(planted: Split, fields: dict[str, Any]) -> None:
    context = make_context(planted, **fields)
    assert not can_be_written(context.model, context.config)


@pytest.mark.parametrize("model", ["gmf", "mlp", "neumf"])
def test_other_models_are_left_to_autograd(planted: Split, model: str) -> None:
    context = make_context(planted, model)
    assert not can_be_written(context.model, context.config)
    assert AutogradEngine(context).note == ""


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd"},
    "momentum": {"optimizer": "sgd", "momentum": 0.9},
    "nesterov": {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    "adagrad": {"optimizer": "adagrad"},
    "adam": {"optimizer": "adam"},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1},
    "rmsprop": {"optimizer": "rmsprop", "momentum": 0.5},
    "sparse-adam": {"optimizer": "sparse-adam"},
    "sparse": {"optimizer": "adagrad", "sparse_gradients": True},
    "multipliers": {"optimizer": "adam", "bias_lr_multiplier": 0.1, "factor_lr_multiplier": 2.0, "mlp_lr_multiplier": 0.0},
}


@pytest.mark.parametrize("setting", OPTIMIZERS)
@pytest.mark.parametrize("model", ["biased-mf", "neumf"])
def test_steps_are_those_of_the_optimizers_bit_for_bit(planted: Split, model: str, setting: str) -> None:
    """Weights, state and learning rates, with a rate that changes from step to step."""
    ours, plain = (make_context(planted, model, **OPTIMIZERS[setting]) for _ in range(2))
    for context in (ours, plain):
        context.model.sparse_gradients = setting in ("sparse", "sparse-adam")
    batch = SampleSource(planted.train, ours.config, torch.device("cpu")).draw(torch.Generator().manual_seed(0))
    stepper = Stepper(ours.optimizers)
    for number in range(5):
        rate = 0.02 / (1 + number)
        part = batch.slice(64 * number, 64 * number + 64)
        AutogradGradients(ours)(part)
        AutogradGradients(plain)(part)
        stepper.step(rate)
        for optimizer in plain.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["multiplier"]
            optimizer.step()
    for mine, theirs in zip(ours.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    mine_state, their_state = optimizer_state(ours.optimizers), optimizer_state(plain.optimizers)
    for mine_one, their_one in zip(mine_state, their_state, strict=True):
        assert mine_one["state"].keys() == their_one["state"].keys()
        for place, entries in their_one["state"].items():
            for name, value in entries.items():
                assert torch.equal(torch.as_tensor(mine_one["state"][place][name]), torch.as_tensor(value)), name


def test_a_loaded_state_is_the_one_stepped_on(planted: Split) -> None:
    """A checkpoint puts other tensors into the optimizer; steps that still changed the old ones would lose momentum."""
    ours, plain = make_context(planted), make_context(planted)
    batch = SampleSource(planted.train, ours.config, torch.device("cpu")).draw(torch.Generator().manual_seed(0)).slice(0, 64)
    stepper = Stepper(ours.optimizers)
    for _ in range(3):
        AutogradGradients(ours)(batch)
        stepper.step(0.02)
    plain.model.load_state_dict(ours.model.state_dict())
    for context in (plain, ours):
        load_optimizer_state(context.optimizers, copy.deepcopy(optimizer_state(ours.optimizers)))
    fresh = Stepper(plain.optimizers)
    for context, taker in ((ours, stepper), (plain, fresh)):
        for _ in range(3):
            AutogradGradients(context)(batch)
            taker.step(0.02)
    for mine, theirs in zip(ours.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    (state,) = optimizer_state(ours.optimizers)
    assert all(float(entries["step"]) == 6.0 for entries in state["state"].values())


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam", "rmsprop"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", ["mf", "biased-mf"])
def test_epochs_of_written_gradients_end_where_autograd_ends(planted: Split, model: str, loss: str, optimizer: str) -> None:
    """Whole trainings, a ragged last batch in each epoch. Adam divides by tiny numbers early on, hence the tolerance."""

    def trained(engine: EngineKind) -> Trainer:
        config = TrainConfig(
            loss=loss,
            optimizer=optimizer,
            batch_size=500,
            num_epochs=3,
            learning_rate=0.01,
            weight_decay=0.02,
            schedule="cosine",
        )
        built = build_model(model, planted.train, embedding_dim=6, init_std=0.3, seed=1)
        trainer = Trainer(built, planted, config, engines=[engine])
        list(trainer.fit())
        return trainer

    fast, plain = trained(AutogradEngine), trained(PlainAutograd)
    assert fast.engine_reason.endswith("gradients written out") and not plain.engine_reason.endswith("written out")
    assert fast.step == plain.step
    for name, weights in plain.model.state_dict().items():
        found = fast.model.state_dict()[name]
        if loss == "bpr" and name == "user_bias":
            # It is in both scores of a pair and cancels: nothing should move it. Autograd leaves rounding errors, which Adam
            # and its like divide by their own size.
            assert not found.any()
        else:
            torch.testing.assert_close(found, weights, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("model", ["biased-mf", "neumf"])
def test_long_stretches_change_nothing(planted: Split, model: str) -> None:
    """An epoch in one stretch, or step by step: the same bits, the same losses, the same learning rates."""
    found = []
    for seconds in (0.0, 1e9):
        config = TrainConfig(batch_size=100, num_epochs=3, schedule="one-cycle", optimizer="adam")
        built = build_model(model, planted.train, embedding_dim=4, seed=1)
        trainer = Trainer(built, planted, config, limits=Limits(stretch_seconds=seconds))
        ends = [(end.train_loss, end.valid_loss, end.learning_rate, end.step) for end in trainer.fit()]
        found.append((ends, [parameter.clone() for parameter in trainer.model.parameters()]))
    (one_by_one, at_once) = found
    assert one_by_one[0] == at_once[0]
    assert all(torch.equal(a, b) for a, b in zip(one_by_one[1], at_once[1], strict=True))


def test_the_step_that_diverged_is_named_within_a_stretch(planted: Split) -> None:
    steps = []
    for seconds in (0.0, 1e9):
        config = TrainConfig(batch_size=16, num_epochs=3, optimizer="sgd", learning_rate=1e4)
        model = build_model("biased-mf", planted.train, embedding_dim=4, seed=1)
        trainer = Trainer(model, planted, config, limits=Limits(stretch_seconds=seconds))
        with pytest.raises(TrainingDiverged) as caught:
            list(trainer.fit())
        steps.append((caught.value.epoch, caught.value.step))
    assert steps[0] == steps[1]
    assert steps[0][0] == 1 and 2 < steps[0][1] < trainer.steps_per_epoch
