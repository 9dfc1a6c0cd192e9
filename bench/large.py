"""Whether data of MovieLens 32M's shape fits: python -m bench.large [--batch 65536] [--scale 0.1]

Ratings with a long tail are planted for 200,948 users and 87,585 items, 32.0 M of them, then read from disk, split, trained
(biased MF, k = 64) and evaluated in a process of its own, whose memory is read at every stage. Reports seconds and the peak so
far of each stage, epochs done, and how long one person waits for recommendations, there and on MovieLens 100K. Status 1 when it
takes more than 8 GB, or a recommendation longer than required. Needs about 1 GB of disk; takes some ten minutes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.machine import write

USERS, ITEMS, RATINGS = 200_948, 87_585, 32_000_204
LIMIT_GB = 8.0
REQUIRED_MS = {"recommend_large_ms": 300.0, "recommend_ml_100k_ms": 100.0}
ROOT = Path(__file__).resolve().parent.parent


class Stages:
    """Seconds and memory of each stage: ``now_gb`` in use at its end, ``peak_gb`` the most the process has had until then."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[dict[str, Any]]:
        stage: dict[str, Any] = {"stage": name}
        started = time.perf_counter()
        yield stage
        stage |= {"seconds": round(time.perf_counter() - started, 2), **_memory_gb()}
        self.done.append(stage)
        print(
            f"{name:34} {stage['seconds']:8.1f} s   now {stage['now_gb']:5.2f} GB   peak {stage['peak_gb']:5.2f} GB", flush=True
        )


def _memory_gb() -> dict[str, float]:
    """Resident memory now and at its highest, in GB of 10⁹ bytes. Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    return {
        name: round(int(known[key].split()[0]) * 1024 / 1e9, 2) for name, key in (("now_gb", "VmRSS"), ("peak_gb", "VmHWM"))
    }


def measure(home: Path, batch_size: int, epochs: int, scale: float) -> dict[str, Any]:
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
    told = [trainer.engine_reason, trainer.validation_words]
    progress = []
    for number in range(1, epochs + 1):
        with stage(f"epoch {number}, with validation") as one:
            end = trainer.train_epoch()
            one |= {"train_seconds": round(end.seconds, 2), "validated": round(end.validated, 4), **_rounded(end.metrics)}
        one["validation_share_of_training"] = round((one["seconds"] - end.seconds) / end.seconds, 3)
        progress.append({"epoch": number, "train_loss": round(end.train_loss, 4), **_rounded(end.metrics)})
    with stage("evaluate test: every user, 1 + 99 and full") as last:
        details = Evaluator(split, "test").details(model)
    with stage("its figures"):
        from mfcore.evaluation import summarise

        test = _rounded(summarise(details))
    last["users"], last["cases"] = len(details.list_user if details.list_user is not None else ()), len(details.case_user)
    del details, trainer
    recommender = Recommender(model, data)
    with stage("recommend to 50 people"):
        asked = data.users.ids[:: max(1, data.num_users // 50)][:50].tolist()
        waits = waiting(recommender.recommend, asked)
    return {
        "users": data.num_users,
        "items": data.num_items,
        "ratings": len(data),
        "engine": told[0],
        "validation": told[1],
        "threads": torch.get_num_threads(),
        "epochs": progress,
        "test": test,
        "stages": stage.done,
        "peak_gb": _memory_gb()["peak_gb"],
        **waits_of("recommend_large", waits),
        **waits_of("recommend_ml_100k", _waits_on_movielens()),
    }


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


def waits_of(name: str, waits: list[float]) -> dict[str, float]:
    """Median, first and longest."""
    return {
        f"{name}_ms": round(statistics.median(waits), 1),
        f"{name}_first_ms": round(waits[0], 1),
        f"{name}_longest_ms": round(max(waits), 1),
    }


def _rounded(metrics: dict[str, float]) -> dict[str, float]:
    wanted = ("rmse", "mae", "hr@10", "ndcg@10", "hr@10/full", "ndcg@10/full")
    return {name: round(metrics[name], 4) for name in wanted if name in metrics}


def main() -> int:
    """Measure in a child process, print, write bench/results/large.json."""
    parser = argparse.ArgumentParser(description="Whether data of MovieLens 32M's shape fits into 8 GB.")
    parser.add_argument("--batch", type=int, default=1, help="ratings a step: 1 is the compiled engine (default)")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the users and items, for a quick look")
    parser.add_argument("--home", type=Path, help="where the made data is kept (default: thrown away afterwards)")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        result = measure(args.home, args.batch, args.epochs, args.scale)
        args.child.write_text(json.dumps(result), encoding="utf-8")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        flags = ["--batch", str(args.batch), "--epochs", str(args.epochs), "--scale", str(args.scale)]
        command = [sys.executable, "-m", "bench.large", *flags, "--home", str(args.home or folder), "--child", str(answer)]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            print("the measuring process failed; the lines above say where")
            return 1
        result = json.loads(answer.read_text(encoding="utf-8"))
    return report(result, args.scale, args.batch)


def report(result: dict[str, Any], scale: float, batch_size: int) -> int:
    """Print what was required, keep the result of a whole measurement, and say by the status whether all was met."""
    missed = result["peak_gb"] > LIMIT_GB
    print(f"peak memory      {result['peak_gb']:.2f} GB, required ≤ {LIMIT_GB:g}")
    for name, limit in REQUIRED_MS.items():
        print(f"{name:24} {result[name]:.1f}, required ≤ {limit:g}")
        missed = missed or result[name] > limit
    print(json.dumps(result["test"]), result["engine"], result["validation"], sep="\n")
    if scale == 1.0:
        name = "large" if batch_size == 1 else f"large-batch-{batch_size}"
        print("written to", write(name, {"limit_gb": LIMIT_GB, "required_ms": REQUIRED_MS, **result}).relative_to(ROOT))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
