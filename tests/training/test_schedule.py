"""Learning rates over a run."""

from __future__ import annotations

import math

import pytest

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.models import build_model
from mfcore.settings import SETTINGS
from mfcore.training import TrainConfig, Trainer, TrainingDiverged
from mfcore.training.schedule import batch_factor, rate_factor, rate_text, schedule_words
from mfcore.training.selection import Selection


def curve(schedule: str, epochs: int = 10, per_epoch: int = 4, **fields: object) -> list[float]:
    config = TrainConfig(schedule=schedule, num_epochs=epochs, **fields)  # type: ignore[arg-type]
    return [rate_factor(config, step, per_epoch) for step in range(epochs * per_epoch + 1)]


def test_constant() -> None:
    assert set(curve("constant")) == {1.0}


def test_step_cuts_every_few_epochs() -> None:
    rates = curve("step", schedule_every=3, schedule_factor=0.1)
    assert rates[:12] == [1.0] * 12
    assert rates[12:24] == pytest.approx([0.1] * 12)
    assert rates[24] == pytest.approx(0.01)


def test_cosine_falls_to_zero_by_the_end() -> None:
    rates = curve("cosine")
    assert rates[0] == 1.0
    assert rates[20] == pytest.approx(0.5)
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)
    assert rates == sorted(rates, reverse=True)


def test_one_cycle_rises_then_falls() -> None:
    rates = curve("one-cycle")
    assert rates[0] == pytest.approx(1 / 25)
    assert rates.index(max(rates)) == 12  # 30 % of 40 steps
    assert max(rates) == pytest.approx(1.0)
    assert rates[:13] == sorted(rates[:13])
    assert rates[12:] == sorted(rates[12:], reverse=True)
    assert rates[-1] == pytest.approx(1e-4)


def test_training_beyond_the_horizon_stays_at_the_end() -> None:
    config = TrainConfig(schedule="cosine", num_epochs=2)
    assert rate_factor(config, 99, 4) == pytest.approx(0.0, abs=1e-12)


def test_plateau_cuts_after_epochs_without_improvement() -> None:
    config = TrainConfig(schedule="plateau", schedule_every=2, schedule_factor=0.5)
    selection = Selection("rmse", higher_is_better=False)
    factors = []
    for epoch, value in enumerate([1.0, 0.9, 0.95, 0.95, 0.95, 0.95, 0.8, 0.85], start=1):
        selection.update(epoch, value, 0.0, config)
        factors.append(rate_factor(config, 0, 1, selection.cuts))
    assert factors == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("schedule", ["step", "cosine", "one-cycle", "plateau"])
def test_the_optimizer_gets_the_scheduled_rate(planted: Split, schedule: str) -> None:
    config = TrainConfig(
        schedule=schedule, schedule_every=1, num_epochs=4, optimizer="sgd", learning_rate=0.5, bias_lr_multiplier=3.0
    )
    trainer = Trainer(build_model("biased-mf", planted.train, embedding_dim=2), planted, config)
    for epoch in trainer.fit():
        cuts = trainer.state.selection.cuts if schedule == "plateau" else 0
        if schedule != "plateau":
            assert epoch.learning_rate == pytest.approx(
                0.5 * rate_factor(config, epoch.step - 1, trainer.steps_per_epoch, cuts)
            )
        biases, factors = trainer.state.optimizers[0].param_groups
        assert biases["lr"] == pytest.approx(3 * factors["lr"])
        assert factors["lr"] == pytest.approx(epoch.learning_rate)


def test_a_new_learning_rate_holds_from_the_next_step(planted: Split) -> None:
    config = TrainConfig(schedule="cosine", num_epochs=4, learning_rate=0.01)
    trainer = Trainer(build_model("mf", planted.train, embedding_dim=2), planted, config)
    trainer.train_epoch()
    trainer.set_learning_rate(0.2)
    assert trainer.learning_rate == pytest.approx(0.2)
    assert trainer.train_epoch().learning_rate < 0.2
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UnusableRequest, match="learning_rate must be > 0"):
            trainer.set_learning_rate(bad)


@pytest.mark.parametrize(
    ("scaling", "batch_size", "factor"),
    [("none", 8192, 1.0), ("linear", 8192, 32.0), ("linear", 1, 1 / 256), ("sqrt", 1024, 2.0), ("sqrt", 256, 1.0)],
)
def test_the_rate_follows_the_batch_size(scaling: str, batch_size: int, factor: float) -> None:
    assert batch_factor(TrainConfig(lr_scaling=scaling, batch_size=batch_size)) == pytest.approx(factor)


@pytest.mark.parametrize("batch_size", [1, 1024])
def test_a_scaled_rate_trains_like_the_rate_it_stands_for(planted: Split, batch_size: int) -> None:
    """Under a schedule, one rating at a time and in batches; a rate set by hand is the rate of the next step."""
    common = {"optimizer": "sgd", "batch_size": batch_size, "schedule": "cosine", "num_epochs": 3}
    configs = (
        TrainConfig(learning_rate=0.5, lr_scaling="linear", **common),
        TrainConfig(learning_rate=0.5 * batch_size / 256, **common),
    )
    scaled, plain = (Trainer(build_model("mf", planted.train, embedding_dim=4), planted, config) for config in configs)
    assert scaled.learning_rate == pytest.approx(plain.learning_rate)
    for one, two in zip(scaled.fit(), plain.fit(), strict=True):
        assert one.learning_rate == pytest.approx(two.learning_rate)
        assert one.train_loss == pytest.approx(two.train_loss, rel=1e-5)
        scaled.set_learning_rate(0.01)
        assert scaled.learning_rate == pytest.approx(0.01, rel=1e-3) or scaled.stop_reason
        plain.set_learning_rate(0.01)


def test_an_unknown_scaling_is_refused() -> None:
    with pytest.raises(UnusableRequest, match="lr_scaling must be one of none, sqrt, linear; got 'log'"):
        TrainConfig(lr_scaling="log")


def test_advice_after_a_divergence_is_a_rate_one_can_set(planted: Split) -> None:
    """In terms of the setting, not of what the batch size made of it."""
    config = TrainConfig(optimizer="sgd", learning_rate=1000.0, lr_scaling="linear", batch_size=512)
    trainer = Trainer(build_model("mf", planted.train, embedding_dim=4), planted, config)
    words = "learning rate 2000 at batches of 512 is too large for SGD here; try learning_rate 50, which follows the batch size"
    with pytest.raises(TrainingDiverged, match=words):
        list(trainer.fit())


@pytest.mark.parametrize("schedule", SETTINGS["schedule"].options() or {})
def test_every_schedule_is_named_with_the_rate_of_the_form(schedule: str) -> None:
    words = schedule_words(TrainConfig(schedule=schedule, learning_rate=0.02))
    assert words.startswith((SETTINGS["schedule"].options() or {})[schedule].lower())
    assert words == "constant" if schedule == "constant" else words.endswith(" 0.02")
    assert schedule != "one-cycle" or words == "one cycle, peak 0.02"


def test_rates_have_three_digits_that_matter() -> None:
    assert [rate_text(x) for x in (0.1 * 0.1, 0.0183, 0.00138349, 2e-7, 3.0, 96.13, 1000.0)] == [
        "0.01", "0.0183", "0.00138", "2e-7", "3", "96.1", "1000",
    ]  # fmt: skip
