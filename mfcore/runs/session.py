"""Trains one run folder from beginning to end. The worker process and the command line both come through here."""

from __future__ import annotations

import dataclasses
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import Timeout

from mfcore.data import DataUnavailable, Split, load_dataset
from mfcore.models import RecommenderModel
from mfcore.paths import data_dir
from mfcore.runs.conductor import Conductor
from mfcore.runs.config import RunConfig
from mfcore.runs.effects import without_effect
from mfcore.runs.folder import RunFolder, RunStatus, this_host
from mfcore.runs.helm import Helm
from mfcore.runs.keeper import Keeper
from mfcore.runs.loaded import check_same_data, load_split
from mfcore.runs.outcome import first_line, packages, score_test, start_event
from mfcore.runs.snapshots import SnapshotWriter
from mfcore.runs.starting import start_model
from mfcore.training import EpochEnd, StepEnd, Trainer, TrainingDiverged, TrainingStopped, refit, resolve_device
from mfcore.validate import UnusableRequest

Progress = Callable[[str, float | None], None]
Listener = Callable[[dict[str, Any]], None]
_LOCK_SECONDS = 5.0


def train_run(
    folder: RunFolder,
    home: str | Path | None = None,
    *,
    progress: Progress | None = None,
    listen: Listener | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    stop: Callable[[], bool] = lambda: False,
) -> RunStatus:
    """Train a queued run, or go on with one that has a checkpoint; returns how it ended. Whatever happens is in the folder.

    A run that another process holds, or that is not queued, is left alone and its status returned.

    Args:
        progress: (message, fraction or None) while the data is fetched. listen: gets every event as it is written.
        interrupted: asked after every step; True saves and leaves. stop: as if somebody had sent the command stop.
    """
    lock = folder.lock()
    try:
        lock.acquire(timeout=_LOCK_SECONDS)  # a manager may be looking at it this very moment
    except Timeout:
        return folder.status()
    with lock:
        if folder.status().state != "queued":
            return folder.status()
        return Session(folder, home, progress, listen, interrupted, stop).run()


