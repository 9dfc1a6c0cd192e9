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

from mfcore.data import Split, load_dataset
from mfcore.embeddings.snapshots import SnapshotWriter
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.files import remove_torn
from mfcore.paths import data_dir
from mfcore.runs.checkpoints.manager import Keeper
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder, RunStatus, this_host
from mfcore.runs.loaded import check_same_data, load_split
from mfcore.runs.worker.controller import Conductor
from mfcore.runs.worker.event_log import Diary, Listener
from mfcore.runs.worker.failure import post_mortem
from mfcore.runs.worker.finish import LeftEarly, finish
from mfcore.runs.worker.helm import Helm
from mfcore.runs.worker.initial_model import start_model
from mfcore.runs.worker.outcome import first_line, packages
from mfcore.runs.worker.running import Running
from mfcore.runs.worker.start import set_out
from mfcore.training import Trainer, TrainingDiverged, resolve_device

Progress = Callable[[str, float | None], None]
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
        self.folder, self.home, self.progress = folder, data_dir(home), progress
        self.diary = Diary(folder, listen)
        queued = folder.status()
        self.status = dataclasses.replace(
            queued, state="running", pid=os.getpid(), host=this_host(), started=queued.started or time.time(), claimed_by=""
        )
        self.running: Running | None = None
        self._told = ""
        self.conductor = Conductor(
            folder,
            after=queued.commands_seen,
            record=self.diary.record,
            set_state=self._set_state,
            interrupted=interrupted,
            stop=stop,
        )

    def run(self) -> RunStatus:
        """Everything, with every way it can end."""
        self.folder.write_status(self.status)
        self.folder.open_events()
        for place in (self.folder.checkpoints, self.folder.path / "snapshots"):
            remove_torn(place)
        try:
            return self._train()
        except LeftEarly as error:
            return self._end("interrupted", str(error))
        except (UnusableRequest, DataUnavailable, TrainingDiverged) as error:
            return self._end("failed", str(error), error=type(error).__name__)
        except KeyboardInterrupt:
            self._end("interrupted", "interrupted at the keyboard")
            raise
        except Exception as error:
            with self.folder.log_path.open("a") as log:
                traceback.print_exception(error, file=log)
            return self._end("failed", first_line(error), error=type(error).__name__)

    def _train(self) -> RunStatus:
        config = self.folder.config()
        resolve_device(config.training.device)  # refuse at once, before any data is fetched
        run = self.running = self._prepare(config, self._prepare_split(config))
        set_out(run, self.status.extend_to)
        if self.status.extend_to:
            self._write_status(extend_to=0)
        try:
            reason = self._epochs(run)
            run.keeper.save(force=True)  # reads the losses of the last steps, which may be the ones that ran away
        except TrainingDiverged as error:
            post_mortem(run, error)
            raise
        if run.keeper.keep_end():
            run.tell_kept()
        if self.conductor.interrupted and not self.conductor.stop and reason in ("", "stopped"):
            return self._end("interrupted", f"the worker was asked to leave in epoch {run.trainer.epoch + 1}")
        result = finish(run, reason)
        return self._end(str(result["state"]), str(result["reason"]), result)

    def _prepare_split(self, config: RunConfig) -> Split:
        data = load_dataset(config.dataset.name, home=self.home, progress=self._on_progress, **config.dataset.options)
        check_same_data(data, self.folder.stored())
        known = self.folder.provenance()
        split = load_split(config, data, self.home, str(known.get("split_hash", "")))
        met = {"dataset_fingerprint": data.fingerprint, "split_hash": split.hash, "packages": packages()}
        self.folder.write_provenance({**known, **met})
        return split

    def _prepare(self, config: RunConfig, split: Split) -> Running:
        model = start_model(config, split, self.home)
        trainer = Trainer(model, split, config.training, config.protocol, should_stop=self.conductor.should_stop)
        keeper = Keeper(self.folder, trainer, config.checkpoint_every)
        snapshots = SnapshotWriter(self.folder, split, trainer.model)
        helm = Helm(trainer, keeper, self.diary.message)
        self.diary.trainer, self.conductor.helm = trainer, helm
        self.conductor.position, self.conductor.pace = self.diary.position, config.pace
        run = Running(
            self.folder, self.home, config, split, trainer, keeper, snapshots, self.conductor, self.diary, helm
        )  # fmt: skip
        trainer.on_step = run.on_step
        return run

    def _epochs(self, run: Running) -> str:
        """All epochs there are to train; returns why they ended."""
        trainer = run.trainer
        self.conductor.start_clock()
        for end in trainer.fit():
            run.epoch_ends(end, keep_snapshot=bool(trainer.stop_reason) or self.conductor.over)
            if trainer.stop_reason:
                self.conductor.listen()  # more epochs may have been asked for while the last one was validated
            if not trainer.stop_reason:
                self.conductor.epoch_ends()
            if self.conductor.over:
                return trainer.stop_reason or "stopped"
        return trainer.stop_reason

    # --- what is told ------------------------------------------------------------------------------------------------

    def _on_progress(self, text: str, fraction: float | None) -> None:
        if self.progress is not None:
            self.progress(text, fraction)
        if text != self._told:
            self._told = text
            self.diary.message(text)

    def _set_state(self, state: str) -> None:
        self._write_status(state=state)

    def _write_status(self, **changes: Any) -> None:
        self.status = dataclasses.replace(self.status, **changes)
        self.folder.write_status(self.status)

    def _end(self, state: str, reason: str, result: dict[str, Any] | None = None, *, error: str = "") -> RunStatus:
        """The last event, then the last status."""
        told = ("test", "valid", "best_epoch", "train_seconds", "epochs")
        extra = {key: value for key, value in (result or {}).items() if key in told}
        self.conductor.close()
        self.diary.record({"kind": "end", "state": state, "reason": reason, **self.diary.position(), **extra})
        seen = self.folder.last_command()
        self._write_status(state=state, reason=reason, error=error, ended=time.time(), pid=None, commands_seen=seen)
        return self.status
