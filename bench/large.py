"""Whether data of MovieLens 32M's shape fits: python -m bench.large [--batch 65536] [--scale 0.1]

Ratings with a long tail are planted for 200,948 users and 87,585 items, 32.0 M of them, then read from disk, split, trained
(biased MF, k = 64) and evaluated in a process of its own, whose memory is read at every stage. Reports seconds and the peak so
far of each stage, epochs done, and how long one person waits for recommendations, there and on MovieLens 100K. Status 1 when it
takes more than 8 GB, or a recommendation longer than required. Needs about 1 GB of disk; takes some ten minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measured import ROOT, Measured, median, report

USERS, ITEMS, RATINGS = 200_948, 87_585, 32_000_204
LIMIT_GB, RECOMMEND_LARGE, RECOMMEND_ML_100K = 8.0, 300.0, 100.0
"""Memory of the whole; milliseconds that one person may wait."""

KEPT = ("rmse", "mae", "hr@10", "ndcg@10", "hr@10/full", "ndcg@10/full")


class Stages:
    """Seconds of each stage; noted beside them, memory in use at its end and the most the process has had until then."""

    def __init__(self) -> None:
        self.done: list[Measured] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[list[str]]:
        notes: list[str] = []
        started = time.perf_counter()
        yield notes
        seconds, memory = time.perf_counter() - started, _memory_gb()
        memory_words = f"now {memory['now']:.2f} GB, peak {memory['peak']:.2f} GB"
        self.done.append(Measured(f"stage/{name}", seconds, "s", note="; ".join([memory_words, *notes])))
        print(f"{name:34} {seconds:8.1f} s   {memory_words}", flush=True)


def _memory_gb() -> dict[str, float]:
    """Resident memory now and at its highest, in GB of 10⁹ bytes. Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    return {name: int(known[key].split()[0]) * 1024 / 1e9 for name, key in (("now", "VmRSS"), ("peak", "VmHWM"))}


def measure(home: Path, batch_size: int, epochs: int, scale: float) -> list[Measured]:
    """All stages, in this process."""
    from mfcore import Recommender, TrainConfig, Trainer, build_model, load_dataset, random_split
    from mfcore.data import forget_loaded
    from mfcore.evaluation import Evaluator

    stage = Stages()
    users, items, ratings = (
        max(300, round(size * part)) for size, part in ((USERS, scale), (ITEMS, scale), (RATINGS, scale**2))
    )
    options: dict[str, Any] = {"num_users": users, "num_items": items, "density": ratings / (users * items), "popularity": 1.0}
    with stage("import"):
        import torch
    with stage("make and store"):
        load_dataset("planted", home=home, **options)
        forget_loaded()
    with stage("load"):
        data = load_dataset("planted", home=home, **options)
    with stage("split 70 / 10 / 20"):
        split = random_split(data)
    with stage("build the model, k = 64"):
        model = build_model("biased-mf", split.train, embedding_dim=64, seed=0)
        how: dict[str, Any] = (
            {"optimizer": "sgd", "learning_rate": 0.01, "weight_decay": 0.02} if batch_size == 1 else {"learning_rate": 2e-3}
        )
        config = TrainConfig(batch_size=batch_size, num_epochs=epochs, device="cpu", **how)
        trainer = Trainer(model, split, config)
    told = f"{trainer.engine_reason}; {trainer.validation_words}; {torch.get_num_threads()} threads"
    for number in range(1, epochs + 1):
        with stage(f"epoch {number}, with validation") as notes:
            end = trainer.train_epoch()
            notes.append(f"{end.seconds:.2f} s of training, loss {end.train_loss:.4f}, {end.validated:.0%} validated")
            notes += [f"{name} {end.metrics[name]:.4f}" for name in KEPT if name in end.metrics]
    with stage("evaluate test: every user, 1 + 99 and full") as notes:
        details = Evaluator(split, "test").details(model)
        lists = 0 if details.list_user is None else len(details.list_user)
        notes.append(f"{lists:,} users, {len(details.case_user):,} cases")
    with stage("its figures"):
        from mfcore.evaluation import summarise

        test = summarise(details)
    del details, trainer
    recommender = Recommender(model, data)
    with stage("recommend to 50 people"):
        asked = data.users.ids[:: max(1, data.num_users // 50)][:50].tolist()
        waits = waiting(recommender.recommend, asked)
    data_words = f"{data.num_users:,} users, {data.num_items:,} items, {len(data):,} ratings"
    return [
        Measured("peak_memory", _memory_gb()["peak"], "GB", at_most=LIMIT_GB, note=f"{data_words}; {told}"),
        *_waits("recommend_large", waits, RECOMMEND_LARGE),
        *_waits("recommend_ml_100k", _waits_on_movielens(), RECOMMEND_ML_100K),
        *(Measured(f"test/{name}", test[name]) for name in KEPT if name in test),
        *stage.done,
    ]


def _waits_on_movielens() -> list[float]:
    from mfcore import Recommender, build_model, load_dataset

    data = load_dataset("ml-100k")
    recommender = Recommender(build_model("biased-mf", data, embedding_dim=64, seed=0), data)
    return waiting(recommender.recommend, data.users.ids[::10].tolist())


def waiting(recommend: Callable[[int], Any], users: list[int]) -> list[float]:
    """Milliseconds of each request, the first included: that is the one somebody waits for."""
    waits = []
    for user in users:
        started = time.perf_counter()
        recommend(user)
        waits.append(1000 * (time.perf_counter() - started))
    return waits


def _waits(name: str, waits: list[float], at_most: float) -> list[Measured]:
    """Median, least and longest; and the first."""
    return [median(name, waits, "ms", at_most=at_most), Measured(f"{name}_first", waits[0], "ms")]


def main() -> int:
    """Measure in a child process, print, write. Status 1 when something required was missed."""
    parser = argparse.ArgumentParser(description="Whether data of MovieLens 32M's shape fits into 8 GB.")
    parser.add_argument("--batch", type=int, default=1, help="ratings a step: 1 is the compiled engine (default)")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the users and items, for a quick look")
    parser.add_argument("--home", type=Path, help="where the made data is kept (default: thrown away afterwards)")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        result = measure(args.home, args.batch, args.epochs, args.scale)
        args.child.write_text(json.dumps([asdict(row) for row in result]), encoding="utf-8")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        flags = ["--batch", str(args.batch), "--epochs", str(args.epochs), "--scale", str(args.scale)]
        command = [sys.executable, "-m", "bench.large", *flags, "--home", str(args.home or folder), "--child", str(answer)]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            print("the measuring process failed; the lines above say where")
            return 1
        rows = [Measured(**row) for row in json.loads(answer.read_text(encoding="utf-8"))]
    if args.scale != 1.0:
        return int(not all(row.met for row in rows))
    return report("large" if args.batch == 1 else f"large-batch-{args.batch}", rows)


if __name__ == "__main__":
    sys.exit(main())
