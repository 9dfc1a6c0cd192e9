"""Training along a line of stages is what the trainings were that branched from each other; a refit repeats what happened."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.models import build_model
from mfcore.models.base import RecommenderModel
from mfcore.training import EpochEnd, Stage, TrainConfig, Trainer, follow, refit
from tests.training.test_steering import BASE

FIRST: dict[str, Any] = {**BASE, "schedule": "cosine", "plan": "1.4: weight_decay=0.05"}
BRANCHES: dict[str, dict[str, Any]] = {
    "learning rate": {"learning_rate": 0.002},
    "optimizer": {"optimizer": "sgd", "momentum": 0.9},
    "seed": {"seed": 7},
    "longer": {"num_epochs": 6, "schedule": "constant"},
    "nothing": {},
}


def fresh(split: Split) -> RecommenderModel:
    return build_model("biased-mf", split.train, embedding_dim=4, seed=0)


def equal(one: RecommenderModel, two: RecommenderModel) -> bool:
    theirs = two.state_dict()
    return all(torch.equal(table, theirs[name]) for name, table in one.state_dict().items())


def branched(split: Split, changes: dict[str, Any]) -> Trainer:
    """As runs do it: another model and another trainer go on from a state."""
    first = Trainer(fresh(split), split, TrainConfig(**FIRST))
    for _ in range(2):
        first.train_epoch()
    settings = {**FIRST, "plan": "", "weight_decay": 0.05, **changes}
    second = Trainer(fresh(split), split, TrainConfig(**settings))
    second.branch_from(first.state_dict(), list(changes))
    list(second.fit())
    return second


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_line_is_the_trainings_that_it_repeats(planted: Split, branch: str) -> None:
    changes = BRANCHES[branch]
    settings = TrainConfig(**{**FIRST, "plan": "", "weight_decay": 0.05, **changes})
    line = [Stage(TrainConfig(**FIRST), until=2), Stage(settings, changes=tuple(changes))]
    whole = branched(planted, changes)
    trainer = follow(fresh(planted), planted, line)
    assert trainer.epoch == 2
    list(trainer.fit())
    assert equal(trainer.model, whole.model) and trainer.best_epoch == whole.best_epoch
    again = refit(fresh(planted), planted, line, whole.epoch)
    assert equal(again, whole.model)
    short = refit(fresh(planted), planted, line, 1)
    alone = Trainer(fresh(planted), planted, TrainConfig(**FIRST))
    alone.train_epoch()
    assert equal(short, alone.model), "the best epoch may lie before the branch"


def test_a_schedule_that_waits_for_better_epochs_cuts_where_it_did(planted: Split) -> None:
    config = TrainConfig(**{**BASE, "learning_rate": 0.05, "schedule": "plateau", "schedule_every": 1, "num_epochs": 16})
    trainer = Trainer(fresh(planted), planted, config)
    ends: list[EpochEnd] = list(trainer.fit())
    assert trainer.state.selection.cuts > 0, "else this test says nothing"
    measured = {end.number: end.metrics for end in ends}
    again: list[EpochEnd] = []
    model = refit(fresh(planted), planted, config, 16, measured=measured, on_epoch=again.append)
    assert [end.learning_rate for end in again] == [end.learning_rate for end in ends]
    assert equal(model, trainer.model)


def test_only_the_last_stage_has_no_end(planted: Split) -> None:
    with pytest.raises(UnusableRequest, match="only the last stage"):
        follow(fresh(planted), planted, [Stage(TrainConfig(**BASE)), Stage(TrainConfig(**BASE))])
    with pytest.raises(UnusableRequest, match="only the last stage"):
        follow(fresh(planted), planted, [])


def test_what_was_changed_where_a_branch_began_is_changed_once_in_each_stage(planted: Split) -> None:
    """At the end of the epoch before it set out, and right after: both count, each in its own training."""
    settings = {**BASE, "schedule": "cosine"}
    first = Trainer(fresh(planted), planted, TrainConfig(**settings))
    for _ in range(2):
        first.train_epoch()
    first.set_learning_rate(0.5 * first.learning_rate)
    asked = first.learning_rate
    second = Trainer(fresh(planted), planted, TrainConfig(**{**settings, "weight_decay": 0.1}))
    second.branch_from(first.state_dict(), ["weight_decay"])
    second.change(batch_size=100)
    list(second.fit())
    line = [
        Stage(TrainConfig(**settings, plan=f"2: learning_rate={asked!r}"), until=2),
        Stage(TrainConfig(**{**settings, "weight_decay": 0.1}, plan="2: batch_size=100"), changes=("weight_decay",)),
    ]
    trainer = follow(fresh(planted), planted, line)
    list(trainer.fit())
    assert equal(trainer.model, second.model) and trainer.step == second.step
