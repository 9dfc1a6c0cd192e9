"""NeuMF from two earlier runs, and a stop that arrives while the last model is trained on train + validation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mfcore.errors import UnusableRequest
from mfcore.registry import PLUGINS_VARIABLE
from mfcore.runs import RunFolder, RunStatus, load_run
from mfcore.runs.events import Event, MessageEvent
from mfcore.runs.loaded import load_split
from mfcore.runs.worker.start import start_model
from tests.runs.tiny_runs import tiny

ROOT = Path(__file__).resolve().parents[2]
Train = Callable[..., tuple[RunFolder, RunStatus]]
RANKING = {"loss": "bce", "optimizer": "adam", "learning_rate": 0.01, "num_epochs": 1, "mlp_layers": "8,4"}


def test_neumf_starts_as_the_mean_of_two_runs(train: Train, home: Path) -> None:
    gmf, mlp = (train(tiny(model=name, **RANKING))[0] for name in ("gmf", "mlp"))
    config = tiny(model="neumf", pretrained_gmf=gmf.run_id, pretrained_mlp=mlp.run_id, **RANKING)
    parts = [load_run(folder.run_id, home) for folder in (gmf, mlp)]
    model = start_model(config, load_split(config, parts[0].data, home, ""), home)
    users, items = torch.arange(5), torch.arange(5)
    halves = [part.model.predict(users, items) for part in parts]
    torch.testing.assert_close(model.predict(users, items), (halves[0] + halves[1]) / 2)
    folder, status = train(config)
    assert status.state == "finished" and folder.result()["test"]


def test_neumf_refuses_runs_of_the_wrong_kind(train: Train) -> None:
    mlp, _ = train(tiny(model="mlp", **RANKING))
    folder, status = train(tiny(model="neumf", pretrained_gmf=mlp.run_id, pretrained_mlp=mlp.run_id, **RANKING))
    assert status.state == "failed" and "pretrained_gmf must be a run of model gmf" in status.reason
    assert status.error == UnusableRequest.__name__
    assert not folder.result()


@pytest.mark.parametrize("listener_stops", [True, False])
def test_a_stop_during_the_refit_keeps_the_best_epoch(train: Train, home: Path, listener_stops: bool) -> None:
    refitting: list[bool] = []

    def hear(event: Event) -> None:
        if isinstance(event, MessageEvent) and "training once more" in event.text:
            refitting.append(True)

    folder, status = train(tiny(refit=True), listen=hear, stop=lambda: listener_stops and bool(refitting))
    assert refitting
    assert status.state == ("stopped" if listener_stops else "finished")
    assert load_run(folder.run_id, home).checkpoint == ("best" if listener_stops else "refit")
    assert ("test_before_refit" in folder.result()) is not listener_stops
    assert folder.result()["test"]["rmse"] > 0


def test_whatever_a_worker_prints_is_in_the_log_of_its_run(home: Path, tmp_path: Path) -> None:
    chatty = "import atexit, sys\natexit.register(lambda: (print('spoken'), print('shouted', file=sys.stderr)))\n"
    (tmp_path / "chatty.py").write_text(chatty)
    folder = RunFolder.create(home, tiny(num_epochs=1))
    command = [sys.executable, "-m", "mfcore.runs.worker.main", "--home", str(home), folder.run_id]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]), PLUGINS_VARIABLE: "chatty"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {"spoken", "shouted"} <= set(folder.log_path.read_text().split())
