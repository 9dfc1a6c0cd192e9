"""Settings changed between two steps: they act at the next batch, a checkpoint keeps them, and nothing else moves."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.models import build_model
from mfcore.training import Limits, StepEnd, TrainConfig, Trainer
from mfcore.training.diagnostics import Diagnostics
from mfcore.training.losses import batch_loss, pairs

BASE: dict[str, Any] = {"num_epochs": 4, "batch_size": 256, "learning_rate": 0.02, "device": "cpu", "threads": 1}
CHANGES: dict[str, dict[str, Any]] = {
    "learning rate": {"learning_rate": 0.005},
    "weight decay": {"weight_decay": 0.3},
    "batch size": {"batch_size": 100},
    "multipliers": {"bias_lr_multiplier": 3.0, "factor_lr_multiplier": 0.5},
    "more epochs": {"num_epochs": 6},
    "to one rating at a time": {"batch_size": 1},
}
KINDS: dict[str, dict[str, Any]] = {
    "adam": {},
    "sgd": {"optimizer": "sgd", "schedule": "cosine"},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.01, "schedule": "one-cycle"},
    "bpr": {"loss": "bpr", "negatives": 1, "optimizer": "adagrad", "schedule": "step", "schedule_every": 1},
}


def make(split: Split, *, limits: Limits | None = None, **fields: Any) -> Trainer:
    config = TrainConfig(**{**BASE, **fields})
    model = build_model("biased-mf", split.train, embedding_dim=4, seed=0)
    return Trainer(model, split, config, limits=limits or Limits())


def steer(trainer: Trainer, change: dict[str, Any]) -> None:
    for name, value in change.items():
        if name == "learning_rate":
            trainer.set_learning_rate(value)
        elif name == "num_epochs":
            trainer.extend(value)
        else:
            trainer.change(**{name: value})


def same(one: Trainer, two: Trainer) -> bool:
    theirs = two.model.state_dict()
    return all(torch.equal(table, theirs[name]) for name, table in one.model.state_dict().items())


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [0, 3])
def test_a_change_survives_a_checkpoint_bit_for_bit(planted: Split, kind: str, change: str, steps: int) -> None:
    """Changed at the end of an epoch or inside one; saved a few steps later; taken up by a trainer that knows nothing of it."""
    runs = [make(planted, **KINDS[kind]) for _ in range(3)]
    whole, first, unsteered = runs
    list(unsteered.fit())
    for trainer in (whole, first):
        trainer.train_epoch()
        trainer.advance(steps)
        steer(trainer, CHANGES[change])
    first.advance(2)
    second = make(planted, **KINDS[kind])
    second.load_state_dict(first.state_dict())
    assert second.config == whole.config and second.engine == whole.engine
    list(whole.fit())
    list(second.fit())
    assert whole.epoch == second.epoch == CHANGES[change].get("num_epochs", 4)
    assert (whole.step, whole.best_epoch, whole.learning_rate) == (second.step, second.best_epoch, second.learning_rate)
    assert same(whole, second)
    assert not same(whole, unsteered)


def test_a_change_equals_a_trainer_that_began_with_it(planted: Split) -> None:
    """Changed before the first step, every setting does what the configuration does."""
    for fields in ({"weight_decay": 0.2}, {"batch_size": 77}, {"bias_lr_multiplier": 4.0}, {"batch_size": 1}):
        for kind in KINDS.values():
            born, changed = make(planted, **{**kind, **fields}), make(planted, **kind)
            changed.change(**fields)
            for trainer in (born, changed):
                trainer.advance(7)
            assert same(born, changed), (fields, kind)


def test_another_batch_size_slices_the_rest_of_the_epoch_anew(planted: Split) -> None:
    trainer = make(planted)
    size = len(planted.train)
    trainer.advance(2)
    trainer.change(batch_size=100)
    end = trainer.train_epoch()
    assert end.step == 2 + math.ceil((size - 2 * 256) / 100) and end.samples == size
    assert trainer.steps_per_epoch == math.ceil(size / 100)
    assert trainer.train_epoch().step == end.step + trainer.steps_per_epoch


def test_the_schedule_stays_where_it_is_when_the_batch_size_changes(planted: Split) -> None:
    plain, changed = make(planted, schedule="cosine"), make(planted, schedule="cosine")
    for trainer in (plain, changed):
        trainer.train_epoch()
        trainer.advance(2)
    before = changed.learning_rate
    changed.change(batch_size=128)
    assert changed.learning_rate == pytest.approx(before, rel=0.01)
    rest = [(a.learning_rate, b.learning_rate) for a, b in zip(plain.fit(), changed.fit(), strict=True)]
    assert len(rest) == 3
    for ours, theirs in rest[:-1]:
        assert ours == pytest.approx(theirs, rel=0.2)
    assert changed.learning_rate < 1e-6


def test_one_rating_at_a_time_goes_on_compiled_and_back(planted: Split) -> None:
    pytest.importorskip("numba")
    trainer = make(planted, optimizer="sgd")
    assert trainer.engine == "autograd"
    trainer.train_epoch()
    trainer.change(batch_size=1)
    assert trainer.engine == "native" and "compiled" in trainer.engine_reason
    step = trainer.step
    trainer.advance(1)
    assert trainer.step == step + 1
    trainer.change(batch_size=256)
    assert trainer.engine == "autograd"
    assert math.isfinite(trainer.train_epoch().train_loss)


@pytest.mark.parametrize("fields", [{"batch_size": 1, "optimizer": "sgd"}, {}])
def test_a_single_step_is_one_batch_and_is_told(planted: Split, fields: dict[str, Any]) -> None:
    seen: list[StepEnd] = []
    trainer = make(planted, **fields)
    trainer.on_step = seen.append
    asked = iter(range(5))

    def should_stop() -> bool:
        if next(asked, None) is None:
            return True
        trainer.take_one_step()
        return False

    trainer.should_stop = should_stop
    with pytest.raises(Exception, match="stopped in epoch 1 after step 5"):
        trainer.train_epoch()
    assert [end.step for end in seen] == [1, 2, 3, 4, 5]
    assert trainer.state_dict()["counters"]["_done"] == 5 * trainer.config.batch_size


def test_what_cannot_change_is_refused_and_changes_nothing(planted: Split) -> None:
    trainer = make(planted)
    for wrong, words in (({"optimizer": "sgd"}, "optimizer cannot change"), ({"batch_size": 0}, "batch_size must be >= 1")):
        with pytest.raises(UnusableRequest, match=words):
            trainer.change(**wrong)
    with pytest.raises(UnusableRequest, match="num_epochs must be > 0"):
        trainer.extend(0)
    assert trainer.config == TrainConfig(**BASE) and trainer.changed == {}


def test_diagnostics_measure_what_they_say(planted: Split) -> None:
    """Gradient, way and saturation of one plain SGD step, computed again by hand."""
    trainer = make(planted, optimizer="sgd", learning_rate=0.5, weight_decay=0.1)
    diagnostics = Diagnostics(trainer.model, "mse", Limits(clock=lambda: 0.0))  # looking takes no time
    nothing = trainer.state.epoch_pass.samples().slice(0, 0)
    assert "update_ratio" not in diagnostics.look(nothing, 0)
    before = {name: table.detach().clone() for name, table in trainer.model.named_parameters()}
    batch = trainer.state.epoch_pass.samples().slice(0, 256)
    twin = make(planted, optimizer="sgd", learning_rate=0.5, weight_decay=0.1)
    loss, rows = batch_loss(twin.model, "mse", batch)
    (loss + 0.1 * twin.model.penalty(rows)).backward()  # type: ignore[no-untyped-call]
    gradient = math.sqrt(sum(float(p.grad.square().sum()) for p in twin.model.parameters() if p.grad is not None))
    trainer.advance(1)
    seen = diagnostics.look(batch, 1)
    size = math.sqrt(sum(float(p.detach().square().sum()) for p in trainer.model.parameters()))
    moved = math.sqrt(sum(float((p.detach() - before[name]).square().sum()) for name, p in trainer.model.named_parameters()))
    assert seen["gradient_norm"] == pytest.approx(gradient, rel=1e-4)
    assert moved == pytest.approx(0.5 * gradient, rel=1e-4)
    assert seen["update_ratio"] == pytest.approx(moved / size, rel=1e-4)
    scores = trainer.model.predict(*pairs("mse", batch))
    assert seen["saturated"] == pytest.approx(float(((scores < 1) | (scores > 5)).float().mean()))
    with torch.no_grad():
        trainer.model.get_parameter("user_bias").fill_(10.0)
    assert diagnostics.look(batch, 2)["saturated"] == 1.0


def test_diagnostics_cost_little_and_move_nothing(planted: Split) -> None:
    watched, alone = make(planted, limits=Limits(report_seconds=0.0)), make(planted)
    seen: list[StepEnd] = []
    watched.on_step = seen.append
    list(watched.fit())
    list(alone.fit())
    assert same(watched, alone)
    ticks = iter([10.0, 11.0, 110.9, 111.1, 112.0])
    diagnostics = Diagnostics(watched.model, "mse", Limits(clock=lambda: next(ticks)))
    nothing = watched.state.epoch_pass.last(0)
    assert "gradient_norm" in diagnostics.look(nothing, 1)
    assert diagnostics.look(nothing, 2) == {}, "a hundred times its cost must pass first"
    assert "gradient_norm" in diagnostics.look(nothing, 3)
