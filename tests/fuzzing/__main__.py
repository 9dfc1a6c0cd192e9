"""``make fuzz``: every reader of what comes from outside fed for a while, and what it did that no documentation speaks of."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.fuzzing.readers import READERS

ROOT = Path(__file__).resolve().parents[2]
AT_LEAST = 5.0
"""Seconds for a reader: a process begins in about two."""


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1: something foreign was found, or a reader brought its process down."""
    options = _options(arguments)
    guided = find_spec("atheris") is not None and not options.blind
    out = sys.stderr if options.json else sys.stdout
    alone = "as asked" if options.blind else "atheris, which follows coverage, is not installed"
    how = "led by coverage (atheris)" if guided else f"changed at random alone: {alone}"
    print(
        f"{len(options.readers)} readers, {options.minutes:g} minutes, seed {options.seed}; inputs are {how}",
        file=out,
        flush=True,
    )
    until, told = time.monotonic() + 60 * options.minutes, []
    for number, reader in enumerate(options.readers):
        left = (until - time.monotonic()) / (len(options.readers) - number)
        told.append(_search(reader.name, max(AT_LEAST, left - 5), options, guided))
        print(_line(told[-1]), file=out, flush=True)
    found = [path for one in told for path in one["reproducers"]]
    executions, corpus = (sum(one[name] for one in told) for name in ("executions", "corpus"))
    print(f"{executions:,} executions, {corpus:,} new corpus entries, {len(found)} foreign errors", file=out)
    for path in found:
        print(f"    {path}", file=out)
    if options.json:
        print(json.dumps({"readers": told, "executions": executions, "corpus": corpus, "seed": options.seed, "guided": guided}))
    return 1 if found else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all readers together")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10**6), help="of chance; it is printed")
    parser.add_argument("--only", default="", help="readers whose names hold one of these words, separated by commas")
    parser.add_argument("--blind", action="store_true", help="without atheris, where it is there")
    parser.add_argument("--folder", type=Path, default=ROOT / ".fuzz", help="where corpus and reproducers are kept")
    parser.add_argument("--json", action="store_true", help="what came of it as one object, as the last line")
    options = parser.parse_args(arguments)
    words = options.only.split(",")
    options.readers = [reader for reader in READERS if any(word in reader.name for word in words)]
    if not options.readers:
        parser.error(f"no reader is called so; there are {', '.join(reader.name for reader in READERS)}")
    return options


def _search(name: str, seconds: float, options: argparse.Namespace, guided: bool) -> dict[str, Any]:
    """Feed one reader; what it tells, and the files that show what is foreign."""
    folder = options.folder.absolute() / name
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "told.json"
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.fuzzing.search", name, str(seconds), str(folder), str(options.seed)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    known = set((folder / "found").glob("*"))
    with (folder / "log").open("wb") as log:
        began = time.monotonic()
        try:
            code = subprocess.run(
                [*command, *(["guided"] if guided else [])],
                cwd=ROOT, env=environment, stdout=log, stderr=log, timeout=seconds + 120, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = -1
    said = json.loads(told.read_text()) if told.is_file() else {"executions": 0, "corpus": 0, "found": {}}
    files = set((folder / "found").glob("*"))
    fresh = sorted(path for path in files if path.suffix != ".txt" and (path not in known or path.name in said["found"]))
    fell = [] if code == 0 or fresh else [folder / "log"]
    return {**said, "reader": name, "seconds": round(time.monotonic() - began, 1), "exit": code,
            "reproducers": list(_near([*fresh, *fell]))}  # fmt: skip


def _near(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        yield str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _line(told: dict[str, Any]) -> str:
    found = "nothing foreign" if not told["reproducers"] else f"{len(told['reproducers'])} FOREIGN"
    return (
        f"{told['reader']:22} {told['executions']:>9,} executions  {told['corpus']:>6,} new  {told['seconds']:>5.0f} s  {found}"
    )


if __name__ == "__main__":
    sys.exit(main())