class Session:
    """One life of one run, from taking the lock to the last status."""

    def __init__(
        self,
        folder: RunFolder,
        home: str | Path | None,
        progress: Progress | None,
        listen: Listener | None,
        interrupted: Callable[[], bool],
        stop: Callable[[], bool],
    ) -> None:
        self.folder, self.home = folder, data_dir(home)
        self.progress, self.listen = progress, listen
        queued = folder.status()
        self.status = dataclasses.replace(
            queued, state="running", pid=os.getpid(), host=this_host(), started=queued.started or time.time(), claimed_by=""
        )
        self.trainer: Trainer | None = None
        self.keeper: Keeper | None = None
        self.snapshots: SnapshotWriter | None = None
        self._told = ""
        self.conductor = Conductor(
            folder,
            after=queued.commands_seen,
            record=self.record,
            set_state=self._set_state,
            interrupted=interrupted,
            stop=stop,
        )

    def run(self) -> RunStatus:
        """Everything, with every way it can end."""
        self.folder.write_status(self.status)
        self.folder.open_events()
        try:
            return self._train()
        except (UnusableRequest, DataUnavailable, TrainingDiverged) as error:
            return self._end("failed", str(error), error=type(error).__name__)
        except KeyboardInterrupt:
            self._end("interrupted", "interrupted at the keyboard")
            raise
        except Exception as error:
            with self.folder.log_path.open("a") as log:
                traceback.print_exception(error, file=log)
            return self._end("failed", first_line(error), error=type(error).__name__)

    def record(self, event: dict[str, Any]) -> None:
        """Write an event, and tell the listener."""
        line = self.folder.append_event(event)
        if self.listen is not None:
            self.listen(line)

    def message(self, text: str, level: str = "info") -> None:
        """Something for people to read beside the chart."""
        self.record({"kind": "message", "level": level, "text": text, **self._position()})

    # --- the run -----------------------------------------------------------------------------------------------------

    def _train(self) -> RunStatus:
        config = self.folder.config()
        resolve_device(config.training.device)  # refuse at once, before any data is fetched
        split = self._prepare_split(config)
        model = start_model(config, split, self.home)
        trainer = self.trainer = Trainer(
            model, split, config.training, config.protocol, on_step=self._on_step, should_stop=self.conductor.should_stop
        )
        keeper = self.keeper = Keeper(self.folder, trainer)
        self.snapshots = SnapshotWriter(self.folder, split, trainer.model)
        self.conductor.helm = Helm(trainer, keeper, self.message)
        self.conductor.position = self._position
        self.conductor.pace = config.pace
        if keeper.exists():
            keeper.restore()
            self.snapshots.take_back(trainer.epoch)
            self._take_up(trainer)
        else:
            self._begin(config, split, trainer, keeper)
        reason = self._epochs(trainer, keeper)
        keeper.save(force=True)
        if self.conductor.interrupted and not self.conductor.stop and reason in ("", "stopped"):
            return self._end("interrupted", f"the worker was asked to leave in epoch {trainer.epoch + 1}")
        return self._finish(config, split, trainer, keeper, reason)

    def _prepare_split(self, config: RunConfig) -> Split:
        data = load_dataset(config.dataset.name, home=self.home, progress=self._on_progress, **config.dataset.options)
        check_same_data(data, self.folder)
        split = load_split(config, data, self.home, str(self.folder.provenance().get("split_hash", "")))
        self.folder.write_provenance(
            {"dataset_fingerprint": data.fingerprint, "split_hash": split.hash, "packages": packages()}
        )
        return split

    def _begin(self, config: RunConfig, split: Split, trainer: Trainer, keeper: Keeper) -> None:
        self.record(start_event(config, split, trainer, self.home))
        if config.training.batch_size == 1:
            self.message(trainer.engine_reason)
        for sentence in without_effect(config):
            self.message(sentence)
        if trainer.validation_words:
            self.message(trainer.validation_words)
        untrained = trainer.validate()
        keeper.save(force=True)  # before the event: whoever sees an epoch can open the model
        self._record_epoch(untrained)
        self._snapshot(trainer, 0, keep=True)

    def _take_up(self, trainer: Trainer) -> None:
        """Continue: events after the checkpoint are taken back, and the pace last asked for is kept."""
        self.record({"kind": "resume", "step": trainer.step, "epoch": trainer.epoch})
        for event in self.folder.load_events():
            if event.get("kind") == "command" and event.get("name") == "pace" and "value" in event:
                self.conductor.pace = float(event["value"])

    def _epochs(self, trainer: Trainer, keeper: Keeper) -> str:
        """All epochs there are to train; returns why they ended."""
        self.conductor.start_clock()
        for end in trainer.fit():
            keeper.save()
            self._record_epoch(end)
            self._snapshot(trainer, trainer.epoch, keep=bool(trainer.stop_reason) or self.conductor.over)
            if not trainer.stop_reason:
                self.conductor.epoch_ends()
            if self.conductor.over:
                return trainer.stop_reason or "stopped"
        return trainer.stop_reason

    def _finish(self, config: RunConfig, split: Split, trainer: Trainer, keeper: Keeper, reason: str) -> RunStatus:
        """Put the best weights in, train once more on train + validation if that is wanted, and score test once."""
        self.conductor.let_go()
        trainer.load_best()
        if trainer.best_epoch > 0:
            self._snapshot(trainer, trainer.best_epoch, keep=True)
        model, refitted = trainer.model, None
        if config.training.refit and not self.conductor.stop and trainer.best_epoch > 0:
            try:
                refitted = self._refit(config, split, trainer.best_epoch)
            except TrainingStopped:
                if not self.conductor.stop:
                    return self._end("interrupted", "the worker was asked to leave while it trained on train + validation")
                self.message("stopped before training on train + validation was complete; test scores the best epoch instead")
        if refitted is not None:
            keeper.save_refit(refitted, trainer.best_epoch)
        state = "stopped" if self.conductor.stop else "finished"
        reason = "stopped by request" if state == "stopped" else reason
        result = score_test(self.folder, config, split, trainer, model, refitted, self.home)
        result = {**result, "state": state, "reason": reason}
        keeper.write_result(result)
        return self._end(state, reason, result)

    def _refit(self, config: RunConfig, split: Split, epochs: int) -> RecommenderModel:
        together = split.with_validation_in_train()
        self.message(f"training once more on train + validation, {epochs} epochs, before test is scored")
        model = start_model(config, together, self.home)
        stop = self.conductor.should_stop
        return refit(model, together, config.training, epochs, protocol=config.protocol, should_stop=stop)

    # --- what is told ------------------------------------------------------------------------------------------------

    def _on_progress(self, text: str, fraction: float | None) -> None:
        if self.progress is not None:
            self.progress(text, fraction)
        if text != self._told:
            self._told = text
            self.message(text)

    def _on_step(self, end: StepEnd) -> None:
        self.record({"kind": "step", **dataclasses.asdict(end)})
        if self.keeper is not None:
            self.keeper.save_within_epoch()
        if self.snapshots is not None and self.trainer is not None:
            self.snapshots.write_now(self.trainer.model, end.epoch, end.step)

    def _snapshot(self, trainer: Trainer, epoch: int, *, keep: bool = False) -> None:
        if self.snapshots is not None and self.snapshots.write(trainer.model, epoch, trainer.step, keep=keep):
            self.record({"kind": "snapshot", "epoch": epoch, "step": trainer.step})

    def _record_epoch(self, end: EpochEnd) -> None:
        entry = dataclasses.asdict(end)
        entry["epoch"] = entry.pop("number")
        if end.seconds > 0:
            entry["samples_per_second"] = round(end.samples / end.seconds, 1)
        self.record({"kind": "epoch", **entry})

    def _position(self) -> dict[str, Any]:
        return {} if self.trainer is None else {"step": self.trainer.step, "epoch": self.trainer.epoch}

    def _set_state(self, state: str) -> None:
        self.status = dataclasses.replace(self.status, state=state)
        self.folder.write_status(self.status)

    def _end(self, state: str, reason: str, result: dict[str, Any] | None = None, *, error: str = "") -> RunStatus:
        """The last event, then the last status."""
        told = ("test", "valid", "best_epoch", "train_seconds", "epochs")
        extra = {key: value for key, value in (result or {}).items() if key in told}
        self.status = dataclasses.replace(
            self.status,
            state=state,
            reason=reason,
            error=error,
            ended=time.time(),
            pid=None,
            commands_seen=self.folder.last_command(),
        )
        self.record({"kind": "end", "state": state, "reason": reason, **self._position(), **extra})
        self.folder.write_status(self.status)
        return self.status
