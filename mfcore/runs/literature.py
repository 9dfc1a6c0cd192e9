"""What the documents this project grew from trained, as they wrote it. ``python -m bench.seeds`` measures all of it.

Gradients: all of them follow that of (r̂ − r)², which is ours, so their learning rates stand unchanged.
"""

from __future__ import annotations

from typing import Any

from mfcore.runs.preset import Preset

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

SEEDS = (
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
