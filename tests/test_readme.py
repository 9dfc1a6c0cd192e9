"""What the README shows works as it stands there, on the real MovieLens."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(command: list[str], home: Path) -> str:
    environment = {**os.environ, "MF_EXPLORER_HOME": str(home)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("ml_100k")
def test_the_library_snippet_runs(test_home: Path) -> None:
    (snippet,) = blocks("python")
    printed = run([sys.executable, "-W", "error", "-c", snippet], test_home)
    lines = printed.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["1", "2", "3", "4", "5"]
    assert float(lines[4].split()[2]) < 1.0, "five epochs beat the global mean (1.12) clearly"
    assert "title" in printed
    assert re.search(r"\(19\d\d\)", printed), "recommendations carry film titles with their years"


@pytest.mark.usefixtures("ml_100k")
def test_the_command_line_snippet_runs(test_home: Path) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python -m mfcore")]
    assert len(commands) == 8
    run_id = ""
    for command in commands:
        words = shlex.split(command.replace(" RUN ", f" {run_id} ").partition("#")[0].replace("--out ", f"--out {test_home}/"))
        printed = run([sys.executable, *words[1:]], test_home)
        if "train" in words:
            result = json.loads(printed.splitlines()[-1])
            run_id = result["run_id"]
            assert result["dataset"] == "ml-100k"
            assert result["epochs"] == 5
            assert 0.5 < result["test"]["rmse"] < 1.1
        if "evaluate" in words:
            assert json.loads(printed.splitlines()[-1])["test"]["rmse"] == pytest.approx(result["test"]["rmse"], abs=1e-6)
        if "recommend" in words:
            assert re.search(r"\(19\d\d\)", printed)
        if "extend" in words:
            epochs = [json.loads(line) for line in (test_home / "runs" / run_id / "events.jsonl").read_text().splitlines()]
            assert max(event["epoch"] for event in epochs if event["kind"] == "epoch") == 15
        if "export-vectors" in words:
            assert len((test_home / "vectors" / "vectors.tsv").read_text().splitlines()) == 1682
        if words[-1] == "runs":
            assert run_id in printed


def test_the_figures_are_those_that_were_measured() -> None:
    from bench.figures import BETWEEN, figures

    found = BETWEEN.search(README)
    assert found is not None
    assert found[0] == figures(), "python -m bench.figures writes them"


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://")):
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_pins_in_the_readme_are_the_pins() -> None:
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    for pin in re.findall(r"[a-z-]+==[0-9.]+[0-9]", README):
        assert pin in requirements


def test_the_index_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    linked = re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")


def test_what_the_map_of_the_house_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:mfcore|ui|pages|tests|docs)/[\w./-]*)`", text)
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / name).exists() and name != "mfcore/sweeps"]
