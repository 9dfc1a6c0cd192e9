"""The Embeddings page, with and without runs: what it hands to the map. What the map does with it: tests/e2e/test_space.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.pages.reading import OpenPage, words


def maps(app: AppTest) -> list[dict[str, Any]]:
    """What each map on the page was given."""
    return [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "mf_explorer_space"
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
    assert shown["nouns"] == ["item", "items"]


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
