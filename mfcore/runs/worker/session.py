"""Trains one run folder from beginning to end. The worker process and the command line both come through here."""

from __future__ import annotations

import dataclasses
import os
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import Timeout

from mfcore.data import Split, open_dataset
from mfcore.embeddings.snapshot_writer import SnapshotWriter
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.files import remove_torn
from mfcore.models import RecommenderModel
from mfcore.paths import data_dir
from mfcore.runs.checkpoints.manager import CheckpointManager
from mfcore.runs.commands import CommandInbox
from mfcore.runs.config import RunConfig
from mfcore.runs.events import CheckpointEvent, EndEvent, SnapshotEvent
from mfcore.runs.layout import RunFolder, RunStatus, this_host
from mfcore.runs.loaded import check_same_data, load_split
from mfcore.runs.manager.queue import Queue
from mfcore.runs.store import RunStore
from mfcore.runs.worker.controller import Controller, Requests, Timing, command_event
from mfcore.runs.worker.event_log import EventWriter, Listener, Position, epoch_event, step_event
from mfcore.runs.worker.failure import first_line, post_mortem
from mfcore.runs.worker.finish import LeftEarly, finish
from mfcore.runs.worker.heartbeat import Heartbeat
from mfcore.runs.worker.start import packages, set_out, start_model
from mfcore.settings import PlannedChange
from mfcore.training import EpochEnd, StepEnd, Trainer, TrainingDiverged, resolve_device

Progress = Callable[[str, float | None], None]
_LONGEST_REASON = 2000
"""Characters of what is told on one line; the whole is in worker.log."""


def train_run(
    folder: RunFolder,
    home: str | Path | None = None,
    *,
    progress: Progress | None = None,
    listen: Listener | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    stop: Callable[[], bool] = lambda: False,
    timing: Timing | None = None,
    lock_seconds: float = 5.0,
) -> RunStatus:
    """Train a queued run, or go on with one that has a checkpoint; returns how it ended. Whatever happens is in the folder.

    A run that another process holds, or that is not queued, is left alone and its status returned.

    Args:
        progress: (message, fraction or None) while the data is fetched. listen: gets every event as it is written.
        interrupted: asked after every step; True saves and leaves. stop: as if somebody had sent the command stop.
        timing: how the worker tells and spends time. lock_seconds: how long to wait for who holds the run.
    """
    try:
        held = folder.lock().acquire(timeout=lock_seconds)  # a manager may be looking at it this very moment
    except Timeout:
        return folder.status()
    with held:
        if folder.status().state != "queued":
            return folder.status()
        return Session(folder, home, progress, listen, Requests(interrupted, stop), timing or Timing()).run()


