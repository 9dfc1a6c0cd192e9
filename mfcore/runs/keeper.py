"""Keeps a run's checkpoints: often enough that little is lost, seldom enough that nothing is slowed."""

from __future__ import annotations

import time
from typing import Any

import torch

from mfcore.models import RecommenderModel
from mfcore.runs.checkpoint import load_state, save_checkpoint
from mfcore.runs.files import write_json
from mfcore.runs.folder import RunFolder
from mfcore.training import Trainer

_PAUSE = 1.0
"""Seconds between checkpoints at the end of epochs; longer where writing one takes long."""
_WITHIN_EPOCH = 20.0
"""Seconds after which also an unfinished epoch is saved."""


class Keeper:
    """Writes ``last`` (weights and everything to continue from), ``best`` and ``refit`` (weights)."""

    def __init__(self, folder: RunFolder, trainer: Trainer) -> None:
        self.folder, self.trainer = folder, trainer
        self._last = folder.checkpoints / "last.safetensors"
        self._saved = 0.0
        self._took = 0.0
        self._best_saved = 0

    def exists(self) -> bool:
        """Whether there is something to continue from."""
        return self._last.is_file()

    def restore(self) -> None:
        """Put the trainer where the last checkpoint was taken."""
        state, info = load_state(self._last)
        self.trainer.load_state_dict(state)
        self._best_saved = int(info.get("best_saved", 0))

    def save(self, *, force: bool = False) -> None:
        """Write ``last``, and ``best`` if there is a new one, unless that was done a moment ago."""
        if not force and time.monotonic() - self._saved < max(_PAUSE, 20 * self._took):
            return
        began = time.monotonic()
        self._save()
        self._saved = time.monotonic()
        self._took = self._saved - began

    def save_within_epoch(self) -> None:
        """For epochs that take minutes; training continues from the very step."""
        if time.monotonic() - self._saved > _WITHIN_EPOCH:
            self.save()

    def save_refit(self, model: RecommenderModel, epochs: int) -> None:
        """The weights that were trained on train + validation."""
        self._write("refit", model.state_dict(), epochs)

    def write_result(self, result: dict[str, Any]) -> None:
        write_json(self.folder.path / "result.json", result)

    def _save(self) -> None:
        state = self.trainer.state_dict()
        if state["best"] is not None and self.trainer.best_epoch != self._best_saved:
            self._write("best", state["best"], self.trainer.best_epoch)
            self._best_saved = self.trainer.best_epoch
        info = {**self._info(self.trainer.epoch), "best_saved": self._best_saved}
        save_checkpoint(self._last, state["model"], info, state)

    def _write(self, name: str, weights: dict[str, torch.Tensor], epoch: int) -> None:
        save_checkpoint(self.folder.checkpoints / f"{name}.safetensors", weights, self._info(epoch))

    def _info(self, epoch: int) -> dict[str, Any]:
        return {"run_id": self.folder.run_id, "epoch": epoch, "step": self.trainer.step}
