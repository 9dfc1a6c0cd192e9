"""What a fault is, what came of one, and the table of all of them.

A fault is done to a real run (or server); what one sees of it is taken from what the program itself says, and what was lost is
measured: against a twin, a run of the same configuration that nobody disturbed.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mfcore.runs import RunConfig, RunFolder
from mfcore.runs.events import EpochEvent
from tests.runs.tiny_runs import epochs, equal, tiny, weights


@dataclass
class Stage:
    """Where a fault is played: ``place``, a folder of its own, with chance and time.

    ``thorough``: try everything, where the quick form tries a part. ``until``: when (monotonic seconds) it has to be over.
    """

    place: Path
    chance: random.Random = field(default_factory=lambda: random.Random(20))
    thorough: bool = False
    until: float = float("inf")

    @cached_property
    def home(self) -> Path:
        """The data directory that suffers."""
        made = self.place / "home"
        made.mkdir(parents=True)
        return made

    def fresh(self, name: str) -> Path:
        """Another data directory."""
        made = self.place / name
        made.mkdir(parents=True)
        return made

    @property
    def in_time(self) -> bool:
        return time.monotonic() < self.until


_twins: dict[str, RunFolder] = {}
_twins_home = tempfile.TemporaryDirectory(prefix="mf-explorer-twins-")


def twin(**flat: Any) -> RunFolder:
    """The undisturbed run of ``tiny(**flat)``, at full speed; trained once, in this process."""
    from mfcore.runs.worker.session import train_run

    config: RunConfig = tiny(**{**flat, "pace": 0})
    key = repr(config)
    if key not in _twins:
        folder = RunFolder.create(_twins_home.name, config)
        status = train_run(folder, _twins_home.name)
        assert status.state == "finished", status
        _twins[key] = folder
    return _twins[key]


def lost(run: RunFolder, whole: RunFolder) -> list[str]:
    """What ``run`` lacks of ``whole``: weights, bit for bit; epochs, each told once and with the same figures; test."""
    found = []
    if not run.path.is_dir() or run.status().state != "finished":
        return [f"the run ({run.status().state if run.path.is_dir() else 'gone'})"]
    found += [f"{name} weights" for name in ("last", "best") if not equal(weights(run, name), weights(whole, name))]
    if epochs(run) != epochs(whole):
        found.append("epochs told")
    told = [[(e.epoch, e.train_loss, e.metrics) for e in one.events.of(EpochEvent)[1:]] for one in (run, whole)]
    if told[0] != told[1]:
        found.append("figures of epochs")
    if run.result().get("test") != whole.result()["test"]:
        found.append("test figures")
    return found


def picture(home: Path, *without: str) -> dict[str, bytes]:
    """Every file below ``home`` with what it holds, but locks and those whose path has a part in ``without``."""
    files = (path for path in sorted(home.rglob("*")) if path.is_file() and path.suffix != ".lock")
    return {str(path): path.read_bytes() for path in files if not set(without) & set(path.relative_to(home).parts)}


@dataclass
class Outcome:
    """What came of a fault: ``times`` it struck, what one ``seen`` (words and how often), and what was ``lost``."""

    times: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def strikes(self, words: str, lost: Iterable[str] = ()) -> None:
        """Count one blow."""
        self.times += 1
        self.sees(words)
        self.lost.update(lost)

    def sees(self, words: str) -> None:
        if words:
            self.seen[plain(words)] += 1

    def add(self, other: Outcome) -> None:
        self.times += other.times
        self.seen += other.seen
        self.lost += other.lost


def plain(words: str) -> str:
    """Without what differs each time: places, ids, times, numbers of epochs and bytes."""
    words = " ".join(words.split())
    words = re.sub(r"(?:[A-Za-z]:)?[/\\][\w./\\-]+[/\\]", "…/", words.strip())
    words = re.sub(r"\d{8}-\d{6}-[\w-]+", "RUN", words)
    words = re.sub(r"\b\d\d:\d\d\b", "HH:MM", words)
    return re.sub(r"\b(epoch|pid) \d+", r"\1 N", words)


@dataclass(frozen=True)
class Fault:
    """``how`` it is injected; ``play`` does it. ``costs``: what it is known to take along, as :func:`lost` says it."""

    name: str
    how: str
    play: Callable[[Stage], Outcome]
    costs: tuple[str, ...] = ()

    def unduly(self, outcome: Outcome) -> list[str]:
        """What was lost and should not be."""
        return [what for what in outcome.lost if what not in self.costs]


@dataclass
class Table:
    """Fault → what one sees → what was lost, over any number of rounds."""

    faults: Sequence[Fault]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def record(self, fault: str, outcome: Outcome) -> None:
        self.outcomes.setdefault(fault, Outcome()).add(outcome)

    @property
    def bad(self) -> list[str]:
        """Faults that took what they should not."""
        return [one.name for one in self.faults if one.unduly(self.outcomes.get(one.name, Outcome()))]

    def lines(self, most: int = 3) -> list[str]:
        """As text; of the words seen, the ``most`` frequent."""
        told = []
        for fault in self.faults:
            outcome = self.outcomes.get(fault.name)
            if outcome is None:
                continue
            told += [f"{fault.name}  (×{outcome.times}; {fault.how})"]
            told += [f"    sees  {'' if n == 1 else f'{n}× '}{words}" for words, n in outcome.seen.most_common(most)]
            rest = len(outcome.seen) - most
            told += [f"    sees  … and {rest} more"] if rest > 0 else []
            told += [f"    lost  {self._lost(fault, outcome)}"]
        return told

    def _lost(self, fault: Fault, outcome: Outcome) -> str:
        if not outcome.lost:
            return "nothing"
        words = ", ".join(f"{what} ×{n}" for what, n in outcome.lost.items())
        return words if fault.unduly(outcome) == [] else f"{words}   ← SHOULD NOT BE"

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {"fault": one.name, "how": one.how, "times": it.times, "seen": dict(it.seen), "lost": dict(it.lost),
             "unduly": one.unduly(it)}
            for one in self.faults if (it := self.outcomes.get(one.name)) is not None
        ]  # fmt: skip
