"""The Embeddings page, with and without runs: what it hands to the map. What the map does with it: tests/e2e/test_space.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings, list_embeddings
from mfcore.embeddings.spectrum import norms_by_popularity, recovery, spectrum
from mfcore.paths import data_dir
from tests.pages.conftest import train_tiny
from tests.pages.reading import OpenPage, words
from ui.embeddings.charts import lengths_figure, recovery_figure, spectrum_figure


def maps(app: AppTest) -> list[dict[str, Any]]:
    """What each map on the page was given."""
    return [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "mf_explorer_embedding_map"
    ]


def test_without_runs_it_explains_itself(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("embeddings")
    assert "Nothing is trained yet" in words(app)
    assert not maps(app)


def test_the_map_is_that_of_the_run_in_the_address(runs: dict[str, str], open_page: OpenPage) -> None:
    for name in ("rating", "ranking"):
        (shown,) = maps(open_page("embeddings", run=runs[name]))
        assert shown["source"] == f"/api/runs/{runs[name]}/space"
        assert shown["events"] == f"/api/runs/{runs[name]}/events"
        assert not shown["going"]


def test_things_without_titles_are_items(runs: dict[str, str], open_page: OpenPage) -> None:
    (shown,) = maps(open_page("embeddings", run=runs["rating"]))
    assert (shown["nouns"]["item"], shown["nouns"]["users"]) == ("item", "users")


def test_the_address_is_the_maps_own(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["rating"], axes="3-D", points="Users", film="5", epoch="1")
    asked = {name: app.query_params[name] for name in ("axes", "points", "film", "epoch")}
    assert asked == {"axes": "3-D", "points": "Users", "film": "5", "epoch": "1"}, "the page leaves it alone"


def test_a_running_run_is_followed(running: str, open_page: OpenPage) -> None:
    (shown,) = maps(open_page("embeddings", run=running))
    assert shown["going"]


def test_a_failed_run_says_why(runs: dict[str, str], open_page: OpenPage) -> None:
    assert "This run failed" in open_page("embeddings", run=runs["failed"]).error[0].value


def test_a_run_that_was_cut_off_can_go_on_from_here(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["interrupted"])
    assert "the machine went down" in app.info[0].value
    assert len(maps(app)) == 1


@pytest.fixture
def imported(no_runs: Path) -> str:
    """Imported embeddings in a home without runs; returns their id."""
    vectors = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    return ImportedEmbeddings.add(Tables(vectors, {"label": [f"word {number}" for number in range(12)]}), "Words").name


def test_imported_embeddings_are_on_a_map_of_their_own(imported: str, open_page: OpenPage) -> None:
    app = open_page("embeddings", embeddings=imported)
    (shown,) = maps(app)
    assert shown["source"] == f"/api/embeddings/{imported}/space"
    assert shown["run_id"] == shown["events"] == "", "no run, so no curve and no way to Recommend"
    assert (shown["nouns"]["item"], shown["nouns"]["items"]) == ("point", "points")


def test_imported_embeddings_can_be_removed(imported: str, open_page: OpenPage) -> None:
    app = open_page("embeddings", embeddings=imported)
    app.button(key="imported_remove").click().run()
    assert not app.exception
    assert "embeddings" not in app.query_params
    assert not list_embeddings()


@pytest.mark.parametrize("name", ["20260101-000000-abcdef", "../../etc", "x" * 300])
def test_embeddings_that_are_not_here_are_one_clear_line(no_runs: Path, open_page: OpenPage, name: str) -> None:
    app = open_page("embeddings", embeddings=name)
    assert len(app.error) == 1
    assert not maps(app)


@pytest.mark.parametrize(("view", "charts"), [("Lengths", 1), ("Spectrum", 2), ("Recovery", 1)])
def test_a_closer_look_is_drawn_when_it_is_asked_for(runs: dict[str, str], open_page: OpenPage, view: str, charts: int) -> None:
    assert not open_page("embeddings", run=runs["rating"]).get("plotly_chart")
    app = open_page("embeddings", run=runs["rating"], closer=view)
    assert not app.error
    assert len(app.get("plotly_chart")) == charts


def test_recovery_is_of_planted_data_only(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["rating"])
    assert list(app.get_by_key("closer").options) == ["Lengths", "Spectrum", "Recovery", "Export", "Import"]


def test_lengths_and_spectrum_show_what_was_computed() -> None:
    vectors = np.diag([3.0, 2.0, 1.0]).astype(np.float32)
    lengths = lengths_figure(norms_by_popularity(vectors, [30, 20, 10]), ["a", "b", "c"], 4, "films")
    assert lengths.data[0].y.tolist() == [3, 2, 1]
    assert lengths.data[0].x.tolist() == [30, 20, 10]
    assert "Rank correlation 1.00" in lengths.layout.title.subtitle.text
    drawn = spectrum_figure({0: spectrum(np.zeros((3, 3))), 2: spectrum(vectors)})
    assert [trace.name for trace in drawn.data] == ["epoch 2"], "vectors of zeros have no spectrum"
    assert drawn.data[0].y.tolist() == pytest.approx([1, 2 / 3, 1 / 3])
    assert "Effective rank 2.7 of 3 at epoch 2" in drawn.layout.title.subtitle.text


def test_recovery_says_the_angles() -> None:
    truth = np.eye(4)[:, :2]
    found = {0: recovery(np.eye(4)[:, 2:], truth), 1: recovery(truth, truth)}
    figure = recovery_figure(found)
    assert figure.data[0].y == pytest.approx((0, 1), abs=1e-9)
    assert "100 % found; angles between the planted directions and the learned: 0°, 0°" in figure.layout.title.subtitle.text


def test_earlier_imports_can_be_found_opened_and_deleted(no_runs: Path, imported: str, open_page: OpenPage) -> None:
    app = open_page("embeddings", closer="Import")
    assert "12 points × 3 numbers" in words(app)
    (link,) = [one for one in app.get("page_link") if "Words" in one.proto.label]
    assert f"embeddings={imported}" in link.proto.query_string
    app.button(key=f"imported_delete_{imported}").click().run()
    assert not list_embeddings()
    assert "12 points" not in words(app)


def test_the_map_says_whose_vectors_it_shows(runs: dict[str, str], no_refit: str, open_page: OpenPage) -> None:
    from mfcore.runs import RunFolder

    for run_id in (runs["rating"], no_refit):
        (shown,) = maps(open_page("embeddings", run=run_id))
        told, refit = shown["whose_words"], RunFolder(data_dir() / "runs" / run_id).checkpoints / "refit.safetensors"
        assert ("trained once more, on train + validation" in told) == refit.is_file()
        assert "Recommend asks" in told


@pytest.fixture
def no_refit(runs: dict[str, str]) -> str:
    """A run whose best epoch stands for it, beside the others."""
    return train_tiny(data_dir(), refit=False)
