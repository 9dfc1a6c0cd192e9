"""The Data page: facts that are true of the data on it, search, splits, generated and absent datasets."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcore.data import Interactions, load_dataset, make_split, random_split
from mfcore.data.config import SplitConfig
from mfcore.data.sources.download import FetchCancelled
from mfcore.data.stats import block
from mfcore.errors import DataUnavailable
from tests.pages.reading import OpenPage, words
from ui.data.fetching import fetch_job, start_fetch
from ui.data.items import item_rows, search
from ui.data.overview import BUSIEST, CORNERS, MIXED, RANDOM, corner_of, density_words
from ui.data.split import part_table
from ui.datasets import Nouns
from ui.format import rounded_percent
from ui.jobs import Job


def charts(app: object) -> str:
    return "\n".join(chart.proto.spec for chart in app.get("plotly_chart"))  # type: ignore[attr-defined]


def test_movielens_is_counted_and_its_long_tail_stated(ml_100k: Interactions, open_page: OpenPage) -> None:
    app = open_page("data")
    assert [tile.value for tile in app.metric] == ["100,000", "943", "1,682", "6.3 %"]
    assert "20 % of the films hold 65 % of the ratings" in charts(app)
    assert "Most often 4, on average 3.53" in charts(app)
    assert "GroupLens" in words(app)


def test_search_finds_films_by_words_of_title_genre_and_year(ml_100k: Interactions, open_page: OpenPage) -> None:
    app = open_page("data")
    app.text_input(key="search").set_value("wars 1977").run()
    assert app.dataframe[0].value["title"].tolist() == ["Star Wars"]
    app.text_input(key="search").set_value("saint 1997").run()
    found = app.dataframe[0].value.set_index("title")
    assert found.loc["The Saint", "original"] == "Saint, The (1997)"  # what the source wrote stands beside it
    app.text_input(key="search").set_value("no such film").run()
    assert "Nothing matches" in app.info[0].value


@pytest.mark.parametrize("kind", ["random", "leave-last-out", "time", "official"])
def test_each_split_is_explained_counted_and_drawn(kind: str, ml_100k: Interactions, open_page: OpenPage) -> None:
    app = open_page("data", split=kind)
    facts = app.table[0].value
    split = make_split(ml_100k, SplitConfig(kind))
    assert facts.loc["ratings", "test"].startswith(f"{len(split.test_rows):,} ")
    assert len(app.get("plotly_chart")) == 4


def test_every_part_of_the_table_says_how_full_it_is_and_how_full_the_whole(ml_100k: Interactions, open_page: OpenPage) -> None:
    app = open_page("data")
    app.get_by_key("corner").set_value(BUSIEST).run()
    assert not app.exception
    assert "drawn by lot" in charts(open_page("data", corner=RANDOM))
    shares = {}
    for kind in CORNERS:
        users, items = corner_of(ml_100k, kind)
        assert len(set(users.tolist())) == len(set(items.tolist())) == 40
        shares[kind] = float(np.isfinite(block(ml_100k, ml_100k.rating, users, items)).mean())
    assert f"{rounded_percent(shares[BUSIEST])} is known here, 6.3 % of the whole table" in charts(app)
    assert shares[BUSIEST] > 0.6 > 0.3 > shares[MIXED] and 0.03 < shares[RANDOM] < 0.1  # what is drawn by lot is like the whole


def test_planted_data_has_no_dates_and_takes_its_shape_from_the_link(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("data", dataset="planted", **{"dataset.num_users": "50", "dataset.density": "0.5"})
    assert [tile.value for tile in app.metric][:2] == ["7,500", "50"]
    assert [box.label for box in app.selectbox] == ["Dataset", "How ratings are divided"]
    assert app.selectbox[1].options == ["Random", "Leave one out"]


def test_ratings_drawn_at_random_have_no_favourite(no_runs: Path, open_page: OpenPage) -> None:
    assert "No favourite, on average 2.50" in charts(open_page("data", dataset="synthetic"))


def test_a_shape_that_cannot_be_is_one_line(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("data", dataset="planted", **{"dataset.num_users": "100000", "dataset.num_items": "100000"})
    assert "ratings; at most" in app.error[0].value.replace("\\", "")


def test_nonsense_in_the_link_is_named_and_replaced(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("data", dataset="netflix")
    said = words(app).replace("\\", "")
    assert "“netflix” is not in this data." in said
    assert "is not on this machine yet" in words(app)


def test_absent_data_offers_to_fetch_and_tells_every_road_that_failed(
    no_runs: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(name: str, **_: object) -> None:
        raise DataUnavailable(name, [("GroupLens", "no route to host"), ("pip", "no index")], "Connect to the internet")

    monkeypatch.setattr("ui.data.fetching.fetch", nowhere)
    app = open_page("data")
    assert not app.metric
    app.button(key="fetch").click().run()
    assert not app.exception
    said = words(app)
    assert "no route to host" in said
    assert "no index" in said
    assert "Connect to the internet" in said


# --- words and tables ---------------------------------------------------------------------------------------------


def test_percentages_as_people_say_them() -> None:
    assert [rounded_percent(x) for x in (0.063047, 0.5, 1.0, 0.999, 0.0001, 0.0)] == [
        "6.3 %",
        "50 %",
        "100 %",
        "99.9 %",
        "0.01 %",
        "0.0 %",
    ]
    assert "Of every 16 possible ratings, one is known" in density_words(0.063)


def test_items_and_search_and_parts_agree_with_the_data() -> None:
    data = load_dataset("planted", num_users=30, num_items=20, density=0.3)
    rows = item_rows(data)
    assert rows["count"].sum() == len(data)
    assert rows["count"].is_monotonic_decreasing
    best = rows.iloc[0]
    assert best["mean_rating"] == pytest.approx(
        data.rating[data.item_idx == data.items.index(int(best["item_id"]))].mean(), rel=1e-5
    )
    assert search(rows, "item 7")["title"].tolist().count("Item 7") == 1
    assert search(rows, "").equals(rows)
    facts = part_table(random_split(data), Nouns())
    assert facts.loc["ratings", "train"] == "126 (70 %)"
    assert facts.loc["users never met in training", "train"] == "–"


def test_a_fetch_goes_on_beside_the_page_and_can_be_cancelled(
    no_runs: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def slow(name: str, *, progress: Any, cancelled: Any) -> None:
        progress("MovieLens 32M: 12.0 MB of 239.0 MB, about 40 s left", 0.05)
        asked.wait(30)
        if cancelled():
            raise FetchCancelled

    def looked_at(job: Job, seconds: float) -> None:
        """Somebody looks at the page, and clicks Cancel when it says how far it is."""
        if "about 40 s left" in job.message and seconds:
            assert job.running and job.share == 0.05 and fetch_job("ml-32m") is job
            assert start_fetch("ml-32m") is job  # a second visitor joins in
            job.cancel()
            asked.set()
        job._thread.join(seconds or 0.01)

    monkeypatch.setattr("ui.data.fetching.fetch", slow)
    monkeypatch.setattr("ui.jobs._QUICK", 0.0)
    monkeypatch.setattr("ui.jobs.Job.wait", looked_at)
    app = open_page("data", dataset="ml-32m")
    app.button(key="fetch").click().run()
    assert asked.is_set() and "goes on from there" in app.info[0].value
    assert app.button(key="fetch").label == "Fetch it now"


def test_a_run_s_reconstruction_stands_beside_the_matrix_and_its_factors_can_sort(
    runs: dict[str, str], open_page: OpenPage
) -> None:
    shape = {"dataset": "planted", "dataset.num_users": "40", "dataset.num_items": "30", "dataset.density": "0.4"}
    app = open_page("data", look="true", **shape, **{"with": runs["rating"]})
    assert not app.exception and not app.error
    assert "480 ratings that are known" in charts(app) and "a square is off by" in charts(app)
    assert "a square = 1 user " in charts(app)
    app = open_page("data", look="true", order="factor", factor="2", **shape, **{"with": runs["ranking"]})
    assert not app.exception and not app.error
    assert "most of the factor on top" in charts(app) and "a square is off by" not in charts(app)
    assert "ranks and predicts no ratings" in words(app)


def test_made_up_ratings_are_shaped_by_sliders_with_a_picture_beside_them(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("data", dataset="communities")
    sliders = {slider.label: slider for slider in app.slider}
    assert sliders["Groups"].value == 4 and "by what made them" in charts(app)
    sliders["Groups"].set_value(2).run()
    assert not app.exception and app.query_params["dataset.groups"] in ("2", ["2"])
    exact = open_page("data", dataset="communities", exact="true")
    assert not exact.slider and {box.label for box in exact.number_input} >= {"Groups", "Density"}
    far = open_page("data", dataset="planted", **{"dataset.num_users": "3000", "dataset.density": "0.01"})
    assert [box.label for box in far.number_input] == ["Num users"]  # beyond the slider: as a number
