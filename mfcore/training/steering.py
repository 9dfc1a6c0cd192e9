"""What may change between two steps of a training. What was changed is in its state."""

from __future__ import annotations

import dataclasses
from typing import Any

from mfcore.training.state import TrainingState
from mfcore.validate import require

CHANGEABLE = ("weight_decay", "batch_size", "bias_lr_multiplier", "factor_lr_multiplier", "mlp_lr_multiplier")
"""Settings besides the learning rate that may change between two steps."""


def set_learning_rate(state: TrainingState, rate: float) -> None:
    """Continue with ``rate`` from the next step on; a schedule goes on from there in proportion."""
    require(state.config.optimizer != "als", "ALS solves exactly; it has no learning rate to change")
    state.rates.set(rate, state.step, state.selection.cuts)
    state.change({"learning_rate": state.rates.before_scaling(rate)})


def change(state: TrainingState, **settings: Any) -> None:
    """Continue with other settings (``CHANGEABLE``) from the next batch on; the engine has to be chosen anew.

    Another batch size slices what is left of the epoch anew.

    Raises:
        UnusableRequest: such a setting cannot change, or not to this value.
    """
    wrong = [name for name in settings if name not in CHANGEABLE]
    require(not wrong, f"{', '.join(wrong)} cannot change while training; what can: {', '.join(CHANGEABLE)}")
    if state.config.optimizer == "als":
        require(list(settings) == ["weight_decay"], "ALS has neither batches nor learning rates to change")
    config = dataclasses.replace(state.config, **settings)
    state.change({name: getattr(config, name) for name in settings})
    state.follow_config()
    if "batch_size" in settings:
        state.rates.settle(state.epoch, state.steps_into_epoch, state.step)


def extend(state: TrainingState, num_epochs: int) -> None:
    """Train until ``num_epochs`` are done. Schedule and patience begin anew with this epoch, from the rate last set.

    Raises:
        UnusableRequest: so many are done already.
    """
    require(num_epochs > state.epoch, f"num_epochs must be > {state.epoch}, the epochs done, got {num_epochs}")
    state.change({"num_epochs": num_epochs})
    state.selection.restart()
    state.rates.restart(state.config, state.epoch, state.step - state.steps_into_epoch)
