"""Starts that teach something: good ones, and bad ones worth watching fail."""

from __future__ import annotations

from mfcore.runs.config import RunConfig
from mfcore.runs.literature import SEEDS
from mfcore.runs.preset import Preset as Preset
from mfcore.validate import choice

_ALL = (
    Preset(
        "mf",
        "Matrix factorization",
        "Watch a plain dot product find its feet: nothing for two epochs, then a dive past the global mean to below bias-only.",
        "good",
        {
            "model": "mf",
            "embedding_dim": 20,
            "init_std": 0.003,
            "loss": "mse",
            "split": "random",
            "optimizer": "sgd",
            "learning_rate": 0.015,
            "schedule": "one-cycle",
            "weight_decay": 0.06,
            "batch_size": 1,
            "num_epochs": 30,
            "refit": True,
            "pace": 5,
        },
    ),
    Preset(
        "biased-mf",
        "Biased MF",
        "Watch the curve rest near the bias-only line: who rates and what is rated says most. Then the vectors add the rest.",
        "good",
        {
            "model": "biased-mf",
            "embedding_dim": 128,
            "init_std": 0.005,
            "loss": "mse",
            "split": "official",
            "fold": 1,
            "optimizer": "sgd",
            "learning_rate": 0.02,
            "schedule": "one-cycle",
            "weight_decay": 1.1,
            "weight_decay_scaling": "sqrt-count",
            "batch_size": 1,
            "num_epochs": 30,
            "refit": True,
            "pace": 5,
        },
    ),
    Preset(
        "mf-implicit",
        "MF for ranking",
        "Watch NDCG climb past popularity: the model stops guessing stars and learns which film a person would choose next.",
        "good",
        {
            "model": "mf",
            "embedding_dim": 64,
            "init_std": 0.05,
            "loss": "bce",
            "split": "leave-last-out",
            "draws": 20,
            "optimizer": "adam",
            "learning_rate": 0.004,
            "schedule": "one-cycle",
            "weight_decay": 0.0044,
            "batch_size": 2048,
            "negatives": 8,
            "num_epochs": 24,
            "refit": True,
            "pace": 5,
        },
    ),
    Preset(
        "neumf",
        "NeuMF",
        "Watch a neural tower beside a dot product: more to learn per epoch, and not clearly better than MF for ranking.",
        "good",
        {
            "model": "neumf",
            "embedding_dim": 64,
            "mlp_layers": "16,8",
            "init_std": 0.1,
            "loss": "bce",
            "split": "leave-last-out",
            "draws": 20,
            "optimizer": "adam",
            "learning_rate": 0.0012,
            "schedule": "cosine",
            "weight_decay": 0.0035,
            "batch_size": 1024,
            "negatives": 8,
            "num_epochs": 12,
            "refit": True,
            "pace": 5,
        },
    ),
    Preset(
        "als",
        "ALS: solved, not descended",
        "Watch ten sweeps do what gradient steps take thirty epochs for: each solves every user, then every film, exactly.",
        "good",
        {
            "model": "biased-mf",
            "embedding_dim": 64,
            "loss": "mse",
            "split": "random",
            "optimizer": "als",
            "weight_decay": 1.4,
            "weight_decay_scaling": "sqrt-count",
            "num_epochs": 10,
            "refit": True,
            "pace": 5,
        },
    ),
    Preset(
        "ials",
        "ALS for ranking",
        "Watch NDCG nearly there after three sweeps: every film not chosen counts a little, so no negatives need to be drawn.",
        "good",
        {
            "model": "mf",
            "embedding_dim": 64,
            "loss": "weighted-mse",
            "unobserved_weight": 0.3,
            "split": "leave-last-out",
            "draws": 20,
            "optimizer": "als",
            "weight_decay": 0.013,
            "num_epochs": 12,
            "refit": True,
            "pace": 5,
        },
    ),
    Preset(
        "lr-too-high",
        "Learning rate far too high",
        "One step per epoch: watch each overshoot further than the last, until the loss is infinite and the run fails.",
        "bad",
        {
            "model": "biased-mf",
            "embedding_dim": 20,
            "loss": "mse",
            "split": "random",
            "optimizer": "sgd",
            "learning_rate": 1000.0,
            "batch_size": 100_000,  # all ratings at once: a divergence slow enough to be seen
            "num_epochs": 20,
            "pace": 1,
        },
    ),
    Preset(
        "lr-too-low",
        "Learning rate far too low",
        "Watch a flat line: after all epochs the error is where it began, and nothing ever says that this was a waste of time.",
        "bad",
        {
            "model": "mf",
            "embedding_dim": 20,
            "loss": "mse",
            "split": "random",
            "optimizer": "sgd",
            "learning_rate": 1e-6,
            "batch_size": 1024,
            "num_epochs": 20,
            "pace": 5,
        },
    ),
    Preset(
        "no-regularisation",
        "No regularisation",
        "Watch the two loss curves part: training keeps falling while validation turns and rises; the model learns by heart.",
        "bad",
        {
            "model": "biased-mf",
            "embedding_dim": 128,
            "loss": "mse",
            "split": "random",
            "optimizer": "adam",
            "learning_rate": 0.005,
            "weight_decay": 0.0,
            "batch_size": 1024,
            "num_epochs": 20,
            "pace": 5,
        },
    ),
    *SEEDS,
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}


def preset_config(name: str) -> RunConfig:
    """The run a preset starts.

    Raises:
        UnusableRequest: there is no preset of that name.
    """
    choice("preset", name, PRESETS)
    return RunConfig().with_flat({**PRESETS[name].flat, "preset": name})
