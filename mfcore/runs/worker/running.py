"""Everything that works together while a run is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mfcore.data import Split
from mfcore.embeddings.snapshot_writer import SnapshotWriter
from mfcore.runs.checkpoints.manager import Keeper
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder
from mfcore.runs.worker.controller import Conductor
from mfcore.runs.worker.event_log import Diary
from mfcore.runs.worker.helm import Helm
from mfcore.training import EpochEnd, StepEnd, Trainer


@dataclass(frozen=True)
class Running:
    """One life of one run, in training."""

    folder: RunFolder
    home: Path
    config: RunConfig
    split: Split
    trainer: Trainer
    keeper: Keeper
    snapshots: SnapshotWriter
    conductor: Conductor
    diary: Diary
    helm: Helm

    def on_step(self, end: StepEnd) -> None:
        """As the trainer's ``on_step``."""
        self.diary.step(end)
        self.keeper.save_within_epoch()
        self.snapshots.write_now(self.trainer.model, end.epoch, end.step)

    def epoch_ends(self, end: EpochEnd, *, keep_snapshot: bool = False) -> None:
        """Keep and tell an epoch, in this order: whoever sees an epoch can open its model."""
        event = self.diary.epoch_event(end)
        kept = self.keeper.epoch_ends(event)
        self.diary.record(event)
        if kept:
            self.tell_kept()
        self.snapshot(self.trainer.epoch, keep=keep_snapshot)

    def tell_kept(self) -> None:
        """Say that the epoch just done can be branched from."""
        self.diary.record({"kind": "checkpoint", **self.diary.position()})

    def snapshot(self, epoch: int, *, keep: bool = False) -> None:
        """Keep the vectors of an epoch to be looked at, unless the last ones are too recent."""
        if self.snapshots.write(self.trainer.model, epoch, self.trainer.step, keep=keep):
            self.diary.record({"kind": "snapshot", "epoch": epoch, "step": self.trainer.step})
