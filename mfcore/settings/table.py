"""Every setting of a run, once: what it is called, what may be chosen, when it matters, whether it changes what is learned.

The form, links, the command line, validation, sentences on what has no effect, the run card and the live view's controls are
views of this table. A setting is named by its flat key (``learning_rate``); ``section`` and ``attribute`` say where a
configuration holds it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mfcore.registry import DEFAULT_DATASET, LOSSES, MODELS, OPTIMIZERS, SPLITS
from mfcore.settings import when
from mfcore.settings.kinds import Choice, Flag, Kind, Name, Real, RealOr, Text, Whole, Widths
from mfcore.settings.plan import Plan, PlannedChange, parse_plan
from mfcore.settings.ties import RENAMED_TIES, TIES
from mfcore.validate import LARGEST_SEED, require

MOST_EPOCHS = 1_000_000
"""More than anybody waits for; what is typed by accident is refused."""
MOST_SAMPLES = 2**31 - 1
"""Of a batch: larger than any epoch, and every library can count to it."""
LARGEST_FACTOR = 1e30
"""Of weight decay and multipliers: beyond it a step in float32 has no result."""
LARGEST_ALPHA = 1e6
"""Of counts as confidence: beyond it nothing but the largest counts is left."""
MOST_THREADS = 1024
"""More than any machine has cores; asked for many more, the system's thread library ends the process without a word."""
REFERENCE_BATCH = 256
"""Where the learning rate follows the batch size, ``learning_rate`` is that of batches of this size."""

TRANSFORMS = {
    "none": "As they are",
    "log": "Logarithm, ln(1 + rating)",
    "clip": "Cut off at the 99th percentile",
    "binarise": "Chosen or not",
}
INITS = {"normal": "Normal, around 0", "uniform": "Uniform, 0 to 1"}
SCHEDULES = {
    "constant": "Constant",
    "step": "Step",
    "cosine": "Cosine",
    "one-cycle": "One cycle",
    "plateau": "Reduce on plateau",
}
NEGATIVE_SAMPLING = {"uniform": "Uniform", "popularity": "By popularity"}
CONFIDENCES = {
    "none": "All alike",
    "linear": "1 + α × count",
    "log": "1 + α × ln(1 + count)",
}
LR_SCALINGS = {"none": "Not at all", "sqrt": "With its square root", "linear": "In proportion"}
DECAY_SCALINGS = {"none": "All alike", "sqrt-count": "Less where ratings are many"}
PACES = {"1": "1", "5": "5", "20": "20", "0": "Full speed"}

