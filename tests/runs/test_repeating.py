"""Presets are usable, and a run's command and script repeat its numbers."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfcore.cli.parser import build_parser
from mfcore.cli.settings import config_from
from mfcore.data.config import DatasetConfig
from mfcore.errors import UnusableRequest
from mfcore.runs import (
    PRESETS,
    RunConfig,
    RunFolder,
    RunStatus,
    card_facts,
    command_line,
    preset_config,
    repeating_command,
    run_card,
    run_script,
)
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.events import EpochEvent, Event
from mfcore.runs.history import RunHistory
from mfcore.runs.presets import KINDS
from mfcore.runs.store import RunStore
from tests.runs.tiny_runs import equal, tiny, weights

ROOT = Path(__file__).resolve().parents[2]
Train = Callable[..., tuple[RunFolder, RunStatus]]
SHAPES: dict[str, dict[str, Any]] = {
    "refitted": {
        "refit": True,
        "weight_decay": 0.01,
        "dataset.noise": 0.1,
        "schedule": "cosine",
        "patience": 2,
        "transform": "log",
    },
    "ranking": {
        "model": "neumf",
        "mlp_layers": "8,4",
        "dropout": 0.1,
        "loss": "bce",
        "negatives": 2,
        "seed": 3,
        "k": 5,
        "confidence": "log",
    },
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


HAPPENED: dict[str, dict[int, list[Command]]] = {
    "at the end of an epoch": {2: [Command("learning_rate", 0.001)], 4: [Command("batch_size", 32)]},
    "extended": {3: [Command("weight_decay", 0.1), Command("extend", 3)]},
    "ended early": {4: [Command("stop")]},
}
STEERED: dict[str, Any] = {"num_epochs": 6, "refit": True, "weight_decay": 0.01, "schedule": "cosine", "learning_rate": 0.02}


@pytest.fixture
def steered(train: Train) -> Callable[..., RunFolder]:
    """Trains a run and sends it commands when given epochs have been told of."""

    def run(folder: RunFolder, commands: dict[int, list[Command]]) -> RunFolder:
        def listen(event: Event) -> None:
            if isinstance(event, EpochEvent) and not event.inherited:
                for command in commands.get(event.epoch, []):
                    folder.add_command(command)

        _, status = train(folder=folder, listen=listen)
        assert status.state in ("finished", "stopped"), status.reason
        return folder

    return run


def repeats(folder: RunFolder, home: Path, *, by_command: bool = True) -> None:
    """Card, command and script of a run say the same, and lead to its very figures."""
    history, expected = RunHistory.read(folder), folder.result()["test"]
    command = repeating_command(history)
    assert card_facts(folder)["again"]["command"] == command
    if by_command:
        printed = json.loads(run(sys.executable, *shlex.split(command)[1:], "--json", home=home).splitlines()[-1])
        assert printed["test"] == expected and printed["state"] == folder.result()["state"]
        again = RunFolder(home / "runs" / printed["run_id"])
        assert equal(weights(again), weights(folder)), "bit for bit"
        assert [c.words for c in RunHistory.read(again).on_the_way] == [c.words for c in history.on_the_way]
    (home / "again.py").write_text(run_script(folder.config(), history), encoding="utf-8")
    assert json.loads(run(sys.executable, "again.py", home=home).splitlines()[-1]) == expected


@pytest.mark.parametrize("happened", HAPPENED)
def test_what_happened_on_the_way_is_repeated(happened: str, steered: Callable[..., RunFolder], home: Path) -> None:
    folder = steered(RunFolder.create(home, tiny(**STEERED)), HAPPENED[happened])
    assert RunHistory.read(folder).repeated != folder.config(), "else this test says nothing"
    repeats(folder, home)


def test_a_run_that_was_planned_is_repeated(train: Train, home: Path) -> None:
    plan = "1.3: learning_rate=0.005, weight_decay=0.2; 2.8: batch_size=50; 6: num_epochs=8; 7.2: stop"
    folder, status = train(tiny(**STEERED, plan=plan))
    assert (status.state, status.reason) == ("stopped", "stopped as planned")
    assert [c.words.split(" after ")[0].split(" in ")[0] for c in RunHistory.read(folder).on_the_way] == [
        "lr 0.0175 → 0.005",  # by then the cosine has begun to bend
        "decay 0.01 → 0.2",
        "batch 64 → 50",
        "epochs 6 → 8",
    ]
    repeats(folder, home)


def test_what_is_planned_for_later_is_in_the_script_of_a_run_that_has_not_come_to_it(home: Path) -> None:
    folder = RunFolder.create(home, tiny(plan="2: learning_rate=0.005; 3: weight_decay=0.1"))
    waiting = RunHistory.read(folder)
    assert "2: learning_rate=0.005; 3: weight_decay=0.1" in run_script(folder.config(), waiting)
    assert waiting.repeated == folder.config()


def test_a_steered_branch_of_a_steered_run_is_repeated(steered: Callable[..., RunFolder], home: Path) -> None:
    """From its parent by the command, from the very beginning by the script, also when the parent is gone."""
    root = steered(RunFolder.create(home, tiny(**STEERED)), {1: [Command("weight_decay", 0.2)]})
    changes = {"optimizer": "adagrad", "learning_rate": 0.05, "schedule": "plateau", "schedule_every": 1}
    branch = steered(branch_folder(home, root, branch_config(root, 3, changes, "")), {4: [Command("batch_size", 32)]})
    repeats(branch, home)
    RunStore(home).delete(root.run_id)
    assert repeating_command(RunHistory.read(branch)).startswith(f"# its parent {root.run_id} is not here any more")
    repeats(branch, home, by_command=False)


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
SPELLED = st.one_of(st.sampled_from(EVIL), st.text(max_size=40), st.from_regex(r"[a-z_=(),\"'#\\\n ]{1,20}", fullmatch=True))


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("place", ["dataset", "option", "parent", "change", "name with a line end"])
def test_no_configuration_is_born_with_a_name_that_nothing_has(place: str, evil: str) -> None:
    makes: dict[str, Callable[[], object]] = {
        "dataset": lambda: DatasetConfig(name=evil),
        "option": lambda: DatasetConfig(options={evil: 1.0}),
        "parent": lambda: RunConfig(parent={"run_id": evil, "epoch": 1, "changes": {}}),
        "change": lambda: RunConfig(parent={"run_id": "abc", "epoch": 1, "changes": {evil: 1}}),
        "name with a line end": lambda: RunConfig(name=f"{evil}\nstate  finished"),
    }
    with pytest.raises(UnusableRequest):
        makes[place]()


def calls(script: str) -> set[str]:
    """Everything that a script calls, by name."""
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Call)}


ALL_A_SCRIPT_CALLS = {
    *("load_dataset", "random_split", "leave_last_out", "make_split", "SplitConfig", "TrainConfig", "Protocol", "build_model"),
    *("Trainer", "trainer.fit", "trainer.load_best", "epoch.metrics.get", "print", "json.dumps", "evaluate"),
    *("split.with_validation_in_train", "refit", "Stage", "follow", "measured.update", "model.load_pretrained", "load_run"),
    *("time_split", "official_split"),
}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_run_is_called_is_never_code(data: st.DataObject) -> None:
    """Whatever a link, a form or a zip file may bring along is refused, or is in script and command as a value."""
    draw = data.draw
    values = RunConfig().to_dict()
    values["name"] = draw(SPELLED)
    values["dataset"] = {
        "name": draw(st.one_of(SPELLED, st.sampled_from(["planted", "svd++"]))),
        "options": draw(
            st.dictionaries(st.one_of(SPELLED, st.sampled_from(["noise", "class", "_x"])), st.floats(), max_size=2)
        ),
    }
    values["model"] |= {"pretrained_gmf": draw(SPELLED), "pretrained_mlp": draw(SPELLED), "name": "neumf"}
    values["training"] |= {"device": draw(SPELLED), "refit": draw(st.booleans())}
    changes = st.dictionaries(st.one_of(SPELLED, st.sampled_from(["name", "learning_rate"])), SPELLED, max_size=2)
    values["parent"] = draw(
        st.one_of(st.just({}), st.fixed_dictionaries({"run_id": SPELLED, "epoch": st.integers(), "changes": changes}))
    )
    for section in draw(st.sets(st.sampled_from(["dataset", "model", "training", "parent", "name"]))):
        del values[section]  # so that the others are looked at too
    try:
        config = RunConfig.from_dict(values)
    except UnusableRequest:
        return
    script = run_script(config)
    assert calls(script) <= ALL_A_SCRIPT_CALLS
    assert {node.module for node in ast.walk(ast.parse(script)) if isinstance(node, ast.ImportFrom)} <= {
        "mfcore", "mfcore.runs", "mfcore.training", "mfcore.data.config", "mfcore.data.split",
    }  # fmt: skip
    words = shlex.split(command_line(config))
    assert words[:3] == ["python", "-m", "mfcore"]
    assert words[3] in ("train", "branch") and "\n" not in command_line(config)


def test_a_name_that_was_written_into_a_run_is_no_fact_of_its_card(home: Path) -> None:
    folder = RunFolder.create(home, RunConfig())
    folder.write_meta(name="mine\nstate  finished")
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
