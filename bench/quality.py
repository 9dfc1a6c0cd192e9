"""What the presets reach on the test set of MovieLens 100K: python -m bench.quality [--seeds 3] [--presets mf-implicit neumf]

Each preset runs as it stands, through the command line, once per seed. The seed starts the model, the batches, and the draw of
the 99 negatives, so that the spread shows both. Required and reference figures are for the same protocol.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import write
from mfcore.paths import data_dir

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Goal:
    """A figure to reach: ``required`` is ours to keep, ``reference`` what others reach under the same protocol."""

    preset: str
    protocol: str
    metric: str
    required: float
    reference: str

    def met(self, value: float) -> bool:
        """Whether ``value`` is at least as good as required."""
        return value <= self.required if self.metric in ("rmse", "mae") else value >= self.required


GOALS = (
    Goal("biased-mf", "official fold u1", "rmse", 0.935, "Surprise SVD .951 (tuned .928), Cornac MF .923"),
    Goal("mf-implicit", "leave-last-out, 1 + 99", "ndcg@10", 0.380, "implicit ALS .389, Cornac BPR .388, EASE .393"),
    Goal("neumf", "leave-last-out, 1 + 99", "ndcg@10", 0.370, "Cornac NeuMF-8 .362"),
)


def train(preset: str, seed: int, home: Path) -> dict[str, Any]:
    """One run of a preset through the command line: its result object."""
    command = [sys.executable, "-m", "mfcore", "train", "--preset", preset, "--seed", str(seed)]
    command += ["--set", f"negatives_seed={seed}", "--home", str(home), "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(goal: Goal, seeds: int, home: Path) -> dict[str, Any]:
    """All seeds of one goal: per-seed figures, mean, spread, seconds."""
    results = [train(goal.preset, seed, home) for seed in range(seeds)]
    values = [result["test"][goal.metric] for result in results]
    return {
        "preset": goal.preset,
        "protocol": goal.protocol,
        "metric": goal.metric,
        "required": goal.required,
        "reference": goal.reference,
        "values": values,
        "mean": statistics.fmean(values),
        "spread": max(values) - min(values),
        "met": goal.met(statistics.fmean(values)),
        "train_seconds": statistics.median(result["train_seconds"] for result in results),
        "samples_per_second": statistics.median(result["samples_per_second"] for result in results),
        "epochs": [result["epochs"] for result in results],
        "test": [result["test"] for result in results],
    }


def show(rows: list[dict[str, Any]]) -> None:
    """The table a person reads."""
    table = Table(title="Presets on MovieLens 100K, test set")
    for heading in ("preset", "protocol", "metric", "ours (mean)", "each seed", "required", "others", "seconds"):
        table.add_column(heading)
    for row in rows:
        each = " ".join(f"{value:.4f}" for value in row["values"])
        mark = "✓" if row["met"] else "✗"
        sign = "≤" if row["metric"] in ("rmse", "mae") else "≥"
        cells = [row["preset"], row["protocol"], row["metric"], f"{row['mean']:.4f} {mark}", each]
        table.add_row(*cells, f"{sign} {row['required']:.3f}", row["reference"], f"{row['train_seconds']:.1f}")
    Console(width=160).print(table)


def main() -> int:
    """Measure, print, write bench/results/quality.json. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=1, help="runs per preset (default 1)")
    parser.add_argument("--presets", nargs="*", default=[goal.preset for goal in GOALS], help="only these presets")
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        datasets = data_dir() / "datasets"
        if datasets.is_dir():
            (home / "datasets").symlink_to(datasets, target_is_directory=True)
        for goal in GOALS:
            if goal.preset in chosen.presets:
                rows.append(measure(goal, chosen.seeds, home))
                print(f"{goal.preset}: {goal.metric} {rows[-1]['mean']:.4f}", file=sys.stderr)
    show(rows)
    print("written to", write("quality", {"rows": rows}).relative_to(ROOT))
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
