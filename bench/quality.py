"""What the presets reach on the test set of MovieLens 100K: python -m bench.quality [--only biased-mf] [--missing]

Each preset runs as it stands, through the command line, which scores test once, at the end of a run. The seed of a repeat
starts the model and the batches, draws the negatives (20 draws each), and divides the ratings where the protocol leaves that
open; the ± is the standard deviation over repeats. Rows are written as they are done, so that a row can be measured on its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import measured
from bench.measured import ROOT, Measured, mean, under
from bench.quality_goals import CHECKS, LOWER_IS_BETTER, RANDOM_DIVISIONS, ROWS, Check, Figure, Row
from mfcore.paths import data_dir
from mfcore.runs.presets import preset_config
from mfcore.settings import SETTINGS, chosen

EXPERIMENT = "quality"
DRAWS = 20
CHECKS_NAME = "checks"


def jobs(row: Row, seeds: int) -> list[dict[str, Any]]:
    """The settings of each run of a row beside the preset's own: every repeat (a seed) with every fold."""
    found = []
    for seed in range(max(seeds, row.divisions)):
        settings = {**dict(row.settings), "seed": seed, "split_seed": seed, "negatives_seed": seed, "draws": DRAWS}
        found += [{**settings, "fold": fold} for fold in row.folds] or [settings]
    return found


def train(preset: str, settings: dict[str, Any], home: Path) -> dict[str, Any]:
    """One run of a preset through the command line: what is worth keeping of its result."""
    command = [sys.executable, "-m", "mfcore", "train", "--preset", preset, "--home", str(home), "--json"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[1:])} ended with status {done.returncode}:\n{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    return {"settings": settings, "test": result["test"], "best_epoch": result["best_epoch"]}


def repeats(figure: Figure, runs: Iterable[dict[str, Any]]) -> list[float]:
    """A figure's value in each repeat, by seed: the mean over the repeat's folds, or its one fold."""
    by_seed: dict[int, list[float]] = {}
    for run in runs:
        if figure.fold in (0, run["settings"].get("fold")):
            by_seed.setdefault(run["settings"]["seed"], []).append(run["test"][figure.metric])
    return [statistics.fmean(values) for _, values in sorted(by_seed.items())]


def reaches(metric: str, value: float, goal: float | None) -> bool | None:
    """Whether ``value`` is at least as good as ``goal``; None without a goal."""
    if goal is None:
        return None
    return value <= goal if metric in LOWER_IS_BETTER else value >= goal


def figure_of(row: Row, figure: Figure, runs: list[dict[str, Any]]) -> Measured:
    """A figure of a row from its runs: the mean over repeats; its note names the preset's settings by their digest."""
    found = mean(f"{row.name}/{figure.label}", repeats(figure, runs))
    at_most, at_least = (figure.required, None) if figure.metric in LOWER_IS_BETTER else (None, figure.required)
    return replace(found, at_most=at_most, at_least=at_least, note=f"preset {digest(row)}")


def digest(row: Row) -> str:
    """A short name for what a row trains now: its preset's settings under the row's own protocol.

    Left out is what changes no weight, and what :func:`jobs` sets in each run.
    """
    flat = preset_config(row.preset).with_flat(dict(row.settings)).to_flat()
    each = {key for job in jobs(row, 1) for key in job} - dict(row.settings).keys()
    asked = chosen(flat)
    matters = {key for key, one in SETTINGS.items() if one.effect != "none" and not one.idle(asked)}
    kept = {key: value for key, value in flat.items() if key in matters - each}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]


def measure(row: Row, seeds: int, home: Path) -> list[Measured]:
    """The figures of a row, after all its runs, with a line of progress each."""
    runs, wanted = [], jobs(row, seeds)
    for number, settings in enumerate(wanted, 1):
        runs.append(train(row.preset, settings, home))
        first = row.figures[0]
        fold = f", fold {settings['fold']}" if "fold" in settings else ""
        reached = f"{first.metric} {runs[-1]['test'][first.metric]:.4f}, best epoch {runs[-1]['best_epoch']}"
        print(f"{row.name} {number}/{len(wanted)}: seed {settings['seed']}{fold}: {reached}", file=sys.stderr, flush=True)
    return [figure_of(row, figure, runs) for figure in row.figures]


def check(home: Path, seeds: int) -> list[Measured]:
    """The baselines on the same test parts, in this process: they choose nothing, so there is nothing to keep from them."""
    from mfcore.data import leave_last_out, load_dataset, random_split
    from mfcore.evaluation import Protocol, baseline_metrics

    data = load_dataset("ml-100k", home=home)
    latest = leave_last_out(data)
    ranked = [
        baseline_metrics(latest, "test", Protocol(draws=DRAWS, negatives_seed=seed), all_relevant=True, strong=True)
        for seed in range(seeds)
    ]
    divided = [baseline_metrics(random_split(data, seed=seed), "test") for seed in range(max(seeds, RANDOM_DIVISIONS))]
    return [checked(one, divided if one.split == "random" else ranked) for one in CHECKS]


