"""Speed beside native libraries and plain loops: python -m bench.speed [--only one-rating …] [--quick] [--repeats 5]

Peers get an environment of their own on first use. Every contestant of a row is a process, ready before the first measurement;
they are measured in turn, again and again. Prints a table, writes bench/results/speed.csv and docs/images/speed.svg. Rows
that are not measured this time are kept from the last. Status 1: a required ratio was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import measured
from bench.measured import ROOT, machine
from bench.speed import data, limits
from bench.speed.contestants import Player, peers_python
from bench.speed.data import ndcg
from bench.speed.report import document, rows_of, rows_of_limits, show, summary, svg
from bench.speed.rows import PEERS, ROWS, Row, contestants

NAME = "speed"
PICTURE = ROOT / "docs" / "images" / "speed.svg"


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def measure(row: Row, folder: Path, peers: str | None, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Everybody in turn, ``repeats`` times: A B C A B C …"""
    taken: dict[str, list[dict[str, Any]]] = {}
    with contextlib.ExitStack() as stack:
        players = {}
        for name, module, threads in contestants(row):
            python = peers if module == PEERS else sys.executable
            players[name] = stack.enter_context(Player(python, module, name, folder, threads))
            taken[name] = [{"absent": players[name].absent}] if players[name].absent else []
        for _ in range(repeats):
            for name, player in players.items():
                if not any("absent" in one for one in taken[name]):
                    taken[name].append(_judged(player.measure()))
    return taken


def _judged(measurement: dict[str, Any]) -> dict[str, Any]:
    if "vectors" in measurement:
        measurement["ndcg"] = ndcg(measurement["vectors"])
    return measurement


def main() -> int:
    """Measure, print, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", choices=[row.name for row in ROWS], help="measure these rows, keep the others")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each contestant (default 5)")
    parser.add_argument("--quick", action="store_true", help="one measurement each, nothing written: does every row work?")
    chosen = parser.parse_args()
    rows = [row for row in ROWS if not chosen.only or row.name in chosen.only]
    peers = peers_python(say) if any(module == PEERS for row in rows for _, module, _ in contestants(row)) else None
    results = {} if chosen.quick else measured.read(NAME)
    say("what the machine can do")
    results |= {one.name: one for one in rows_of_limits(limits.measure())}
    with tempfile.TemporaryDirectory() as folder:
        data.write(Path(folder))
        for row in rows:
            say(row.title)
            taken = measure(row, Path(folder), peers, 1 if chosen.quick else max(1, chosen.repeats))
            found = {name: summary(row, ones) for name, ones in taken.items()}
            results = {name: one for name, one in results.items() if not name.startswith(f"{row.name}/")}
            results |= {one.name: one for one in rows_of(row, found)}
    result = document(results)
    show(result)
    if not chosen.quick:
        path = measured.write(NAME, results.values())
        caption = f"{machine()}, {datetime.now(UTC).date()}; medians, python -m bench.speed"
        PICTURE.write_text(svg(result["rows"], caption), encoding="utf-8")
        say(f"written: {path.name}, {PICTURE.name}; python -m bench.figures puts them into the README")
    verdicts = [verdict for one in result["rows"] for verdict in one["verdicts"].values()]
    verdicts += [one["published"] for one in result["rows"] if "published" in one]
    return 1 if any(verdict["met"] is False for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
