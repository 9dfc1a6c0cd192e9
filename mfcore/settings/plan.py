"""Settings that change on the way: a plan as text, such as ``20: learning_rate=0.0007; 25.5: batch_size=64, weight_decay=0.1``.

Before each colon stands how many epochs are done by then, in fractions of an epoch's samples: 25.5 is in the middle of the
26th. ``stop`` in place of a setting ends the training there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.settings.kinds import Kind
from mfcore.validate import choice, number, require

STOP = "stop"
_BETWEEN = re.compile(r",(?!\d)")
"""Between settings stands a comma; one before a digit is a decimal comma."""
MOST_CHANGES = 100_000
"""More than anybody makes in one run."""


@dataclass(frozen=True)
class PlannedChange:
    """After ``at`` epochs (>= 0, fractional inside one), ``name`` is ``value``; for :data:`STOP` the value is None."""

    at: float
    name: str
    value: Any = None


@dataclass(frozen=True)
class Plan:
    """Text that :func:`parse_plan` reads. ``kinds``: setting → what it may be; asked late, as a plan is a setting itself."""

    kinds: Callable[[], Mapping[str, Kind]]

    def read(self, name: str, value: Any) -> str:
        require(isinstance(value, str), f"{name} must be text such as '20: learning_rate=0.001', got {value!r}")
        return write_plan(parse_plan(value, self.kinds(), name))


def parse_plan(text: str, kinds: Mapping[str, Kind], name: str = "plan") -> tuple[PlannedChange, ...]:
    """The changes of a plan, earliest first; those of the same moment in the order in which they stand.

    Raises:
        UnusableRequest: it is not written like one, or a setting is unknown, cannot change on the way or not to this value.
    """
    changes: list[PlannedChange] = []
    for moment in filter(None, map(str.strip, text.split(";"))):
        when, colon, settings = moment.partition(":")
        require(bool(colon) and bool(settings.strip()), f"{name} is written like '20: learning_rate=0.001', got {moment!r}")
        at = number(f"the epoch in {name}", when.strip(), low=0.0)
        changes += [_change(at, setting.strip(), kinds, name) for setting in _BETWEEN.split(settings)]
    require(len(changes) <= MOST_CHANGES, f"{name} must have at most {MOST_CHANGES:,} changes, got {len(changes):,}")
    return tuple(sorted(changes, key=lambda change: change.at))


def write_plan(changes: Iterable[PlannedChange]) -> str:
    """The text that :func:`parse_plan` reads the same changes from, to the last digit."""
    moments: dict[float, list[str]] = {}
    for change in changes:
        written = change.name if change.name == STOP else f"{change.name}={_number(change.value)}"
        moments.setdefault(change.at, []).append(written)
    return "; ".join(f"{_number(at)}: {', '.join(settings)}" for at, settings in moments.items())


def _change(at: float, written: str, kinds: Mapping[str, Kind], name: str) -> PlannedChange:
    if written == STOP:
        return PlannedChange(at, STOP)
    key, equals, value = (part.strip() for part in written.partition("="))
    require(bool(equals), f"{name} takes NAME=VALUE after the colon, separated by commas, got {written!r}")
    try:
        return PlannedChange(at, key, kinds[choice(f"what changes in {name}", key, kinds)].read(key, value))
    except UnusableRequest as error:
        raise UnusableRequest(f"{name}, after epoch {_number(at)}: {error}") from None


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and math.fabs(value) < 1e15 else repr(value)
