"""The documents this project grew from, measured again: python -m bench.seeds [--seeds 3] [--only takuti]

Prints what each published, what we measure, and what differs; writes bench/results/seeds.csv. What is not measured this time
is kept from the last.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench.measured import ROOT, Measured, read, under, write
from bench.seeds import home_runs, neumf, rosenthal, takuti
from bench.seeds.table import show

NAME = "seeds"


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr)


def _kept(rows: dict[str, Measured], part: str) -> list[Measured]:
    return [row for name, row in rows.items() if name.startswith(f"{part}/")]


def main() -> int:
    """Measure, print, write."""
    parts: dict[str, Callable[[int], list[Measured]]] = {
        "rosenthal": lambda seeds: rosenthal.measure(say),
        "takuti": lambda seeds: takuti.measure(seeds, say),
        "neumf": lambda seeds: neumf.measure(seeds, say),
        "home": lambda seeds: home_runs.measure(say),
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=3, help="repeats of each case (default 3)")
    parser.add_argument("--only", nargs="*", choices=parts, default=list(parts), help="measure only these")
    chosen = parser.parse_args()
    kept = read(NAME)
    rows = [row for name in parts for row in (parts[name](chosen.seeds) if name in chosen.only else _kept(kept, name))]
    result = {row.name: row for row in rows}
    if all(under(result, name) for name in parts):
        show(result)
    print("written to", write(NAME, rows).relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
