"""Settings that a run carries but never uses: allowed, because presets and links bring them along, but said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mfcore.runs.config import RunConfig

Test = Callable[[RunConfig], bool]


@dataclass(frozen=True)
class _Rule:
    """``keys`` (flat) do nothing where ``idle`` holds, and ``why`` says who would use them."""

    keys: tuple[str, ...]
    idle: Test
    why: str


def _loss_is_not(*losses: str) -> Test:
    return lambda run: run.training.loss not in losses


def _optimizer_is_not(*optimizers: str) -> Test:
    return lambda run: run.training.optimizer not in optimizers


def _model_is_not(*models: str) -> Test:
    return lambda run: run.model.name not in models


def _split_is_not(*splits: str) -> Test:
    return lambda run: run.split.kind not in splits


def _schedule_is_not(*schedules: str) -> Test:
    return lambda run: run.training.schedule not in schedules


def _solved(run: RunConfig) -> bool:
    return run.training.optimizer == "als"


def _mean_is_unused(run: RunConfig) -> bool:
    return run.training.loss != "mse" or (run.model.name == "mf" and not run.model.output_range)


_STEPS = ("learning_rate", "lr_scaling", "batch_size", "schedule", "factor_lr_multiplier", "bias_lr_multiplier")

_RULES = (
    _Rule(_STEPS, _solved, "ALS takes no steps, it solves"),
    _Rule(("momentum",), _optimizer_is_not("sgd", "rmsprop"), "only SGD and RMSprop have one"),
    _Rule(("nesterov",), _optimizer_is_not("sgd"), "only SGD can look ahead"),
    _Rule(("negatives", "negative_sampling"), _loss_is_not("bce", "bpr"), "only the losses bce and bpr draw negatives"),
    _Rule(("unobserved_weight",), _loss_is_not("weighted-mse"), "only the loss weighted-mse counts what was not chosen"),
    _Rule(("schedule_every", "schedule_factor"), _schedule_is_not("step", "plateau"), "only schedules step and plateau cut"),
    _Rule(("weight_decay_scaling",), lambda run: run.training.weight_decay == 0, "weight_decay is 0"),
    _Rule(("bias_lr_multiplier", "bias_std"), _model_is_not("biased-mf"), "only biased-mf has biases"),
    _Rule(("mlp_lr_multiplier",), _model_is_not("gmf", "mlp", "neumf"), "only gmf, mlp and neumf have layers"),
    _Rule(("mlp_layers", "dropout"), _model_is_not("mlp", "neumf"), "only mlp and neumf have a tower"),
    _Rule(("embedding_dim",), lambda run: run.model.name == "mlp", "the widths of mlp are mlp_layers"),
    _Rule(("init_std",), lambda run: run.model.init == "uniform", "vectors start uniform on 0 to 1"),
    _Rule(("global_mean",), _mean_is_unused, "only predicted ratings start from a mean, mf's only in an output range"),
    _Rule(("relevance_threshold",), lambda run: run.training.implicit, "when ranking is trained, all held-out items count"),
    _Rule(("fold",), _split_is_not("official"), "only the official split has folds"),
    _Rule(("test_fraction",), _split_is_not("random", "time"), "the split fixes what is tested"),
    _Rule(("valid_fraction",), lambda run: run.split.kind == "leave-last-out", "one interaction a user is held out"),
    _Rule(("split_seed",), _split_is_not("random", "official"), "this split is not drawn"),
)


def without_effect(config: RunConfig) -> list[str]:
    """One sentence for each setting that differs from its default and changes nothing in this run."""
    flat = config.to_flat()
    whys: dict[str, str] = {}
    for rule in _RULES:
        if rule.idle(config):
            whys.update({key: rule.why for key in rule.keys if key in flat and key not in whys})
    return [f"{key} {flat[key]} has no effect: {why}" for key, why in whys.items()]
