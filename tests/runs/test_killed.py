"""A run killed twenty times in its life (at the desk five times), at any moment, ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

from mfcore.runs import RunFolder, RunManager, RunStatus
from mfcore.runs.events import EpochEvent
from tests.runs.test_branching import equal, weights
from tests.runs.tiny_runs import epochs, kinds, tiny, wait_until

# A worker's start costs two seconds of importing torch: all twenty in CI, a few at the desk.
KILLS = 20 if os.environ.get("CI") else 5
Train = Callable[..., tuple[RunFolder, RunStatus]]


def lives(folder: RunFolder) -> int:
    """How often the run has begun or been taken up."""
    return sum(kind in ("start", "resume") for kind in kinds(folder))


def test_killed_again_and_again_the_weights_are_the_same(manager: RunManager, train: Train) -> None:
    """SIGKILL within 1.3 s of each beginning: inside epochs, between them, while checkpoints are written, before the first."""
    flat: dict[str, Any] = {"num_epochs": 500, "model": "mlp", "dropout": 0.2, "optimizer": "adagrad", "schedule": "cosine"}
    chance = random.Random(20)
    folder = manager.folder(manager.submit(tiny(**flat, pace=60)))
    for kill in range(KILLS):
        wait_until(lambda kill=kill: lives(folder) > kill or "end" in kinds(folder), 120)  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, 1.3))
        manager.kill(folder.run_id)
        assert manager.wait(folder.run_id, 120).state == "interrupted", "it came to its end before it was killed so often"
        manager.resume(folder.run_id)
    wait_until(lambda: lives(folder) > KILLS, 120)
    manager.command(folder.run_id, "pace", value=0)
    assert manager.wait(folder.run_id, 300).state == "finished"
    assert epochs(folder) == list(range(501))
    whole, _ = train(tiny(**flat))
    assert equal(weights(folder), weights(whole)) and equal(weights(folder, "best"), weights(whole, "best"))
    assert folder.result()["test"] == whole.result()["test"]
    told = [[(e.epoch, e.train_loss, e.metrics) for e in f.events.of(EpochEvent)[1:]] for f in (folder, whole)]
    assert told[0] == told[1]
