"""The Recommend page, with and without runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from mfcore.data import Interactions, Vocabulary, make_item_table
from mfcore.runs import load_run
from mfcore.runs.manager.manager import manager_for
from tests.pages.conftest import train_tiny
from tests.pages.reading import OpenPage, words
from ui.datasets import Nouns, one
from ui.items import item_list, without_year
from ui.recommend.profile import nearest_liked, profile, raters_of
from ui.recommend.views import alike_words, relative, usual_least, whose_words


def lists(app: AppTest) -> list[str]:
    """The HTML of each ranked list on the page."""
    return [element.value for element in app.get("html") if "mf-list" in element.value]


def test_without_runs_it_explains_itself(no_runs: Path, open_page: OpenPage) -> None:
    assert "Nothing is trained yet" in words(open_page("recommend"))


def test_history_stands_beside_what_the_model_recommends(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("recommend", run=runs["rating"], user="7")
    answer = load_run(runs["rating"]).recommender()
    history = app.dataframe[0].value
    assert len(history) == len(answer.history(7))
    assert history["rating"].is_monotonic_decreasing
    assert set(history["part"]) <= {"train", "validation", "test"}
    top = answer.recommend(7)
    for title, score in zip(top["title"], top["score"], strict=True):
        assert f"<b>{title}</b>" in lists(app)[0]
        assert f">{score:.2f}<" in lists(app)[0]
    assert not set(top["title"]) & set(history["title"])


def test_ranking_scores_are_bars_not_stars(runs: dict[str, str], open_page: OpenPage) -> None:
    shown = lists(open_page("recommend", run=runs["ranking"], user="7"))[0]
    assert "★" not in shown
    assert "width:100.0%" in shown and "width:20.0%" in shown


def test_seen_ones_can_be_shown_and_carry_their_rating(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("recommend", run=runs["rating"], user="7", n="20")
    assert "they rated it" not in lists(app)[0]
    app.toggle(key="seen").set_value(True).run()
    assert not app.exception
    assert "they rated it" in lists(app)[0]
    assert "they rated it" in lists(open_page("recommend", run=runs["rating"], user="7", n="20", seen="true"))[0]


def test_the_length_of_the_list_is_in_the_address(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("recommend", run=runs["rating"], n="5")
    assert lists(app)[0].count('role="listitem"') == 5


def test_a_user_can_be_found_by_what_they_rated(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("recommend", run=runs["rating"], find="By item", film="3")
    data = load_run(runs["rating"]).data
    raters = raters_of(data, 3)
    assert raters["rating"].is_monotonic_decreasing
    who = next(box for box in app.selectbox if box.label == "Who rated it")
    assert len(who.options) == len(raters)
    assert "here" in who.options[0] and "ratings in all" in who.options[0]
    other = int(raters["user_id"].iloc[-1])
    who.select(other).run()
    assert not app.exception
    assert app.query_params["user"] == str(other)
    assert f"What user {other} rated" in words(app)


def test_by_film_asks_for_a_film_first(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("recommend", run=runs["rating"], find="By item")
    assert "Search an item above" in app.info[0].value


def test_an_unknown_user_in_a_link_is_named(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("recommend", run=runs["rating"], user="12345")
    assert "“12345” is not in this data" in words(app)
    assert "What user 1 rated" in words(app)


def test_similar_items_follow_the_choice(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("recommend", run=runs["rating"], user="7", like="5")
    run = load_run(runs["rating"])
    similar = run.recommender().similar_items(5, min_ratings=usual_least(run.data.popularity()))
    assert f"<b>{similar['title'].iloc[0]}</b>" in lists(app)[1]
    assert f"{similar['similarity'].iloc[0]:.2f}" in lists(app)[1]


def test_similar_items_tell_how_often_they_were_rated_and_can_ask_for_more(runs: dict[str, str], open_page: OpenPage) -> None:
    run = load_run(runs["rating"])
    popularity = run.data.popularity()
    app = open_page("recommend", run=runs["rating"], user="7", like="5", least="0")
    first = run.recommender().similar_items(5, n=1).iloc[0]
    assert f"{first['ratings']} ratings" in lists(app)[1]
    field = next(box for box in app.number_input if box.label == "Rated at least")
    assert field.value == 0
    field.set_value(int(popularity.max())).run()
    assert not app.exception and app.query_params["least"] == str(popularity.max())
    shown = lists(app)
    assert len(shown) == 1 or f"{popularity.max()} ratings" in shown[1]
    assert open_page("recommend", run=runs["rating"], least="elephants").number_input[0].value == usual_least(popularity)


def test_a_least_number_of_ratings_to_begin_with_fits_the_data() -> None:
    assert usual_least(np.array([0, 0, 3, 3, 3, 3])) == 3
    assert usual_least(np.array([1000, 900, 800])) == 20
    assert usual_least(np.array([0, 0])) == 0


def test_a_run_still_going_says_which_epoch_is_shown(running: str, open_page: OpenPage) -> None:
    for path in (manager_for().folder(running).checkpoints).glob("refit*"):
        path.unlink()
    app = open_page("recommend", run=running)
    assert "epoch" in app.info[0].value and "Shown here" in app.info[0].value
    assert lists(app)


def test_predictions_beyond_the_scale_are_held_within_it_and_can_be_seen_raw(
    runs: dict[str, str], open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.recommend import profile as taste

    def labels(app: AppTest) -> list[str]:
        return [toggle.label for toggle in app.toggle]

    told = load_run(runs["rating"]).recommender().recommend(7)
    assert told["score"].between(1, 5).all()
    overshoots = not told["raw_score"].between(1, 5).all()
    assert ("Raw predictions" in labels(open_page("recommend", run=runs["rating"], user="7"))) == overshoots
    shown = taste.recommended
    monkeypatch.setattr(taste, "recommended", lambda *a, **k: shown(*a, **k).assign(score=5.0, raw_score=7.5))
    assert "7.50" not in "".join(lists(open_page("recommend", run=runs["rating"], user="7")))
    app = open_page("recommend", run=runs["rating"], user="7", raw="true")
    assert "Raw predictions" in labels(app)
    assert "7.50" in "".join(lists(app))


def test_the_page_says_whose_vectors_it_asks_and_how_the_map_may_differ(no_runs: Path, open_page: OpenPage) -> None:
    said = words(open_page("recommend", run=train_tiny(no_runs, refit=True)))
    assert "trained once more, on train + validation together" in said and "neighbours there may differ" in said
    plain = train_tiny(no_runs)
    loaded, done = load_run(plain), manager_for().get(plain).epochs_done
    assert loaded.checkpoint != "refit"
    said = words(open_page("recommend", run=plain))
    assert f"after epoch {loaded.checkpoint_epoch}" in said and "trained once more" not in said
    assert "of 9, the best on validation" in whose_words("best", 4, 9)
    assert "the map ends there too" in whose_words("best", done, done)


def test_a_failed_run_says_why(runs: dict[str, str], open_page: OpenPage) -> None:
    assert "This run failed" in open_page("recommend", run=runs["failed"]).error[0].value


def test_a_run_without_a_model_says_so(runs: dict[str, str], open_page: OpenPage) -> None:
    for path in manager_for().folder(runs["rating"]).checkpoints.glob("*.safetensors"):
        path.unlink()
    app = open_page("recommend", run=runs["rating"])
    assert "left no weights" in app.error[0].value.replace("\\", "")
    assert not app.dataframe


def test_titles_from_data_cannot_become_markup() -> None:
    row = {"title": "<script>alert(1)</script> & co (1999)", "year": "1999", "genres": ("<b>",), "share": 9.0, "value": "<"}
    made = item_list([row], colour="#000", name='"x"')
    assert "<script>" not in made and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co</b>" in made
    assert "width:100.0%" in made


def test_things_are_called_as_one_would_say() -> None:
    assert without_year("Fargo (1996)", "1996") == "Fargo"
    assert (one("item"), one("film")) == ("an item", "a film")
    assert (one("user"), one("unit"), one("umbrella")) == ("a user", "a unit", "an umbrella")


def test_the_nearest_liked_film_is_liked_seen_in_training_and_not_itself() -> None:
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [-1, 0]], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    history = pd.DataFrame(
        {
            "item_idx": [1, 2, 3],
            "title": ["near", "far", "opposite"],
            "rating": [5.0, 5.0, 1.0],
            "part": ["train", "train", "train"],
        }
    )
    assert nearest_liked(vectors, np.array([0, 1, 3]), history) == ["near", "", ""]
    assert nearest_liked(vectors, np.array([0]), history.assign(part="test")) == [""]
    chose = history.assign(part="validation")
    assert nearest_liked(vectors, np.array([0]), chose) == [""]
    assert nearest_liked(vectors, np.array([0]), chose, ("train", "validation")) == ["near"]  # a refit learned from it


def test_vectors_that_all_point_one_way_are_said_to() -> None:
    flat = np.array([1.0, 0.999, 0.995, 0.3])
    assert alike_words(flat, 3, Nouns()).startswith("3 of 4 items compared point almost exactly the same way")
    assert alike_words(flat[:3], 3, Nouns()).startswith("All 3 items")
    assert not alike_words(flat, 4, Nouns()) and not alike_words(np.array([]), 0, Nouns())


def test_profile_of_a_user_without_dates_or_genres() -> None:
    data = Interactions(
        user_idx=np.array([0, 0]),
        item_idx=np.array([0, 1]),
        rating=np.array([1.0, 4.0], np.float32),
        timestamp=None,
        users=Vocabulary(["a"]),
        items=Vocabulary([1, 2]),
        item_table=make_item_table(["x", "y"]),
        rating_scale=(1, 5),
    )
    history = data.item_table.assign(rating=data.rating, timestamp=pd.Series([pd.NaT, pd.NaT], dtype="datetime64[s, UTC]"))
    assert profile(history) == {"count": 2, "mean": 2.5, "genres": [], "from": None, "to": None}


def test_bars_compare_within_the_list() -> None:
    assert relative(np.array([3.0, 2.0, 1.0])).tolist() == pytest.approx([1.0, 0.6, 0.2])
    assert relative(np.array([2.0, 2.0])).tolist() == [1.0, 1.0]
    assert len(relative(np.array([]))) == 0