def checked(one: Check, found: list[dict[str, dict[str, float]]]) -> Measured:
    """A baseline's figure, with the bounds it must keep to."""
    result = mean(f"{CHECKS_NAME}/{one.label}", [metrics[one.baseline][one.metric] for metrics in found])
    return replace(result, at_least=one.low, at_most=one.high)


def moonshot_met(figure: Figure, rows: dict[str, Measured], own: Measured) -> bool | None:
    """Whether a figure is as good as hoped for; None where nothing is, or the row to beat is not there."""
    goal = figure.moonshot
    if isinstance(goal, str):
        beaten = rows.get(f"{goal}/{figure.label}")
        goal = None if beaten is None else beaten.value
    return reaches(figure.metric, own.value, goal)


def with_spread(figure: Measured, digits: int = 4) -> str:
    """``0.9131 ± 0.0004``, without the ± for a single repeat."""
    spread = f" ± {figure.sd:.{digits}f}" if figure.sd is not None else ""
    return f"{figure.value:.{digits}f}{spread}"


def goal_words(metric: str, value: float | str | None) -> str:
    """``≤ 0.913``, ``≥ 0.67``, ``beats mf-implicit``, or a dash."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return f"beats {value}"
    return f"{'≤' if metric in LOWER_IS_BETTER else '≥'} {value:g}"


def mark(met: bool | None) -> str:
    """✓, ✗, or nothing without a goal."""
    return "" if met is None else " ✓" if met else " ✗"


def show(rows: dict[str, Measured]) -> None:
    """Presets, then the checks of the harness, then how the references differ."""
    console = Console(width=160)
    table = Table("row", "protocol", "figure", "ours", "required", "moonshot", "others")
    table.title = "Presets on MovieLens 100K, test part: mean ± standard deviation over repeats"
    for row in ROWS:
        there = [(figure, rows[name]) for figure in row.figures if (name := f"{row.name}/{figure.label}") in rows]
        for place, (figure, found) in enumerate(there):
            first = (row.name, row.protocol) if place == 0 else ("", "")
            met = reaches(figure.metric, found.value, figure.required)
            required = goal_words(figure.metric, figure.required) + mark(met)
            moonshot = goal_words(figure.metric, figure.moonshot) + mark(moonshot_met(figure, rows, found))
            words = (figure.label, with_spread(found), required, moonshot, figure.reference)
            table.add_row(*first, *words, end_section=place == len(there) - 1)
    console.print(table)
    table = Table(
        "figure", "protocol", "ours", "expected", "others", title="Checks of the harness: baselines on the same test parts"
    )
    for one in CHECKS:
        if (name := f"{CHECKS_NAME}/{one.label}") in rows:
            expected = f"{one.low:.3f} … {one.high:.3f}" if one.low else f"≤ {one.high:.3f}"
            table.add_row(one.label, one.split, with_spread(rows[name]), expected + mark(rows[name].met), one.reference)
    console.print(table)
    for row in ROWS:
        console.print(f"[b]{row.name}[/b]: {row.differences}", highlight=False)


def keep(rows: dict[str, Measured]) -> None:
    """Write what there is, in the order of the goals."""
    wanted = [f"{row.name}/{figure.label}" for row in ROWS for figure in row.figures]
    wanted += [f"{CHECKS_NAME}/{one.label}" for one in CHECKS]
    measured.write(EXPERIMENT, [rows[name] for name in wanted if name in rows])


def main() -> int:
    """Measure, print, write. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    names = [CHECKS_NAME, *(row.name for row in ROWS)]
    parser.add_argument("--seeds", type=int, default=3, help="repeats of each row (default 3; random divisions: at least 5)")
    parser.add_argument(
        "--only", nargs="*", default=names, choices=names, metavar="ROW", help=f"only these of {', '.join(names)}"
    )
    parser.add_argument("--missing", action="store_true", help="only rows not measured yet, or whose preset has changed since")
    parser.add_argument("--show", action="store_true", help="measure nothing, print what was measured last")
    chosen = parser.parse_args()
    rows = measured.read(EXPERIMENT)
    if chosen.show:
        show(rows)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        datasets = data_dir() / "datasets"
        if datasets.is_dir():
            (home / "datasets").symlink_to(datasets, target_is_directory=True)
        if CHECKS_NAME in chosen.only and not (chosen.missing and under(rows, CHECKS_NAME)):
            rows |= {one.name: one for one in check(home, chosen.seeds)}
            keep(rows)
        for row in ROWS:
            same = any(one.note == f"preset {digest(row)}" for one in under(rows, row.name).values())
            if row.name in chosen.only and not (chosen.missing and same):
                rows |= {one.name: one for one in measure(row, chosen.seeds, home)}
                keep(rows)
    show(rows)
    return int(not all(one.met for one in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
