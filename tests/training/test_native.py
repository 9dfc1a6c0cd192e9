"""The compiled engine computes what the autograd engine computes at batch size 1; it is only faster."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest
import torch

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.models import build_model
from mfcore.training import Limits, StepEnd, TrainConfig, Trainer, TrainingDiverged
from mfcore.training.engines.autograd import AutogradEngine
from mfcore.training.engines.base import TrainingContext
from mfcore.training.engines.choice import choose_device
from mfcore.training.engines.sgd_compiled import partition
from mfcore.training.engines.sgd_compiled.engine import CompiledSgdEngine
from mfcore.training.losses import batch_loss
from mfcore.training.samples import Samples
from mfcore.training.schedule import rate_factor, rate_factors

from .conftest import assert_same_weights, numbers

SHAPE = {"embedding_dim": 7, "init_std": 0.3, "output_range": False}
BASE: dict[str, Any] = {"batch_size": 1, "optimizer": "sgd", "learning_rate": 0.02, "num_epochs": 2, "device": "cpu"}
RANK = {"negatives": 1}
TOGETHER: dict[str, Any] = {"hogwild": True, "threads": 2}
SETTINGS: dict[str, dict[str, Any]] = {
    "mse": {},
    "mse, output range": {"output_range": True},
    "bce": {"loss": "bce", **RANK},
    "bpr": {"loss": "bpr", **RANK},
    "bce, popular negatives": {"loss": "bce", "negative_sampling": "popularity", **RANK},
    "decay": {"weight_decay": 0.1},
    "bpr, decay": {"loss": "bpr", "weight_decay": 0.1, **RANK},
    "decay by count": {"weight_decay": 0.5, "weight_decay_scaling": "sqrt-count"},
    "bpr, decay by count": {"loss": "bpr", "weight_decay": 0.5, "weight_decay_scaling": "sqrt-count", **RANK},
    "adagrad": {"optimizer": "adagrad", "weight_decay": 0.05},
    "adagrad, output range": {"optimizer": "adagrad", "output_range": True},
    "adagrad, bce": {"optimizer": "adagrad", "loss": "bce", "weight_decay": 0.05, **RANK},
    "adagrad, bpr": {"optimizer": "adagrad", "loss": "bpr", "weight_decay": 0.05, **RANK},
    "multipliers": {"factor_lr_multiplier": 0.5, "bias_lr_multiplier": 3.0, "weight_decay": 0.05},
    "one cycle": {"schedule": "one-cycle"},
    "cosine": {"schedule": "cosine", "optimizer": "adagrad"},
    "steps": {"schedule": "step", "schedule_every": 1},
}


@pytest.fixture(scope="module")
def small() -> Split:
    """About 1,000 ratings: enough to meet every row often, and quick one by one in PyTorch."""
    from mfcore.data import load_dataset, random_split

    return random_split(load_dataset("planted", num_users=50, num_items=40, density=0.5, rank=3, noise=0.1, seed=0), seed=0)


def make(split: Split, model: str = "biased-mf", fields: dict[str, Any] | None = None, **hooks: Any) -> Trainer:
    fields = {**BASE, **(fields or {})}
    shape = {name: fields.pop(name, usual) for name, usual in SHAPE.items()}
    config = TrainConfig(**fields)
    return Trainer(build_model(model, split.train, seed=config.seed, **shape), split, config, **hooks)


def in_pytorch(split: Split, model: str = "biased-mf", fields: dict[str, Any] | None = None) -> Trainer:
    """The same, without the compiled engine."""
    return make(split, model, fields, engines=[AutogradEngine])


def compiled(trainer: Trainer, split: Split, limits: Limits) -> CompiledSgdEngine:
    """An engine of our own for the trainer's model."""
    state = trainer.state
    return CompiledSgdEngine(
        TrainingContext(trainer.model, trainer.config, state.optimizers, state.meter, split.train, 1, limits)
    )


ALL_THREADS = Limits(fewest_partitioned=0)
"""Several threads train however little there is."""


