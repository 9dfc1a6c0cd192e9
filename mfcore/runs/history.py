"""How a run came to be what it is: its first settings, what was changed on the way and when, the runs it branched from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.runs.config import RunConfig
from mfcore.runs.events import CommandEvent, EndEvent, EpochEvent, Event, ResumeEvent, StartEvent
from mfcore.runs.layout import RunFolder
from mfcore.settings import SETTINGS, STOP, PlannedChange, plannable, planned, write_plan
from mfcore.training.config import Stage
from mfcore.training.schedule import batch_factor, rate_text

BEGUN_WITH = "begun_with"
"""Key of a branch's provenance: the configuration of the first run of its line."""


@dataclass(frozen=True)
class Change:
    """From ``step`` steps (and ``epoch`` whole epochs) on, the setting ``name`` (a flat key) was ``after``.

    ``before``: None where the first run of the line, which alone knew it, is not there any more. ``at``: epochs done by then,
    fractional. ``asked``: as it was asked for, ``instead_of``: what was in force until then; a learning rate is that of the
    next step, which a schedule may have taken far from the setting. ``in_flight``: while the run itself
    was trained; else a run before it in its line, or a branch, brought it. ``branch``: a branch set out with it. ``planned``:
    the configuration's plan said so.
    """

    epoch: int
    step: int
    name: str
    before: Any
    after: Any
    in_flight: bool = field(default=False, compare=False)
    at: float = field(default=math.nan, compare=False)
    asked: Any = field(default=None, compare=False)
    instead_of: Any = field(default=None, compare=False)
    branch: bool = field(default=False, compare=False)
    planned: bool = field(default=False, compare=False)

    @property
    def words(self) -> str:
        """As one line: "lr 0.0069 → 0.00069 after epoch 20", "decay 0 → 0.3 in epoch 3, after step 314"."""
        begins = f"{SETTINGS[self.name].brief} {self.shown_before}".strip()
        place = f"in epoch {self.epoch + 1}, after step {self.step}" if self.at > self.epoch else f"after epoch {self.epoch}"
        return f"{begins} → {self.shown_after} {place}"

    @property
    def shown_before(self) -> str:
        """The value until then, rounded for people; empty where nobody knows it."""
        before = self.before if self.instead_of is None else self.instead_of
        return "" if before is None else _short(before)

    @property
    def shown_after(self) -> str:
        """The value from then on, rounded for people."""
        return _short(self.after if self.asked is None else self.asked)


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
            run of the line. complete: whether these are known; if not, ``begun_with`` is ``config``.
        changes: in the order in which they came into force, those of branches among them. ancestry: the nearest first.
        stopped_at: epochs done when somebody ended it; NaN where nobody did. reached: epochs done, as far as its events tell.
    """

    run_id: str
    config: RunConfig
    begun_with: RunConfig
    complete: bool
    changes: tuple[Change, ...] = ()
    ancestry: tuple[Ancestor, ...] = ()
    stopped_at: float = field(default=math.nan, compare=False)
    reached: float = field(default=0.0, compare=False)

    @classmethod
    def read(cls, folder: RunFolder) -> RunHistory:
        """The history as its configuration, its events and the first run of its line tell it.

        Raises:
            UnusableRequest: the run has no readable configuration.
        """
        config, events = folder.config(), folder.events.surviving()
        ancestry = _ancestry(folder, config, events)
        begun_with = (_remembered(folder) or _config_of(folder, ancestry[-1].run_id)) if ancestry else config
        line = _Line(begun_with or config, complete=begun_with is not None)
        line.follow(events)
        if ancestry and not any(isinstance(event, StartEvent) and not event.inherited for event in events):
            line.branch(config.parent)  # it waits for its worker
        known = begun_with is not None
        told = tuple(line.changes), tuple(ancestry), line.stopped_at, line.reached
        return cls(folder.run_id, config, begun_with or config, known, *told)

    @property
    def in_flight(self) -> tuple[Change, ...]:
        """What was changed while the run itself was trained, and changes weights: what its configuration does not say."""
        return tuple(change for change in self.changes if change.in_flight and _counts(change))

    @property
    def on_the_way(self) -> tuple[Change, ...]:
        """What was changed anywhere in the line, and changes weights."""
        return tuple(change for change in self.changes if _counts(change))

    @property
    def line(self) -> tuple[Stage, ...] | None:
        """The trainings that led here, each with what happened in it, and is still to happen, as its plan; None if the first
        settings are not known."""
        if not self.complete:
            return None
        bounds = [ancestor.epoch for ancestor in reversed(self.ancestry)]
        settings, stages, rest = self.begun_with, list[Stage](), list(self.changes)
        for until in [*bounds, None]:
            brought: list[Change] = []
            while stages and rest and rest[0].branch:
                brought.append(rest.pop(0))
            settings = settings.with_flat({change.name: change.after for change in brought})
            steered: list[Change] = []
            while rest and not rest[0].branch and (until is None or rest[0].at <= until):
                steered.append(rest.pop(0))
            plan = write_plan([*_told(steered), *([*_end(self.stopped_at), *self._ahead()] if until is None else [])])
            names = tuple(SETTINGS[change.name].attribute for change in brought)
            stages.append(Stage(dataclasses.replace(settings.training, plan=plan), until, names))
            settings = settings.with_flat({change.name: change.after for change in steered})
        return tuple(stages)

    @property
    def repeated(self) -> RunConfig:
        """The configuration that leads to the same weights: with all that happened while the run was trained as its plan.

        Of a branch: from its parent's epoch on.
        """
        by_hand = _told(change for change in self.changes if change.in_flight and not change.planned)
        told = sorted([*by_hand, *planned(self.config.training.plan)], key=lambda change: change.at)
        training = dataclasses.replace(self.config.training, plan=write_plan([*told, *_end(self.stopped_at)]))
        if not math.isnan(self.stopped_at):
            training = dataclasses.replace(training, refit=False)  # who ended it early wanted no more training
        return dataclasses.replace(self.config, training=training)

    def _ahead(self) -> list[PlannedChange]:
        """What the configuration plans for places that are not reached yet."""
        made = {(change.name, change.at) for change in self.changes if change.planned}
        plan = planned(self.config.training.plan)
        return [one for one in plan if one.at >= self.reached and (one.name, one.at) not in made]

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
        self.stopped_at, self.reached = math.nan, 0.0
        self._step_of: dict[int, int] = {}
        self._steps_per_epoch = 0
        self._rate: float | None = None

    def follow(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, EpochEvent | ResumeEvent):
                self.stopped_at = math.nan  # it went on
            if isinstance(event, EpochEvent):
                self._step_of[event.epoch] = event.step or 0
                self.reached = max(self.reached, float(event.epoch))
                self._rate = None if math.isnan(event.learning_rate) else event.learning_rate
            elif isinstance(event, StartEvent):
                self._steps_per_epoch = event.steps_per_epoch or 0
                if event.parent:
                    self.branch(event.parent)
            elif isinstance(event, CommandEvent) and event.refused is None:
                self._obey(event)
            elif isinstance(event, EndEvent) and event.state == "stopped":
                self.stopped_at = self._at(event)

    def branch(self, parent: Mapping[str, Any]) -> None:
        """The next run of the line sets out."""
        epoch = int(parent["epoch"])
        for name, value in dict(parent.get("changes", {})).items():
            self._change(Change(epoch, self._step_of.get(epoch, 0), name, None, value, at=float(epoch), branch=True))

    def _obey(self, event: CommandEvent) -> None:
        name, value = event.name, event.value
        self.reached = max(self.reached, self._at(event))
        if name == "extend":
            name = "num_epochs"
        asked = event.num_epochs if name == "num_epochs" else value
        after = asked
        if name == "learning_rate" and isinstance(value, (int, float)):
            after = value / batch_factor(self.settings.training)  # asked for was the rate of the present batch size
        if name in SETTINGS and asked is not None:
            change = Change(event.epoch or 0, event.step or 0, name, None, after, not event.inherited, self._at(event), asked)
            instead_of = event.before if event.before is not None else self._rate if name == "learning_rate" else None
            self._change(dataclasses.replace(change, planned=bool(event.planned), instead_of=instead_of))

    def _at(self, event: CommandEvent | EndEvent) -> float:
        """Epochs done by then; early logs tell steps alone."""
        epoch = event.epoch or 0
        if not math.isnan(event.at):
            return event.at
        into = (event.step or 0) - self._step_of.get(epoch, 0)
        return epoch + min(into / self._steps_per_epoch, 1.0) if self._steps_per_epoch and into > 0 else float(epoch)

    def _change(self, change: Change) -> None:
        name = change.name
        before, told = self.settings.to_flat(defaults=True).get(name), any(earlier.name == name for earlier in self.changes)
        try:
            self.settings = self.settings.with_flat({name: change.after})
        except UnusableRequest:  # no run writes that; a hand may
            return
        after, known = self.settings.to_flat(defaults=True).get(name), self.complete or told
        if not known or before != after:
            self.changes.append(dataclasses.replace(change, before=before if known else None, after=after))


def _told(changes: Iterable[Change]) -> list[PlannedChange]:
    """What happened as entries of a plan; what cannot change on the way changes no weight."""
    return [PlannedChange(change.at, change.name, change.asked) for change in changes if change.name in plannable()]


def _end(stopped_at: float) -> list[PlannedChange]:
    return [] if math.isnan(stopped_at) else [PlannedChange(stopped_at, STOP)]


def _counts(change: Change) -> bool:
    return SETTINGS[change.name].changes_weights and change.name != "plan"


def _short(value: Any) -> str:
    return rate_text(value) if isinstance(value, float) else str(value)


def _ancestry(folder: RunFolder, config: RunConfig, events: Iterable[Event]) -> list[Ancestor]:
    """Every run of the line has told of its start in events that its branches took over."""
    told = [event.parent for event in events if isinstance(event, StartEvent) and event.parent]
    ancestry: list[Ancestor] = []
    for parent in [config.parent, *reversed(told)]:
        if parent and not any(earlier.run_id == parent["run_id"] for earlier in ancestry):
            present = RunFolder(folder.path.with_name(parent["run_id"])).exists()
            ancestry.append(Ancestor(parent["run_id"], int(parent["epoch"]), dict(parent.get("changes", {})), present))
    return ancestry


def _remembered(folder: RunFolder) -> RunConfig | None:
    """What a branch itself knows of the first run of its line; early branches know nothing."""
    known = folder.provenance().get(BEGUN_WITH)
    try:
        return RunConfig.from_dict(known) if isinstance(known, Mapping) else None
    except (UnusableRequest, TypeError):
        return None


def _config_of(folder: RunFolder, run_id: str) -> RunConfig | None:
    """The configuration of another run of the same home; None if it is not there."""
    try:
        return RunFolder(folder.path.with_name(run_id)).config()
    except UnusableRequest:
        return None
