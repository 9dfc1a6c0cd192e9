"""What the presets reach on the test set of MovieLens 100K: python -m bench.quality [--only biased-mf] [--missing]

Each preset runs as it stands, through the command line, which scores test once, at the end of a run. The seed of a repeat
starts the model and the batches, draws the negatives (20 draws each), and divides the ratings where the protocol leaves that
open; the ± is the standard deviation over repeats. Rows are written as they are done, so that a row can be measured on its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.machine import RESULTS, write
from bench.quality_goals import CHECKS, LOWER_IS_BETTER, RANDOM_DIVISIONS, ROWS, Check, Figure, Row
from bench.quality_table import show
from mfcore.paths import data_dir
from mfcore.runs.presets import PRESETS

ROOT = RESULTS.parent.parent
DRAWS = 20
FORMAT_VERSION = 2
CHECKS_NAME = "checks"
KEPT = ("rmse", "mae", "hr@10", "ndcg@10", "hr@10/full", "ndcg@10/full")


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
    parts = {part: _rounded(result.get(part, {})) for part in ("test", "valid", "test_before_refit")}
    return {"settings": settings, **parts, "best_epoch": result["best_epoch"], "epochs": result["epochs"]}


def _rounded(metrics: dict[str, float]) -> dict[str, float]:
    return {name: round(metrics[name], 6) for name in KEPT if name in metrics}


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean, and the standard deviation of one repeat (absent for a single one)."""
    spread = {"sd": round(statistics.stdev(values), 6)} if len(values) > 1 else {}
    return {"mean": round(statistics.fmean(values), 6), **spread, "values": [round(value, 6) for value in values]}


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


def figure_of(figure: Figure, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A figure with its goal and whether it is met; the moonshot is judged in :func:`judge`, when all rows are there."""
    found = summary(repeats(figure, runs))
    met = reaches(figure.metric, found["mean"], figure.required)
    stated = {"label": figure.label, "metric": figure.metric, "fold": figure.fold}
    goals = {"required": figure.required, "met": met, "moonshot": figure.moonshot, "reference": figure.reference}
    return {**stated, **found, **goals}


def measure(row: Row, seeds: int, home: Path) -> dict[str, Any]:
    """All runs of a row, with a line of progress each."""
    runs, wanted = [], jobs(row, seeds)
    for number, settings in enumerate(wanted, 1):
        runs.append(train(row.preset, settings, home))
        first = row.figures[0]
        fold = f", fold {settings['fold']}" if "fold" in settings else ""
        reached = f"{first.metric} {runs[-1]['test'][first.metric]:.4f}, best epoch {runs[-1]['best_epoch']}"
        print(f"{row.name} {number}/{len(wanted)}: seed {settings['seed']}{fold}: {reached}", file=sys.stderr, flush=True)
    settings = dict(PRESETS[row.preset].flat)
    return {"preset_settings": settings, "measured": datetime.now(UTC).isoformat(timespec="seconds"), "runs": runs}


def state(row: Row, measured: dict[str, Any]) -> dict[str, Any]:
    """A row as it is written: its goals as they are now, and its figures from the runs."""
    goals = {"name": row.name, "preset": row.preset, "protocol": row.protocol, "differences": row.differences}
    figures = [figure_of(figure, measured["runs"]) for figure in row.figures]
    kept = {key: measured[key] for key in ("preset_settings", "measured", "runs")}
    return {**goals, "figures": figures, **kept}


def check(home: Path, seeds: int) -> list[dict[str, Any]]:
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
    return [_checked(one, divided if one.split == "random" else ranked) for one in CHECKS]


def _checked(one: Check, found: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    result = summary([metrics[one.baseline][one.metric] for metrics in found])
    stated = {"label": one.label, "baseline": one.baseline, "split": one.split, "metric": one.metric}
    bounds = {"low": one.low, "high": one.high, "met": one.low <= result["mean"] <= one.high, "reference": one.reference}
    return {**stated, **result, **bounds}


def judge(rows: list[dict[str, Any]]) -> None:
    """Fill in ``moonshot_met`` of each figure; None where there is no moonshot or the row to beat is not there."""
    means = {(row["name"], figure["metric"]): figure["mean"] for row in rows for figure in row["figures"]}
    for row in rows:
        for figure in row["figures"]:
            goal = figure["moonshot"]
            if isinstance(goal, str):
                goal = means.get((goal, figure["metric"]))
            figure["moonshot_met"] = reaches(figure["metric"], figure["mean"], goal)


def stored() -> dict[str, Any]:
    """What was measured before; empty at first, and when it was written by another version of this."""
    path = RESULTS / "quality.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found if found.get("format_version") == FORMAT_VERSION else {}


def keep(rows: dict[str, Any], checks: list[dict[str, Any]], seeds: int) -> None:
    """Write what there is, in the order of the goals."""
    ordered = [state(row, rows[row.name]) for row in ROWS if row.name in rows]
    judge(ordered)
    settings = {"seeds": seeds, "draws": DRAWS}
    write("quality", {"format_version": FORMAT_VERSION, "settings": settings, "rows": ordered, CHECKS_NAME: checks})


def main() -> int:
    """Measure, print, write bench/results/quality.json. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    names = [CHECKS_NAME, *(row.name for row in ROWS)]
    parser.add_argument("--seeds", type=int, default=3, help="repeats of each row (default 3; random divisions: at least 5)")
    parser.add_argument(
        "--only", nargs="*", default=names, choices=names, metavar="ROW", help=f"only these of {', '.join(names)}"
    )
    parser.add_argument("--missing", action="store_true", help="only rows not measured yet, or whose preset has changed since")
    parser.add_argument("--show", action="store_true", help="measure nothing, print what was measured last")
    chosen = parser.parse_args()
    before = stored()
    rows, checks = {row["name"]: row for row in before.get("rows", [])}, before.get(CHECKS_NAME, [])
    if chosen.show:
        show(before)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        datasets = data_dir() / "datasets"
        if datasets.is_dir():
            (home / "datasets").symlink_to(datasets, target_is_directory=True)
        if CHECKS_NAME in chosen.only and not (chosen.missing and checks):
            checks = check(home, chosen.seeds)
            keep(rows, checks, chosen.seeds)
        for row in ROWS:
            same = rows.get(row.name, {}).get("preset_settings") == dict(PRESETS[row.preset].flat)
            if row.name in chosen.only and not (chosen.missing and same):
                rows[row.name] = measure(row, chosen.seeds, home)
                keep(rows, checks, chosen.seeds)
    result = stored()
    show(result)
    figures = [figure for row in result["rows"] for figure in row["figures"]] + result[CHECKS_NAME]
    return 1 if any(figure["met"] is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