class Session:
    """One life of one run, from taking the lock to the last status: what may go wrong on the way, and what is told of it."""

    def __init__(
        self,
        folder: RunFolder,
        home: str | Path | None,
        progress: Progress | None,
        listen: Listener | None,
        requests: Requests,
        timing: Timing,
    ) -> None:
        self.folder, self.home, self.progress = folder, data_dir(home), progress
        self.requests, self.timing = requests, timing
        self.events = EventWriter(folder.events, listen)
        queued = folder.status()
        self.commands = CommandInbox(folder.commands, after=queued.commands_seen)
        self.status = dataclasses.replace(
            queued,
            state="running",
            pid=os.getpid(),
            host=this_host(),
            started=queued.started or time.time(),
            claimed_by="",
            server=queued.claimed_by,
        )
        self._active: ActiveRun | None = None
        self._told = ""

    def run(self) -> RunStatus:
        """Everything, with every way it can end.

        Raises:
            UnusableRequest: the folder of the run was removed meanwhile: nothing can be told of it any more.
        """
        try:
            return self._run()
        except (OSError, UnusableRequest):
            if self.folder.path.is_dir():
                raise
            gone = f"the folder of run {self.folder.run_id} was removed while it was trained: {self.folder.path}"
            raise UnusableRequest(f"{gone}; what it had learned is lost, train it again") from None

    def _run(self) -> RunStatus:
        self.folder.write_status(self.status)
        self.folder.events.repair()
        for place in (self.folder.checkpoints, self.folder.path / "snapshots"):
            remove_torn(place)
        try:
            return self._train()
        except LeftEarly as error:
            return self._end("interrupted", str(error))
        except (UnusableRequest, DataUnavailable, TrainingDiverged) as error:
            # A full disk is refused in words too, but it is no mistake in the run: that can go on when there is room.
            kind = error.__cause__ if isinstance(error.__cause__, OSError) else error
            return self._end("failed", str(error), error=type(kind).__name__)
        except KeyboardInterrupt:
            self._end("interrupted", "interrupted at the keyboard")
            raise
        except Exception as error:
            with self.folder.log_path.open("a") as log:
                traceback.print_exception(error, file=log)
            return self._end("failed", first_line(error), error=type(error).__name__)

    def write_status(self, **changes: Any) -> None:
        """Change the run's status in these fields."""
        self.status = dataclasses.replace(self.status, **changes)
        self.folder.write_status(self.status)

    def go_on(self) -> bool:
        """After a pause: True, and running, if it is this run's turn."""
        queue = Queue(RunStore(self.home))
        if not self.status.at_once:
            self.write_status(state="running")
            return True
        with suppress(Timeout), queue.lock():
            if queue.may_go_on(self.folder.run_id, self.status.at_once):
                self.write_status(state="running")
                return True
        if self.status.state != "resuming":
            self.write_status(state="resuming", queued=time.time())
        return False

    def _train(self) -> RunStatus:
        config = self.folder.config()
        resolve_device(config.training.device)  # refuse at once, before any data is fetched
        split = self._prepare_split(config)
        run = self._active = ActiveRun(self, config, split, start_model(config, split, self.home))
        set_out(run, self.status.extend_to)
        if self.status.extend_to:
            self.write_status(extend_to=0)
        try:
            reason = run.train()
            run.checkpoints.save(force=True)  # reads the losses of the last steps, which may be the ones that ran away
        except TrainingDiverged as error:
            post_mortem(run, error)
            raise
        if run.checkpoints.keep_end():
            run.tell_kept()
        if run.controller.interrupted and not run.controller.stop and reason in ("", "stopped"):
            return self._end("interrupted", f"the worker was asked to leave in epoch {run.trainer.epoch + 1}")
        result = finish(run, reason)
        return self._end(str(result["state"]), str(result["reason"]), result)

    def _prepare_split(self, config: RunConfig) -> Split:
        data = open_dataset(config.dataset, self.home, self._on_progress)
        check_same_data(data, self.folder.stored())
        known = self.folder.provenance()
        split = load_split(config, data, self.home, str(known.get("split_hash", "")))
        met = {"dataset_fingerprint": data.fingerprint, "split_hash": split.hash, "packages": packages()}
        self.folder.write_provenance({**known, **met})
        return split

    def _on_progress(self, text: str, fraction: float | None) -> None:
        if self.progress is not None:
            self.progress(text, fraction)
        if text != self._told:
            self._told = text
            self.events.message(text, Position())

    def _end(self, state: str, reason: str, result: dict[str, Any] | None = None, *, error: str = "") -> RunStatus:
        """The last event, then the last status. Whatever nobody has heard yet is refused in words rather than lost."""
        at, reason = Position() if self._active is None else self._active.position, reason[:_LONGEST_REASON]
        for pending in self.commands.take():
            self.events.record(command_event(pending, at, refused="the run was ending when this came"))
        told = ("test", "valid", "best_epoch", "train_seconds", "epochs")
        facts = {key: value for key, value in (result or {}).items() if key in told}
        self.events.record(EndEvent(state=state, reason=reason, step=at.step, epoch=at.epoch, at=at.at, **facts))
        seen = self.folder.last_command()
        self.write_status(state=state, reason=reason, error=error, ended=time.time(), pid=None, commands_seen=seen)
        return self.status


