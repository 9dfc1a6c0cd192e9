"""The models there are. A new one is a file beside this, a spec here, and a line in the contract test."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mfcore.registry import MODELS, ModelSpec, Work

if TYPE_CHECKING:
    from mfcore.models.config import ModelConfig

_EMBEDDINGS = frozenset({"embedding_dim", "init", "init_std", "output_range", "global_mean"})
_TOWER = frozenset({"mlp_layers", "dropout"})
_DOT_STARTS = {"mse": "mf", "bce": "mf-implicit", "bpr": "mf-implicit", "weighted-mse": "ials"}
_NEURAL_STARTS = {"bce": "neumf", "bpr": "neumf", "mse": "neumf"}


def _tower(config: ModelConfig) -> int:
    return sum(inputs * outputs + outputs for inputs, outputs in pairwise(config.mlp_layers))


MODELS.register(
    ModelSpec(
        name="mf",
        title="Matrix factorization",
        short="MF",
        implementation="mfcore.models.dot:MF",
        uses=_EMBEDDINGS,
        starts=_DOT_STARTS,
        dot_product=True,
        count_parameters=lambda config, users, items: (users + items) * config.embedding_dim,
        # Nothing but the dot product; only where a sigmoid follows does it start from the mean rating, not mid-scale.
        starts_from_mean=lambda config: config.output_range and config.global_mean,
        colour=("#3a6ca8", "#7ea9dc"),
        weight_decay=0.02,
        folds_in="exact",
        explains="exact",
    )
)
MODELS.register(
    ModelSpec(
        name="biased-mf",
        title="Biased MF",
        implementation="mfcore.models.dot:BiasedMF",
        uses=_EMBEDDINGS | {"bias_std"},
        groups=("factors", "biases"),
        starts={**_DOT_STARTS, "mse": "biased-mf"},
        dot_product=True,
        count_parameters=lambda config, users, items: (users + items) * (config.embedding_dim + 1),
        colour=("#b4512b", "#e88a62"),
        weight_decay=0.05,
        folds_in="exact",
        explains="exact",
    )
)
MODELS.register(
    ModelSpec(
        name="gmf",
        title="Generalized MF",
        short="GMF",
        implementation="mfcore.models.dot:GMF",
        uses=_EMBEDDINGS,
        groups=("factors", "mlp"),
        natural_loss="bce",
        starts=_NEURAL_STARTS,
        count_parameters=lambda config, users, items: (users + items + 1) * config.embedding_dim + 1,
        colour=("#5c8a38", "#9cc674"),
    )
)
MODELS.register(
    ModelSpec(
        name="mlp",
        title="Multi-layer perceptron",
        short="MLP",
        implementation="mfcore.models.neural:MLP",
        uses=_EMBEDDINGS - {"embedding_dim"} | _TOWER,
        groups=("factors", "mlp"),
        natural_loss="bce",
        starts=_NEURAL_STARTS,
        count_parameters=lambda config, users, items: (
            (users + items) * (config.mlp_layers[0] // 2) + _tower(config) + config.mlp_layers[-1] + 1
        ),
        work=lambda config: Work(0, config.mlp_layers),
        colour=("#8a6244", "#c79d7c"),
    )
)
MODELS.register(
    ModelSpec(
        name="neumf",
        title="NeuMF",
        implementation="mfcore.models.neural:NeuMF",
        uses=_EMBEDDINGS | _TOWER | {"pretrained_gmf", "pretrained_mlp"},
        groups=("factors", "mlp"),
        natural_loss="bce",
        starts=_NEURAL_STARTS,
        count_parameters=lambda config, users, items: (
            (users + items) * (config.embedding_dim + config.mlp_layers[0] // 2)
            + _tower(config) + config.embedding_dim + config.mlp_layers[-1] + 1
        ),
        work=lambda config: Work(config.embedding_dim, config.mlp_layers),
        colour=("#a53f77", "#e085b5"),
    )
)  # fmt: skip