@pytest.fixture
def torch_threads() -> Iterator[None]:
    """torch has as many threads afterwards as before."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("model", ["mf", "biased-mf"])
def test_it_equals_autograd(small: Split, model: str, setting: str) -> None:
    """Two passes over the same ratings, negatives and rates, one by one: the same weights, losses, optimizer states."""
    native = make(small, model, SETTINGS[setting])
    ours = [native.train_epoch(), native.train_epoch()]
    autograd = in_pytorch(small, model, SETTINGS[setting])
    theirs = [autograd.train_epoch(), autograd.train_epoch()]
    assert (native.engine, autograd.engine) == ("native", "autograd")
    for name, weights in autograd.model.state_dict().items():
        torch.testing.assert_close(native.model.state_dict()[name], weights, rtol=1e-4, atol=2e-6, msg=name)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.train_loss == pytest.approx(other.train_loss, rel=1e-5)
        assert mine.valid_loss == pytest.approx(other.valid_loss, rel=1e-5)
        assert mine.learning_rate == pytest.approx(other.learning_rate, rel=1e-6)
        assert (mine.step, mine.samples, mine.best) == (other.step, other.samples, other.best)
    states = [trainer.state_dict()["optimizers"][0]["state"] for trainer in (native, autograd)]
    assert states[0].keys() == states[1].keys()
    for place in states[1]:
        torch.testing.assert_close(states[0][place], states[1][place], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dim", [1, 15, 16, 64, 67, 130])
@pytest.mark.parametrize("setting", ["decay", "bpr, decay", "adagrad"])
def test_it_equals_autograd_with_vectors_of_any_length(small: Split, setting: str, dim: int) -> None:
    """Below, at and between multiples of what the processor takes at once."""
    fields = {**SETTINGS[setting], "embedding_dim": dim, "init_std": 0.1}
    native = make(small, fields=fields)
    native.train_epoch()
    autograd = in_pytorch(small, fields=fields)
    autograd.train_epoch()
    for name, weights in autograd.model.state_dict().items():
        torch.testing.assert_close(native.model.state_dict()[name], weights, rtol=1e-4, atol=5e-6, msg=name)


@pytest.mark.parametrize("loss", ["mse", "mse, output range", "bce", "bpr"])
@pytest.mark.parametrize("model", ["mf", "biased-mf"])
def test_gradients_by_hand_are_those_of_autograd(small: Split, model: str, loss: str) -> None:
    """One step of length 1 on one sample moves every weight by exactly its gradient, L2 included."""
    decay = 0.3
    trainer = make(small, model, {**SETTINGS[loss], "learning_rate": 1.0, "weight_decay": decay})
    for parameter in trainer.model.parameters():  # biases of zero would hide their own gradients
        torch.nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(7))
    before = {name: weights.detach().clone() for name, weights in trainer.model.named_parameters()}
    target = torch.tensor([1.0 if loss == "bce" else 4.5])
    sample = Samples(torch.tensor([3]), torch.tensor([5]), target, torch.tensor([11]))
    value, rows = batch_loss(trainer.model, trainer.config.loss, sample)
    (value + decay * trainer.model.penalty(rows)).backward()  # type: ignore[no-untyped-call]
    compiled(trainer, small, Limits()).train(sample, np.array([1.0]))
    for name, weights in trainer.model.named_parameters():
        assert weights.grad is not None
        torch.testing.assert_close(before[name] - weights.detach(), weights.grad, rtol=1e-4, atol=1e-6, msg=name)
    assert trainer.state.meter.total == pytest.approx(float(value.detach()), rel=1e-5)


@pytest.mark.parametrize("setting", ["decay", "adagrad, bpr", "one cycle"])
def test_the_same_seed_repeats_and_another_does_not(planted: Split, setting: str) -> None:
    one = make(planted, fields=SETTINGS[setting])
    two = make(planted, fields=SETTINGS[setting], limits=Limits(most_samples=7))  # how much in one go must not matter
    first = numbers(list(one.fit()))
    assert numbers(list(two.fit())) == first
    assert_same_weights(one, two)
    assert numbers(list(make(planted, fields={**SETTINGS[setting], "seed": 1}).fit())) != first


@pytest.mark.parametrize("setting", ["decay", "adagrad, bpr", "one cycle"])
def test_resuming_in_the_middle_of_an_epoch_is_exact(planted: Split, setting: str) -> None:
    whole, first, second = (make(planted, fields=SETTINGS[setting], limits=Limits(most_samples=1000)) for _ in range(3))
    expected = numbers(list(whole.fit()))
    first.should_stop = lambda: first.step >= first.steps_per_epoch + 300
    done = list(first.fit())
    assert first.stop_reason == "stopped"
    assert first.steps_per_epoch < first.step < 2 * first.steps_per_epoch
    second.load_state_dict(first.state_dict())
    assert numbers(done + list(second.fit())) == expected
    assert_same_weights(whole, second)
    whole.load_best()
    second.load_best()
    assert_same_weights(whole, second)


@pytest.mark.parametrize("setting", ["decay", "adagrad"])
def test_a_checkpoint_does_not_care_which_engine_goes_on(small: Split, setting: str) -> None:
    whole, half = make(small, fields=SETTINGS[setting]), make(small, fields=SETTINGS[setting])
    list(whole.fit())
    half.train_epoch()
    other = in_pytorch(small, fields=SETTINGS[setting])
    other.load_state_dict(half.state_dict())
    other.train_epoch()
    assert (whole.engine, other.engine, other.epoch) == ("native", "autograd", 2)
    for name, weights in whole.model.state_dict().items():
        torch.testing.assert_close(other.model.state_dict()[name], weights, rtol=1e-4, atol=2e-6, msg=name)


def test_should_stop_is_asked_often_whatever_a_rating_costs(planted: Split) -> None:
    """Stretches shrink where they took long and grow where they did not; the clock here is ours."""
    trainer = make(planted)
    ticks = iter([0.0, 1.0, 1.0, 1.001])
    engine = compiled(trainer, planted, Limits(clock=lambda: next(ticks)))
    part, rates = trainer.state.epoch_pass.next(1000), np.full(1000, 0.01)
    engine.train(part, rates)
    assert engine.stretch == 256
    engine.train(part, rates)
    assert engine.stretch == 20_000


def test_steps_are_reported(planted: Split) -> None:
    seen: list[StepEnd] = []
    trainer = make(planted, on_step=seen.append, limits=Limits(report_seconds=0.0, most_samples=1000))
    end = trainer.train_epoch()
    steps = [s.step for s in seen]
    assert len(steps) > 3
    assert steps == sorted(set(steps))
    assert seen[-1].epoch == 1.0
    sizes = np.diff([0, *steps])
    assert sum(s.train_loss * n for s, n in zip(seen, sizes, strict=True)) / end.samples == pytest.approx(end.train_loss)


def test_divergence_names_the_first_bad_step(small: Split) -> None:
    with pytest.raises(TrainingDiverged, match="rate 1000 is too large for SGD here; try 100") as caught:
        list(make(small, fields={"learning_rate": 1000.0}).fit())
    with pytest.raises(TrainingDiverged) as expected:
        list(in_pytorch(small, fields={"learning_rate": 1000.0}).fit())
    assert (caught.value.epoch, caught.value.step) == (expected.value.epoch, expected.value.step)
    assert str(caught.value) == str(expected.value)
    assert caught.value.step > 1


def test_best_weights_early_stopping_and_a_change_of_rate(planted: Split) -> None:
    trainer = make(planted, fields={"learning_rate": 0.1, "num_epochs": 40, "patience": 2})
    ends = list(trainer.fit())
    values = [e.metrics["rmse"] for e in ends]
    assert trainer.best_epoch == 1 + values.index(min(values)) < len(ends) < 40
    trainer.load_best()
    assert trainer.validate().metrics["rmse"] == min(values)
    trainer.set_learning_rate(0.005)
    assert trainer.train_epoch().learning_rate == pytest.approx(0.005)


@pytest.mark.usefixtures("torch_threads")
def test_planted_factors_are_recovered(planted: Split) -> None:
    """With noise 0.1 no model does better than 0.1 on unseen ratings."""
    fields = {"learning_rate": 0.05, "num_epochs": 30, "schedule": "one-cycle", "embedding_dim": 3, "weight_decay": 0.002}
    trainer = make(planted, fields=fields)
    assert 0.095 < list(trainer.fit())[-1].metrics["rmse"] < 0.13
    shared = make(planted, fields={**fields, **TOGETHER}, limits=ALL_THREADS)
    assert shared.engine_reason.endswith("2 threads at once without locks (repeatable with as many)")
    assert 0.095 < list(shared.fit())[-1].metrics["rmse"] < 0.13


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_samples_are_sorted_so_that_no_row_is_met_twice_at_a_time(threads: int) -> None:
    rng = np.random.default_rng(threads)
    counts = rng.integers(0, 50, 200), rng.integers(0, 50, 130)
    users, items = (rng.permutation(np.repeat(np.arange(len(c)), c))[:3000] for c in counts)
    number = np.arange(len(users))  # tells samples apart
    teams = [partition.teams_of(c, threads) for c in counts]
    loads = [np.bincount(t, weights=c, minlength=threads) for t, c in zip(teams, counts, strict=True)]
    assert all(load.max() < 1.35 * load.mean() for load in loads)
    given = users, items, number, number.astype(np.float32)
    to = tuple(np.full_like(column, -1) for column in given)
    bounds = np.zeros(threads**2 + 1, dtype=np.int64)
    partition.sort_into_blocks(given, to, *teams, threads, bounds)
    assert sorted(to[2].tolist()) == number.tolist()
    for mine, original in zip(to, given, strict=True):
        np.testing.assert_array_equal(mine, original[to[2]])
    for turn in range(threads):
        blocks = [slice(*bounds[team * threads + turn :][:2]) for team in range(threads)]
        for column in to[:2]:
            rows = [row for block in blocks for row in set(column[block].tolist())]
            assert len(rows) == len(set(rows))
        assert all((np.diff(to[2][block]) > 0).all() for block in blocks)


def test_little_data_is_trained_by_one_thread_and_says_so(planted: Split) -> None:
    trainer, alone = make(planted, fields={**SETTINGS["decay"], **TOGETHER}), make(planted, fields=SETTINGS["decay"])
    assert "one thread, which is faster than several for" in trainer.engine_reason
    assert numbers(list(trainer.fit())) == numbers(list(alone.fit()))
    assert_same_weights(trainer, alone)


class NobodyElse(Executor):
    """Never begins with what it is given, so that whoever gives it does everything, in order."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return Future()


