"""Which epoch is the best so far, and whether to go on. Decided on validation only."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from mfcore.training.config import TrainConfig


@dataclass
class Selection:
    """Follows one validation metric. Without validation data there is nothing to choose by: the latest epoch is the best.

    ``bad_epochs``: epochs since the best. ``cuts``: times the plateau schedule has cut the learning rate.
    """

    metric: str
    higher_is_better: bool
    best_value: float = math.nan
    best_epoch: int = 0
    bad_epochs: int = 0
    cuts: int = 0
    waiting: int = 0
    last_loss: float = math.nan
    loss_change: float = math.nan

    def update(self, epoch: int, value: float, train_loss: float, config: TrainConfig, *, measured: bool = True) -> bool:
        """Take in an epoch's value (NaN if undefined); returns whether it is the best so far.

        An epoch that was not measured neither improves nor fails to; until one is, the latest is the best.
        """
        self.loss_change = abs(train_loss - self.last_loss)
        self.last_loss = train_loss
        if not measured and not math.isnan(self.best_value):
            return False
        first = math.isnan(self.best_value)  # comparisons with NaN are false: an undefined value is never better
        better = first or (value > self.best_value if self.higher_is_better else value < self.best_value)
        if better:
            self.best_value, self.best_epoch, self.bad_epochs, self.waiting = value, epoch, 0, 0
        else:
            self.bad_epochs += 1
            self.waiting += 1
        if config.schedule == "plateau" and self.waiting >= config.schedule_every:
            self.cuts, self.waiting = self.cuts + 1, 0
        return better

    def reason_to_stop(self, epoch: int, config: TrainConfig) -> str:
        """Why training should end after ``epoch`` epochs, in words; empty to go on."""
        if epoch >= config.num_epochs:
            return "all epochs done"
        if config.patience and self.bad_epochs >= config.patience:
            return f"no better {self.metric} for {config.patience} epochs"
        if config.tolerance and self.loss_change < config.tolerance:
            return f"converged: the training loss changed by less than {config.tolerance:g}"
        return ""

    def be_patient(self) -> None:
        """Count epochs without a better one from here on, and wait for the next change of the loss."""
        self.bad_epochs = self.waiting = 0
        self.loss_change = math.nan

    def restart(self) -> None:
        """Schedule and patience begin anew; the best epoch stays the best."""
        self.be_patient()
        self.cuts = 0

    def state_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
