"""Between a run and the people who watch it: applies their commands at step boundaries, and keeps the pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from mfcore.errors import UnusableRequest
from mfcore.runs.checkpoints.manager import CheckpointManager
from mfcore.runs.commands import STEPS, Command, PendingCommand
from mfcore.runs.events import CheckpointEvent, CommandEvent
from mfcore.runs.worker.event_log import EventWriter, Position
from mfcore.settings import PlannedChange
from mfcore.training import Trainer
from mfcore.validate import require

Facts = dict[str, Any]
"""What a command brought along, as fields of its event."""


_ASK = 0.25
"""Seconds between questions whether a run may go on after a pause."""


class CommandSource(Protocol):
    """Where commands come from: :class:`mfcore.runs.commands.CommandInbox`, or a test's own."""

    def take(self) -> Iterable[PendingCommand]:
        """What has come since the last time, in order."""


@dataclass(frozen=True)
class Timing:
    """How time is told and spent.

    ``poll``: seconds between looks for commands; a look at every step would cost more than the step. ``nap``: seconds between
    looks while the run waits.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    poll: float = 0.05
    nap: float = 0.02


@dataclass(frozen=True)
class Requests:
    """What a run is asked for from outside, besides commands.

    ``interrupted``: the process is to leave, the run is to be continued later. ``stop``: as if somebody had sent that command.
    """

    interrupted: Callable[[], bool] = lambda: False
    stop: Callable[[], bool] = lambda: False


def command_event(pending: PendingCommand, at: Position, **facts: Any) -> CommandEvent:
    """The event that tells of a command."""
    scalar = isinstance(pending.value, (str, int, float, type(None)))
    value = pending.value if scalar else str(pending.value)
    asked: Facts = {"name": pending.kind, "number": pending.number, "value": value}
    return CommandEvent(step=at.step, epoch=at.epoch, at=at.at, **asked, **facts)


class Controller:
    """Answers a trainer's ``should_stop``, steers it, and holds it back while paused or ahead of the pace.

    A change is saved before the next step, so that a run killed right after it goes on with it. Waiting here is not training
    time: the trainer times its steps alone.

    Attributes:
        pace: epochs a second to keep to; 0 is full speed. paused: whether the run is held.

    ``beat``: called whenever it looks for commands.
    ``go_on``: asked now and then once a held run is told to go on; True: it is running from then on, and known to be.
    """

    def __init__(
        self,
        trainer: Trainer,
        checkpoints: CheckpointManager,
        commands: CommandSource,
        events: EventWriter,
        *,
        set_state: Callable[[str], None],
        requests: Requests,
        pace: float = 0.0,
        timing: Timing | None = None,
        on_hold: Callable[[], None] = lambda: None,
        beat: Callable[[], None] = lambda: None,
        go_on: Callable[[], bool] | None = None,
    ) -> None:
        self.pace = pace
        self.paused = False
        self._trainer, self._checkpoints, self._commands, self._events = trainer, checkpoints, commands, events
        self._set_state, self._requests, self._timing = set_state, requests, timing or Timing()
        self._on_hold, self._beat = on_hold, beat
        self._go_on = go_on or self._go_on_at_once
        self._in_line = False
        self._next_ask = 0.0
        self._steerable = True
        self._stop_asked = False
        self._batches = self._epochs = 0
        self._batch_is_on = False
        self._next_look = 0.0
        self._epoch_began = 0.0

    @property
    def stop(self) -> bool:
        """Somebody asked the run to end."""
        return self._stop_asked or self._requests.stop()

    @property
    def interrupted(self) -> bool:
        """The process is asked to leave; the run is to be continued later."""
        return self._requests.interrupted()

    @property
    def over(self) -> bool:
        return self.stop or self.interrupted

    @property
    def last_batch(self) -> bool:
        """The batch in training is the last that was asked for: whoever asked looks at what it does."""
        return self._batch_is_on and self._batches == 1

    # --- what the training asks ------------------------------------------------------------------------------------------

    def should_stop(self) -> bool:
        """To be asked after every step. Looks for commands now and then, and waits here while the run is paused."""
        now = self._timing.clock()
        if now >= self._next_look or self._batches or self._batch_is_on:
            self.listen()
            self._next_look = now + self._timing.poll
            self._after_batch()
            self._wait()
            self._before_batch()
        return self.over

    def start_clock(self) -> None:
        """The first epoch begins now."""
        self._epoch_began = self._timing.clock()

    def epoch_ends(self) -> None:
        """Wait until the pace allows the next epoch; commands are heard meanwhile."""
        self._after_batch()
        if self._epochs:
            self._epochs -= 1
            self._hold(not self._epochs)
        self.listen()  # a step asked for from here on is about the next epoch
        self._wait(self._ahead_of_pace)
        self._epoch_began = self._timing.clock()

    def listen(self) -> None:
        """Do what was asked for meanwhile, without waiting, and give a sign of life."""
        self._beat()
        for pending in self._commands.take():
            at, facts = Position.of(self._trainer), Facts()
            try:
                require(pending.command is not None, pending.refused)
                assert pending.command is not None
                facts = self._apply(pending.command)
            except UnusableRequest as error:
                facts = {"refused": str(error)}
            self._events.record(command_event(pending, at, **facts))

    def planned(self, change: PlannedChange, before: Any) -> None:
        """The trainer made a change that was planned: it is kept and told like one that somebody asked for."""
        at = Position.of(self._trainer)
        told: Facts = {"name": change.name, "value": change.value, "before": before}
        if change.name == "num_epochs":
            told |= {"name": "extend", "value": change.value - before, "num_epochs": change.value}
        self._checkpoints.save(force=True)
        self._events.record(CommandEvent(planned=True, step=at.step, epoch=at.epoch, at=at.at, **told))

    def let_go(self) -> None:
        """The training is over, what follows cannot be steered: nothing is changed or taken step by step any more."""
        self._steerable = False
        self._batches = self._epochs = 0
        self._batch_is_on = False

    def extend_to(self, num_epochs: int) -> Facts:
        """Train until ``num_epochs`` are done; the caller saves."""
        config = self._trainer.config
        self._trainer.extend(num_epochs)
        again = "" if config.schedule == "constant" else f"; the schedule restarts from learning rate {config.learning_rate:g}"
        self._message(f"training goes on to epoch {num_epochs}{again}")
        return {"num_epochs": num_epochs}

    # --- commands --------------------------------------------------------------------------------------------------------

    def _apply(self, command: Command) -> Facts:
        """Do what a command says; returns what else is to be told about it.

        Raises:
            UnusableRequest: that is not possible here.
        """
        kind = command.kind
        if kind == "stop":
            self._stop_asked = True
        elif kind in ("pause", "resume"):
            self._batches = self._epochs = 0
            self._hold(kind == "pause")
        elif kind == "pace":
            self.pace = command.value or 0.0
        else:
            require(self._steerable, "the epochs are over; only stop, pause, resume and pace are heard now")
            return self._step(command) if kind in STEPS else self._set(kind, command.value or 0.0)
        return {}

    def _step(self, command: Command) -> Facts:
        """The same step asked for twice, such as from two tabs, is two steps; another kind takes the place of the first."""
        if self._in_line:
            self._hold(True)  # whoever steps by hand does not wait to go on
        if command.kind == "step_batch":
            self._batches, self._epochs = self._batches + int(command.value or 1), 0
        else:
            self._batches, self._epochs = 0, self._epochs + 1
            self._hold(False, by_hand=True)
        return {}

    def _set(self, name: str, value: float) -> Facts:
        """Put a setting to ``value``; ``extend`` adds epochs."""
        facts: Facts = {"before": self._trainer.setting("num_epochs" if name == "extend" else name)}
        if name == "learning_rate":
            self._trainer.set_learning_rate(value)
        elif name == "extend":
            facts |= self.extend_to(self._trainer.config.num_epochs + int(value))
        else:
            facts |= self._change(name, value)
        self._checkpoints.save(force=True)
        return facts

    def _change(self, name: str, value: float) -> Facts:
        before = self._trainer.engine_reason
        self._trainer.change(**{name: value})
        if self._trainer.engine_reason == before:
            return {}
        self._message(self._trainer.engine_reason)
        return {"engine": self._trainer.engine}

    def _message(self, text: str) -> None:
        self._events.message(text, Position.of(self._trainer))

    # --- holding and waiting ---------------------------------------------------------------------------------------------

    def _before_batch(self) -> None:
        if self._batches and self._steerable:
            self._batch_is_on = True
            self._trainer.take_one_step()

    def _after_batch(self) -> None:
        if self._batch_is_on:
            self._batch_is_on = False
            if self._batches:  # else somebody asked for something else meanwhile
                self._batches -= 1
                self._hold(not self._batches)

    def _hold(self, held: bool, *, by_hand: bool = False) -> None:
        """``by_hand``: for a step that somebody asked for, which is taken at once; else a run that goes on takes its turn."""
        if self.paused == held:
            return
        self.paused, self._in_line, self._next_ask = held, not held and not by_hand, 0.0
        if held and self._steerable:
            self._on_hold()
        if not self._waits_its_turn() and (held or by_hand):
            self._set_state("paused" if held else "running")
        # Whoever waits may want to branch from here.
        if held and self._steerable and self._checkpoints.keep_end():
            self._events.record(CheckpointEvent(step=self._trainer.step, epoch=self._trainer.epoch))

    def _waits_its_turn(self) -> bool:
        now = self._timing.clock()
        if self._in_line and now >= self._next_ask:
            self._next_ask = now + _ASK
            self._in_line = not self._go_on()
        return self._in_line

    def _go_on_at_once(self) -> bool:
        self._set_state("running")
        return True

    def _ahead_of_pace(self) -> bool:
        return self.pace > 0 and not self._batches and self._timing.clock() < self._epoch_began + 1.0 / self.pace

    def _wait(self, early: Callable[[], bool] = lambda: False) -> None:
        while ((self.paused and not self._batches) or self._waits_its_turn() or early()) and not self.over:
            self._timing.sleep(self._timing.nap)
            self.listen()