class Alone(CompiledSgdEngine):
    def __init__(self, context: TrainingContext) -> None:
        super().__init__(context, NobodyElse())


@pytest.mark.usefixtures("torch_threads")
@pytest.mark.parametrize("setting", ["decay", "bce", "adagrad, output range"])
def test_threads_at_once_lose_no_update(planted: Split, setting: str) -> None:
    """Whether two threads train at once or one does the work of both in turn: the same bits."""
    fields = {**SETTINGS[setting], **TOGETHER}
    one = make(planted, fields=fields, limits=ALL_THREADS, engines=[Alone])
    two = make(planted, fields=fields, limits=ALL_THREADS)
    assert numbers(list(one.fit())) == numbers(list(two.fit()))
    assert_same_weights(one, two)


@pytest.mark.usefixtures("torch_threads")
def test_threads_at_once_resume_exactly(planted: Split) -> None:
    limits, fields = Limits(fewest_partitioned=0, partition_samples=200), {**SETTINGS["decay"], **TOGETHER}
    whole, first, second = (make(planted, fields=fields, limits=limits) for _ in range(3))
    expected = numbers(list(whole.fit()))
    first.should_stop = lambda: first.step >= first.steps_per_epoch + 300
    done = list(first.fit())
    assert first.steps_per_epoch < first.step < 2 * first.steps_per_epoch
    second.load_state_dict(first.state_dict())
    assert numbers(done + list(second.fit())) == expected
    assert_same_weights(whole, second)


