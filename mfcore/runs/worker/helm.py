"""What commands change in the training itself, each change kept at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mfcore.runs.checkpoints.manager import Keeper
from mfcore.training import Trainer


class Helm:
    """Steers one trainer. A change is saved before the next step, so that a run killed right after it goes on with it."""

    def __init__(self, trainer: Trainer, keeper: Keeper, message: Callable[[str], None]) -> None:
        self._trainer, self._keeper, self._message = trainer, keeper, message

    def set(self, name: str, value: Any) -> dict[str, Any]:
        """Put a setting to ``value``; ``extend`` adds epochs. Returns what else that changed, for the event.

        Raises:
            UnusableRequest: it cannot be that, or not here.
        """
        facts: dict[str, Any] = {}
        if name == "learning_rate":
            self._trainer.set_learning_rate(value)
        elif name == "extend":
            facts = self.extend_to(self._trainer.config.num_epochs + value)
        else:
            facts = self._change(name, value)
        self._keeper.save(force=True)
        return facts

    def extend_to(self, num_epochs: int) -> dict[str, Any]:
        """Train until ``num_epochs`` are done; the caller saves."""
        trainer = self._trainer
        trainer.extend(num_epochs)
        rate = f"{trainer.config.learning_rate:g}"
        again = "" if trainer.config.schedule == "constant" else f"; the schedule restarts from learning rate {rate}"
        self._message(f"training goes on to epoch {num_epochs}{again}")
        return {"num_epochs": num_epochs}

    def step_batch(self) -> None:
        """Train one batch, report it, and ask again."""
        self._trainer.take_one_step()

    def keep_here(self) -> bool:
        """Whoever waits may want to branch from here: keep the last whole epoch. Returns whether it was not kept before."""
        return self._keeper.keep_end()

    def _change(self, name: str, value: Any) -> dict[str, Any]:
        trainer = self._trainer
        before = trainer.engine_reason
        trainer.change(**{name: value})
        if trainer.engine_reason == before:
            return {}
        self._message(trainer.engine_reason)
        return {"engine": trainer.engine}
