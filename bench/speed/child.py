"""A contestant in a process of its own: python -m bench.speed.child MODULE NAME FOLDER

Runs with our Python or with that of the peers' environment, so it needs nothing but the standard library. Everything is
imported, read, compiled and run once before the first measurement; a line on stdin asks for one, a line of JSON answers.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Measure = Callable[[], dict[str, Any]]
Contestants = dict[str, Callable[[Path], Measure]]
"""Name → what prepares a contestant from the folder of data and gives back what measures it once.

A measurement: ``seconds`` of training alone, ``samples`` trained, and what else is worth keeping (``rmse``, ``vectors``).
"""


class Absent(Exception):
    """This contestant cannot run here; the message says why."""


def main(module: str, name: str, folder: str) -> None:
    """Get ready, then measure as often as asked."""
    # Libraries print as they please; answers have a channel of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(what: dict[str, Any]) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        contestants: Contestants = importlib.import_module(module).CONTESTANTS
        measure = contestants[name](Path(folder))
        measure()
    except (Absent, ImportError) as error:
        answer({"absent": f"{error}"})
        return
    answer({"ready": True})
    for _ in sys.stdin:
        answer(measure())


if __name__ == "__main__":
    # Run by name, this is another module than the one contestants import; theirs has the Absent they raise.
    importlib.import_module("bench.speed.child").main(*sys.argv[1:4])
