"""Rosenthal's MF and BiasedMF (2017): 1000 × 1000, one in a hundred pairs rated at random with 1 to 4, one pass, steps of 1e-6.

He reports no error. Two things stand in the way: the step is so small that nothing moves, and there is nothing to find, since
no rating says anything about another. The best one can do is always to say 2.5, which errs by √1.25 = 1.118.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from bench.measured import Measured
from mfcore.data import Interactions, Split, load_dataset, random_split
from mfcore.models import RecommenderModel, build_model
from mfcore.runs import preset_config
from mfcore.training import Trainer

FLOOR = math.sqrt(1.25)
MEAN_SQUARE_RATING = 7.5
EXPECTED = {"rosenthal-mf": math.sqrt(20 + MEAN_SQUARE_RATING), "rosenthal-biased-mf": math.sqrt(22 + MEAN_SQUARE_RATING)}
"""RMSE of the untrained model: 20 products of two N(0, 1) have variance 20, two biases add 2, and a rating's mean square is
(1 + 4 + 9 + 16) / 4."""
LEARNING = {"learning_rate": 1e-2, "num_epochs": 100}
"""A step at which something does move, for long enough to learn the training ratings by heart."""
MOVING = "step {learning_rate:g}, {num_epochs} passes".format_map(LEARNING)


def the_split() -> Split:
    """His ratings, a fifth of them held out so that there is something to measure on."""
    return random_split(load_dataset("synthetic"), test=0.2, valid=0.1, seed=0).with_validation_in_train()


def as_written(preset: str) -> dict[str, Any]:
    """One pass at his step: errors before and after, and the largest change of any number in the model."""
    split, config = the_split(), preset_config(preset)
    model = build_model(config.model, split.train, seed=0)
    before, start = rmse(model, split.test), [weight.detach().clone() for weight in model.parameters()]
    Trainer(model, split, replace(config.training, threads=1)).train_epoch()
    moved = max(float((new.detach() - old).abs().max()) for new, old in zip(model.parameters(), start, strict=True))
    return {
        "expected_untrained_rmse": EXPECTED[preset],
        "untrained_rmse": before,
        "rmse": rmse(model, split.test),
        "largest_change": moved,
    }


def with_a_step_that_moves(preset: str) -> dict[str, Any]:
    """Many passes at a workable step from a small start: how well it learns by heart, and what that is worth."""
    split, config = the_split(), preset_config(preset).with_flat({**LEARNING, "init_std": 0.1, "bias_std": 0.0, "threads": 1})
    model = build_model(config.model, split.train, seed=0)
    trainer, curve = Trainer(model, split, config.training), []
    while trainer.epoch < config.training.num_epochs:
        trainer.train_epoch()
        curve.append(rmse(model, split.test))
    return {
        "train_rmse": rmse(model, split.train),
        "rmse": curve[-1],
        "lowest_rmse_of_any_epoch": min(curve),
    }


def rmse(model: RecommenderModel, part: Interactions) -> float:
    """Root mean squared error on some interactions."""
    error = model.predict(part.user_idx, part.item_idx) - torch.as_tensor(part.rating)
    return float(error.double().square().mean().sqrt())


def measure(say: Callable[[str], None]) -> list[Measured]:
    """Both models, as written and with a step that moves, beside always saying 2.5."""
    test = the_split().test
    always = float(((test.rating - 2.5) ** 2).mean() ** 0.5)
    rows = [Measured("rosenthal/floor", FLOOR), Measured("rosenthal/always 2.5", always)]
    for words, run in (("as written", as_written), (MOVING, with_a_step_that_moves)):
        say(f"Rosenthal: {words}")
        for preset in EXPECTED:
            rows += [Measured(f"rosenthal/{preset}, {words}/{name}", value) for name, value in run(preset).items()]
    return rows
