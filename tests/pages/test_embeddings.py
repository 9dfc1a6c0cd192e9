"""The Embeddings page, with and without runs, and the map it draws."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mfcore.data import Interactions
from mfcore.runs import load_run
from tests.pages.conftest import train_tiny
from tests.pages.reading import OpenPage, words
from ui.embedding_map import axis_title, embedding_map
from ui.embedding_points import colours_for, item_points, main_genres, user_points
from ui.embedding_space import ITEMS, neighbours, space_of, variance_words
from ui.label_places import HEIGHT, WIDTH, label_box, overlap, place_labels


def traces(app: AppTest) -> list[dict[str, Any]]:
    """The map's traces, as sent to the browser."""
    return list(json.loads(app.get("plotly_chart")[0].proto.spec)["data"])


def test_without_runs_it_explains_itself(no_runs: Path, open_page: OpenPage) -> None:
    assert "Nothing is trained yet" in words(open_page("embeddings"))


def test_the_map_shows_every_item_and_says_how_much_it_holds(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["rating"])
    data = load_run(runs["rating"]).data
    (trace,) = traces(app)
    assert trace["type"] == "scattergl"
    assert trace["x"]["dtype"] == "f4"
    assert len(trace["hovertext"]) == data.num_items
    said = words(app)
    assert f"{data.num_items} points" in said and "of the variance of the 4-dimensional vectors" in said


def test_without_genres_and_years_there_is_nothing_to_colour_by_them(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["rating"])
    colour = app.get_by_key("colour")
    assert list(colour.options) == ["Popularity", "Mean rating"]


def test_three_axes_users_and_colour_come_from_the_address(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["ranking"], axes="3-D", points="Users", colour="Mean rating")
    (trace,) = traces(app)
    assert trace["type"] == "scatter3d"
    assert trace["name"] == "Mean rating"
    assert len(trace["hovertext"]) == load_run(runs["ranking"]).data.num_users
    assert trace["hovertext"][0].startswith("<b>user ")


def test_both_puts_users_behind_the_items(runs: dict[str, str], open_page: OpenPage) -> None:
    behind, front = traces(open_page("embeddings", run=runs["rating"], points="Both"))
    assert behind["name"] == "users"
    assert len(front["hovertext"]) == load_run(runs["rating"]).data.num_items


def test_a_searched_item_is_highlighted_with_its_nearest(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["rating"], film="5")
    run = load_run(runs["rating"])
    near = run.recommender().similar_items(5, n=10)
    shown = next(element.value for element in app.get("html") if "mf-list" in element.value)
    places = [shown.index(f"<b>{title}</b>") for title in near["title"]]
    assert places == sorted(places)
    points, neighbour, chosen = traces(app)
    assert points["marker"]["opacity"] < 0.5
    assert len(neighbour["text"]) == 10
    assert chosen["text"] == [run.data.item_table["title"].iloc[run.data.items.index(5)]]


