"""How much may be asked of one server: so that a class of sixty shares it, and one slip of the finger does not fill it.

They hold for what is queued at a server, by page or by route. At the command line a person trains on their own machine.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.models.memory import check_memory
from mfcore.quantities import about, size
from mfcore.runs.commands import STEPS
from mfcore.runs.config import RunConfig
from mfcore.runs.disk import over_budget
from mfcore.runs.estimate import seconds_an_epoch, shape_of, whole_time
from mfcore.runs.manager.queue import asker
from mfcore.runs.store import RunStore
from mfcore.validate import number, require

HOLDING = ("pause", *STEPS)
"""What to ask of a run so that it holds still."""
VARIABLE = "MF_EXPLORER_LIMITS"
"""Environment variable, such as ``each=5,hours=2,disk=100``; ``mf-explorer serve --limits`` sets it."""


@dataclass(frozen=True)
class Limits:
    """0 is no limit.

    ``each``: runs of one person that may wait. ``waiting``: runs that may wait in all. ``paused``: runs that may be paused at a
    time, each in a process that keeps its memory. ``hours``: that a run may be expected to
    train. ``disk``: GB (10⁹ bytes) that all runs together may take.
    """

    each: int = 20
    waiting: int = 200
    paused: int = 8
    hours: float = 24.0
    disk: float = 20.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            number(f"limit {name}", value, 0, 1e9)

    @classmethod
    def read(cls, text: str | None = None) -> Limits:
        """From ``each=5,hours=2``, by default that of the environment.

        Raises:
            UnusableRequest: it names no limit, or no number.
        """
        asked = os.environ.get(VARIABLE, "") if text is None else text
        known = {name: type(value) for name, value in dataclasses.asdict(cls()).items()}
        values: dict[str, Any] = {}
        for part in filter(None, (part.strip() for part in asked.replace(" ", ",").split(","))):
            name, _, value = part.partition("=")
            require(name in known, f"limits are {', '.join(known)}, such as each=5,hours=2; got {part!r}")
            try:
                values[name] = known[name](value)
            except ValueError:
                raise UnusableRequest(f"limit {name} must be a number; got {value!r}") from None
        return dataclasses.replace(cls(), **values)


def check_room(limits: Limits, store: RunStore, who: str = "") -> None:
    """Whether one more run may wait; ``who`` asks.

    Raises:
        UnusableRequest: too many wait already, or the disk budget is used up.
    """
    waiting = [run for run in store.list() if run.state == "queued"]
    own = sum(asker(run) == who for run in waiting)
    told = f"{own} of your runs wait already, and no more than {limits.each} may"
    require(not limits.each or own < limits.each, f"{told}; let some begin, or take some out of the queue")
    told = f"{len(waiting)} runs wait already, and no more than {limits.waiting} may"
    require(not limits.waiting or len(waiting) < limits.waiting, f"{told}; try again when some have begun")
    excess = over_budget(store, limits.disk)
    told = f"the runs take {size(max(0, excess))} more than the {limits.disk:g} GB they have been given"
    require(excess <= 0, f"{told}; delete some that you need no more")


def check_pause(limits: Limits, store: RunStore, run_id: str, wish: str) -> None:
    """Whether a run may be asked for something after which it holds still.

    Raises:
        UnusableRequest: so many are paused already.
    """
    if not limits.paused or wish not in HOLDING:
        return
    paused = sum(run.state == "paused" for run in store.list() if run.run_id != run_id)
    told = f"{limits.paused} run{'' if limits.paused == 1 else 's'} may be paused at a time, as each keeps its memory"
    require(paused < limits.paused, f"{told}; let one go on first, or stop one")


def check_cost(limits: Limits, config: RunConfig, store: RunStore) -> None:
    """Whether a run of this size may be asked for.

    Raises:
        UnusableRequest: it needs more memory than there is, or would train for longer than allowed.
    """
    shape = shape_of(config, store.home)
    if shape is not None:
        check_memory(config.model, shape.num_users, shape.num_items, config.training.optimizer)
    an_epoch = seconds_an_epoch(config, shape, store.list())
    if an_epoch is None or not limits.hours:
        return
    expected = whole_time(config, an_epoch)
    if expected <= 3600 * limits.hours:
        return
    epochs = max(1, int(config.training.num_epochs * 3600 * limits.hours / expected))
    raise UnusableRequest(
        f"this would train for {about(expected)} on this machine, and a run may take {_hours(limits.hours)}; "
        f"try num_epochs {epochs:,}, or smaller embeddings. Whoever runs the server can allow more: {VARIABLE}=hours=…"
    )


def _hours(hours: float) -> str:
    return f"{hours:g} hour{'' if hours == 1 else 's'}"
