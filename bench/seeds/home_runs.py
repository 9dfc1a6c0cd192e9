"""The same models as anyone starts them from the Home page: presets, run as they stand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measured import Measured
from mfcore.paths import data_dir
from mfcore.runs import PRESETS, preset_config
from mfcore.runs.layout import RunFolder
from mfcore.runs.worker.session import train_run

KEPT = ("rmse", "mae", "hr@10", "ndcg@10", "hr@10/full", "ndcg@10/full")


def measure(say: Callable[[str], None]) -> list[Measured]:
    """Of every preset from the literature its test figures, the baselines' beside them, best epoch and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        home, datasets = Path(folder), data_dir() / "datasets"
        if datasets.is_dir():
            (home / "datasets").symlink_to(datasets, target_is_directory=True)
        seeds = [name for name, preset in PRESETS.items() if preset.kind == "seed"]
        return [row for name in seeds for row in _run(name, home, say)]


def _run(preset: str, home: Path, say: Callable[[str], None]) -> list[Measured]:
    say(f"preset {preset}")
    folder = RunFolder.create(home, preset_config(preset).with_flat({"pace": 0, "device": "cpu", "threads": 1}))
    status = train_run(folder, home)
    if status.state != "finished":
        raise RuntimeError(f"{preset} ended {status.state}: {status.reason}")
    result = folder.result()
    metric = "rmse" if "rmse" in result["test"] else "ndcg@10"
    found = {name: result["test"][name] for name in KEPT if name in result["test"]}
    found |= {f"baseline/{name}": values[metric] for name, values in result["baselines"].items() if metric in values}
    rows = [Measured(f"home/{preset}/{name}", value) for name, value in found.items()]
    rows.append(Measured(f"home/{preset}/best epoch", result["best_epoch"]))
    return [*rows, Measured(f"home/{preset}/training", result["train_seconds"], "s")]
