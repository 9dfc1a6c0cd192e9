"""takuti's two matrix factorizations on MovieLens 100K (2017): a loop by hand in NumPy, one in PyTorch.

Both take one rating at a time: e = r − p·q, then p ← p + 2ηe·q and q ← q + 2ηe·p with the old p. That is the gradient of
(r̂ − r)², so his learning rates are ours. They differ in two things his text does not set side by side: where the factors
start, and the learning rate η (0.001 in the NumPy run of the code he links to, 0.01 in the PyTorch run). Here every start
meets both steps, by hand and in our trainer.

He stops when the loss summed over 80,000 ratings changes by less than 1e-3 (and in NumPy it is the errors he sums, whose signs
cancel); ours is a mean, so the tolerance is 1e-3 / 80,000. It stops nothing: ten epochs are too few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch

from bench.measured import Measured, mean
from mfcore.data import Split, load_dataset, random_split
from mfcore.models import RecommenderModel, build_model
from mfcore.models.baselines import GlobalMean
from mfcore.training import TrainConfig, Trainer
from mfcore.training.samples import SampleSource
from mfcore.typing import Float64

NUM_RATINGS = 80_000
CONFIG = TrainConfig(
    optimizer="sgd", learning_rate=1e-2, batch_size=1, num_epochs=10, tolerance=1e-3 / NUM_RATINGS, device="cpu", threads=1
)
STARTS: dict[str, dict[str, Any]] = {
    "uniform on [0, 1)": {"init": "uniform"},
    "N(0, 1)": {"init_std": 1.0},
    "N(0, 0.1²)": {"init_std": 0.1},
}
NUMPY, PYTORCH, SMALL = STARTS
"""np.random.rand, torch's nn.Embedding, and what neither tried."""
RATES = (1e-3, 1e-2)
PUBLISHED = {(NUMPY, 1e-3): {"rmse": 1.0049, "mae": 0.7916}, (PYTORCH, 1e-2): {"rmse": 1.2695, "mae": 0.9409}}
REPEATS_IF_PUBLISHED = 20
"""Runs in our trainer to set beside one of his: enough to see how far chance alone moves it."""
LOG = {
    (NUMPY, 1e-3): [-45790, -12041, -6923, -5214, -4123, -3646, -3095, -2591, -2264, -1896],
    (PYTORCH, 1e-2): [821542, 111527, 80923, 70970, 65501, 61923, 59275, 56992, 55083, 53450],
}
"""What he logged for each epoch: Σ(r − r̂) in NumPy, Σ(r − r̂)² in PyTorch."""


@dataclass(frozen=True)
class Outcome:
    """Test figures after the last epoch, and what each epoch's steps summed up to (the sum of errors by hand only)."""

    rmse: float
    mae: float
    sum_of_squares: list[float]
    sum_of_errors: list[float]


def by_hand(p: Float64, q: Float64, users: Any, items: Any, ratings: Any, rate: float) -> tuple[float, float]:
    """One epoch in the order given, in place. p (num_users, k), q (num_items, k) float64 → (Σe², Σe) as met on the way."""
    total = squares = 0.0
    for user, item, rating in zip(users.tolist(), items.tolist(), ratings.tolist(), strict=True):
        row, column = p[user], q[item]
        error = rating - row @ column
        total, squares = total + error, squares + error * error
        step = 2.0 * rate * error
        p[user], q[item] = row + step * column, column + step * row
    return float(squares), float(total)


@cache
def the_split(seed: int) -> Split:
    """80 % to train on, 20 % to test, at random; nothing is chosen, so nothing is kept for validation."""
    return random_split(load_dataset("ml-100k"), test=0.2, valid=0.1, seed=seed).with_validation_in_train()


def untrained(split: Split, start: str, seed: int) -> RecommenderModel:
    """His model before its first step: 20 factors, no biases, no mean."""
    return build_model("mf", split.train, embedding_dim=20, seed=seed, **STARTS[start])


