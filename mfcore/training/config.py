"""How a model is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mfcore.validate import LARGEST_SEED, boolean, choice, integer, number, require

LOSSES: dict[str, str] = {
    "mse": "Squared error (predict ratings)",
    "bce": "Logistic, with negatives (rank items)",
    "bpr": "BPR, pairs (rank items)",
    "weighted-mse": "Squared error over all cells, weighted (rank items; ALS)",
}
OPTIMIZERS: dict[str, str] = {
    "sgd": "SGD",
    "adagrad": "Adagrad",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "sparse-adam": "SparseAdam",
    "als": "ALS (exact, no learning rate)",
}
ALS_LOSSES = ("mse", "weighted-mse")
SPARSE_OPTIMIZERS = ("sgd", "adagrad", "sparse-adam")
SCHEDULES: dict[str, str] = {
    "constant": "Constant",
    "step": "Step",
    "cosine": "Cosine",
    "one-cycle": "One cycle",
    "plateau": "Reduce on plateau",
}
NEGATIVE_SAMPLING: dict[str, str] = {"uniform": "Uniform", "popularity": "By popularity"}

LR_SCALINGS: dict[str, str] = {"none": "Not at all", "sqrt": "With its square root", "linear": "In proportion"}
REFERENCE_BATCH = 256
"""Where the learning rate follows the batch size, ``learning_rate`` is that of batches of this size."""

DECAY_SCALINGS: dict[str, str] = {"none": "All alike", "sqrt-count": "Less where ratings are many"}

MOST_NEGATIVES = 1000
MOST_EPOCHS = 1_000_000
"""More than anybody waits for; what is typed by accident is refused."""
MOST_SAMPLES = 2**31 - 1
"""Of a batch: larger than any epoch, and every library can count to it."""
LARGEST_FACTOR = 1e30
"""Of weight decay and multipliers: beyond it a step in float32 has no result."""
MOST_THREADS = 1024
"""More than any machine has cores; asked for many more, the system's thread library ends the process without a word."""


