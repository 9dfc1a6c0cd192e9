"""What snapshots cost: python -m bench.snapshots [--repeats 5]

Runs on MovieLens 100K, each with its snapshots: processor time spent on them as a share of the run's (of its length, where a
pace makes it wait), and how long a frame takes. Processor time, because on a busy machine waiting would count as cost.
Then how long the page waits for a film of 200 epochs and for a map of 60,000 points.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bench.measured import Measured, median, report
from mfcore import build_model, load_dataset, random_split
from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.embeddings.snapshot_writer import SnapshotWriter
from mfcore.paths import data_dir
from mfcore.runs import RunConfig, RunFolder
from mfcore.runs.worker.session import train_run

COST, MAP_60K = 2.0, 0.3
"""Percent of a run's time that snapshots may take; seconds that a large map may take."""
COMMON = {"dataset": "ml-100k", "device": "cpu", "threads": 1}
RUNS: dict[str, dict[str, Any]] = {
    "five epochs a second": {"model": "biased-mf", "embedding_dim": 64, "batch_size": 1024, "num_epochs": 20, "pace": 5.0},
    "compiled, full speed": {
        **{"model": "biased-mf", "embedding_dim": 32, "batch_size": 1, "optimizer": "sgd", "learning_rate": 0.005},
        "num_epochs": 100,
    },
    "NeuMF": {"model": "neumf", "embedding_dim": 16, "batch_size": 1024, "num_epochs": 5},
}


def measure_run(home: Path, flat: dict[str, Any]) -> dict[str, float]:
    """Train once; how much of the processor's time went into snapshots."""
    spent: list[float] = []
    plain = SnapshotWriter.write, SnapshotWriter.write_now
    SnapshotWriter.write, SnapshotWriter.write_now = (_timed(one, spent) for one in plain)  # type: ignore[method-assign]
    try:
        folder = RunFolder.create(home, RunConfig().with_flat({**COMMON, **flat}))
        began = time.process_time()
        status = train_run(folder, home)
        whole = max(time.process_time() - began, flat["num_epochs"] / flat["pace"] if "pace" in flat else 0.0)
    finally:
        SnapshotWriter.write, SnapshotWriter.write_now = plain  # type: ignore[method-assign]
    assert status.state == "finished", status.reason
    frames = len(list((folder.path / "snapshots").glob("epoch-*")))
    return {"frames": frames, "cost": 100 * sum(spent) / whole, "frame": 1e3 * sum(spent) / max(1, frames)}


def _timed(function: Callable[..., bool], spent: list[float]) -> Callable[..., bool]:
    def wrapped(*args: Any, **how: Any) -> bool:
        began = time.thread_time()
        done = function(*args, **how)
        spent.append(time.thread_time() - began)
        return done

    return wrapped


def measure_answers(home: Path) -> list[Measured]:
    """Seconds for a film of 200 epochs and for a map of 60,000 points on 8 axes: the first time, and again."""
    from ui.api.routes import ROUTES

    os.environ["MF_EXPLORER_HOME"] = str(home)
    client = TestClient(Starlette(routes=ROUTES))
    rows: list[Measured] = []
    random = np.random.default_rng(0).standard_normal((60_000, 64)).astype(np.float32)
    large = ImportedEmbeddings.add(Tables(random, {"label": [str(number) for number in range(60_000)]}), "large", home)
    addresses = {"film": f"/api/runs/{_film(home)}/space", "map_60k": f"/api/embeddings/{large.name}/space?components=8"}
    for name, address in addresses.items():
        for when, limit in (("_first", None), ("", MAP_60K if name == "map_60k" else None)):
            began = time.perf_counter()
            answer = client.get(address)
            seconds = time.perf_counter() - began
            assert answer.status_code == 200, answer.text
            rows.append(Measured(f"answers/{name}{when}", seconds, "s", at_most=limit))
        rows.append(Measured(f"answers/{name}_size", len(answer.content) / 1e6, "MB"))
    return rows


def _film(home: Path) -> str:
    """A run with 200 snapshots of vectors that wander."""
    split = random_split(load_dataset("ml-100k", home=home), seed=0)
    folder = RunFolder.create(home, RunConfig().with_flat({"dataset": "ml-100k"}))
    model = build_model("biased-mf", split.train, embedding_dim=64, seed=0)
    writer, draw = SnapshotWriter(folder.path, split, model), torch.Generator().manual_seed(0)
    for epoch in range(200):
        for table in model.parameters():
            table.data.add_(0.05 * torch.randn(table.shape, generator=draw))
        writer.write(model, epoch, keep=True)
    return folder.run_id


def main() -> int:
    """Status 1: a required figure was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    rows: list[Measured] = []
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        load_dataset("ml-100k")
        shutil.copytree(data_dir(None) / "datasets", home / "datasets")
        for name, flat in RUNS.items():
            each = [measure_run(home, flat) for _ in range(repeats)]
            for what, unit, limit in (("frames", "", None), ("cost", "%", COST), ("frame", "ms", None)):
                rows.append(median(f"{name}/{what}", [one[what] for one in each], unit, at_most=limit))
        rows += measure_answers(home)
    return report("snapshots", rows)


if __name__ == "__main__":
    raise SystemExit(main())
