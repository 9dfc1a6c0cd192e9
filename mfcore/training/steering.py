"""What may change between two steps of a training. What was changed is in its state."""

from __future__ import annotations

import dataclasses
from typing import Any

from mfcore.settings import SETTINGS
from mfcore.training.state import TrainingState
from mfcore.validate import require

CHANGEABLE = tuple(key for key, setting in SETTINGS.items() if setting.live and key != "learning_rate")
"""Settings besides the learning rate that may change between two steps."""


def set_learning_rate(state: TrainingState, rate: float) -> None:
    """As :meth:`mfcore.training.Trainer.set_learning_rate`."""
    require(not state.config.solves, "ALS solves exactly; it has no learning rate to change")
    state.change({"learning_rate": state.rates.set(rate, state.step, state.selection.cuts)})


def change(state: TrainingState, **settings: Any) -> None:
    """As :meth:`mfcore.training.Trainer.change`; the engine has to be chosen anew."""
    wrong = [name for name in settings if name not in CHANGEABLE]
    require(not wrong, f"{', '.join(wrong)} cannot change while training; what can: {', '.join(CHANGEABLE)}")
    if state.config.solves:
        require(list(settings) == ["weight_decay"], "ALS has neither batches nor learning rates to change")
    config = dataclasses.replace(state.config, **settings)
    state.change({name: getattr(config, name) for name in settings})
    state.follow_config()
    if "batch_size" in settings:
        state.rates.settle(state.epoch, state.steps_into_epoch, state.step)


def extend(state: TrainingState, num_epochs: int) -> None:
    """As :meth:`mfcore.training.Trainer.extend`."""
    require(num_epochs > state.epoch, f"num_epochs must be > {state.epoch}, the epochs done, got {num_epochs}")
    state.change({"num_epochs": num_epochs})
    state.selection.restart()
    state.rates.restart(state.config, state.epoch, state.step - state.steps_into_epoch)