MAIN, TASK, MODEL, TRAINING, MEASURING = "", "Task and split", "Model", "Training", "Measuring and machine"
GROUPS = (TASK, MODEL, TRAINING, MEASURING)
"""Of the form, in order; what is in none of them is always in view."""


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        key: flat key. section, attribute: of the configuration; section "" is the run's own.
        kind: what it may be. default: unless anybody chooses.
        label, help: words on screen; help says what it does and what suits. group: of the form. unit: behind the value.
        flag: on the command line; empty: ``--set KEY=VALUE`` reaches it.
        idle: why it has no effect beside what else is chosen.
        effect: ``weights``: what is learned may differ; ``rounding``: only its last digits (devices, threads); ``none``:
            nothing is.
        live: it may change while a run trains. in_branch: it may change where a branch begins.
        title: how a run's title names it, such as "lr {}"; empty: never. title_rank: what people vary first has 1.
        offered: values to pick from instead of typing.
    """

    key: str
    section: str
    attribute: str
    kind: Kind
    default: Any
    label: str
    help: str
    group: str = MAIN
    unit: str = ""
    flag: str = ""
    idle: when.Idle = when.always
    effect: str = "weights"
    live: bool = False
    title: str = ""
    title_rank: int = 0
    offered: Mapping[str, str] = field(default_factory=dict)

    def read(self, value: Any) -> Any:
        """``value`` (text, or what it is) in its type.

        Raises:
            UnusableRequest: it cannot be that.
        """
        return self.kind.read(self.key, value)

    def options(self) -> dict[str, str] | None:
        """Value → words where it is one of a few; None where it is typed."""
        if isinstance(self.kind, Choice):
            return self.kind.words()
        return {"true": "Yes", "false": "No"} if isinstance(self.kind, Flag) else dict(self.offered) or None

    @property
    def brief(self) -> str:
        """A word for it where there is no room: beside a mark on a chart."""
        return self.title.replace("{}", "").strip() or self.label.lower()

    @property
    def in_sentence(self) -> str:
        """The label inside a sentence: small, unless it begins with an abbreviation."""
        return self.label if self.label.split()[0].isupper() else self.label[0].lower() + self.label[1:]

    @property
    def changes_weights(self) -> bool:
        return self.effect == "weights"

    @property
    def in_branch(self) -> bool:
        return self.section in ("training", "") and self.key not in ("loss", "preset")

    def to_browser(self, value: Any) -> dict[str, Any]:
        """What a form in the browser is told: key, words, range, the options of a choice, and what stands in it."""
        told = {"name": self.key, "label": self.label, "brief": self.brief, "help": self.help, "value": value}
        ends = {end: getattr(self.kind, end, None) for end in ("low", "high", "above")}
        return {**told, **ends, "whole": isinstance(self.kind, Whole), "options": self.options()}


# fmt: off


def _rows() -> Iterator[Setting]:
    yield from _data()
    yield from _model()
    yield from _training()
    yield from _protocol()
    yield from _run()


def _data() -> Iterator[Setting]:
    fraction = Real(above=0.0, below=1.0)
    yield Setting(
        "dataset", "dataset", "name", Name(), DEFAULT_DATASET, "Dataset", "Which interactions to learn from.", flag="--dataset"
    )
    yield Setting(
        "transform", "dataset", "transform", Choice(TRANSFORMS), "none", "Ratings",
        "What is learned from. Numbers such as plays, where a few are huge, want their logarithm or to be cut off.", TASK,
        idle=when.transform, title="{} ratings", title_rank=22,
    )
    yield Setting(
        "split", "split", "kind", Choice(SPLITS), "random", "Split",
        "How ratings are divided into train, validation and test.", TASK, flag="--split", title="{} split", title_rank=16,
    )
    yield Setting(
        "test_fraction", "split", "test_fraction", fraction, 0.2, "Share for test",
        "Share of ratings kept for the final test (random, time).", TASK,
        idle=when.split_uses("test_fraction", "the split fixes what is tested"),
    )
    yield Setting(
        "valid_fraction", "split", "valid_fraction", fraction, 0.1, "Share for validation",
        "Share of ratings that steer choices during training (random, time, official).", TASK,
        idle=when.split_uses("valid_fraction", "one interaction a user is held out"),
    )
    yield Setting(
        "fold", "split", "fold", Whole(low=1), 1, "Fold", "Which of the folds that came with the data is the test set.", TASK,
        flag="--fold", idle=when.split_uses("fold", "only the official split has folds"), title="fold {}", title_rank=17,
    )
    yield Setting(
        "split_seed", "split", "seed", Whole(0, LARGEST_SEED), 0, "Seed of the split", "Seed of the random division.", TASK,
        idle=when.split_uses("split_seed", "this split is not drawn"), title="split seed {}", title_rank=19,
    )
    yield Setting(
        "positive_threshold", "split", "positive_threshold", RealOr("all", "every interaction is a positive"), "all",
        "Positive from rating",
        "For learning to rank: lower ratings are neither learned from nor held out. All takes every interaction as a positive, "
        "whatever its rating.", TASK, idle=when.positives,
        title="positives from {}", title_rank=20,
    )


def _model() -> Iterator[Setting]:
    yield Setting(
        "model", "model", "name", Choice(MODELS), "biased-mf", "Model", "Which model predicts the rating or ranks the items.",
        flag="--model",
    )
    yield Setting(
        "embedding_dim", "model", "embedding_dim", Whole(low=1), 64, "Embedding dim",
        "Numbers learned per user and per item. 16 to 128 suits MovieLens 100K.", MODEL,
        flag="--embedding-dim", idle=when.embedding_dim, title="{} dim", title_rank=4,
    )
    yield Setting(
        "init", "model", "init", Choice(INITS), "normal", "Start",
        "How starting vectors are drawn: around 0, or between 0 and 1 (first guesses then average a quarter of embedding_dim).",
        MODEL, idle=when.model_uses("init", "such a start"), title="{} start", title_rank=13,
    )
    yield Setting(
        "init_std", "model", "init_std", Real(low=0.0), 0.1, "Spread of the start",
        "Spread of the random starting vectors. 0.1 is safe; 1 starts with wild guesses. Not for uniform.", MODEL,
        idle=when.spread, title="start ± {}", title_rank=14,
    )
    yield Setting(
        "bias_std", "model", "bias_std", Real(low=0.0), 0.0, "Spread of the biases",
        "Biased MF: spread of the random starting biases. 0, the usual choice, starts from none.", MODEL,
        idle=when.model_uses("bias_std", "biases"),
    )
    yield Setting(
        "global_mean", "model", "global_mean", Flag(), True, "Start from the mean",
        "Biased MF: start every prediction from the mean rating of the training data.", MODEL, idle=when.mean,
    )
    yield Setting(
        "output_range", "model", "output_range", Flag(), False, "Squeeze into the scale",
        "Squeeze predictions into the rating scale with a sigmoid (rating prediction only).", MODEL, idle=when.squeezed,
    )
    yield Setting(
        "mlp_layers", "model", "mlp_layers", Widths(), (32, 16, 8), "MLP layers",
        "Widths of the MLP tower; the first is user plus item embedding, so it is even.", MODEL,
        idle=when.model_uses("mlp_layers", "a tower"), title="layers {}", title_rank=8,
    )
    yield Setting(
        "dropout", "model", "dropout", Real(low=0.0, below=1.0), 0.0, "Dropout",
        "Share of MLP inputs switched off at random in each training step; 0 to 0.5 is usual.", MODEL,
        idle=when.model_uses("dropout", "a tower"), title="dropout {}", title_rank=9,
    )
    for kind in ("gmf", "mlp"):
        yield Setting(
            f"pretrained_{kind}", "model", f"pretrained_{kind}", Text(), "", f"{kind.upper()} run to start from",
            f"NeuMF: run whose {kind.upper()} weights it starts from; empty for none.", MODEL,
            idle=when.model_uses(f"pretrained_{kind}", "both parts"),
        )


def _training() -> Iterator[Setting]:
    factor = Real(low=0.0, high=LARGEST_FACTOR)
    yield Setting(
        "loss", "training", "loss", Choice(LOSSES), "mse", "Loss",
        "What training minimises: squared error predicts ratings, the others rank items.", TASK, flag="--loss",
        title="{}", title_rank=1,
    )
    yield Setting(
        "optimizer", "training", "optimizer", Choice(OPTIMIZERS), "adam", "Optimizer",
        "The rule that turns gradients into steps. ALS needs neither: it solves all users exactly, then all items.",
        flag="--optimizer", title="{}", title_rank=2,
    )
    yield Setting(
        "learning_rate", "training", "learning_rate", Real(above=0.0), 5e-3, "Learning rate",
        "Length of a step. Too high and the loss explodes, too low and nothing moves.",
        flag="--lr", idle=when.steps, live=True, title="lr {}", title_rank=3,
    )
    yield Setting(
        "weight_decay", "training", "weight_decay", factor, 0.0, "Weight decay",
        "L2 penalty per rating on the vectors touched; holds overfitting back.", TRAINING,
        flag="--weight-decay", live=True, title="decay {}", title_rank=5,
    )
    yield Setting(
        "weight_decay_scaling", "training", "weight_decay_scaling", Choice(DECAY_SCALINGS), "none", "Weight decay for",
        "Whether weight decay is divided by the square root of a user's or item's number of training ratings.", TRAINING,
        idle=when.decay_scaling,
    )
    yield Setting(
        "batch_size", "training", "batch_size", Whole(1, MOST_SAMPLES), 1024, "Batch size",
        "Ratings per step. 1 runs compiled code for MF and biased MF with SGD or Adagrad on the CPU.", TRAINING,
        flag="--batch-size", idle=when.steps, live=True, title="batch {}", title_rank=6,
    )
    yield Setting(
        "lr_scaling", "training", "lr_scaling", Choice(LR_SCALINGS), "none", "Rate follows batch size",
        f"How the learning rate follows the batch size; the one above is then for batches of {REFERENCE_BATCH}. "
        "In proportion suits SGD, the square root suits NeuMF with Adam.", TRAINING, idle=when.steps,
    )
    yield Setting(
        "num_epochs", "training", "num_epochs", Whole(1, MOST_EPOCHS), 20, "Epochs",
        "How many times training goes through all ratings.", TRAINING, flag="--epochs", title="{} epochs", title_rank=7,
    )
    yield Setting(
        "negatives", "training", "negatives", Whole(1, 1000), 4, "Negatives",
        "Items drawn as 'not chosen' for each interaction, anew each epoch.", TASK,
        flag="--negatives", idle=when.draws_negatives, title="{} negatives", title_rank=10,
    )
    yield Setting(
        "negative_sampling", "training", "negative_sampling", Choice(NEGATIVE_SAMPLING), "uniform", "Negatives drawn",
        "How those items are drawn: all alike, or popular ones more often.", TASK, idle=when.draws_negatives,
    )
    yield Setting(
        "unobserved_weight", "training", "unobserved_weight", Real(0.0, 1.0), 0.2, "Weight of not chosen",
        "Squared error over all cells: how much a cell without an interaction counts, beside 1 for one with.", TASK,
        idle=when.counts_cells,
    )
    yield Setting(
        "confidence", "training", "confidence", Choice(CONFIDENCES), "none", "Weight of chosen",
        "Ranking, from counts: how much more a choice weighs that was made often. All alike looks only at what was chosen, "
        "however often.", TASK, idle=when.confidence, title="{} confidence", title_rank=21,
    )
    yield Setting(
        "confidence_alpha", "training", "confidence_alpha", Real(above=0.0, high=LARGEST_ALPHA), 1.0, "α of counts",
        "How fast that weight grows with the count. Large counts want a small one, such as 0.01, or the logarithm.", TASK,
        idle=when.confidence_alpha,
    )
    yield Setting(
        "momentum", "training", "momentum", Real(low=0.0, below=1.0), 0.0, "Momentum",
        "SGD and RMSprop: share of the last step carried into the next.", TRAINING,
        idle=when.optimizer_uses("momentum", "only SGD and RMSprop have one"), title="momentum {}", title_rank=12,
    )
    yield Setting(
        "nesterov", "training", "nesterov", Flag(), False, "Nesterov",
        "SGD: look ahead along the momentum before measuring the gradient.", TRAINING, idle=when.nesterov,
    )
    yield Setting(
        "sparse_gradients", "training", "sparse_gradients", Flag(), False, "Sparse gradients",
        "Update only the rows a batch touches (SGD, Adagrad, SparseAdam).", TRAINING, idle=when.sparse,
    )
    yield Setting(
        "factor_lr_multiplier", "training", "factor_lr_multiplier", factor, 1.0, "Rate of embeddings ×",
        "Learning rate of the embeddings, as a multiple of the main one.", TRAINING,
        idle=when.model_has("factors", "embeddings"), live=True,
    )
    yield Setting(
        "bias_lr_multiplier", "training", "bias_lr_multiplier", factor, 1.0, "Rate of biases ×",
        "Learning rate of the biases, as a multiple of the main one.", TRAINING,
        idle=when.model_has("biases", "biases"), live=True,
    )
    yield Setting(
        "mlp_lr_multiplier", "training", "mlp_lr_multiplier", factor, 1.0, "Rate of the MLP ×",
        "Learning rate of the MLP, as a multiple of the main one.", TRAINING, idle=when.model_has("mlp", "layers"), live=True,
    )
    yield Setting(
        "schedule", "training", "schedule", Choice(SCHEDULES), "constant", "Schedule",
        "How the learning rate changes from epoch to epoch.", TRAINING, idle=when.steps, title="{} schedule", title_rank=11,
    )
    yield Setting(
        "schedule_every", "training", "schedule_every", Whole(1, MOST_EPOCHS), 5, "Every … epochs",
        "Step: epochs between cuts. Plateau: epochs without improvement before a cut.", TRAINING, idle=when.cuts,
    )
    yield Setting(
        "schedule_factor", "training", "schedule_factor", Real(above=0.0, below=1.0), 0.5, "Multiplied by",
        "Step and plateau: what the learning rate is multiplied with at a cut.", TRAINING, idle=when.cuts,
    )
    yield Setting(
        "plan", "training", "plan", Plan(lambda: plannable()), "", "Planned changes",
        "Settings that change on the way, by epochs done: 20: learning_rate=0.0007; 25: batch_size=64. What is changed by hand "
        "while a run trains is told in the same words.", TRAINING, flag="--plan",
    )
    yield Setting(
        "patience", "training", "patience", Whole(0, MOST_EPOCHS), 0, "Patience",
        "Stop after this many epochs without a better validation metric; 0 never stops early.", TRAINING,
        title="patience {}", title_rank=15,
    )
    yield Setting(
        "tolerance", "training", "tolerance", factor, 0.0, "Tolerance",
        "Stop when the training loss changes by less than this between epochs; 0 is off.", TRAINING,
    )
    yield Setting(
        "validation_budget", "training", "validation_budget", Real(0.0, 1.0), 0.1, "Validation budget",
        "Largest share of training time that validation may take; beyond it fewer users are measured. 0 measures everyone.",
        MEASURING,
    )
    yield Setting(
        "refit", "training", "refit", Flag(), False, "Refit before test",
        "After choosing the epoch on validation, train once more on train + validation before testing.", TRAINING,
    )
    yield Setting(
        "device", "training", "device", Text(), "auto", "Device", "Where to compute: auto, cpu, cuda, cuda:0 …, mps.",
        flag="--device", effect="rounding",
    )
    yield Setting(
        "threads", "training", "threads", Whole(0, MOST_THREADS), 0, "CPU threads",
        "CPU threads; 0 chooses: one less than the cores, at least one.", MEASURING, flag="--threads", effect="rounding",
    )
    yield Setting(
        "hogwild", "training", "hogwild", Flag(), False, "Threads without locks",
        "Batch size 1: all threads train large data at once without locks; another number of them is another order of ratings.",
        MEASURING, idle=when.hogwild,
    )
    yield Setting(
        "seed", "training", "seed", Whole(0, LARGEST_SEED), 0, "Seed",
        "Start of all randomness: the same seed repeats the run exactly.", MEASURING,
        flag="--seed", title="seed {}", title_rank=18,
    )


def _protocol() -> Iterator[Setting]:
    yield Setting(
        "k", "protocol", "k", Whole(1, 1000), 10, "K of HR@K, NDCG@K",
        "Length of the list that is judged: a hit is a held-out item in the first K.", MEASURING,
    )
    yield Setting(
        "sampled_negatives", "protocol", "sampled_negatives", Whole(low=1), 99, "Sampled competitors",
        "Items each held-out item competes with in sampled ranking; 99 is customary.", MEASURING,
    )
    yield Setting(
        "relevance_threshold", "protocol", "relevance_threshold", RealOr("auto", "the upper third of the scale"), "auto",
        "Relevant from rating",
        "With explicit ratings, a held-out rating from here up counts as relevant for ranking. Auto is the upper third of the "
        "scale: 4 of 5 stars.", MEASURING, idle=when.relevance,
    )
    yield Setting(
        "negatives_seed", "protocol", "negatives_seed", Whole(0, LARGEST_SEED), 0, "Seed of competitors",
        "Seed of the sampled negatives.", MEASURING,
    )
    yield Setting(
        "ties", "protocol", "ties", Choice({name: policy.title for name, policy in TIES.items()}, RENAMED_TIES), "mean", "Ties",
        "Where items with the same score stand: in any order, and the mean counts (fair: a model that scores everything alike "
        "is as good as chance), the right one first (optimistic: it looks perfect), or last (pessimistic).", MEASURING,
    )
    yield Setting(
        "draws", "protocol", "draws", Whole(1, 100), 5, "Draws of competitors",
        "How often negatives are drawn; figures are means. One draw moves NDCG@10 by up to ± .01.", MEASURING,
    )


def _run() -> Iterator[Setting]:
    yield Setting(
        "preset", "", "preset", Text(), "", "Start from", "A complete choice of settings to begin with.", effect="none",
    )
    yield Setting("name", "", "name", Text(), "", "Name", "What to call the run.", effect="none")
    yield Setting(
        "pace", "", "pace", Real(low=0.0), 0.0, "Pace, epochs/s", "Epochs a second to show; 0 is full speed.", MEASURING,
        effect="none", offered=PACES,
    )
    yield Setting(
        "checkpoint_every", "", "checkpoint_every", Whole(low=0), 0, "Keep every … epochs",
        "Keep every so many epochs to branch from; 0 keeps as many as have room, evenly.", MEASURING, effect="none",
    )


# fmt: on

SETTINGS: dict[str, Setting] = {setting.key: setting for setting in _rows()}
"""Flat key → setting, in the order of sections, and within the form's groups in the order shown."""
_DEFAULTS = {key: setting.default for key, setting in SETTINGS.items()}


