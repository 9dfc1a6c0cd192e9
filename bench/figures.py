"""Write the figures of bench/results into the README, so that no number there was typed by hand: python -m bench.figures"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from bench.machine import RESULTS

README = RESULTS.parent.parent / "README.md"
BETWEEN = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)


def figures() -> str:
    """The table as Markdown, from what was measured last."""
    quality = json.loads((RESULTS / "quality.json").read_text(encoding="utf-8"))
    speed = json.loads((RESULTS / "first_point.json").read_text(encoding="utf-8"))
    lines = ["", "| what | measured | required | others |", "|---|---|---|---|"]
    lines += [_quality_row(row) for row in quality["rows"]]
    lines += [
        _speed_row(speed, "click_to_first_point_s", "press of Train → first point of the curve", "s"),
        _speed_row(speed, "page_switch_s", "page switch", "s"),
        _speed_row(speed, "idle_cpu_percent", "idle, one tab open: CPU", " %"),
    ]
    seeds = len(quality["rows"][0]["values"])
    lines += ["", f"Means of {seeds} seeds, medians of presses. {_where(quality['machine'])}", ""]
    return "\n".join(lines)


def _quality_row(row: dict[str, Any]) -> str:
    name = row["metric"].upper()
    sign = "≤" if row["metric"] in ("rmse", "mae") else "≥"
    what = f"`--preset {row['preset']}`, {row['protocol']}: {name}"
    return f"| {what} | {row['mean']:.3f} in {row['train_seconds']:.0f} s | {sign} {row['required']:.3f} | {row['reference']} |"


def _speed_row(speed: dict[str, Any], key: str, what: str, unit: str) -> str:
    return f"| {what} | {speed[key]:.2f}{unit if unit.startswith(' ') else f' {unit}'} | ≤ {speed['required'][key]:g} | |"


def _where(machine: dict[str, Any]) -> str:
    versions = f"Python {machine['python']}, torch {machine['torch']}"
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {versions}, {machine['measured'][:10]}."
    )


def main() -> None:
    """Replace what stands between the two comments in the README."""
    text = README.read_text(encoding="utf-8")
    if not BETWEEN.search(text):
        sys.exit("README.md has no <!-- figures --> … <!-- /figures --> to write between")
    README.write_text(BETWEEN.sub(lambda _: figures(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
