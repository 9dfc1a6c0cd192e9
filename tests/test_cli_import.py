"""People's own data on the command line: import, look, manage; and runs as zip files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfcore.cli import importing
from tests.test_cli import Cli


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path / "home", capsys)


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    rows = [f"{user};B{item};{1 + (user * item) % 5}" for user in range(30) for item in range(user % 3, 20)]
    path = tmp_path / "books.csv"
    path.write_text("\n".join(["reader;book;stars", *rows, "3;B1;good", ";B2;3"]))
    return path


def test_from_a_file_to_a_trained_run(cli: Cli, ratings: Path, tmp_path: Path) -> None:
    rejected = tmp_path / "rejected.csv"
    found = cli.json("import", str(ratings), "--name", "books", "--rejected", str(rejected))
    assert (found["dataset"], found["users"], found["items"], found["interactions"]) == ("books", 30, 20, 570)
    assert found["scale"] == [1.0, 5.0]
    assert found["report"]["left_out"] == {"the rating 'good' is no number": 1, "the user is missing": 1}
    assert [line.split(",")[0] for line in rejected.read_text().splitlines()] == ["line", "572", "573"]
    assert "books" in [one["name"] for one in cli.json("datasets")["datasets"]]
    run = cli.json("train", "--dataset", "books", "--model", "biased-mf", "--epochs", "1", "--device", "cpu")["run_id"]
    assert cli("datasets", "delete", "books") == 2
    assert f"1 run needs books ({run})" in cli.err
    assert cli.json("datasets", "show", "books")["runs"] == [run]
    assert cli.json("recommend", run, "--user", "7", "-n", "3")["known"]
    archive = tmp_path / "run.zip"
    cli.json("export-run", run, str(archive))
    assert cli.json("import-run", str(archive))["run_id"] != run
    assert len(cli.json("datasets", "delete", "books", "--even-so")["runs"]) == 2


def test_a_dry_run_says_why_and_keeps_nothing(cli: Cli, ratings: Path) -> None:
    assert cli("import", str(ratings), "--dry-run") == 0
    assert "its name, 'reader'" in cli.out
    assert "semicolon" in cli.out
    found = cli.json("import", str(ratings), "--dry-run", "--user", "book", "--item", "reader")
    assert (found["plan"]["user"], found["plan"]["item"], found["reasons"]["user"]) == ("book", "reader", "as told")
    assert not (cli.home / "datasets").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--dry-run", "--user", "nobody"], "no column 'nobody'"),
        ([], "give --name"),
        (["--name", "ml-100k"], "comes with the program"),
        (["--name", "x", "--repeats", "often"], "repeats must be one of"),
        (["--name", "x", "--scale", "5,1"], "low to high"),
        (["--name", "x", "--kcore", "-1"], "kcore must be >= 0"),
        (["--name", "x", "--kcore", "500"], "nobody is left"),
        (["--name", "x", "--rejected", "no-such-folder/x.csv"], "no folder"),
    ],
)
def test_unusable_wishes_get_one_line(cli: Cli, ratings: Path, words: list[str], says: str) -> None:
    assert cli("import", str(ratings), *words) == 2
    assert says in cli.err
    assert "Traceback" not in cli.err
    assert not (cli.home / "datasets").exists() or not list((cli.home / "datasets").glob("*/*"))


def test_interrupted_it_leaves_nothing(cli: Cli, ratings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mfcore.data.imported._write", interrupt)
    assert cli("import", str(ratings), "--name", "books") == 130
    assert "nothing of it is kept" in cli.err
    assert [one["name"] for one in cli.json("datasets")["datasets"]].count("books") == 0
    assert not [one for one in (cli.home / "datasets").iterdir() if one.is_dir()]


def test_every_flag_is_a_field_of_the_plan() -> None:
    from mfcore.data.importing import ImportPlan

    fields = {importing._FIELDS.get(flag, flag) for flag in importing.PLAN_FLAGS}
    assert fields <= set(ImportPlan.__dataclass_fields__)


def test_renamed_on_the_command_line(cli: Cli, ratings: Path, tmp_path: Path) -> None:
    cli.json("import", str(ratings), "--name", "books")
    cli.json("datasets", "rename", "books", "Books we read")
    assert cli.json("datasets", "show", "books")["title"] == "Books we read"
    cli.json("datasets", "export", "books", str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == "user,item,rating,title"
    assert json.loads(cli.out)["dataset"] == "books"


def test_play_counts_run_away_for_their_scale_and_not_on_their_logarithm(cli: Cli, tmp_path: Path) -> None:
    """1 … 352,698 plays: what is advised is another scale, not another rate, and it helps."""
    plays = tmp_path / "plays.csv"
    counts = [
        (user, item, 1 + (user * item) % 40 + (352_697 if user == item == 5 else 0)) for user in range(30) for item in range(20)
    ]
    plays.write_text("\n".join(["user,item,plays", *(f"{user},{item},{count}" for user, item, count in counts)]))
    cli.json("import", str(plays), "--name", "plays")
    ask = ["train", "--dataset", "plays", "--model", "biased-mf", "--optimizer", "sgd", "--lr", "0.3", "--device", "cpu"]
    ask += ["--epochs", "5", "--batch-size", "64"]
    assert cli(*ask) == 1
    assert "the scale is the cause, not the learning rate, for ratings go from 1 to 352," in cli.err
    assert "transform=log" in cli.err and "confidence=log" in cli.err and "try 0.03" not in cli.err
    run = cli.json("train", *ask[1:], "--set", "transform=log")
    assert run["state"] == "finished"
    assert run["test"]["rmse"] < 1.5, "of logarithms between 0.7 and 12.8"
