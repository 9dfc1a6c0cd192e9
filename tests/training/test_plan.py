"""A plan of changes: how it is written, and that following it is the same as making each change by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.settings import STOP, PlannedChange, planned, write_plan
from mfcore.training import TrainConfig, Trainer
from tests.training.test_steering import CHANGES, KINDS, make, same, steer

CHANGE = st.one_of(
    st.builds(PlannedChange, st.floats(0, 1e6), st.just("learning_rate"), st.floats(1e-30, 1e30)),
    st.builds(PlannedChange, st.floats(0, 1e6), st.just("weight_decay"), st.floats(0, 1e30)),
    st.builds(PlannedChange, st.floats(0, 1e6), st.sampled_from(["batch_size", "num_epochs"]), st.integers(1, 1_000_000)),
    st.builds(PlannedChange, st.floats(0, 1e6), st.just(STOP)),
)


@given(st.lists(CHANGE))
def test_what_is_written_is_read_to_the_last_digit(changes: list[PlannedChange]) -> None:
    text = write_plan(changes)
    read = planned(text)
    assert sorted(changes, key=lambda change: change.at) == list(read)
    assert planned(write_plan(read)) == read


def test_a_plan_is_kept_in_one_spelling() -> None:
    assert TrainConfig(plan=" 25.50:batch_size=64 ;20: learning_rate=7e-4,weight_decay=0.10; ").plan == (
        "20: learning_rate=0.0007, weight_decay=0.1; 25.5: batch_size=64"
    )
    assert TrainConfig().plan == TrainConfig(plan=" ; ").plan == ""


@pytest.mark.parametrize(
    "plan, message",
    [
        ("20 learning_rate=0.1", "plan is written like '20: learning_rate=0.001', got '20 learning_rate=0.1'"),
        ("20:", "plan is written like"),
        ("soon: learning_rate=0.1", "the epoch in plan must be a number, got 'soon'"),
        ("-1: learning_rate=0.1", "the epoch in plan must be >= 0"),
        ("20: learning_rate", "plan takes NAME=VALUE after the colon"),
        ("20: learning_rate=0", "plan, after epoch 20: learning_rate must be > 0, got 0"),
        ("20: optimizer=sgd", "what changes in plan must be one of learning_rate"),
        (7, "plan must be text"),
    ],
)
def test_what_is_no_plan_is_refused(plan: Any, message: str) -> None:
    with pytest.raises(UnusableRequest) as refused:
        TrainConfig(plan=plan)
    assert message in str(refused.value)


def test_who_solves_has_no_steps_to_plan() -> None:
    with pytest.raises(UnusableRequest, match="als has no learning_rate to change"):
        TrainConfig(optimizer="als", plan="2: learning_rate=0.1")
    assert TrainConfig(optimizer="als", plan="2: weight_decay=0.1; 3: stop").plan


def rate_at(trainer: Trainer, epochs: float) -> float:
    """The rate of the first step after so many epochs; trains up to there."""
    go_to(trainer, epochs)
    return trainer.learning_rate


def go_to(trainer: Trainer, epochs: float) -> None:
    """Train to the first step boundary after so many epochs."""
    while trainer.epoch < int(epochs):
        trainer.train_epoch()
    if epochs % 1:
        trainer.advance(-(-round(epochs % 1 * trainer.state.epoch_pass.size) // trainer.state.samples_per_step))


def by_hand(split: Split, epochs: float, change: dict[str, Any], **fields: Any) -> Trainer:
    """Changed after so many epochs."""
    trainer = make(split, **fields)
    go_to(trainer, epochs)
    steer(trainer, change)
    for _ in trainer.fit():
        pass
    return trainer


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("epochs", [2.0, 1.37])
def test_a_planned_change_is_one_made_by_hand(planted: Split, kind: str, change: str, epochs: float) -> None:
    told: list[tuple[str, Any]] = []
    plan = write_plan(PlannedChange(epochs, name, value) for name, value in CHANGES[change].items())
    trainer = make(planted, **KINDS[kind], plan=plan)
    trainer.on_planned = lambda one, before: told.append((one.name, before))
    first = {name: getattr(trainer.config, name) for name in CHANGES[change]}
    if change == "learning rate":  # the one that the schedule has come to
        first = {"learning_rate": rate_at(make(planted, **KINDS[kind]), epochs)}
    ends = list(trainer.fit())
    other = by_hand(planted, epochs, CHANGES[change], **KINDS[kind])
    assert same(trainer, other) and trainer.step == other.step
    assert len(ends) == other.epoch == trainer.config.num_epochs
    assert told == list(first.items())


def test_more_epochs_may_be_planned_for_after_the_last(planted: Split) -> None:
    trainer = make(planted, plan="4: num_epochs=6", schedule="cosine")
    assert len(list(trainer.fit())) == 6
    assert same(trainer, by_hand(planted, 4, {"num_epochs": 6}, schedule="cosine"))


def test_a_planned_stop_ends_it_in_the_middle_of_an_epoch(planted: Split) -> None:
    trainer = make(planted, plan="1.5: stop")
    assert len(list(trainer.fit())) == 1 and trainer.stop_reason == "stopped"
    half = -(-round(0.5 * trainer.state.epoch_pass.size) // 256)
    assert trainer.step == trainer.steps_per_epoch + half


@pytest.mark.parametrize("saved_at", [1.2, 1.5, 2.0])
def test_a_checkpoint_remembers_how_far_the_plan_has_come(planted: Split, saved_at: float) -> None:
    plan = "1.3: learning_rate=0.001; 1.5: num_epochs=3, schedule_every=1; 2: weight_decay=0.2".replace(
        ", schedule_every=1", ""
    )
    whole = make(planted, plan=plan)
    list(whole.fit())
    first = make(planted, plan=plan)
    first.should_stop = lambda: first.epoch + first.state.epoch_pass.share >= saved_at
    list(first.fit())
    second, told = make(planted, plan=plan), []
    second.load_state_dict(first.state_dict())
    second.on_planned = lambda change, before: told.append(change.at)
    list(second.fit())
    assert same(second, whole) and second.epoch == 3
    assert told == [at for at in (1.3, 1.5, 2.0) if at >= saved_at]


def test_the_rate_that_there_is_changes_nothing(planted: Split) -> None:
    """Typed to the last digit, in the middle of a schedule: the rest of the run is the same, bit for bit."""
    for schedule in ("constant", "cosine", "one-cycle", "step"):
        plain, steered = make(planted, schedule=schedule), make(planted, schedule=schedule)
        list(plain.fit())
        steered.train_epoch()
        steered.advance(3)
        for _ in range(5):
            steered.set_learning_rate(steered.learning_rate)
            steered.change(weight_decay=steered.config.weight_decay, batch_size=steered.config.batch_size)
        list(steered.fit())
        assert same(plain, steered), schedule
