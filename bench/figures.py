"""Write the figures of bench/results into the README, so that no number there was typed by hand: python -m bench.figures"""

from __future__ import annotations

import re
import sys

from bench.measured import ROOT, Measured, read
from bench.quality_goals import LOWER_IS_BETTER, ROWS, Figure, Row
from bench.speed.report import document, markdown

# Experiment, figure, what it is.
APP = (
    ("latency", "start_to_first_page", "`streamlit run app.py` until the first page is usable"),
    ("latency", "click_to_first_point", "press of Train to the first point of the curve"),
    ("latency", "cold_click_to_first_point", "the same on a server that has just started"),
    ("latency", "page_switch", "page switch"),
    ("latency", "page_switch_slowest", "page switch, the slowest page"),
    ("latency", "recommend", "recommendations for a user"),
    ("latency", "idle_cpu", "CPU when idle, one tab open"),
    ("watchers", "latest_point", "60 live views watch a run: the latest point"),
    ("watchers", "server_cpu", "60 live views watch a run: one core of the server"),
    ("watchers", "training_cost", "what a live view costs the training it watches"),
    ("steering", "after_a_step", "a click steers a run: done after the end of a step, the latest of 120"),
    ("frames", "many_drawn", "60,000 points drawn"),
    ("frames", "play_2d", "embeddings in play, pictures a second"),
)

README = ROOT / "README.md"
BETWEEN = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)
BETWEEN_SPEED = re.compile(r"(?<=<!-- speed -->\n).*?(?=<!-- /speed -->)", re.DOTALL)


def figures() -> str:
    """The table as Markdown, from what was measured last and has a figure to reach."""
    lines = ["", "| what | measured | required | others |", "|---|---|---|---|"]
    found = {(row, figure): read("quality").get(f"{row.name}/{figure.label}") for row in ROWS for figure in row.figures}
    required = [(row, figure, one) for (row, figure), one in found.items() if one is not None and figure.required]
    lines += [_quality_row(row, figure, one) for row, figure, one in required]
    app = [(what, read(experiment).get(name)) for experiment, name, what in APP]
    lines += [_app_row(what, one) for what, one in app if one is not None]
    measured = [one for *_, one in required] + [one for _, one in app if one is not None]
    return "\n".join(
        [
            *lines,
            "",
            "Test figures are means ± standard deviation over seeds; times are medians. \\* was obtained more favourably, see "
            f"[bench](bench/README.md). {_where(measured)}",
            "",
        ]
    )


def speed() -> str:
    """The table of ``python -m bench.speed`` as Markdown, with its picture."""
    measured = read("speed")
    if not measured:
        return "\nNot measured yet: `python -m bench.speed` does.\n\n"
    words = "Medians (least–most) of processes measured in turn; peers in versions of [peers.txt](bench/speed/peers.txt). "
    picture = "![How many times as fast as others](docs/images/speed.svg)"
    return "\n".join(["", picture, "", *markdown(document(measured)), "", words + _where([*measured.values()]), ""])


def _quality_row(row: Row, figure: Figure, found: Measured) -> str:
    lower = figure.metric in LOWER_IS_BETTER
    missed = "" if found.met else ", missed"
    spread = f" ± {found.sd:.3f}" if found.sd is not None else ""
    what = f"`--preset {row.preset}`, {row.protocol}: {figure.label}"
    return f"| {what} | {found.value:.3f}{spread} | {'≤' if lower else '≥'} {figure.required:g}{missed} | {figure.reference} |"


def _app_row(what: str, found: Measured) -> str:
    unit = f" {found.unit}" if found.unit in ("s", "%") else ""
    digits = 3 if found.value < 0.1 else 2 if found.value < 10 else 0
    missed = "" if found.met else ", missed"
    return f"| {what} | {found.value:.{digits}f}{unit} | {found.required}{unit}{missed} | |"


def _where(measured: list[Measured]) -> str:
    """The machine and the day of the row measured last."""
    latest = max(measured, key=lambda one: one.date, default=Measured(""))
    return f"{latest.machine}, {latest.date}."


def main() -> None:
    """Replace what stands between the pairs of comments in the README."""
    text = README.read_text(encoding="utf-8")
    if not BETWEEN.search(text):
        sys.exit("README.md has no <!-- figures --> … <!-- /figures --> to write between")
    text = BETWEEN_SPEED.sub(lambda _: speed(), BETWEEN.sub(lambda _: figures(), text))
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
