"""Home without and with runs, with and without real data, and its one-click starts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mfcore.data import Interactions
from mfcore.runs import PRESETS, preset_config
from mfcore.runs.manager.manager import manager_for
from mfcore.runs.presets import FIRST, FIRST_RANKING
from tests.pages.conftest import train_tiny
from tests.pages.reading import OpenPage, words
from tests.runs.tiny_runs import tiny
from ui.run_titles import run_title


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
    assert run_title(run) == PRESETS[run.config.preset].title
    assert app.query_params["run"] == run.run_id
    assert app.title[0].value == "Train"


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


def test_figures_of_different_tests_are_marked(no_runs: Path, open_page: OpenPage) -> None:
    train_tiny(no_runs)
    train_tiny(no_runs, seed=1)
    assert "test A" not in words(open_page("home")), "both are of the same test"
    train_tiny(no_runs, split_seed=1)
    said = words(open_page("home"))
    assert said.count("-badge[test A]") == 1
    assert said.count("-badge[test B]") == 2
    assert "only figures with the same letter compare" in said


def test_what_trains_stays_in_sight_and_is_a_link_while_newer_runs_wait(
    running: str, no_worker: None, open_page: OpenPage
) -> None:
    manager_for().submit(tiny())
    labels = [str(link.value) for link in open_page("home").page_link]
    assert any(label.startswith("Training now") for label in labels)
    assert not any(label.startswith("Newest run") for label in labels)


def test_it_promises_no_neighbours_of_the_run_it_starts(no_runs: Path, open_page: OpenPage) -> None:
    said = words(open_page("home"))
    assert "side by side" not in said
    assert f"start “{PRESETS[FIRST_RANKING].title}” below" in said
    assert PRESETS[FIRST].flat["loss"] != PRESETS[FIRST_RANKING].flat["loss"]


def test_no_page_draws_a_note_to_its_readers() -> None:
    """Streamlit draws a string that stands alone in a page's script; only the first, its docstring, is left out."""
    for path in (Path(__file__).resolve().parents[2] / "pages").glob("*.py"):
        alone = [one for one in ast.parse(path.read_text()).body[1:] if isinstance(one, ast.Expr)]
        assert not [one for one in alone if isinstance(one.value, ast.Constant)], path.name