class ActiveRun:
    """Everything that works together while a run is trained.

    Attributes:
        diverged_at: where the numbers ran away; None while they have not.
    """

    def __init__(self, session: Session, config: RunConfig, split: Split, model: RecommenderModel) -> None:
        self.folder, self.home, self.events = session.folder, session.home, session.events
        self.config, self.split, self.clock = config, split, session.timing.clock
        self.diverged_at: Position | None = None
        self.trainer = Trainer(
            model,
            split,
            config.training,
            config.protocol,
            on_step=self._on_step,
            should_stop=self._should_stop,
            on_planned=self._on_planned,
        )
        self.checkpoints = CheckpointManager(self.folder, self.trainer, config.checkpoint_every, clock=session.timing.clock)
        self.snapshots = SnapshotWriter(self.folder.path, split, self.trainer.model)
        self.controller = Controller(
            self.trainer,
            self.checkpoints,
            session.commands,
            self.events,
            set_state=lambda state: session.write_status(state=state),
            requests=session.requests,
            pace=config.pace,
            timing=session.timing,
            on_hold=self._show_block,
            beat=Heartbeat(self.folder.heartbeat_path, session.timing.clock).beat,
            go_on=session.go_on,
        )

    @property
    def position(self) -> Position:
        """Where the run stands, or where it froze."""
        return self.diverged_at or Position.of(self.trainer)

    def train(self) -> str:
        """All epochs there are to train; returns why they ended."""
        trainer, controller = self.trainer, self.controller
        controller.start_clock()
        for end in trainer.fit():
            self.epoch_ends(end, keep_snapshot=bool(trainer.stop_reason) or controller.over)
            if trainer.stop_reason:
                controller.listen()  # more epochs may have been asked for while the last one was validated
            if not trainer.stop_reason:
                controller.epoch_ends()
            if controller.over:
                return trainer.stop_reason or "stopped"
        return trainer.stop_reason

    def epoch_ends(self, end: EpochEnd, *, keep_snapshot: bool = False) -> None:
        """Keep and tell an epoch, in this order: whoever sees an epoch can open its model."""
        event = epoch_event(end, self.trainer.train_seconds)
        kept = self.checkpoints.epoch_ends(event)
        self.events.record(event)
        if kept:
            self.tell_kept()
        self.snapshot(self.trainer.epoch, keep=keep_snapshot)

    def tell_kept(self) -> None:
        """Say that the epoch just done can be branched from."""
        self.events.record(CheckpointEvent(step=self.trainer.step, epoch=self.trainer.epoch))

    def snapshot(self, epoch: int, *, keep: bool = False) -> None:
        """Keep the vectors of an epoch to be looked at, unless the last ones are too recent."""
        if self.snapshots.write(self.trainer.model, epoch, self.trainer.step, keep=keep):
            self.events.record(SnapshotEvent(epoch=epoch, step=self.trainer.step))

    def message(self, text: str, level: str = "info") -> None:
        self.events.message(text, self.position, level)

    def _on_step(self, end: StepEnd) -> None:
        self.events.record(step_event(end))
        self.checkpoints.save_within_epoch()
        self.snapshots.write_now(self.trainer.model, end.epoch, end.step, asked=self.controller.last_batch)

    def _show_block(self) -> None:
        """The run is held: what the next step moves will be seen against this."""
        self.snapshots.write_now(self.trainer.model, self.trainer.progress, self.trainer.step, asked=True)

    # The trainer is there before its controller.

    def _should_stop(self) -> bool:
        return self.controller.should_stop()

    def _on_planned(self, change: PlannedChange, before: Any) -> None:
        self.controller.planned(change, before)
