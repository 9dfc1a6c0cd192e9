"""Every setting of the Train page: its label, how it is entered, and when it matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mfcore.data.config import SPLITS
from mfcore.evaluation.words import TIES
from mfcore.models.config import INITS, MODELS
from mfcore.training.config import (
    DECAY_SCALINGS,
    LOSSES,
    LR_SCALINGS,
    NEGATIVE_SAMPLING,
    OPTIMIZERS,
    SCHEDULES,
    SPARSE_OPTIMIZERS,
)
from ui.train.draft import Draft
from ui.words import model_word

MODEL_WORDS = {name: model_word(name) for name in MODELS}
TIE_POLICIES = {policy: word for policy, (word, _) in TIES.items()}
PACES = {"1": "1", "5": "5", "20": "20", "0": "Full speed"}
ON_OFF = {"true": "Yes", "false": "No"}


@dataclass(frozen=True)
class Knob:
    """One setting by its flat key. ``options``: value → words; None is a text field. ``matters``: whether to show it."""

    key: str
    label: str
    options: Mapping[str, str] | None = None
    matters: Callable[[Draft], bool] = lambda draft: True


def _is(key: str, *values: str) -> Callable[[Draft], bool]:
    return lambda draft: draft[key] in values


def _not(key: str, *values: str) -> Callable[[Draft], bool]:
    return lambda draft: draft[key] not in values


_descends = _not("optimizer", "als")  # ALS solves: nothing about steps matters
_cuts = _is("schedule", "step", "plateau")

OPTIMIZER = Knob("optimizer", "Optimizer", OPTIMIZERS)
LEARNING_RATE = Knob("learning_rate", "Learning rate", None, _descends)

GROUPS: dict[str, tuple[Knob, ...]] = {
    "Task and split": (
        Knob("loss", "Loss", LOSSES),
        Knob("split", "Split", SPLITS),
        Knob("fold", "Fold", {str(n): str(n) for n in range(1, 6)}, _is("split", "official")),
        Knob("test_fraction", "Share for test", None, _is("split", "random", "time")),
        Knob("valid_fraction", "Share for validation", None, _not("split", "leave-last-out")),
        Knob("split_seed", "Seed of the split", None, _is("split", "random", "official")),
        Knob("negatives", "Negatives", None, _is("loss", "bce", "bpr")),
        Knob("negative_sampling", "Negatives drawn", NEGATIVE_SAMPLING, _is("loss", "bce", "bpr")),
        Knob("unobserved_weight", "Weight of not chosen", None, _is("loss", "weighted-mse")),
    ),
    "Model": (
        Knob("embedding_dim", "Embedding dim", None, _not("model", "mlp")),
        Knob("init", "Start", INITS),
        Knob("init_std", "Spread of the start", None, _is("init", "normal")),
        Knob("bias_std", "Spread of the biases", None, _is("model", "biased-mf")),
        Knob("mlp_layers", "MLP layers", None, _is("model", "mlp", "neumf")),
        Knob("dropout", "Dropout", None, _is("model", "mlp", "neumf")),
        Knob("global_mean", "Start from the mean", ON_OFF, lambda draft: draft["model"] == "biased-mf"),
        Knob("output_range", "Squeeze into the scale", ON_OFF, lambda draft: draft["loss"] == "mse" and _descends(draft)),
        Knob("pretrained_gmf", "GMF run to start from", None, _is("model", "neumf")),
        Knob("pretrained_mlp", "MLP run to start from", None, _is("model", "neumf")),
    ),
    "Training": (
        Knob("num_epochs", "Epochs"),
        Knob("batch_size", "Batch size", None, _descends),
        Knob("lr_scaling", "Rate follows batch size", LR_SCALINGS, _descends),
        Knob("weight_decay", "Weight decay"),
        Knob("weight_decay_scaling", "Weight decay for", DECAY_SCALINGS, _not("weight_decay", "0")),
        Knob("patience", "Patience"),
        Knob("momentum", "Momentum", None, _is("optimizer", "sgd", "rmsprop")),
        Knob("nesterov", "Nesterov", ON_OFF, lambda draft: draft["optimizer"] == "sgd" and draft["momentum"] != "0"),
        Knob("sparse_gradients", "Sparse gradients", ON_OFF, _is("optimizer", *SPARSE_OPTIMIZERS)),
        Knob("schedule", "Schedule", SCHEDULES, _descends),
        Knob("schedule_every", "Every … epochs", None, lambda draft: _cuts(draft) and _descends(draft)),
        Knob("schedule_factor", "Multiplied by", None, lambda draft: _cuts(draft) and _descends(draft)),
        Knob("factor_lr_multiplier", "Rate of embeddings ×", None, _descends),
        Knob("bias_lr_multiplier", "Rate of biases ×", None, lambda draft: draft["model"] == "biased-mf" and _descends(draft)),
        Knob("mlp_lr_multiplier", "Rate of the MLP ×", None, _is("model", "mlp", "neumf", "gmf")),
        Knob("tolerance", "Tolerance"),
        Knob("refit", "Refit before test", ON_OFF),
    ),
    "Measuring and machine": (
        Knob("k", "K of HR@K, NDCG@K"),
        Knob("sampled_negatives", "Sampled competitors"),
        Knob("relevance_threshold", "Relevant from rating", None, _is("loss", "mse")),
        Knob("negatives_seed", "Seed of competitors"),
        Knob("draws", "Draws of competitors"),
        Knob("ties", "Ties", TIE_POLICIES),
        Knob("validation_budget", "Validation budget"),
        Knob("seed", "Seed"),
        Knob("threads", "CPU threads"),
        Knob("hogwild", "Threads without locks", ON_OFF, lambda draft: draft["batch_size"] == "1" and _descends(draft)),
        Knob("pace", "Pace, epochs/s", PACES),
        Knob("checkpoint_every", "Keep every … epochs"),
    ),
}
