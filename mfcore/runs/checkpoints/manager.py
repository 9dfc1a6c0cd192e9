"""Keeps a run's checkpoints: often enough that little is lost, seldom enough that nothing is slowed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch

from mfcore.errors import UnusableRequest
from mfcore.models import RecommenderModel
from mfcore.runs.checkpoints.files import load_state, save_checkpoint
from mfcore.runs.checkpoints.info import CheckpointInfo
from mfcore.runs.checkpoints.retention import drop_after, kept_epochs, kept_path, spacing, thin_out
from mfcore.runs.events import EpochEvent
from mfcore.runs.layout import RunFolder
from mfcore.training import Trainer

_PAUSE = 1.0
"""Seconds between checkpoints at the end of epochs; longer where writing one takes long."""
_WITHIN_EPOCH = 20.0
"""Seconds after which also an unfinished epoch is saved."""
State = dict[str, Any]


class CheckpointManager:
    """Writes ``last`` (weights and everything to continue from), ``best`` and ``refit`` (weights), and single epochs.

    Attributes:
        good: the state at the end of the last epoch, in memory: what is left when the next one diverges. None before the
            first. anchor: the latest state taken; from there the same steps under the same settings lead to here.
    """

    def __init__(
        self, folder: RunFolder, trainer: Trainer, every: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder, self.trainer = folder, trainer
        self.good: State | None = None
        self.anchor: State | None = None
        self._every, self._clock = every, clock
        self._last = folder.checkpoints / "last.safetensors"
        self._saved = -math.inf
        self._took = 0.0
        self._best_saved = 0
        self._size = 0
        self._told: EpochEvent | None = None

    def exists(self) -> bool:
        """Whether there is something to continue from."""
        return self._last.is_file()

    def restore(self) -> tuple[CheckpointInfo, str]:
        """Put the trainer where the last checkpoint was taken, and drop the epochs kept after it.

        Returns that place, and what was wrong if it is not the last one's: then it is the latest kept epoch that is whole.

        Raises:
            UnusableRequest: none of them can be read.
        """
        state, said, wrong = self._newest()
        info = CheckpointInfo.from_json(said)
        self.trainer.load_state_dict(state)
        self._best_saved, self._told = 0 if wrong else info.best_saved, info.told
        self._remember({"changed": {}, **state})  # early checkpoints do not say
        drop_after(self.folder.checkpoints, info.epoch)
        if wrong:
            self.save(force=True)
        return info, wrong

    def _newest(self) -> tuple[Any, dict[str, Any], str]:
        """State and info of the newest checkpoint that can be read, and why it is not the last one ("" where it is)."""
        try:
            return *load_state(self._last), ""
        except UnusableRequest as error:
            wrong = error
        for epoch in reversed(kept_epochs(self.folder.checkpoints)):
            with suppress(UnusableRequest):
                return *load_state(kept_path(self.folder.checkpoints, epoch)), str(wrong)
        raise wrong

    def branch(self, epoch: int, changes: list[str]) -> None:
        """Put the trainer where another run was at the end of ``epoch``, whose checkpoint is among our kept ones.

        The caller saves: from then on the run is continued, not begun.
        """
        state, said = load_state(kept_path(self.folder.checkpoints, epoch))
        self.trainer.branch_from(state, changes)
        self._told = CheckpointInfo.from_json(said).told
        self._remember(self.trainer.state_dict())
        self._keep(epoch)  # under our own settings from now on

    def epoch_ends(self, event: EpochEvent) -> bool:
        """Take the state after an epoch, told by ``event``, and write what is due. Returns whether the epoch is kept."""
        self._told = event
        self._remember(self.trainer.state_dict())
        epoch = self.trainer.epoch
        kept = epoch % spacing(self._every, epoch, self._size) == 0
        if kept:
            self._keep(epoch)
        self.save()
        return kept

    def save(self, *, force: bool = False) -> None:
        """Write ``last``, and ``best`` if there is a new one, unless that was done a moment ago."""
        if not force and self._clock() - self._saved < max(_PAUSE, 20 * self._took):
            return
        began = self._clock()
        self._save()
        self._saved = self._clock()
        self._took = self._saved - began

    def save_within_epoch(self) -> None:
        """For epochs that take minutes; training continues from the very step."""
        if self._clock() - self._saved > _WITHIN_EPOCH:
            self.save()

    def keep_end(self) -> bool:
        """Keep the last whole epoch, whatever the spacing; returns whether it was not kept before."""
        epoch = self.trainer.epoch
        if self.good is None or self.good["counters"]["epoch"] != epoch or epoch in kept_epochs(self.folder.checkpoints):
            return False
        self._keep(epoch)
        return True

    def fall_back(self) -> int | None:
        """After a divergence: ``last`` becomes the last good epoch, which is also kept. Returns its number, None if unknown."""
        if self.good is None:
            return max(kept_epochs(self.folder.checkpoints), default=None)
        self.trainer.load_state_dict(self.good)
        self.keep_end()
        self.save(force=True)
        return self.trainer.epoch

    def save_refit(self, model: RecommenderModel, epochs: int) -> None:
        """The weights that were trained on train + validation."""
        self._write("refit", model.state_dict(), epochs)

    def _remember(self, state: State) -> None:
        self.anchor = state
        if state["counters"]["_done"] == 0:
            self.good = state

    def _keep(self, epoch: int) -> None:
        assert self.good is not None
        path = kept_path(self.folder.checkpoints, epoch)
        save_checkpoint(path, self.good["model"], self._info(self.good), self.good, durable=False)
        size = path.stat().st_size
        self._size = (self._size + size) // 2 if self._size else size  # smaller where the best weights are the current ones
        thin_out(self.folder.checkpoints, {self.trainer.best_epoch}, self._every or 1)

    def _save(self) -> None:
        state = self.good
        if state is None or self._moved_on(state):
            state = self.trainer.state_dict()
            self._remember(state)
            if state is self.good and self.trainer.epoch in kept_epochs(self.folder.checkpoints):
                self._keep(self.trainer.epoch)  # steered between two epochs: a branch from here goes on as we do
        if state["best"] is not None and self.trainer.best_epoch != self._best_saved:
            self._write("best", state["best"], self.trainer.best_epoch)
            self._best_saved = self.trainer.best_epoch
        save_checkpoint(self._last, state["model"], self._info(state), state)

    def _moved_on(self, state: State) -> bool:
        """Whether training went on, or was steered, since ``state`` was taken."""
        counters = state["counters"]
        return bool(
            counters["step"] != self.trainer.step
            or counters["base_rate"] != self.trainer.rates.base
            or state["changed"] != self.trainer.changed
            or state.get("plan") != self.trainer.state.plan.state_dict()
        )

    def _write(self, name: str, weights: dict[str, torch.Tensor], epoch: int) -> None:
        info = {"run_id": self.folder.run_id, "epoch": epoch, "step": self.trainer.step}
        save_checkpoint(self.folder.checkpoints / f"{name}.safetensors", weights, info)

    def _info(self, state: State) -> dict[str, Any]:
        counters = state["counters"]
        place = (self.folder.run_id, counters["epoch"], counters["step"])
        return CheckpointInfo(*place, self._best_saved, state["changed"], self._told).to_json()