@pytest.mark.usefixtures("torch_threads")
@pytest.mark.parametrize("loss", ["mse", "bpr"])
def test_divergence_is_noticed_whichever_thread_meets_it(planted: Split, loss: str) -> None:
    trainer = make(planted, fields={**SETTINGS[loss], "learning_rate": 1e5, **TOGETHER}, limits=ALL_THREADS)
    with pytest.raises(TrainingDiverged) as caught:
        list(trainer.fit())
    assert 1 < caught.value.step <= trainer.steps_per_epoch * trainer.config.num_epochs


def test_without_numba_autograd_trains_and_says_why(small: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make(small).engine_reason == "one rating at a time: compiled engine"
    for name in [name for name in sys.modules if name.startswith("mfcore.training.engines.sgd_compiled.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    trainer = make(small)
    assert trainer.engine == "autograd"
    assert trainer.engine_reason.startswith("one rating at a time: PyTorch, because numba cannot be used (")
    assert math.isfinite(trainer.train_epoch().train_loss)


WHY_NOT: dict[str, tuple[str, dict[str, Any]]] = {
    "batches of 2 ratings": ("mf", {"batch_size": 2}),
    "only MF and biased MF": ("gmf", {}),
    "not Adam": ("mf", {"optimizer": "adam"}),
    "momentum": ("mf", {"momentum": 0.9}),
    "sparse gradients": ("mf", {"sparse_gradients": True}),
}


@pytest.mark.parametrize("why", WHY_NOT)
def test_what_is_not_compiled_is_left_to_autograd(small: Split, why: str) -> None:
    model, fields = WHY_NOT[why]
    trainer = make(small, model, fields)
    assert trainer.engine == "autograd"
    assert why in trainer.engine_reason


def test_automatic_device_is_the_cpu_for_compiled_code(small: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    model = build_model("mf", small.train)
    for batch_size, device in ((1, "cpu"), (64, "cuda")):
        config = TrainConfig(optimizer="sgd", batch_size=batch_size, device="auto")
        assert choose_device(model, config).type == device


def test_contradictions_are_refused() -> None:
    with pytest.raises(UnusableRequest, match="hogwild needs batch_size 1, got 1024"):
        TrainConfig(hogwild=True)
    with pytest.raises(UnusableRequest, match="weight_decay_scaling needs L2 in the loss"):
        TrainConfig(optimizer="adamw", weight_decay_scaling="sqrt-count")
    with pytest.raises(UnusableRequest, match="sqrt-count"):
        TrainConfig(weight_decay_scaling="log")


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one-cycle", "plateau"])
def test_rates_of_many_steps_are_those_of_each(schedule: str) -> None:
    config = TrainConfig(schedule=schedule, num_epochs=4, schedule_every=2)
    expected = [rate_factor(config, step, 50, cuts=1) for step in range(30, 230)]
    np.testing.assert_allclose(rate_factors(config, 30, 200, 50, cuts=1), expected, rtol=1e-12, atol=1e-15)


def test_decay_by_count_in_batches(small: Split) -> None:
    """Nothing but L2 to follow: a user with n ratings is pulled n times by λ/√n each."""
    rows = len(small.train)
    model = build_model("mf", small.train, embedding_dim=2)
    with torch.no_grad():
        model.item_factors.zero_()
    before = model.user_vectors().clone()
    config = TrainConfig(
        optimizer="sgd", learning_rate=1.0, weight_decay=0.5, weight_decay_scaling="sqrt-count", batch_size=rows, num_epochs=1
    )
    Trainer(model, small, config).train_epoch()
    counts = torch.bincount(torch.as_tensor(small.train.user_idx), minlength=50)
    torch.testing.assert_close(model.user_vectors(), before * (1 - 2 * 0.5 * counts.sqrt() / rows)[:, None])


def test_kernels_are_kept_in_the_data_directory_where_the_source_is_read_only(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    numba = pytest.importorskip("numba")
    from mfcore.training.engines.compiling import keep_code_of

    class Compiled:
        folders: list[str]

        def __init__(self) -> None:
            self.folders = []

        def enable_caching(self) -> None:
            self.folders.append(numba.config.CACHE_DIR)
            if len(self.folders) == 1:
                raise RuntimeError("cannot cache function: no locator available")

    before = numba.config.CACHE_DIR
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    compiled = Compiled()
    keep_code_of(compiled)
    assert compiled.folders == [before, str(tmp_path / "kernels")]
    assert before == numba.config.CACHE_DIR
