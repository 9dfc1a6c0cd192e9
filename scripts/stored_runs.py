"""Make the run folders that later versions have to open: python -m scripts.stored_runs, once for each release.

Two tiny runs go to tests/stored/<version>: one that has finished, and one whose worker was killed in its middle and that can
go on. Beside each, expected.json holds what this version shows of it. A folder that is there already is never written again:
that it was written by an older version is what it is for.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import mfcore
from mfcore.files import write_json
from mfcore.runs import RunConfig, RunFolder, RunManager
from mfcore.runs.events import EpochEvent

STORED = Path(__file__).resolve().parent.parent / "tests" / "stored"
_TINY = {
    "dataset": "planted",
    "dataset.num_users": 30,
    "dataset.num_items": 20,
    "dataset.density": 0.4,
    "model": "biased-mf",
    "optimizer": "adam",
    "embedding_dim": 3,
    "num_epochs": 4,
    "batch_size": 32,
    "learning_rate": 0.02,
    "device": "cpu",
    "threads": 1,
}
SHOWN = ("model", "dataset", "epochs_done", "num_epochs", "best_epoch", "selection_metric", "test", "valid", "curve", "state")
"""What a summary says that no later version may read otherwise."""
_LEFT_BEHIND = ("run.lock", "worker.log", "heartbeat", "commands", "epoch-*.safetensors")
"""What is this machine's, or empty; and the epochs kept to branch from, which an export leaves out too."""


def main() -> int:
    """Make both; returns the exit status."""
    target = STORED / mfcore.__version__
    if target.exists():
        print(f"{target} is there already, and stays as that version wrote it", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as home:
        manager = RunManager(home)
        try:
            for folder, more in (finished(manager), interrupted(manager)):
                summary = manager.get(folder.run_id)
                shown = {name: getattr(summary, name) for name in SHOWN}
                keep(folder, target / summary.state, {"run_id": folder.run_id, **shown, **more})
        finally:
            manager.shutdown()
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"{target}: {size / 1000:.0f} KB")
    return 0


def finished(manager: RunManager) -> tuple[RunFolder, dict[str, Any]]:
    """A run with a name, a note and a star, changed on its way, that was scored; and what it recommends to the first user."""
    from mfcore.runs.loaded import load_run

    run_id = manager.submit(RunConfig().with_flat({**_TINY, "plan": "3: learning_rate=0.01"}))
    manager.wait(run_id)
    manager.set_meta(run_id, name="Kept “for later”", note="two\nlines", starred=True)
    run = load_run(run_id, manager.home)
    user = run.data.users.ids[0].item()
    best = run.recommender().recommend(user_id=user, n=5)
    recommended = {"user_id": user, "item_id": best["item_id"].tolist(), "score": best["score"].tolist()}
    return manager.folder(run_id), {"recommended": recommended}


def interrupted(manager: RunManager) -> tuple[RunFolder, dict[str, Any]]:
    """A run whose worker was killed after its third epoch; and the figures with which one ends that nobody killed."""
    whole = manager.submit(RunConfig().with_flat({**_TINY, "seed": 1}))
    manager.wait(whole)
    folder = manager.folder(manager.submit(RunConfig().with_flat({**_TINY, "seed": 1, "pace": 1})))
    while len(folder.events.of(EpochEvent)) < 4:  # the first is that of the untrained model
        time.sleep(0.02)
    time.sleep(0.5)  # what is written beside training is written by then, and the next epoch has not ended
    manager.kill(folder.run_id)
    if manager.wait(folder.run_id).state != "interrupted" or not (folder.checkpoints / "last.safetensors").is_file():
        raise SystemExit("the worker was too quick, or too slow, to be interrupted; try again")
    summary = manager.get(whole)
    return folder, {"whole": {name: getattr(summary, name) for name in ("epochs_done", "best_epoch", "test", "valid", "curve")}}


def keep(folder: RunFolder, target: Path, shown: dict[str, Any]) -> None:
    """Copy a run, without what is this machine's, and write down what it shows."""
    kept = target / folder.run_id
    shutil.copytree(folder.path, kept, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))
    shutil.copytree(folder.path / "snapshots", kept / "snapshots", dirs_exist_ok=True)
    status = dataclasses.replace(folder.status(), pid=None, host="")
    RunFolder(kept).write_status(status)
    write_json(target / "expected.json", shown)


if __name__ == "__main__":
    sys.exit(main())
