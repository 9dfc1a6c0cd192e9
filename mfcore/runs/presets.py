"""Starts that teach something: good ones, bad ones worth watching fail, and those of the literature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mfcore.runs.config import RunConfig
from mfcore.validate import choice

KINDS: dict[str, str] = {"good": "good", "bad": "bad on purpose", "seed": "from the literature"}
"""Kind of a preset → the words for it."""


@dataclass(frozen=True)
class Preset:
    """A complete choice of model, loss, split and training, in flat keys (see ``RunConfig.with_flat``).

    ``sentence`` says what to watch for. ``kind``: ``good``, ``bad`` (bad on purpose) or ``seed`` (what a document that this
    project grew from did; ``figures`` then sets what it published beside what we measure, and says what differs).
    """

    name: str
    title: str
    sentence: str
    kind: str
    flat: dict[str, Any] = field(default_factory=dict)
    figures: str = ""


_OURS = (
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
            "split": "random",
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
        "Watch NDCG climb past popularity: the model stops guessing stars and learns what somebody would choose next.",
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
        "Watch ten sweeps do what gradient steps take thirty epochs for: each solves every user, then every item, exactly.",
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
        "Watch NDCG nearly there after three sweeps: everything not chosen counts a little, so no negatives need to be drawn.",
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
        "Watch it explode before the first pass is over: each step overshoots the last. With a tenth of the rate it learns.",
        "bad",
        {
            "model": "biased-mf",
            "embedding_dim": 20,
            "loss": "mse",
            "split": "random",
            "optimizer": "sgd",
            "learning_rate": 0.3,  # one rating at a time, where .005 to .05 are usual everywhere
            "weight_decay": 0.06,  # so that a tenth of the rate learns, and does not learn by heart
            "batch_size": 1,
            "num_epochs": 20,
            "pace": 5,
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
)

# What the documents this project grew from trained, as they wrote it; ``python -m bench.seeds`` measures all of it.
# Gradients: all of them follow that of (r̂ − r)², which is ours, so their learning rates stand unchanged.
_ONE_BY_ONE: dict[str, Any] = {"loss": "mse", "split": "random", "optimizer": "sgd", "batch_size": 1, "device": "cpu"}

# torch.nn.Embedding draws from N(0, 1), biases too, and nobody adds the mean rating.
_ROSENTHAL: dict[str, Any] = {
    **_ONE_BY_ONE,
    "dataset": "synthetic",
    "embedding_dim": 20,
    "init_std": 1.0,
    "learning_rate": 1e-6,
    "num_epochs": 1,
    "pace": 1,
}

# He stops when the loss summed over 80,000 ratings changes by less than 1e-3; our loss is a mean.
_TAKUTI: dict[str, Any] = {
    **_ONE_BY_ONE,
    "model": "mf",
    "embedding_dim": 20,
    "num_epochs": 10,
    "tolerance": 1e-3 / 80_000,
    "refit": True,
    "pace": 1,
}

_FROM_THE_LITERATURE = (
    Preset(
        "rosenthal-mf",
        "Rosenthal 2017: MF",
        "Watch one pass with steps of a millionth change nothing; and a bigger step would find only noise in made-up ratings.",
        "seed",
        {**_ROSENTHAL, "model": "mf"},
        "Published: no error. Here: RMSE 5.36, before as after; always saying the mean: 1.12.",
    ),
    Preset(
        "rosenthal-biased-mf",
        "Rosenthal 2017: biased MF",
        "Watch biases that start at random make the first guess worse, with steps too small to make up for it.",
        "seed",
        {**_ROSENTHAL, "model": "biased-mf", "global_mean": False, "bias_std": 1.0},
        "Published: no error. Here: RMSE 5.55, before as after; always saying the mean: 1.12.",
    ),
    Preset(
        "takuti-numpy",
        "takuti 2017: MF in NumPy",
        "Watch a start on [0, 1): the first guesses average 5, wrong but near, and ten epochs suffice to beat the mean.",
        "seed",
        {**_TAKUTI, "init": "uniform", "learning_rate": 1e-3},
        "Published: RMSE 1.005. Here: 1.00; what differs is the random split.",
    ),
    Preset(
        "takuti-pytorch",
        "takuti 2017: MF in PyTorch",
        "Watch a start at N(0, 1): first guesses miss by over five stars; ten epochs later it is still worse than the mean.",
        "seed",
        {**_TAKUTI, "init_std": 1.0, "learning_rate": 1e-2},
        "Published: RMSE 1.270. Here: 1.25; what differs is the random split and start. Always saying the mean: 1.12.",
    ),
    Preset(
        "takuti-swapped",
        "takuti 2017: starts swapped",
        "Watch the PyTorch settings with NumPy's start: the gap closes, so it was never the framework.",
        "seed",
        {**_TAKUTI, "init": "uniform", "learning_rate": 1e-2},
        "Not published. Here: RMSE 1.00 where validation stops it, 1.04 after ten epochs; 1.25 with its own start.",
    ),
    Preset(
        "neumf-tutorial",
        "NeuMF tutorial, mended",
        "Watch NDCG rise and level off; here dropout acts, negatives are new each epoch, and the test part never chooses.",
        "seed",
        {
            "model": "neumf",
            "embedding_dim": 32,
            "mlp_layers": "64,32,16,8",
            "init_std": 0.01,
            "dropout": 0.2,
            "loss": "bce",
            "split": "leave-last-out",
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "batch_size": 256,
            "negatives": 4,
            "num_epochs": 10,
            "refit": True,
            "pace": 5,
        },
        "Published: no figure. Here: HR@10 0.66; scored as the tutorial does, with all its defects: 0.67.",
    ),
)

FIRST, FIRST_RANKING = "biased-mf", "mf-implicit"
"""What to begin with, and what suits a model that ranks and nobody foresaw."""

PRESETS: dict[str, Preset] = {preset.name: preset for preset in (*_OURS, *_FROM_THE_LITERATURE)}


def preset_config(name: str) -> RunConfig:
    """The run a preset starts.

    Raises:
        UnusableRequest: there is no preset of that name.
    """
    choice("preset", name, PRESETS)
    return RunConfig().with_flat({**PRESETS[name].flat, "preset": name})
