"""The documents this project grew from, measured again: python -m bench.seeds [--seeds 3] [--only takuti]

Prints what each published, what we measure, and what differs; writes bench/results/seeds.json. What is not measured this time
is kept from the last.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from bench.machine import RESULTS, write
from bench.seeds import home_runs, neumf, rosenthal, takuti
from bench.seeds.table import show

NAME = "seeds"


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr)


def main() -> int:
    """Measure, print, write."""
    parts: dict[str, Callable[[int], Any]] = {
        "rosenthal": lambda seeds: rosenthal.measure(say),
        "takuti": lambda seeds: takuti.measure(seeds, say),
        "neumf": lambda seeds: neumf.measure(seeds, say),
        "home": lambda seeds: home_runs.measure(say),
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=3, help="repeats of each case (default 3)")
    parser.add_argument("--only", nargs="*", choices=parts, default=list(parts), help="measure only these")
    chosen = parser.parse_args()
    measured = {name: parts[name](chosen.seeds) for name in chosen.only}
    path = RESULTS / f"{NAME}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    result = {name: measured.get(name, kept.get(name)) for name in parts if name in measured or name in kept}
    if all(name in result for name in parts):
        show(result)
    print("written to", write(NAME, result).relative_to(RESULTS.parent.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