def default(key: str) -> Any:
    """A dataclass field that holds this setting."""
    return field(default=SETTINGS[key].default, metadata={"setting": key})


def check(config: Any) -> None:
    """Read every field of a configuration that :func:`default` made, in place.

    Raises:
        UnusableRequest: one cannot be what it is.
    """
    for one in dataclasses.fields(config):
        if "setting" in one.metadata:
            object.__setattr__(config, one.name, SETTINGS[one.metadata["setting"]].read(getattr(config, one.name)))


def known(key: str) -> Setting:
    """The setting of a flat key.

    Raises:
        UnusableRequest: there is none.
    """
    require(key in SETTINGS, f"unknown setting {key!r}; known: {', '.join(sorted(SETTINGS))}")
    return SETTINGS[key]


def in_section(section: str) -> Iterable[Setting]:
    """The settings that one part of a configuration holds."""
    return [setting for setting in SETTINGS.values() if setting.section == section]


def chosen(flat: Mapping[str, Any]) -> when.Choices:
    """Settings as they were given, valid or not, with defaults for the rest."""
    return when.Choices(flat, _DEFAULTS)


def without_effect(flat: Mapping[str, Any]) -> list[str]:
    """One sentence for each setting of ``flat`` (only what differs from the defaults) that changes nothing in this run."""
    asked = chosen(flat)
    idle = {key: SETTINGS[key].idle(asked) for key in flat if key in SETTINGS}
    return [f"{key} {flat[key]} has no effect: {why}" for key, why in idle.items() if why]


def plannable() -> dict[str, Kind]:
    """What a plan may change: what may change while a run trains, and the number of epochs."""
    return {key: setting.kind for key, setting in SETTINGS.items() if setting.live or key == "num_epochs"}


def planned(text: str) -> tuple[PlannedChange, ...]:
    """The changes of a plan, earliest first; see :mod:`mfcore.settings.plan`."""
    return parse_plan(text, plannable())


def live_settings(flat: Mapping[str, Any]) -> list[Setting]:
    """What may be changed while this run trains."""
    asked = chosen(flat)
    return [setting for setting in SETTINGS.values() if setting.live and not setting.idle(asked)]
