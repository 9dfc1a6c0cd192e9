"""Home without and with runs, with and without real data, and its one-click starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfcore.data import Interactions
from mfcore.runs import PRESETS, preset_config
from mfcore.runs.manager.manager import manager_for
from tests.pages.reading import OpenPage, words


def test_without_runs_it_says_what_this_is_and_offers_every_preset(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("home")
    assert "guesses the blanks" in words(app)
    for name, preset in PRESETS.items():
        assert preset.sentence in words(app)
        assert preset.figures in words(app)
        assert app.button(key=f"start_{name}")
    assert "From the literature" in words(app)
    assert "Recent runs" not in words(app)


def test_without_real_data_it_says_so_and_points_to_the_cure(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("home")
    assert "Made-up ratings are in use" in app.warning[0].value
    assert any("Fetch MovieLens 100K" in str(link.value) for link in app.page_link)


@pytest.mark.parametrize("key", ["start_now", *(f"start_{name}" for name in PRESETS)])
def test_a_start_is_one_click_even_without_real_data(key: str, no_runs: Path, no_worker: None, open_page: OpenPage) -> None:
    app = open_page("home")
    app.button(key=key).click().run()
    assert not app.exception
    (run,) = manager_for().list()
    made_up = preset_config(run.config.preset).dataset.name == "synthetic"
    assert run.config.dataset.name == ("synthetic" if made_up else "planted")
    assert run.name == PRESETS[run.config.preset].title
    assert app.query_params["run"] == run.run_id
    assert app.header[0].value == "Train"


def test_with_real_data_a_start_uses_it(ml_100k: Interactions, no_worker: None, open_page: OpenPage) -> None:
    app = open_page("home")
    assert "Made-up" not in words(app)
    app.button(key="start_mf-implicit").click().run()
    run_id = app.query_params["run"]
    run = manager_for().get(run_id)
    manager_for().delete(run_id)
    assert (run.config.dataset.name, run.config.split.kind) == ("ml-100k", "leave-last-out")


def test_recent_runs_show_state_and_result_and_names_are_not_markup(runs: dict[str, str], open_page: OpenPage) -> None:
    said = words(open_page("home"))
    assert "Recent runs" in said
    assert r"\[a \*name\*\]" in said
    assert "[a *name*](http://x)" not in said
    assert "NDCG@10 **0." in said
    assert "-badge[failed]" in said


def test_with_a_running_run(running: str, open_page: OpenPage) -> None:
    assert "-badge[training]" in words(open_page("home"))
