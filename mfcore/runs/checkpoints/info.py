"""What a checkpoint says of itself, and what of a run still counts where it goes on from there; without torch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from mfcore.errors import UnusableRequest
from mfcore.files import loads
from mfcore.paths import reason
from mfcore.runs.checkpoints.checksum import checked_header
from mfcore.runs.config import RunConfig
from mfcore.runs.events import EpochEvent, Event, from_json, still_counts


@dataclass(frozen=True)
class CheckpointInfo:
    """Where training stood when the checkpoint was taken: the place from which a run is resumed or branched.

    ``epoch``, ``step``: whole epochs and steps done. ``best_saved``: the epoch then in the run's ``best`` checkpoint.
    ``changed``: settings in force that are not the configuration's, as flat keys. ``told``: the event of ``epoch``.
    """

    run_id: str = ""
    epoch: int = 0
    step: int = 0
    best_saved: int = 0
    changed: Mapping[str, Any] = field(default_factory=dict)
    told: EpochEvent | None = None

    def to_json(self) -> dict[str, Any]:
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {**values, "changed": dict(self.changed), "told": self.told.to_json() if self.told else {}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CheckpointInfo:
        """The inverse of :meth:`to_json`; what an older version did not write has its default."""
        told = from_json(values.get("told") or {})
        known = {f.name: values[f.name] for f in dataclasses.fields(cls) if f.name in values}
        return cls(**{**known, "told": told if isinstance(told, EpochEvent) else None})

    def settings(self, config: RunConfig) -> RunConfig:
        """The settings in force here, of a run that began with ``config``."""
        return config.with_flat(self.changed)

    def past(self, events: Iterable[Event]) -> list[Event]:
        """Those of ``events`` that had happened by then, and the epoch just done if nobody had been told of it.

        A checkpoint is there a moment before its epoch is told of; a worker may die in between.
        """
        past = [event for event in events if still_counts(event, self.step)]
        heard = any(isinstance(event, EpochEvent) and event.epoch == self.epoch for event in past)
        if self.told is None or self.told.epoch != self.epoch or heard:
            return past
        return [*past, dataclasses.replace(self.told, time=round(time.time(), 3))]


def read_info(path: Path) -> CheckpointInfo:
    """What a whole checkpoint says; neither weights nor torch are loaded.

    Raises:
        UnusableRequest: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="np"):  # one whose end is missing, also where there is no checksum
            header = checked_header(path.read_bytes())
        return CheckpointInfo.from_json(loads(header["info"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"the checkpoint {path.name} cannot be read ({reason(error)})"
        raise UnusableRequest(f"{why}; branch from another epoch") from None
