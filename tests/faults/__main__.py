"""``make torture``: every fault again and again, with other chances each round, and the table of what came of them."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from mfcore import log
from tests.faults.every import FAULTS
from tests.faults.suite import Fault, Outcome, Stage, Table

FIRST_GUESS = 45.0
"""Seconds that a fault is thought to take before it has been seen."""


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1: something was lost that should not be, or a fault could not be played to its end."""
    options = _options(arguments)
    table, took = Table(options.faults), dict[str, float]()
    until = time.monotonic() + 60 * options.minutes
    rounds = 0
    while (not options.rounds or rounds < options.rounds) and _fits(options.faults[0], took, until):
        rounds += 1
        for fault in options.faults:
            if not _fits(fault, took, until):
                continue
            began = time.monotonic()
            table.record(fault.name, _played(fault, f"{options.seed}-{rounds}-{fault.name}", rounds > 1, until))
            took[fault.name] = max(took.get(fault.name, 0.0), time.monotonic() - began)
            print(f"round {rounds}: {fault.name}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    left_out = [fault.name for fault in options.faults if fault.name not in table.outcomes]
    _tell(table, left_out, rounds, options)
    return 1 if table.bad else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=0, help="how often; by default as often as fits; later ones try more")
    parser.add_argument("--minutes", type=float, default=10.0, help="after which no fault is begun that would not fit")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of chance; it is printed")
    parser.add_argument("--only", default="", help="faults whose names hold this word")
    parser.add_argument("--json", action="store_true", help="the table as one object, as the last line")
    options = parser.parse_args(arguments)
    options.faults = [fault for fault in FAULTS if options.only in fault.name]
    if not options.faults:
        parser.error(f"no fault is called so; there are {', '.join(fault.name for fault in FAULTS)}")
    return options


def _fits(fault: Fault, took: dict[str, float], until: float) -> bool:
    return time.monotonic() + took.get(fault.name, FIRST_GUESS) < until


def _played(fault: Fault, seed: str, thorough: bool, until: float) -> Outcome:
    log.event, told = lambda *_, **__: None, log.event  # what servers log is not what is looked at here
    with tempfile.TemporaryDirectory(prefix="mf-explorer-faults-", ignore_cleanup_errors=True) as place:
        try:
            return fault.play(Stage(Path(place), random.Random(seed), thorough, until))
        except Exception as error:
            traceback.print_exc()
            return Outcome(1, Counter(), Counter({f"its end: {type(error).__name__} {error}"[:200]: 1}))
        finally:
            log.event = told


def _tell(table: Table, left_out: list[str], rounds: int, options: argparse.Namespace) -> None:
    out = sys.stderr if options.json else sys.stdout
    print("\n".join(table.lines()), file=out)
    print(f"{rounds} rounds, seed {options.seed}", file=out)
    if left_out:
        print(f"no time for: {', '.join(left_out)}", file=out)
    if table.bad:
        print(f"something was lost that should not be: {', '.join(table.bad)}", file=out)
    if options.json:
        told = {"faults": table.to_json(), "rounds": rounds, "seed": options.seed, "left_out": left_out, "bad": table.bad}
        print(json.dumps(told))


if __name__ == "__main__":
    sys.exit(main())
