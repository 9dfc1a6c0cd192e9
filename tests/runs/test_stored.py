"""Runs of earlier versions, as those wrote them: this version lists, shows, loads, packs and goes on with every one of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import mfcore
from mfcore.runs import RunManager
from mfcore.runs.events import EpochEvent
from mfcore.runs.export.card import run_card
from mfcore.runs.export.command import repeating_command
from mfcore.runs.history import RunHistory
from mfcore.runs.loaded import load_run
from scripts.stored_runs import SHOWN

STORED = Path(__file__).resolve().parent.parent / "stored"
VERSIONS = sorted(path.name for path in STORED.iterdir() if path.is_dir())
Stored = tuple[RunManager, dict[str, Any]]


def opened(version: str, which: str, home: Path) -> Stored:
    """A manager of a home in which that run lies, and what its version showed of it."""
    source = STORED / version / which
    expected = json.loads((source / "expected.json").read_text(encoding="utf-8"))
    shutil.copytree(source / expected["run_id"], home / "runs" / expected["run_id"])
    return RunManager(home), expected


@pytest.fixture(params=VERSIONS)
def finished(request: pytest.FixtureRequest, home: Path) -> Stored:
    return opened(request.param, "finished", home)


@pytest.fixture(params=VERSIONS)
def interrupted(request: pytest.FixtureRequest, home: Path) -> Stored:
    return opened(request.param, "interrupted", home)


def close(value: Any) -> Any:
    """Equal to the last digits that another build of torch may change."""
    return pytest.approx(value, rel=1e-5) if isinstance(value, (dict, list)) and value else value


def test_there_is_one_of_this_version() -> None:
    assert mfcore.__version__ in VERSIONS, "python -m scripts.stored_runs makes it"


@pytest.mark.parametrize("which", ["finished", "interrupted"])
@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_listed_with_the_figures_it_had_and_not_changed_by_that(version: str, which: str, home: Path) -> None:
    manager, expected = opened(version, which, home)
    folder = manager.folder(expected["run_id"])
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    (summary,) = manager.list()
    assert summary.run_id == expected["run_id"] and not summary.unread
    assert {name: getattr(summary, name) for name in SHOWN} == {name: expected[name] for name in SHOWN}
    assert run_card(folder) and repeating_command(RunHistory.read(folder))
    assert {path: path.read_bytes() for path in before} == before


def test_its_labels_are_those_people_gave_it(finished: Stored) -> None:
    manager, expected = finished
    summary = manager.get(expected["run_id"])
    assert (summary.name, summary.note, summary.starred) == ("Kept “for later”", "two\nlines", True)


def test_its_model_recommends_and_scores_what_it_did(finished: Stored) -> None:
    manager, expected = finished
    run, wanted = load_run(expected["run_id"], manager.home), expected["recommended"]
    table = run.recommender().recommend(user_id=wanted["user_id"], n=len(wanted["item_id"]))
    assert table["item_id"].tolist() == wanted["item_id"]
    assert table["score"].tolist() == pytest.approx(wanted["score"], rel=1e-5)
    scored = run.evaluate("test")
    assert {name: scored[name] for name in expected["test"]} == close(expected["test"])
    details = run.evaluation()
    assert details is not None


def test_it_leaves_and_comes_back_the_same(finished: Stored) -> None:
    manager, expected = finished
    copy = manager.import_zip(manager.export_zip(expected["run_id"]))
    assert copy != expected["run_id"]
    summary = manager.get(copy)
    assert {name: getattr(summary, name) for name in SHOWN} == {name: expected[name] for name in SHOWN}
    original, imported = (load_run(run_id, manager.home).model.state_dict() for run_id in (expected["run_id"], copy))
    assert all(original[name].equal(imported[name]) for name in original)


def test_what_was_interrupted_goes_on_to_the_end_it_would_have_had(interrupted: Stored) -> None:
    manager, expected = interrupted
    folder = manager.folder(expected["run_id"])
    manager.resume(folder.run_id)
    try:
        assert manager.wait(folder.run_id, 120).state == "finished"
    finally:
        manager.shutdown()
    summary = manager.get(folder.run_id)
    assert {name: getattr(summary, name) for name in expected["whole"]} == {
        name: close(value) for name, value in expected["whole"].items()
    }
    assert [event.epoch for event in folder.events.of(EpochEvent)] == list(range(summary.num_epochs + 1))


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_small_and_names_no_machine(version: str) -> None:
    files = [path for path in (STORED / version).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 100_000
    for path in (STORED / version).rglob("status.json"):
        status = json.loads(path.read_text(encoding="utf-8"))
        assert not status.get("host") and not status.get("pid")
    assert not [path for path in files if path.name in ("worker.log", "run.lock")]
