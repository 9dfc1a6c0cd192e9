"""What may change between two steps of a training."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from mfcore.training.state import Training
from mfcore.validate import require

CHANGEABLE = ("weight_decay", "batch_size", "bias_lr_multiplier", "factor_lr_multiplier", "mlp_lr_multiplier")
"""Settings besides the learning rate that may change between two steps."""


class SteeredTraining(Training):
    """A training whose settings a person may change while it goes. What was changed is in its state."""

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, before multipliers; NaN for ALS, which has none."""
        if self.config.optimizer == "als":
            return math.nan
        return self.rates.at(self.step, self._selection.cuts)

    def set_learning_rate(self, rate: float) -> None:
        """Continue with ``rate`` from the next step on; a schedule goes on from there in proportion."""
        require(self.config.optimizer != "als", "ALS solves exactly; it has no learning rate to change")
        self.rates.set(rate, self.step, self._selection.cuts)
        self._note({"learning_rate": self.rates.before_scaling(rate)})

    def change(self, **settings: Any) -> None:
        """Continue with other settings (``CHANGEABLE``) from the next batch on; ``engine_reason`` says what trains now.

        Another batch size slices what is left of the epoch anew.

        Raises:
            UnusableRequest: such a setting cannot change, or not to this value.
        """
        wrong = [name for name in settings if name not in CHANGEABLE]
        require(not wrong, f"{', '.join(wrong)} cannot change while training; what can: {', '.join(CHANGEABLE)}")
        if self.config.optimizer == "als":
            require("weight_decay" in settings and len(settings) == 1, "ALS has neither batches nor learning rates to change")
        config = dataclasses.replace(self.config, **settings)
        self._read_losses()
        self._note({name: getattr(config, name) for name in settings})
        self._follow_config()
        if "batch_size" in settings:
            self.rates.settle(self.epoch, self._steps_into_epoch(), self.step)

    def extend(self, num_epochs: int) -> None:
        """Train until ``num_epochs`` are done. Schedule and patience begin anew with this epoch, from the rate last set.

        Raises:
            UnusableRequest: so many are done already.
        """
        require(num_epochs > self.epoch, f"num_epochs must be > {self.epoch}, the epochs done, got {num_epochs}")
        self._note({"num_epochs": num_epochs})
        self._selection.restart()
        self.rates.restart(self.config, self.epoch, self.step - self._steps_into_epoch())
        self.stop_reason = ""

    def _note(self, settings: Mapping[str, Any]) -> None:
        self.config = dataclasses.replace(self.config, **settings)
        self.changed.update(settings)

    def _steps_into_epoch(self) -> int:
        return round(self._pass.done / self.config.samples_per_step(self._pass.size))
