"""How long it takes to import ratings in MovieLens 32M's layout, and to open them again: python -m bench.importing [--only 1M]

Files of userId,movieId,rating,timestamp are made up with a long tail, 1 M and 32 M rows. Each is imported by a process of its
own, whose memory is read at the end, and opened by another one. The files are warm: they were just written. Status 1 when a
figure is missed. Needs about 2.5 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.measured import ROOT, Measured, median, report

SIZES = {"1M": (1_000_000, 3.0, 3), "32M": (32_000_204, 60.0, 1)}
"""Rows; seconds an import may take; how often it is measured."""
LIMIT_GB, REOPEN = 4.0, 2.0
USERS, ITEMS = 200_948, 87_585

_IMPORT = """
from mfcore.data.imported import import_dataset
found = import_dataset(sys.argv[1], "large", home=sys.argv[2])
rows = found.report.taken
"""
_OPEN = """
from mfcore.data import load_dataset
rows = len(load_dataset("large", home=sys.argv[2]))
"""
_FRAME = """
import json, sys, time
started = time.perf_counter()
{work}
seconds = time.perf_counter() - started
lines = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({{"seconds": seconds, "gb": int(lines["VmHWM"].split()[0]) * 1024 / 1e9, "rows": rows}}))
"""


def make(path: Path, rows: int) -> None:
    """A file with distinct pairs, by user as MovieLens has it; half stars; one moment a row."""
    import pandas as pd

    draw = np.random.default_rng(0)
    users = max(2, USERS * rows // SIZES["32M"][0])
    share = draw.lognormal(0.0, 1.2, users)
    each = np.clip((share / share.sum() * rows).astype(np.int64), 20, ITEMS // 4)
    each[: max(0, rows - each.sum()) % users] += 1
    written, header = 0, True
    for first in range(0, users, 5000):
        size = each[first : first + 5000]
        user = np.repeat(np.arange(first + 1, first + 1 + len(size)), size)
        # A start and a stride for each user: an item occurs once for each of them, and low ones most often.
        place = np.arange(len(user)) - np.repeat(np.cumsum(size) - size, size)
        item = (
            1
            + np.repeat(draw.integers(0, ITEMS // 8, len(size)), size)
            + place * np.repeat(draw.integers(1, 4, len(size)), size)
        )
        rating, moment = draw.integers(1, 11, len(user)) / 2, draw.integers(789_652_004, 1_697_164_147, len(user))
        chunk = pd.DataFrame({"userId": user, "movieId": item, "rating": rating, "timestamp": moment})
        chunk.to_csv(path, mode="a", index=False, header=header)
        header, written = False, written + len(user)


def _process(work: str, source: Path, home: Path) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-c", _FRAME.format(work=work), str(source), str(home)], cwd=ROOT, capture_output=True, text=True
    )
    if run.returncode:
        raise SystemExit(run.stderr)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def measure(name: str, folder: Path) -> list[Measured]:
    rows, seconds, repeats = SIZES[name]
    source = folder / f"{name}.csv"
    make(source, rows)
    size = source.stat().st_size / 1e6
    imports = []
    for attempt in range(repeats):
        home = folder / f"{name}-{attempt}"
        imports.append(_process(_IMPORT, source, home))
    opened = [_process(_OPEN, source, home) for _ in range(3)]
    note = f"{imports[0]['rows']:,} rows, {size:,.0f} MB"
    found = [
        median(f"import/{name}", [one["seconds"] for one in imports], "s", at_most=seconds),
        Measured(f"import/{name}/memory", max(one["gb"] for one in imports), "GB", at_most=LIMIT_GB, note=note),
        median(f"reopen/{name}", [one["seconds"] for one in opened], "s", at_most=REOPEN),
    ]
    for one in found:
        print(f"{one.name:24} {one.value:8.2f} {one.unit:3} {one.required}  {note}", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(SIZES), action="append")
    parser.add_argument("--scratch", help="folder for the files; by default the system's")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        found = [one for name in options.only or SIZES for one in measure(name, Path(folder))]
    print(f"{time.monotonic() - began:.0f} s in all")
    return report("importing", found)


if __name__ == "__main__":
    sys.exit(main())
