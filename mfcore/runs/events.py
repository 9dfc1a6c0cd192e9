"""What happened in a run: one line of ``events.jsonl`` each, appended by the worker and read by everybody.

``python -m mfcore.runs.events`` prints the JSON Schema of a line, by which the browser's side is checked.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import time as now
from typing import Any, ClassVar, TypeVar

from mfcore.files import append_line, clean, cut_torn_line, tail_lines

EVENT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class RunEvent:
    """What all events have. Numbers that are NaN or None are undefined: left out of the line, and so when they are read.

    ``time``: seconds since 1970 (UTC), set by :meth:`EventLog.append`. ``step``: steps done; None before training was set up.
    ``inherited``: it happened in the run this one branched from.
    """

    kind: ClassVar[str]
    time: float = math.nan
    step: int | None = None
    inherited: bool = False

    def to_json(self) -> dict[str, Any]:
        """The event as strict JSON data: as :func:`from_json` reads it."""
        line = {"v": EVENT_VERSION, "time": self.time, "kind": self.kind, **_shallow(self)}
        if not self.inherited:
            del line["inherited"]
        return dict(clean(line))


@dataclass(frozen=True, kw_only=True)
class StartEvent(RunEvent):
    """What is about to be trained, and the floor it has to rise from. ``baselines``: part → baseline → metric → value.
    ``candidates``: part → the fewest and the most items ranked for anybody in sampled ranking."""

    kind = "start"
    num_epochs: int | None = None
    steps_per_epoch: int | None = None
    num_parameters: int | None = None
    device: str = ""
    threads: int | None = None
    engine: str = ""
    engine_reason: str = ""
    selection_metric: str = ""
    metrics: list[str | dict[str, Any]] | None = None
    baselines: dict[str, dict[str, dict[str, float]]] | None = None
    num_users: int | None = None
    num_items: int | None = None
    num_train: int | None = None
    num_valid: int | None = None
    num_test: int | None = None
    candidates: dict[str, list[int]] | None = None
    parent: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class StepEvent(RunEvent):
    """Progress inside an epoch, which is fractional; see :class:`mfcore.training.events.StepEnd`."""

    kind = "step"
    step: int = field()  # without the default it would inherit
    epoch: float = math.nan
    train_loss: float = math.nan
    gradient_norm: float = math.nan
    update_ratio: float = math.nan
    saturated: float = math.nan


@dataclass(frozen=True, kw_only=True)
class EpochEvent(RunEvent):
    """One epoch, trained and validated; see :class:`mfcore.training.events.EpochEnd`.

    ``samples_per_second``: of training. ``wall``: seconds of training so far, without pace, pauses and validation.
    """

    kind = "epoch"
    epoch: int
    train_loss: float = math.nan
    valid_loss: float = math.nan
    metrics: dict[str, float] = field(default_factory=dict)
    learning_rate: float = math.nan
    seconds: float = 0.0
    samples: int = 0
    best: bool = False
    validated: float = 1.0
    samples_per_second: float | None = None
    wall: float | None = None


@dataclass(frozen=True, kw_only=True)
class CommandEvent(RunEvent):
    """Somebody asked for something. ``refused``: why nothing came of it; absent where it was done.

    ``number``: of its file; None where it was asked for before this life of the run. ``value``: as it was written. ``at``:
    epochs done by then, with the share of the samples of the one in training. ``planned``: the configuration's plan asked for
    it. ``before``: what was in force until then; learning rates, here and in ``value``, are those of the next step.
    ``num_epochs``, ``engine``: what it brought along.
    """

    kind = "command"
    name: str
    number: int | None = None
    value: Any = None
    epoch: int | None = None
    at: float = math.nan
    planned: bool | None = None
    before: float | None = None
    refused: str | None = None
    num_epochs: int | None = None
    engine: str | None = None


@dataclass(frozen=True, kw_only=True)
class MessageEvent(RunEvent):
    """Something for people to read beside the chart."""

    kind = "message"
    text: str
    level: str = "info"
    epoch: int | None = None


@dataclass(frozen=True, kw_only=True)
class CheckpointEvent(RunEvent):
    """``epoch`` can be branched from.

    It is on disk. A resume goes on from ``last``, which is written once a second at most, and may be of an earlier epoch.
    """

    kind = "checkpoint"
    epoch: int


@dataclass(frozen=True, kw_only=True)
class SnapshotEvent(RunEvent):
    """The vectors of ``epoch`` can be looked at."""

    kind = "snapshot"
    epoch: int


@dataclass(frozen=True, kw_only=True)
class ResumeEvent(RunEvent):
    """The run goes on from here: what was told of later steps is taken back (see :func:`surviving`)."""

    kind = "resume"
    step: int = field()
    epoch: int


@dataclass(frozen=True, kw_only=True)
class DivergedEvent(RunEvent):
    """Numbers ran away in ``epoch``: at which interaction, and the kept epoch to go back to.

    ``learning_rate``: as it was set, before its schedule; ``advice``: what to set it to instead. ``scale``: where
    that would not help, because the scale of the ratings is the cause: what is wrong with it, and what does.

    ``predicted``: for it; absent where it was no finite number, which ``predicted_text`` then names.
    """

    kind = "diverged"
    epoch: int
    learning_rate: float = math.nan
    advice: float = math.nan
    last_good_epoch: int | None = None
    user_id: int | str | None = None
    item_id: int | str | None = None
    title: str | None = None
    rating: float = math.nan
    predicted: float = math.nan
    predicted_text: str | None = None
    user_norm: float = math.nan
    item_norm: float = math.nan
    scale: str | None = None


@dataclass(frozen=True, kw_only=True)
class RefitEvent(RunEvent):
    """The model is trained once more, on train + validation, before test is scored: ``epoch`` of ``epochs`` are done."""

    kind = "refit"
    epoch: int
    epochs: int


@dataclass(frozen=True, kw_only=True)
class EndEvent(RunEvent):
    """This life of the run is over. The metrics are those of its result, if it came to one. ``at``: as of a command."""

    kind = "end"
    state: str
    reason: str = ""
    epoch: int | None = None
    at: float = math.nan
    epochs: int | None = None
    best_epoch: int | None = None
    train_seconds: float = math.nan
    valid: dict[str, float] | None = None
    test: dict[str, float] | None = None


Event = (
    StartEvent
    | StepEvent
    | EpochEvent
    | CommandEvent
    | MessageEvent
    | CheckpointEvent
    | SnapshotEvent
    | ResumeEvent
    | DivergedEvent
    | RefitEvent
    | EndEvent
)
EVENTS: dict[str, type[Event]] = {kind.kind: kind for kind in typing.get_args(Event)}
"""Kind → what is told of it."""
SomeEvent = TypeVar("SomeEvent", bound=RunEvent)


def from_json(line: Mapping[str, Any]) -> Event | None:
    """The event of a line; fields it does not know are passed over.

    None for a kind it does not know, as other versions may write, and where something is missing or of another type.
    """
    name = line.get("kind")
    kind = EVENTS.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    checks, required = _fields(kind.kind)
    if any(name not in line for name in required):
        return None
    given = {name: line[name] for name in checks if name in line}
    return kind(**given) if all(checks[name](value) for name, value in given.items()) else None


def still_counts(event: RunEvent, step: int) -> bool:
    """The rule of resuming: where a run goes on from ``step``, what was told of a later one never happened."""
    return (event.step or 0) <= step


def surviving(events: Iterable[Event]) -> list[Event]:
    """Those that still count: what a later resume took back is gone."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, ResumeEvent):
            kept = [earlier for earlier in kept if still_counts(earlier, event.step)]
        kept.append(event)
    return kept


