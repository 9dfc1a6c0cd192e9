"""Presets are usable, and a run's command and script repeat its numbers."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfcore.cli.parser import build_parser
from mfcore.cli.settings import config_from
from mfcore.data.config import DatasetConfig
from mfcore.errors import UnusableRequest
from mfcore.runs import PRESETS, RunConfig, RunFolder, RunStatus, command_line, preset_config, run_card, run_script
from mfcore.runs.events import EpochEvent
from mfcore.runs.presets import KINDS
from tests.runs.tiny_runs import tiny

ROOT = Path(__file__).resolve().parents[2]
Train = Callable[..., tuple[RunFolder, RunStatus]]
SHAPES: dict[str, dict[str, Any]] = {
    "refitted": {"refit": True, "weight_decay": 0.01, "dataset.noise": 0.1, "schedule": "cosine", "patience": 2},
    "ranking": {"model": "neumf", "mlp_layers": "8,4", "dropout": 0.1, "loss": "bce", "negatives": 2, "seed": 3, "k": 5},
}


def run(*words: str, home: Path) -> str:
    environment = {**os.environ, "MF_EXPLORER_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    done = subprocess.run(words, env=environment, cwd=home, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shape", SHAPES)
def test_command_and_script_give_the_same_test_numbers(shape: str, train: Train, home: Path) -> None:
    config = tiny(**SHAPES[shape], name="It's a 'run'", pace=100)
    folder, status = train(config)
    assert status.state == "finished"
    expected = folder.result()["test"]
    words = shlex.split(command_line(config))
    printed = run(sys.executable, *words[1:], "--json", home=home).splitlines()
    assert len(printed) == 1
    assert json.loads(printed[0])["test"] == expected
    (home / "again.py").write_text(run_script(config), encoding="utf-8")
    assert json.loads(run(sys.executable, "again.py", home=home).splitlines()[-1]) == expected


def test_a_fold_is_named_only_where_there_are_folds() -> None:
    """The command line refuses it elsewhere."""
    assert "--fold" not in command_line(RunConfig().with_flat({"fold": 3}))
    assert "--fold 3" in command_line(RunConfig().with_flat({"fold": 3, "split": "official"}))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_whole_run_and_its_command_says_the_same(name: str) -> None:
    config = preset_config(name)
    assert PRESETS[name].kind in KINDS and "atch " in PRESETS[name].sentence
    assert {"model", "loss", "split"} <= set(PRESETS[name].flat)
    words = shlex.split(command_line(config))[3:]
    again = config_from(build_parser().parse_args(words))
    assert (again.dataset, again.split, again.model, again.training, again.protocol) == (
        config.dataset,
        config.split,
        config.model,
        config.training,
        config.protocol,
    )


@pytest.mark.parametrize("kind", ["random", "leave-last-out", "time", "official"])
@pytest.mark.parametrize(
    "flat", [{}, {"refit": True}, {"model": "neumf", "pretrained_gmf": "a", "pretrained_mlp": "b", "refit": True}]
)
def test_every_script_is_python(kind: str, flat: dict[str, Any]) -> None:
    script = run_script(RunConfig().with_flat({"split": kind, **flat}))
    compile(script, "script", "exec")
    assert "{" not in script.replace("{}", "")


EVIL = ('"""\nimport os; os.abort() #', "x'); import os; os.abort() #", "$(touch evil)", "a\\", "{dataset}", "; touch evil")


@pytest.mark.parametrize("evil", EVIL)
def test_whatever_a_run_is_called_is_never_code(evil: str, home: Path) -> None:
    """Such as a zip file may bring along. The script is parsed, not run: all it calls is what every script calls."""
    config = RunConfig(
        dataset=DatasetConfig(name=evil, options={evil: 1.0, "noise": 0.1}),
        name=evil,
        parent={"run_id": evil, "epoch": 1, "changes": {"name": evil, evil: evil}},
    )
    whole = ast.parse(run_script(config))
    plain = ast.parse(run_script(RunConfig(dataset=DatasetConfig(options={"noise": 0.1}))))
    assert [type(node) for node in whole.body] == [type(node) for node in plain.body]
    assert evil in [node.value for node in ast.walk(whole) if isinstance(node, ast.Constant)]
    assert [node.module for node in ast.walk(whole) if isinstance(node, ast.ImportFrom)] == ["mfcore"]
    for shown in (config, dataclasses.replace(config, parent={})):
        words = shlex.split(command_line(shown))
        assert words[:3] == ["python", "-m", "mfcore"] and any(evil in word for word in words)
    folder = RunFolder.create(home, config)
    folder.write_meta(name=f"{evil}\nstate  finished")
    assert [line.split()[1:] for line in run_card(folder).splitlines() if line.split()[:1] == ["state"]] == [["queued"]]


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnusableRequest, match="preset must be one of mf, biased-mf"):
        preset_config("best")


def test_the_bad_presets_are_bad(train: Train, home: Path) -> None:
    """On planted data in small: the first diverges, the second learns nothing, the third overfits."""
    small = {"dataset": "planted", "dataset.num_users": 200, "dataset.num_items": 150, "device": "cpu", "pace": 0}
    ends = {}
    for name in ("lr-too-high", "lr-too-low", "no-regularisation"):
        ends[name] = train(preset_config(name).with_flat(small))
    assert ends["lr-too-high"][1].state == "failed"
    assert "learning rate" in ends["lr-too-high"][1].reason
    flat = [e.metrics["rmse"] for e in ends["lr-too-low"][0].events.of(EpochEvent)]
    assert max(flat) - min(flat) < 0.01
    over = [e for e in ends["no-regularisation"][0].events.of(EpochEvent) if e.epoch > 0]
    assert over[-1].train_loss < 0.5 * over[0].train_loss
    assert over[-1].valid_loss > min(e.valid_loss for e in over) * 1.01
