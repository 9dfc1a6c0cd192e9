"""What a person may ask of a run while it goes: checked when it is made, left in a file of its own, read by the worker."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.files import dumps, read_json, write_whole
from mfcore.settings import SETTINGS
from mfcore.settings.kinds import Kind, Whole
from mfcore.validate import choice, require


@dataclass(frozen=True)
class CommandKind:
    """What a command does, in one sentence, and of what kind its value is; None: it takes none. ``optional``: or none."""

    help: str
    value: Kind | None = None
    optional: bool = False


MOST_BATCHES = 100_000
"""That one command steps through."""


COMMANDS: dict[str, CommandKind] = {
    "stop": CommandKind("End now; what has been learned is kept and tested."),
    "pause": CommandKind("Wait at the next step."),
    "resume": CommandKind("Go on after a pause."),
    "step_batch": CommandKind("Train one batch, or so many, then wait.", Whole(1, MOST_BATCHES), optional=True),
    "step_epoch": CommandKind("Train to the end of this epoch, then wait."),
    "pace": CommandKind("Epochs a second to keep to; 0 is full speed.", SETTINGS["pace"].kind),
    **{key: CommandKind(f"{one.label}, from the next step on.", one.kind) for key, one in SETTINGS.items() if one.live},
    "extend": CommandKind("Train so many epochs more; the schedule and the patience begin anew.", SETTINGS["num_epochs"].kind),
}
STEPS = ("step_batch", "step_epoch")
"""Commands after which a run holds still."""
_PATIENCE = 2.0
"""Seconds an unreadable command file may be one that is still being written."""


@dataclass(frozen=True)
class Command:
    """One wish, such as ``Command("pace", 5.0)``: there is none that could not be obeyed.

    Raises:
        UnusableRequest: there is no such command, or its value is missing, unusable or not asked for.
    """

    kind: str
    value: float | None = None

    def __post_init__(self) -> None:
        about = COMMANDS[choice("command", self.kind, COMMANDS)]
        kind = about.value
        if kind is None:
            require(self.value is None, f"{self.kind} takes no value, got {self.value!r}")
        elif self.value is not None or not about.optional:
            require(self.value is not None, f"{self.kind} takes one number as value")
            object.__setattr__(self, "value", kind.read(self.kind, self.value))


@dataclass(frozen=True)
class PendingCommand:
    """A command file as the worker finds it: ``kind`` and ``value`` as written, and the ``command`` they make, or why none."""

    number: int
    kind: str
    value: Any = None
    command: Command | None = None
    refused: str = ""


def write_command(folder: Path, command: Command) -> int:
    """Put a command into a file of its own number, which is returned; another writer's file is never touched."""
    folder.mkdir(exist_ok=True)
    text = (dumps({"kind": command.kind, "time": round(time.time(), 3), "value": command.value}) + "\n").encode()
    taken = last_number(folder)
    while True:
        taken += 1
        try:
            handle = os.open(folder / f"{taken:06d}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            continue
        try:
            write_whole(handle, text)
        except OSError:
            (folder / f"{taken:06d}.json").unlink(missing_ok=True)  # half a wish would hold up those that follow
            raise
        finally:
            os.close(handle)
        return taken


def read_commands(folder: Path, after: int = 0) -> list[PendingCommand]:
    """Commands with a number above ``after``, in order.

    A file whose writer has not finished ends the list; if it stays unreadable for 2 s it is passed over, and told of.
    """
    pending: list[PendingCommand] = []
    for found in sorted(n for n in _numbers(folder) if n > after):
        path = folder / f"{found:06d}.json"
        written = read_json(path)
        if written is None and abs(time.time() - path.stat().st_mtime) < _PATIENCE:  # clocks are set back, too
            break
        pending.append(_pending(found, written or {}))
    return pending


def last_number(folder: Path) -> int:
    """The highest command number in use, 0 when there is none."""
    return max(_numbers(folder), default=0)


class CommandInbox:
    """The commands folder of a run, as its worker reads it: everything once, in order, from number ``after`` on."""

    def __init__(self, folder: Path, after: int) -> None:
        self._folder, self._seen = folder, after

    def take(self) -> Iterator[PendingCommand]:
        """What has come since the last time; one counts as taken when it is handed out."""
        for pending in read_commands(self._folder, self._seen):
            self._seen = pending.number
            yield pending


def _pending(found: int, written: dict[str, Any]) -> PendingCommand:
    kind, value = written.get("kind", "unreadable"), written.get("value")
    try:
        return PendingCommand(found, str(kind), value, Command(kind, value))
    except UnusableRequest as error:
        return PendingCommand(found, str(kind), value, refused=str(error))


def _numbers(folder: Path) -> list[int]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    return [int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit()]
