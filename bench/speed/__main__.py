"""Speed beside native libraries and plain loops: python -m bench.speed [--only one-rating …] [--quick] [--repeats 5]

Peers get an environment of their own on first use. Every contestant of a row is a process, ready before the first measurement;
they are measured in turn, again and again. Prints a table, writes bench/results/speed.json and docs/images/speed.svg. Rows
that are not measured this time are kept from the last. Status 1: a required ratio was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.machine import RESULTS, machine, write
from bench.speed import data, limits
from bench.speed.environment import peers_python
from bench.speed.judge import ndcg
from bench.speed.outcome import result_of
from bench.speed.player import Player, our_python
from bench.speed.plot import svg
from bench.speed.rows import PEERS, ROWS, Row, contestants
from bench.speed.table import show

NAME = "speed"
PICTURE = RESULTS.parent.parent / "docs" / "images" / "speed.svg"


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def measure(row: Row, folder: Path, peers: str | None, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Everybody in turn, ``repeats`` times: A B C A B C …"""
    taken: dict[str, list[dict[str, Any]]] = {}
    with contextlib.ExitStack() as stack:
        players = {}
        for name, module, threads in contestants(row):
            python = peers if module == PEERS else our_python()
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
    about, path = machine(), RESULTS / f"{NAME}.json"
    peers = peers_python(say) if any(module == PEERS for row in rows for _, module, _ in contestants(row)) else None
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() and not chosen.quick else {"rows": []}
    results = {result["name"]: result for result in kept["rows"]}
    say("what the machine can do")
    found = limits.measure()
    with tempfile.TemporaryDirectory() as folder:
        data.write(Path(folder))
        for row in rows:
            say(row.title)
            taken = measure(row, Path(folder), peers, 1 if chosen.quick else max(1, chosen.repeats))
            results[row.name] = result_of(row, taken, found)
    document = {"limits": found, "rows": [results[row.name] for row in ROWS if row.name in results]}
    show(document)
    if not chosen.quick:
        write(NAME, {"load_before": about["load_before"], **document})
        caption = f"{about['processor']}, {about['cores']} cores, {about['measured'][:10]}; medians, python -m bench.speed"
        PICTURE.write_text(svg(document["rows"], caption), encoding="utf-8")
        say(f"written: {path.name}, {PICTURE.name}; python -m bench.figures puts them into the README")
    verdicts = [verdict for result in document["rows"] for verdict in result["verdicts"].values()]
    verdicts += [result["published"] for result in document["rows"] if "published" in result]
    return 1 if any(verdict["met"] is False for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
