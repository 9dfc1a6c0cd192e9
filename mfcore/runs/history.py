"""How a run came to be what it is: its first settings, what was changed on the way and when, the runs it branched from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.runs.config import RunConfig
from mfcore.runs.events import CommandEvent, EpochEvent, Event, StartEvent
from mfcore.runs.layout import RunFolder
from mfcore.settings import SETTINGS
from mfcore.training.schedule import batch_factor


@dataclass(frozen=True)
class Change:
    """From ``step`` steps (and ``epoch`` whole epochs) on, the setting ``name`` (a flat key) was ``after``.

    ``before``: None where the first run of the line, which alone knew it, is not there any more. ``in_flight``: while the
    run itself was trained; else a run before it in its line, or a branch, brought it.
    """

    epoch: int
    step: int
    name: str
    before: Any
    after: Any
    in_flight: bool = field(default=False, compare=False)

    @property
    def words(self) -> str:
        """As one line: "weight_decay 0 → 0.3 after epoch 2, step 314"."""
        begins = self.name if self.before is None else f"{self.name} {_short(self.before)}"
        return f"{begins} → {_short(self.after)} after epoch {self.epoch}, step {self.step}"


@dataclass(frozen=True)
class Ancestor:
    """The run from the end of whose ``epoch`` another one went on, with ``changes`` (flat keys) to its settings.

    ``present``: whether it is still there.
    """

    run_id: str
    epoch: int
    changes: Mapping[str, Any]
    present: bool


@dataclass(frozen=True)
class RunHistory:
    """The line of training that leads to a run, from its very first step.

    Attributes:
        config: as the run itself was set up. begun_with: the settings of step 0, which for a branch are those of the first
            run of the line. complete: whether that run is there to be asked; if not, ``begun_with`` is ``config``.
        changes: in the order in which they came into force, those of branches among them. ancestry: the nearest first.
    """

    run_id: str
    config: RunConfig
    begun_with: RunConfig
    complete: bool
    changes: tuple[Change, ...] = ()
    ancestry: tuple[Ancestor, ...] = ()

    @classmethod
    def read(cls, folder: RunFolder) -> RunHistory:
        """The history as its configuration, its events and the first run of its line tell it.

        Raises:
            UnusableRequest: the run has no readable configuration.
        """
        config, events = folder.config(), folder.events.surviving()
        ancestry = _ancestry(folder, config, events)
        begun_with = _config_of(folder, ancestry[-1].run_id) if ancestry else config
        line = _Line(begun_with or config, complete=begun_with is not None)
        line.follow(events)
        if ancestry and not any(isinstance(event, StartEvent) and not event.inherited for event in events):
            line.branch(config.parent)  # it waits for its worker
        return cls(folder.run_id, config, begun_with or config, begun_with is not None, tuple(line.changes), tuple(ancestry))

    @property
    def in_flight(self) -> tuple[Change, ...]:
        """What was changed while the run itself was trained, and changes weights: what its configuration does not say."""
        return tuple(change for change in self.changes if change.in_flight and SETTINGS[change.name].changes_weights)

    def settings_at(self, step: int) -> RunConfig:
        """The settings that hold after ``step`` steps, for the one that follows."""
        settings = self.begun_with
        for change in self.changes:
            if change.step <= step:
                settings = settings.with_flat({change.name: change.after})
        return settings


class _Line:
    """Goes through events, and notes what each changes."""

    def __init__(self, begun_with: RunConfig, *, complete: bool) -> None:
        self.settings, self.complete = begun_with, complete
        self.changes: list[Change] = []
        self._step_of: dict[int, int] = {}

    def follow(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, EpochEvent):
                self._step_of[event.epoch] = event.step or 0
            elif isinstance(event, StartEvent) and event.parent:
                self.branch(event.parent)
            elif isinstance(event, CommandEvent) and event.refused is None:
                self._obey(event)

    def branch(self, parent: Mapping[str, Any]) -> None:
        """The next run of the line sets out."""
        epoch = int(parent["epoch"])
        for name, value in dict(parent.get("changes", {})).items():
            self._change(epoch, self._step_of.get(epoch, 0), name, value)

    def _obey(self, event: CommandEvent) -> None:
        name, value = event.name, event.value
        if name == "extend":
            name, value = "num_epochs", event.num_epochs
        elif name == "learning_rate" and isinstance(value, (int, float)):
            value = value / batch_factor(self.settings.training)  # asked for was the rate of the present batch size
        if name in SETTINGS and value is not None:
            self._change(event.epoch or 0, event.step or 0, name, value, in_flight=not event.inherited)

    def _change(self, epoch: int, step: int, name: str, value: Any, *, in_flight: bool = False) -> None:
        before, told = self.settings.to_flat(defaults=True).get(name), any(change.name == name for change in self.changes)
        try:
            self.settings = self.settings.with_flat({name: value})
        except UnusableRequest:  # no run writes that; a hand may
            return
        after, known = self.settings.to_flat(defaults=True).get(name), self.complete or told
        if not known or before != after:
            self.changes.append(Change(epoch, step, name, before if known else None, after, in_flight))


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ancestry(folder: RunFolder, config: RunConfig, events: Iterable[Event]) -> list[Ancestor]:
    """Every run of the line has told of its start in events that its branches took over."""
    told = [event.parent for event in events if isinstance(event, StartEvent) and event.parent]
    ancestry: list[Ancestor] = []
    for parent in [config.parent, *reversed(told)]:
        if parent and not any(earlier.run_id == parent["run_id"] for earlier in ancestry):
            present = RunFolder(folder.path.with_name(parent["run_id"])).exists()
            ancestry.append(Ancestor(parent["run_id"], int(parent["epoch"]), dict(parent.get("changes", {})), present))
    return ancestry


def _config_of(folder: RunFolder, run_id: str) -> RunConfig | None:
    """The configuration of another run of the same home; None if it is not there."""
    try:
        return RunFolder(folder.path.with_name(run_id)).config()
    except UnusableRequest:
        return None