def _f(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class TrainConfig:
    """Loss, optimizer and everything that steers them.

    L2 is λ(‖p_u‖² + ‖q_i‖² + …) per occurrence of a user and item in a batch, averaged with the loss (``weight_decay`` is λ).
    The same seed, device and thread count give the same numbers.

    Raises:
        UnusableRequest: a field is outside its range, or two fields contradict each other.
    """

    loss: str = _f("mse", "What training minimises: squared error predicts ratings, the others rank items.")
    optimizer: str = _f(
        "adam",
        "The rule that turns gradients into steps. ALS needs neither: it solves all users exactly, then all items.",
    )
    learning_rate: float = _f(5e-3, "Length of a step. Too high and the loss explodes, too low and nothing moves.")
    lr_scaling: str = _f(
        "none",
        "How the learning rate follows the batch size; the one above is then for batches of 256. "
        "In proportion suits SGD, the square root suits NeuMF with Adam.",
    )
    weight_decay: float = _f(0.0, "L2 penalty per rating on the vectors touched; holds overfitting back.")
    weight_decay_scaling: str = _f(
        "none", "Whether weight decay is divided by the square root of a user's or item's number of training ratings."
    )
    batch_size: int = _f(1024, "Ratings per step. 1 runs compiled code for MF and biased MF with SGD or Adagrad on the CPU.")
    num_epochs: int = _f(20, "How many times training goes through all ratings.")
    negatives: int = _f(4, "Items drawn as 'not chosen' for each interaction, anew each epoch.")
    negative_sampling: str = _f("uniform", "How those items are drawn: all alike, or popular ones more often.")
    unobserved_weight: float = _f(
        0.2,
        "Squared error over all cells: how much a cell without an interaction counts, beside 1 for one with.",
    )
    momentum: float = _f(0.0, "SGD and RMSprop: share of the last step carried into the next.")
    nesterov: bool = _f(False, "SGD: look ahead along the momentum before measuring the gradient.")
    sparse_gradients: bool = _f(False, "Update only the rows a batch touches (SGD, Adagrad, SparseAdam).")
    bias_lr_multiplier: float = _f(1.0, "Learning rate of the biases, as a multiple of the main one.")
    factor_lr_multiplier: float = _f(1.0, "Learning rate of the embeddings, as a multiple of the main one.")
    mlp_lr_multiplier: float = _f(1.0, "Learning rate of the MLP, as a multiple of the main one.")
    schedule: str = _f("constant", "How the learning rate changes from epoch to epoch.")
    schedule_every: int = _f(5, "Step: epochs between cuts. Plateau: epochs without improvement before a cut.")
    schedule_factor: float = _f(0.5, "Step and plateau: what the learning rate is multiplied with at a cut.")
    patience: int = _f(0, "Stop after this many epochs without a better validation metric; 0 never stops early.")
    tolerance: float = _f(0.0, "Stop when the training loss changes by less than this between epochs; 0 is off.")
    validation_budget: float = _f(
        0.1, "Largest share of training time that validation may take; beyond it fewer users are measured. 0 measures everyone."
    )
    refit: bool = _f(False, "After choosing the epoch on validation, train once more on train + validation before testing.")
    device: str = _f("auto", "Where to compute: auto, cpu, cuda, cuda:0 …, mps.")
    threads: int = _f(0, "CPU threads; 0 chooses: one less than the cores, at least one.")
    hogwild: bool = _f(
        False,
        "Batch size 1: all threads train large data at once without locks; another number of them is another order of ratings.",
    )
    seed: int = _f(0, "Start of all randomness: the same seed repeats the run exactly.")

    def __post_init__(self) -> None:
        choice("loss", self.loss, LOSSES)
        choice("optimizer", self.optimizer, OPTIMIZERS)
        choice("negative_sampling", self.negative_sampling, NEGATIVE_SAMPLING)
        choice("schedule", self.schedule, SCHEDULES)
        choice("lr_scaling", self.lr_scaling, LR_SCALINGS)
        choice("weight_decay_scaling", self.weight_decay_scaling, DECAY_SCALINGS)
        fix = object.__setattr__
        fix(self, "learning_rate", number("learning_rate", self.learning_rate, above=0.0))
        fix(self, "weight_decay", number("weight_decay", self.weight_decay, low=0.0, high=LARGEST_FACTOR))
        fix(self, "batch_size", integer("batch_size", self.batch_size, low=1, high=MOST_SAMPLES))
        for name in ("num_epochs", "schedule_every"):
            fix(self, name, integer(name, getattr(self, name), low=1, high=MOST_EPOCHS))
        fix(self, "negatives", integer("negatives", self.negatives, low=1, high=MOST_NEGATIVES))
        fix(self, "patience", integer("patience", self.patience, low=0, high=MOST_EPOCHS))
        fix(self, "threads", integer("threads", self.threads, low=0, high=MOST_THREADS))
        fix(self, "seed", integer("seed", self.seed, low=0, high=LARGEST_SEED))
        for name in ("bias_lr_multiplier", "factor_lr_multiplier", "mlp_lr_multiplier", "tolerance"):
            fix(self, name, number(name, getattr(self, name), low=0.0, high=LARGEST_FACTOR))
        fix(self, "unobserved_weight", number("unobserved_weight", self.unobserved_weight, low=0.0, high=1.0))
        fix(self, "momentum", number("momentum", self.momentum, low=0.0, below=1.0))
        fix(self, "schedule_factor", number("schedule_factor", self.schedule_factor, above=0.0, below=1.0))
        fix(self, "validation_budget", number("validation_budget", self.validation_budget, low=0.0, high=1.0))
        for name in ("nesterov", "sparse_gradients", "refit", "hogwild"):
            fix(self, name, boolean(name, getattr(self, name)))
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        require(not self.nesterov or self.momentum > 0, "nesterov needs momentum > 0, for example 0.9")
        require(
            not self.sparse_gradients or self.optimizer in SPARSE_OPTIMIZERS,
            f"sparse_gradients works with {', '.join(SPARSE_OPTIMIZERS)}; got optimizer {self.optimizer}",
        )
        require(
            not (self.sparse_gradients and self.momentum > 0), "sparse_gradients needs momentum 0: momentum moves every row"
        )
        require(not self.hogwild or self.batch_size == 1, f"hogwild needs batch_size 1, got {self.batch_size}")
        require(
            self.weight_decay_scaling == "none" or self.optimizer != "adamw",
            "weight_decay_scaling needs L2 in the loss, but adamw decays weights by itself; try adam",
        )
        require(
            self.optimizer != "als" or self.loss in ALS_LOSSES,
            f"als solves squared errors, so it needs loss mse (ratings) or weighted-mse (ranking), got {self.loss}",
        )
        require(
            self.loss != "weighted-mse" or self.optimizer == "als",
            f"loss weighted-mse counts every cell of the matrix, which only optimizer als can do, got {self.optimizer}",
        )

    @property
    def implicit(self) -> bool:
        """Whether this run learns to rank rather than to predict ratings."""
        return self.loss != "mse"

    def samples_per_step(self, num_samples: int) -> int:
        """``batch_size``; with als half of the ``num_samples`` of an epoch, because a step solves all users or all items."""
        return -(-num_samples // 2) if self.optimizer == "als" else self.batch_size
