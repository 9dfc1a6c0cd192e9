"""Write the figures of bench/results into the README, so that no number there was typed by hand: python -m bench.figures"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from bench.machine import RESULTS
from bench.speed.table import markdown

# Result file, key, what it is, unit, whether it must not be more ("≤") or not be less ("≥").
APP = (
    ("latency", "start_to_first_page_s", "`streamlit run app.py` until the first page is usable", " s", "≤"),
    ("latency", "click_to_first_point_s", "press of Train to the first point of the curve", " s", "≤"),
    ("latency", "cold_click_to_first_point_s", "the same on a server that has just started", " s", "≤"),
    ("latency", "page_switch_s", "page switch", " s", "≤"),
    ("latency", "page_switch_slowest_s", "page switch, the slowest page", " s", "≤"),
    ("latency", "recommend_s", "recommendations for a user", " s", "≤"),
    ("latency", "idle_cpu_percent", "CPU when idle, one tab open", " %", "≤"),
    ("watchers", "latest_point_s", "60 live views watch a run: the latest point", " s", "≤"),
    ("watchers", "server_cpu_percent", "60 live views watch a run: one core of the server", " %", "≤"),
    ("watchers", "training_cost_percent", "what a live view costs the training it watches", " %", "≤"),
    ("steering", "after_a_step_s", "a click steers a run: done after the end of a step, the latest of 120", " s", "≤"),
    ("frames", "many_drawn_s", "60,000 points drawn", " s", "≤"),
    ("frames", "play_2d_fps", "embeddings in play, pictures a second", "", "≥"),
)

README = RESULTS.parent.parent / "README.md"
BETWEEN = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)
BETWEEN_SPEED = re.compile(r"(?<=<!-- speed -->\n).*?(?=<!-- /speed -->)", re.DOTALL)


def figures() -> str:
    """The table as Markdown, from what was measured last and has a figure to reach."""
    lines = ["", "| what | measured | required | others |", "|---|---|---|---|"]
    machine: dict[str, Any] = {}
    quality = _result("quality")
    if quality:
        machine = quality["machine"]
        lines += [_quality_row(row, figure) for row in quality["rows"] for figure in row["figures"] if figure.get("required")]
    for name, key, what, unit, sign in APP:
        found = _result(name)
        if found and found.get(key) is not None:
            machine = machine or found["machine"]
            lines.append(_app_row(found, key, what, unit, sign))
    return "\n".join(
        [
            *lines,
            "",
            "Test figures are means ± standard deviation over seeds; times are medians. \\* was obtained more favourably, see "
            f"[bench](bench/README.md). {_where(machine)}",
            "",
        ]
    )


def speed() -> str:
    """The table of ``python -m bench.speed`` as Markdown, with its picture."""
    found = _result("speed")
    if found is None:
        return "\nNot measured yet: `python -m bench.speed` does.\n\n"
    words = "Medians (least–most) of processes measured in turn; peers in versions of [peers.txt](bench/speed/peers.txt). "
    picture = "![How many times as fast as others](docs/images/speed.svg)"
    return "\n".join(["", picture, "", *markdown(found), "", words + _where(found["machine"]), ""])


def _result(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return found


def _quality_row(row: dict[str, Any], figure: dict[str, Any]) -> str:
    sign = "≤" if figure["metric"] in ("rmse", "mae") else "≥"
    spread = f" ± {figure['sd']:.3f}" if "sd" in figure else ""
    missed = "" if figure["met"] else ", missed"
    what = f"`--preset {row['preset']}`, {row['protocol']}: {figure['label']}"
    return f"| {what} | {figure['mean']:.3f}{spread} | {sign} {figure['required']:g}{missed} | {figure['reference']} |"


def _app_row(found: dict[str, Any], key: str, what: str, unit: str, sign: str) -> str:
    value, limit = found[key], found["required"][key]
    missed = "" if (value <= limit if sign == "≤" else value >= limit) else ", missed"
    digits = 3 if value < 0.1 else 2 if value < 10 else 0
    return f"| {what} | {value:.{digits}f}{unit} | {sign} {limit:g}{unit}{missed} | |"


def _where(machine: dict[str, Any]) -> str:
    versions = f"Python {machine['python']}, torch {machine['torch']}"
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {versions}, {machine['measured'][:10]}."
    )


def main() -> None:
    """Replace what stands between the pairs of comments in the README."""
    text = README.read_text(encoding="utf-8")
    if not BETWEEN.search(text):
        sys.exit("README.md has no <!-- figures --> … <!-- /figures --> to write between")
    text = BETWEEN_SPEED.sub(lambda _: speed(), BETWEEN.sub(lambda _: figures(), text))
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