@dataclass(frozen=True)
class EventLog:
    """The file ``path``. One process appends to it at a time; any number read it meanwhile."""

    path: Path

    def repair(self) -> None:
        """To be called once by a new worker before it appends: removes a line its predecessor died in."""
        cut_torn_line(self.path)

    def append(self, event: SomeEvent) -> SomeEvent:
        """Add a line; returns the event with its time. Raises OSError: it cannot be written, and nothing of it is there."""
        event = dataclasses.replace(event, time=round(now(), 3))
        append_line(self.path, _line(event))
        return event

    def begin(self, events: Iterable[Event]) -> None:
        """Write the file of a run that begins with somebody else's past."""
        self.path.write_bytes(b"".join(map(_line, events)))

    def read(self, offset: int = 0) -> tuple[list[Event], int]:
        """Events from a byte offset, and the offset to go on from.

        A torn last line is left for the next call; lines that tell of no event (see :func:`from_json`) are passed over.
        """
        lines, following = tail_lines(self.path, offset)
        return [event for event in map(from_json, lines) if event is not None], following

    def lines(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """As :meth:`read`, as the JSON data that was written."""
        lines, following = tail_lines(self.path, offset)
        return [line for line in lines if from_json(line) is not None], following

    def surviving(self) -> list[Event]:
        """All that still count."""
        return surviving(self.read()[0])

    def of(self, kind: type[SomeEvent]) -> list[SomeEvent]:
        """Those of one kind that still count."""
        return [event for event in self.surviving() if isinstance(event, kind)]


def _line(event: RunEvent) -> bytes:
    return (json.dumps(event.to_json(), ensure_ascii=False, allow_nan=False) + "\n").encode()


def _shallow(event: RunEvent) -> dict[str, Any]:
    return {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}


# --- types of fields, as a check and as a schema -------------------------------------------------------------------------

Check = Callable[[object], bool]


@functools.cache
def _fields(kind: str) -> tuple[dict[str, Check], list[str]]:
    """Name → check of all fields of a kind, and the names of those without a default."""
    hints = _hints(EVENTS[kind])
    return {name: _check(hint) for name, hint in hints.items()}, _required(EVENTS[kind])


def _hints(kind: type[RunEvent]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _required(kind: type[RunEvent]) -> list[str]:
    missing = dataclasses.MISSING
    return [f.name for f in dataclasses.fields(kind) if f.default is missing and f.default_factory is missing]


def _check(hint: Any) -> Check:
    """Whether a value read from JSON is of the type ``hint``."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda value: True
    if origin in (types.UnionType, typing.Union):
        checks = [_check(part) for part in inner]
        return lambda value: any(check(value) for check in checks)
    if origin is list:
        of_entry = _check(inner[0])
        return lambda value: isinstance(value, list) and all(map(of_entry, value))
    if origin is dict:
        of_value = _check(inner[1])
        return lambda value: isinstance(value, dict) and all(map(of_value, value.values()))
    if hint in (int, float):  # True is an int to Python
        wanted = (int,) if hint is int else (int, float)
        return lambda value: isinstance(value, wanted) and not isinstance(value, bool)
    return lambda value: isinstance(value, hint)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one line."""
    kinds = {kind.__name__: _schema_of_event(kind) for kind in EVENTS.values()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event",
        "description": "One line of a run's events.jsonl. Undefined numbers are absent.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds],
        "$defs": kinds,
    }


def _schema_of_event(kind: type[RunEvent]) -> dict[str, Any]:
    fields = {"v": {"const": EVENT_VERSION}, "kind": {"const": kind.kind}}
    fields |= {name: _schema_of(hint) for name, hint in _hints(kind).items()}
    about = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    required = ["kind", *_required(kind)]
    return {"type": "object", "description": about, "properties": fields, "required": required}


_JSON_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}


def _schema_of(hint: Any) -> dict[str, Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return {}
    if origin in (types.UnionType, typing.Union):
        parts = [_schema_of(part) for part in inner if part is not type(None)]  # undefined is absent, not null
        return parts[0] if len(parts) == 1 else {"anyOf": parts}
    if origin is list:
        return {"type": "array", "items": _schema_of(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of(inner[1])}
    return {"type": _JSON_TYPES[hint]}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
