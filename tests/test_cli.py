"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mfcore.__main__ import main
from mfcore.runs import RunFolder, RunStore
from mfcore.runs.manager.queue import Queue
from tests.runs.tiny_runs import tiny

ROOT = Path(__file__).resolve().parent.parent
PLANTED = [
    "--dataset",
    "planted",
    "--set",
    "dataset.num_users=60",
    "--set",
    "dataset.num_items=40",
    "--set",
    "dataset.density=0.3",
]
TINY = [*PLANTED, "--model", "biased-mf", "--embedding-dim", "4", "--epochs", "2", "--batch-size", "64", "--device", "cpu"]


class Cli:
    """Runs commands in this process on one home and keeps what they print."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home, self._capture = home, capture
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        self._capture.readouterr()
        try:
            status = main([*words, "--home", str(self.home)])
        except SystemExit as left:  # argparse leaves this way
            status = int(left.code or 0)
        self.out, self.err = self._capture.readouterr()
        return status

    def json(self, *words: str) -> dict[str, Any]:
        assert self(*words, "--json") == 0, self.err
        lines = self.out.splitlines()
        assert len(lines) == 1
        found: dict[str, Any] = json.loads(lines[0])
        return found

    def refused(self, *words: str) -> str:
        """The one line on standard error; nothing on standard output and no run left behind."""
        assert self(*words) == 2, self.err
        assert self.out == "" and self.err.startswith("error: ") and self.err.count("\n") == 1, self.err
        assert not any(self.home.glob("runs/*"))
        return self.err


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path / "home", capsys)


def test_train_prints_one_object_with_everything(cli: Cli) -> None:
    result = cli.json("train", *TINY)
    assert {"run_id", "dataset", "model", "test", "valid", "train_seconds", "epochs", "samples_per_second"} <= set(result)
    assert (result["dataset"], result["model"], result["epochs"], result["state"]) == ("planted", "biased-mf", 2, "finished")
    for part in ("test", "valid"):
        assert {"rmse", "mae", "hr@10", "ndcg@10", "hr@10/full", "ndcg@10/full"} <= set(result[part])
        assert all(isinstance(value, float) for value in result[part].values())
    assert "epoch 2 of 2" in cli.err and "nan" not in cli.err.lower()


def test_a_trained_run_can_be_listed_shown_evaluated_asked_and_deleted(cli: Cli) -> None:
    run_id = cli.json("train", *TINY)["run_id"]
    assert [run["run_id"] for run in cli.json("runs")["runs"]] == [run_id]
    assert cli("runs") == 0 and run_id in cli.out and "finished" in cli.out
    assert cli("runs", "list") == 0 and run_id in cli.out
    assert cli("runs", "show", run_id) == 0 and "python -m mfcore train" in cli.out
    shown = cli.json("runs", "show", "latest")
    assert shown["config"]["model"]["name"] == "biased-mf" and len(shown["curve"]) == 3
    evaluated = cli.json("evaluate", run_id)
    assert evaluated["test"] == shown["test"] and evaluated["baselines"]["bias only"]["rmse"] > 0
    assert cli("evaluate", run_id) == 0 and "ndcg@10/full" in cli.out
    items = cli.json("recommend", run_id, "--user", "5", "-n", "4")["items"]
    assert len(items) == 4 and items[0]["score"] >= items[3]["score"] and not any(item["seen"] for item in items)
    assert any(item["seen"] for item in cli.json("recommend", run_id, "--user", "5", "-n", "40", "--include-seen")["items"])
    assert cli("recommend", run_id, "--user", "5") == 0 and items[0]["title"] in cli.out
    assert cli("recommend", run_id, "--user", "nobody") == 2 and "unknown user" in cli.err
    assert cli("recommend", run_id, "--user", "5", "-n", "0") == 2
    assert cli.json("runs", "delete", run_id)["deleted"] == [run_id]
    assert cli("runs") == 0 and "no runs yet" in cli.out


def test_the_table_shows_baselines_beside_the_run(cli: Cli) -> None:
    assert cli("train", *TINY) == 0
    header = next(line for line in cli.out.splitlines() if line.startswith("metric"))
    assert "bias only" in header and "popularity" in header and "random" in header


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "--dataset", "netflix", "--model", "mf"], "dataset must be one of ml-100k"),
        (["train", "--model", "gpt"], "model must be one of mf, biased-mf"),
        (["train"], "--model"),
        (["train", *TINY, "--optimizer", "magic"], "optimizer must be one of sgd"),
        (["train", *TINY, "--epochs", "0"], "num_epochs must be >= 1, got 0"),
        (["train", *TINY, "--lr", "-1"], "learning_rate must be > 0, got -1"),
        (["train", *TINY, "--lr", "abc"], "learning_rate must be a number, got 'abc'"),
        (["train", *TINY, "--lr", "nan"], "learning_rate must be a finite number"),
        (["train", *TINY, "--embedding-dim", "1000000000"], "embedding_dim"),
        (["train", *TINY, "--device", "cuda:9"], "device"),
        (["train", *TINY, "--split", "official"], "ml-100k only"),
        (["train", *TINY, "--split", "leave-last-out"], "needs timestamps"),
        (["train", *TINY, "--fold", "2"], "add --split official"),
        (["train", *TINY, "--seed", "99999999999999999999999"], "seed must be <= 9007199254740991"),
        (["train", *TINY, "--threads", "100000"], "threads must be <= 1024"),
        (["train", *TINY, "--loss", "bce", "--negatives", "100000000"], "negatives must be <= 1000"),
        (["train", *TINY, "--set", "k=1000000"], "k must be <= 1000"),
        (["train", *TINY, "--set", "colour=red"], "unknown setting 'colour'"),
        (["train", *TINY, "--set", "momentum"], "KEY=VALUE"),
        (["train", *TINY, "--set", "dataset.colour=1"], "no option 'colour'"),
        (["train", "--preset", "best"], "preset must be one of"),
        (["train", "--config", "/absent.json"], "cannot be read"),
        (["train", "--mode", "mf"], "unrecognized arguments"),
        (["fetch", "netflix"], "dataset must be one of"),
        (["evaluate", "nothing"], "there is no run nothing"),
        (["recommend", "../../etc", "--user", "1"], "there is no run"),
        (["runs", "delete", "nothing"], "there is no run nothing"),
        (["runs", "resume", "nothing"], "there is no run nothing"),
        (["dance"], "invalid choice"),
        (["runs", "show"], "required"),
    ],
)
def test_an_unusable_request_is_one_line_and_leaves_nothing(words: list[str], expected: str, cli: Cli) -> None:
    assert expected in cli.refused(*words)


def test_an_unwritable_home_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["runs", "--home", str(tmp_path / "file" / "home")]) == 2
    assert "cannot be created" in capsys.readouterr().err


def test_a_file_where_a_folder_should_be_is_one_line(cli: Cli) -> None:
    cli.home.mkdir(exist_ok=True)
    (cli.home / "runs").write_text("")
    assert "runs cannot be created (a file has that name)" in cli.refused("train", *TINY)


def test_a_split_that_cannot_be_kept_is_made_again(cli: Cli) -> None:
    cli.home.mkdir(exist_ok=True)
    (cli.home / "splits").write_text("")
    run = cli.json("train", *TINY)["run_id"]
    assert cli.json("evaluate", run)["test"]


def test_flags_override_the_file_which_overrides_the_preset(cli: Cli, tmp_path: Path) -> None:
    from mfcore.cli.parser import build_parser
    from mfcore.cli.settings import config_from

    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"training": {"learning_rate": 0.5, "batch_size": 7}, "dataset": {"name": "planted"}, "k": 3}))

    def config(*words: str) -> Any:
        return config_from(build_parser().parse_args(["train", *words]))

    preset = config("--preset", "mf")
    assert preset.preset == "mf" and preset.pace == 0 and preset.model.name == "mf"
    both = config("--preset", "mf", "--config", str(file))
    assert (both.training.learning_rate, both.training.batch_size, both.dataset.name) == (0.5, 7, "planted")
    assert both.protocol.k == 3 and both.training.num_epochs == preset.training.num_epochs
    every = config("--preset", "mf", "--config", str(file), "--lr", "0.1", "--set", "momentum=0.9", "--set", "batch-size=9")
    assert (every.training.learning_rate, every.training.batch_size, every.training.momentum) == (0.1, 9, 0.9)
    assert every.model == preset.model
    file.write_text("{not json")
    assert "is not JSON" in cli.refused("train", "--config", str(file))
    file.write_text('{"model": {"wheels": 4}}')
    assert "unknown setting 'wheels'" in cli.refused("train", "--config", str(file))
    file.write_text('{"format_version": 99, "model": "mf"}')
    assert "was written in format 99" in cli.refused("train", "--config", str(file))


def test_the_config_of_a_run_repeats_it(cli: Cli) -> None:
    first = cli.json("train", *TINY)
    file = cli.home / "runs" / first["run_id"] / "config.json"
    assert cli.json("train", "--config", str(file))["test"] == first["test"]


def test_a_run_that_diverges_fails_with_the_reason(cli: Cli) -> None:
    assert cli("train", *TINY, "--optimizer", "sgd", "--lr", "1e9", "--json") == 1
    result = json.loads(cli.out)
    assert result["state"] == "failed" and "learning rate" in result["reason"] and result["test"] == {}
    assert cli.err.splitlines()[-1].startswith("error: run")
    assert "Traceback" not in cli.err


def test_data_that_cannot_be_fetched_is_a_failure_without_a_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from mfcore.errors import DataUnavailable

    def nowhere(*_args: Any, **_options: Any) -> None:
        raise DataUnavailable("ml-100k", [("GroupLens", "it said no")], "Connect to the internet")

    monkeypatch.setattr("mfcore.runs.worker.session.open_dataset", nowhere)
    monkeypatch.setattr("mfcore.data.fetch", nowhere)
    assert cli("train", "--model", "mf") == 1
    assert "it said no" in cli.err and not any(cli.home.glob("runs/*"))
    assert cli("fetch", "ml-100k") == 1
    assert "it said no" in cli.err


def test_what_there_is_to_choose_from(cli: Cli) -> None:
    assert cli("datasets") == 0
    assert all(word in cli.out for word in ("ml-100k", "to fetch", "generated", "licence"))
    assert {entry["name"] for entry in cli.json("datasets")["datasets"]} >= {"ml-100k", "synthetic", "planted"}
    assert cli("presets") == 0
    assert all(name in cli.out for name in ("mf-implicit", "lr-too-high", "bad on purpose"))
    assert cli.json("fetch", "planted") == {"dataset": "planted"}


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops_cleanly_and_sigterm_saves(tmp_path: Path) -> None:
    environment = {**os.environ, "MF_EXPLORER_HOME": str(tmp_path)}
    endless = [sys.executable, "-m", "mfcore", "train", *TINY, "--epochs", "1000000", "--json"]
    done = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            endless, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 3 "):
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        done[number] = (process.returncode, json.loads(out.splitlines()[-1]))
    status, stopped = done[signal.SIGINT]
    assert status == 0 and stopped["state"] == "stopped" and stopped["test"]["rmse"] > 0
    status, interrupted = done[signal.SIGTERM]
    assert status == 130 and interrupted["state"] == "interrupted" and interrupted["test"] == {}
    resumed = subprocess.Popen(
        [sys.executable, "-m", "mfcore", "runs", "resume", interrupted["run_id"], "--json"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert resumed.stderr is not None
    first = next(line for line in resumed.stderr if line.startswith("epoch "))
    assert int(first.split()[1]) >= 3
    resumed.send_signal(signal.SIGINT)
    out, _ = resumed.communicate(timeout=60)
    assert json.loads(out.splitlines()[-1])["state"] == "stopped"


def test_help_names_every_flag_and_waits_for_no_torch() -> None:
    code = (
        "import sys\nfrom mfcore.__main__ import main\n"
        "try: main(['train', '--help'])\nexcept SystemExit: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    flags = (
        "dataset model loss optimizer lr weight-decay batch-size embedding-dim epochs negatives split fold device threads seed"
    )
    for flag in (*flags.split(), "preset", "config", "home", "json", "set"):
        assert f"--{flag}" in done.stdout


def test_home_and_json_may_stand_before_or_after_an_action(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(tmp_path / "home")
    for words in (["runs", "--home", home, "--json", "list"], ["runs", "list", "--home", home, "--json"]):
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out) == {"runs": []}
    assert (tmp_path / "home").is_dir() and not list((tmp_path / "home").iterdir()), "looking makes no runs"


def test_no_command_is_refused_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2 and "required" in capsys.readouterr().err


def run_command(*words: str, home: Path, **how: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MF_EXPLORER_HOME": str(home), **how.pop("environment", {})}
    asked = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, "check": False, **how}
    return subprocess.run([sys.executable, "-m", "mfcore", *words], cwd=ROOT, env=environment, text=True, **asked)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.6, 1.0, 1.5])
def test_ctrl_c_in_the_first_moments_leaves_nothing_that_a_server_would_train(seconds: float, tmp_path: Path) -> None:
    environment = {**os.environ, "MF_EXPLORER_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "mfcore", "train", *TINY, "--epochs", "1000000"],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode in (0, 130, -signal.SIGINT)
    if process.returncode > 0:
        assert "Traceback" not in error
    store = RunStore(tmp_path)
    assert all(run.over for run in store.list())
    assert not Queue(store).waiting()


def test_a_run_whose_command_was_killed_before_it_began_can_go_on_by_hand(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, tiny(), claimed=True)
    claimed = folder.status()
    assert RunStore(tmp_path).get(folder.run_id).state == "queued", "the command that made it lives: it is this process"
    folder.write_status(dataclasses.replace(claimed, claimed_by=claimed.claimed_by.rpartition(":")[0] + ":99999999"))
    store = RunStore(tmp_path)
    assert not Queue(store).waiting()
    left = store.get(folder.run_id)
    assert (left.state, left.reason) == ("interrupted", "the command that was to train it ended before it began")
    store.requeue(folder.run_id)
    assert [waits.run_id for waits in Queue(store).waiting()] == [folder.run_id]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs the devices of Linux")
def test_a_configuration_without_end_or_bottom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text('{"a":' * 100_000)
    for path, words in (("/dev/zero", "is larger than 16 MB"), (tmp_path / "deep.json", "is not JSON (it is nested too deep)")):
        done = run_command("train", "--config", str(path), home=tmp_path)
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the devices of Linux")
@pytest.mark.parametrize("words", [["runs"], ["datasets", "--json"], ["train", *TINY, "--json"]])
def test_output_that_cannot_be_written_is_one_line(words: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run_command(*words, home=tmp_path, stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: No space left on device" and "Traceback" not in done.stderr


def test_a_terminal_of_few_letters_gets_all_of_it(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, tiny())
    folder.write_meta(name="Amélie \U0001f600")
    ascii_alone = {"PYTHONIOENCODING": "ascii"}
    told = run_command("runs", home=tmp_path, environment=ascii_alone)
    assert told.returncode == 0 and "Am\\xe9lie" in told.stdout
    as_json = run_command("runs", "--json", home=tmp_path, environment=ascii_alone)
    assert as_json.returncode == 0 and as_json.stdout.isascii()
    assert "Amélie \U0001f600" in json.dumps(json.loads(as_json.stdout.splitlines()[-1]), ensure_ascii=False)