def test_the_search_box_writes_the_address(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("embeddings", run=runs["rating"])
    next(box for box in app.selectbox if box.label == "Search").select(9).run()
    assert not app.exception
    assert app.query_params["film"] == "9"
    assert len(traces(app)) == 3


def test_a_running_run_shows_its_checkpoint(running: str, open_page: OpenPage) -> None:
    app = open_page("embeddings", run=running)
    assert "Shown here" in app.info[0].value
    assert len(traces(app)) == 1


def test_a_failed_run_says_why(runs: dict[str, str], open_page: OpenPage) -> None:
    assert "This run failed" in open_page("embeddings", run=runs["failed"]).error[0].value


def test_vectors_of_one_number_are_refused_in_words(no_runs: Path, open_page: OpenPage) -> None:
    run_id = train_tiny(no_runs, embedding_dim=1)
    app = open_page("embeddings", run=run_id)
    assert "two dimensions" in words(app)
    assert not app.get("plotly_chart")


def test_two_numbers_make_a_flat_map_only(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("embeddings", run=train_tiny(no_runs, embedding_dim=2), axes="3-D")
    assert traces(app)[0]["type"] == "scattergl"


def test_neumf_shows_both_halves(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("embeddings", run=train_tiny(no_runs, model="neumf", loss="bce", mlp_layers="8,4"))
    assert "GMF and MLP" in words(app)
    assert "8-dimensional" in words(app)  # 4 of GMF and 4 of MLP


def test_neighbours_are_by_cosine_and_leave_out_what_has_no_direction() -> None:
    vectors = np.array([[1, 0], [5, 0.5], [0, 1], [0, 0], [-1, 0]], np.float32)
    rows, cosine = neighbours(vectors, 0, 3)
    assert rows.tolist() == [1, 2, 4]
    assert cosine.tolist() == pytest.approx([5 / np.hypot(5, 0.5), 0.0, -1.0])
    assert neighbours(vectors, 3, 3)[0].tolist() == []


def test_the_map_of_movielens_has_a_point_for_each_film(ml_100k: Interactions) -> None:
    points = item_points(ml_100k)
    assert colours_for(points) == {"Genre": "genre", "Year": "year", "Popularity": "ratings", "Mean rating": "mean"}
    coordinates = np.random.default_rng(0).normal(size=(1682, 2)).astype(np.float32)
    figure = embedding_map(points, coordinates, np.array([0.1, 0.05]), colour_by="genre", words="Genre")
    assert sum(len(trace.x) for trace in figure.data) == 1682
    assert {trace.name for trace in figure.data} >= {"Drama", "Comedy", "Other"}
    assert len(figure.data) == 9
    assert figure.layout.xaxis.title.text == "First axis (10 % of the variance)"
    star_wars = points.index[points["label"] == "Star Wars (1977)"][0]
    assert points["hover"].iloc[star_wars].startswith("<b>Star Wars (1977)</b><br>Action, Adventure")
    assert "583 ratings, 4.4 on average" in points["hover"].iloc[star_wars]
    assert len(user_points(ml_100k)) == 943


def test_the_main_genre_is_the_rarest_of_the_frequent_ones(ml_100k: Interactions) -> None:
    genres, frequent = main_genres(ml_100k)
    toy_story = ml_100k.item_table.index[ml_100k.item_table["title"] == "Toy Story (1995)"][0]
    assert frequent[0] == "Drama" and len(frequent) == 8
    assert genres[toy_story] == "Children's"


def test_hover_text_shows_markup_in_titles_as_it_is(ml_100k: Interactions) -> None:
    table = ml_100k.item_table.copy()
    table.loc[0, "title"] = "<b onclick=x>&"
    changed = ml_100k.select(np.arange(len(ml_100k)))
    object.__setattr__(changed, "item_table", table)
    assert item_points(changed)["hover"].iloc[0].startswith("<b>&lt;b onclick=x&gt;&amp;</b>")


def test_labels_never_cover_one_another() -> None:
    coordinates = np.random.default_rng(0).normal(0, 0.4, size=(40, 2)).astype(np.float32)
    coordinates = np.concatenate([coordinates, [[-3, -3], [3, 3]]]).astype(np.float32)
    rows, labels = list(range(40)), [f"{place} a rather long title" for place in range(40)]
    placed = place_labels(coordinates, rows, labels, ["", *map(str, range(1, 40))])
    assert placed[0][0] == labels[0]
    assert {text for text, _ in placed} & set(labels[1:]), "some find room"
    assert {"", *map(str, range(40))} & {text for text, _ in placed}, "not all do"
    pixels = (coordinates - coordinates.min(axis=0)) / np.ptp(coordinates, axis=0) * [WIDTH, HEIGHT]
    boxes = [label_box(pixels[row].tolist(), text, place) for row, (text, place) in zip(rows, placed, strict=True) if text]
    assert not any(overlap(one, other) for one, other in itertools.combinations(boxes, 2))


def test_the_chosen_label_is_shown_however_crowded_it_is() -> None:
    placed = place_labels(np.zeros((3, 2), np.float32), [0, 1, 2], ["chosen", "near", "nearer"], ["", "1", "2"])
    assert placed[0][0] == "chosen"


def test_variance_in_words() -> None:
    said = variance_words(np.array([0.12, 0.09, 0.05]), 2, 64)
    assert said == (
        "The 2 axes shown hold 21 % of the variance of the 64-dimensional vectors (first axis 12 %, second 9 %). "
        "What lies side by side here may be apart in the other 62 dimensions."
    )
    assert variance_words(np.array([0.8, 0.2]), 2, 2).endswith("second 20 %).")
    assert "nothing to tell them apart" in variance_words(np.array([np.nan, np.nan]), 2, 4)
    assert axis_title(2, 0.049, brief=True) == "Third axis, 5 %"


def test_the_space_is_kept_until_the_checkpoint_changes(runs: dict[str, str]) -> None:
    run = load_run(runs["rating"])
    assert space_of(run, ITEMS) is space_of(run, ITEMS)
