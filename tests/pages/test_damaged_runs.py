"""Runs whose files are damaged in every way we know take no page along, their own included."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mfcore.runs import RunStore
from mfcore.runs.layout import RunFolder
from mfcore.runs.worker.session import train_run
from tests.runs.damage import DAMAGED, HARMLESS, STATUS
from tests.runs.tiny_runs import tiny

if TYPE_CHECKING:
    from tests.pages.conftest import OpenPage

EVERY = {**HARMLESS, **DAMAGED, **STATUS}
PAGES = ("home", "train", "evaluate", "recommend", "embeddings", "data", "runs")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with a whole run and one of each kind of damage: id → what was done to it."""
    home = tmp_path_factory.mktemp("damaged")
    whole = RunFolder.create(home, tiny())
    assert train_run(whole, home).state == "finished"
    found = {}
    for number, (what, damage) in enumerate(EVERY.items()):
        copy = RunStore(home).runs / f"20261125-1200{number:02d}-biased-mf-0000"
        shutil.copytree(whole.path, copy)
        damage(copy)
        found[copy.name] = what
    return home, found


@pytest.fixture
def damaged(folders: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Their ids, in the page's home."""
    monkeypatch.setenv("MF_EXPLORER_HOME", str(folders[0]))
    return folders[1]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("damaged")
def test_every_page_stands_with_all_of_them(page: str, open_page: OpenPage) -> None:
    assert not open_page(page).exception


@pytest.mark.parametrize("page", ["train", "evaluate", "recommend", "embeddings", "runs"])
def test_the_page_about_each_of_them_stands(page: str, damaged: dict[str, str], open_page: OpenPage) -> None:
    fallen = [what for run_id, what in damaged.items() if open_page(page, run=run_id).exception]
    assert not fallen