def loop(start: str, rate: float, seed: int) -> Outcome:
    """The loop by hand."""
    split = the_split(seed)
    p, q = factors(untrained(split, start, seed))
    train, test, rng = split.train, split.test, np.random.default_rng(seed)
    sums = []
    for _ in range(CONFIG.num_epochs):
        order = rng.permutation(len(train))
        sums.append(by_hand(p, q, train.user_idx[order], train.item_idx[order], train.rating[order], rate))
    squares, totals = (list(column) for column in zip(*sums, strict=True))
    return Outcome(*errors(np.einsum("nd,nd->n", p[test.user_idx], q[test.item_idx]), split), squares, totals)


def engine(start: str, rate: float, seed: int) -> Outcome:
    """Our trainer, one rating a step, from the same start on the same split; the order of ratings is its own."""
    split = the_split(seed)
    model = untrained(split, start, seed)
    ends = list(Trainer(model, split, replace(CONFIG, learning_rate=rate, seed=seed)).fit())
    predicted = model.predict(split.test.user_idx, split.test.item_idx).numpy()
    return Outcome(*errors(predicted, split), [end.train_loss * end.samples for end in ends], [])


def largest_difference(start: str = NUMPY, rate: float = 1e-2, seed: int = 0) -> float:
    """Between any factor after one epoch by hand and in our trainer, the ratings in the same order."""
    split, config = the_split(seed), replace(CONFIG, learning_rate=rate, seed=seed)
    model = untrained(split, start, seed)
    p, q = factors(model)
    same_order = SampleSource(split.train, config, torch.device("cpu")).draw(torch.Generator().manual_seed(seed))
    by_hand(p, q, same_order.user_idx, same_order.item_idx, same_order.target, rate)
    Trainer(model, split, config).train_epoch()
    ours = factors(model)
    return float(max(np.abs(ours[0] - p).max(), np.abs(ours[1] - q).max()))


def factors(model: RecommenderModel) -> tuple[Float64, Float64]:
    """Copies of the user and item factors, float64."""
    return model.user_vectors().numpy().astype(np.float64), model.item_vectors().numpy().astype(np.float64)


def errors(predicted: Any, split: Split) -> tuple[float, float]:
    """RMSE and MAE of predictions of the test ratings."""
    error = np.asarray(predicted, np.float64) - split.test.rating
    return float(np.sqrt(np.mean(error**2))), float(np.mean(np.abs(error)))


def always_the_mean(seed: int) -> float:
    """Test RMSE of the mean training rating."""
    split = the_split(seed)
    return errors(GlobalMean(split.train).predict(split.test.user_idx, split.test.item_idx), split)[0]


def case(start: str, rate: float) -> str:
    """What a start with a learning rate is called."""
    return f"start {start}, step {rate:g}"


def measure(seeds: int, say: Callable[[str], None]) -> list[Measured]:
    """Every start with both rates, by hand and in our trainer; means over seeds (which move split, start and order)."""
    rows: list[Measured] = []
    for start in STARTS:
        for rate in RATES:
            say(f"takuti: {case(start, rate)}")
            many = max(seeds, REPEATS_IF_PUBLISHED) if (start, rate) in PUBLISHED else seeds
            for name, run, repeats in (("by hand", loop, seeds), ("trainer", engine, many)):
                done = [run(start, rate, seed) for seed in range(repeats)]
                logged = _logged(done[0]) if name == "by hand" and (start, rate) in LOG else ""
                place = f"takuti/{case(start, rate)}/{name}"
                rows.append(replace(mean(f"{place}/rmse", [one.rmse for one in done]), note=logged))
                rows.append(mean(f"{place}/mae", [one.mae for one in done]))
    rows.append(mean("takuti/always the mean rating", [always_the_mean(seed) for seed in range(seeds)]))
    return [*rows, Measured("takuti/by hand against trainer, one epoch", largest_difference())]


def _logged(outcome: Outcome) -> str:
    """What he logged for each epoch, of a run of ours."""
    sums = (("Σe", outcome.sum_of_errors), ("Σe²", outcome.sum_of_squares))
    return "; ".join(f"{name} by epoch: {' '.join(f'{value:.0f}' for value in values)}" for name, values in sums)
