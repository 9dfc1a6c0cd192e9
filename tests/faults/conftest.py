"""Each fault is played once, and tells the table at the end of the tests what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.suite import Fault, Stage

Play = Callable[[Fault], list[str]]


@pytest.fixture
def play(tmp_path: Path, record_property: Callable[[str, object], None]) -> Play:
    """Plays a fault, and returns what was lost that should not be."""

    def once(fault: Fault) -> list[str]:
        if os.name != "posix":
            pytest.fail("faults are done as POSIX does them")
        outcome = fault.play(Stage(tmp_path))
        record_property("fault", (fault.name, outcome.times, dict(outcome.seen), dict(outcome.lost)))
        assert outcome.times and outcome.seen, "nothing has happened"
        return fault.unduly(outcome)

    return once
