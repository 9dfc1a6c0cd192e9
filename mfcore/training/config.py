"""How a model is trained."""

from __future__ import annotations

from dataclasses import dataclass

from mfcore.errors import UnusableRequest
from mfcore.registry import LOSSES, OPTIMIZERS
from mfcore.settings import STOP, check, default, planned
from mfcore.validate import require


@dataclass(frozen=True)
class TrainConfig:
    """Loss, optimizer and everything that steers them. Fields: :mod:`mfcore.settings.table`.

    L2 is λ(‖p_u‖² + ‖q_i‖² + …) per occurrence of a user and item in a batch, averaged with the loss (``weight_decay`` is λ).
    The same seed, device and thread count give the same numbers.

    Raises:
        UnusableRequest: a field is outside its range, or two fields contradict each other.
    """

    loss: str = default("loss")
    optimizer: str = default("optimizer")
    learning_rate: float = default("learning_rate")
    lr_scaling: str = default("lr_scaling")
    weight_decay: float = default("weight_decay")
    weight_decay_scaling: str = default("weight_decay_scaling")
    batch_size: int = default("batch_size")
    num_epochs: int = default("num_epochs")
    negatives: int = default("negatives")
    negative_sampling: str = default("negative_sampling")
    unobserved_weight: float = default("unobserved_weight")
    confidence: str = default("confidence")
    confidence_alpha: float = default("confidence_alpha")
    momentum: float = default("momentum")
    nesterov: bool = default("nesterov")
    sparse_gradients: bool = default("sparse_gradients")
    bias_lr_multiplier: float = default("bias_lr_multiplier")
    factor_lr_multiplier: float = default("factor_lr_multiplier")
    mlp_lr_multiplier: float = default("mlp_lr_multiplier")
    schedule: str = default("schedule")
    schedule_every: int = default("schedule_every")
    schedule_factor: float = default("schedule_factor")
    plan: str = default("plan")
    patience: int = default("patience")
    tolerance: float = default("tolerance")
    validation_budget: float = default("validation_budget")
    refit: bool = default("refit")
    device: str = default("device")
    threads: int = default("threads")
    hogwild: bool = default("hogwild")
    seed: int = default("seed")

    def __post_init__(self) -> None:
        check(self)
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        optimizer, loss = OPTIMIZERS[self.optimizer], LOSSES[self.loss]
        require(not self.nesterov or self.momentum > 0, "nesterov needs momentum > 0, for example 0.9")
        sparse = ", ".join(name for name, spec in OPTIMIZERS.items() if spec.sparse != "never")
        require(
            not self.sparse_gradients or optimizer.sparse != "never",
            f"sparse_gradients works with {sparse}; got optimizer {self.optimizer}",
        )
        require(
            not (self.sparse_gradients and self.momentum > 0), "sparse_gradients needs momentum 0: momentum moves every row"
        )
        require(not self.hogwild or self.batch_size == 1, f"hogwild needs batch_size 1, got {self.batch_size}")
        require(
            self.weight_decay_scaling == "none" or not optimizer.decays_weights,
            f"weight_decay_scaling needs L2 in the loss, but {self.optimizer} decays weights by itself; try adam",
        )
        if optimizer.solves:
            steered = [change.name for change in planned(self.plan) if change.name not in ("weight_decay", "num_epochs", STOP)]
            require(not steered, f"{self.optimizer} has no {', '.join(steered)} to change; plan changes of weight_decay alone")
        if optimizer.takes(loss):
            return
        if loss.solved and not optimizer.solves:
            able = " or ".join(name for name, spec in OPTIMIZERS.items() if spec.takes(loss))
            raise UnusableRequest(f"only optimizer {able} minimises loss {self.loss}, got {self.optimizer}")
        listed = " or ".join(f"{name} ({'ranking' if LOSSES[name].ranks else 'ratings'})" for name in optimizer.losses)
        raise UnusableRequest(f"{self.optimizer} needs loss {listed}, got {self.loss}")

    @property
    def implicit(self) -> bool:
        """Whether this run learns to rank rather than to predict ratings."""
        return LOSSES[self.loss].ranks

    @property
    def solves(self) -> bool:
        """Whether its optimizer finds minima instead of taking steps."""
        return OPTIMIZERS[self.optimizer].solves

    def samples_per_step(self, num_samples: int) -> int:
        """``batch_size``; where steps solve, half of the ``num_samples`` of an epoch: one solves all users or all items."""
        return -(-num_samples // 2) if self.solves else self.batch_size


@dataclass(frozen=True)
class Stage:
    """One training of a line.

    ``config``: its settings, with all that was changed on the way in its plan. ``until``: the epoch at whose end the next
    stage branched off; None for the last one. ``changes``: names of the settings in which it differs from the stage before.
    """

    config: TrainConfig
    until: int | None = None
    changes: tuple[str, ...] = ()
