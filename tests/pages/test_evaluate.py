"""The Evaluate page, with and without runs, and the words and numbers it draws from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mfcore.evaluation import Comparison, EvaluationDetails, Protocol, summarise
from mfcore.evaluation.metrics import best_baseline
from mfcore.runs import RunConfig, load_run
from mfcore.runs.manager.manager import manager_for
from mfcore.settings.ties import TIES
from tests.pages.conftest import train_tiny
from tests.pages.reading import OpenPage, words
from ui.datasets import Nouns, nouns
from ui.evaluate.compare import OTHER_TEST, difference_chart, verdict_words
from ui.evaluate.contestants import TRAIN_AGAIN, contestants
from ui.evaluate.curves import in_words, length_curves, length_lottery, list_lengths, rivals_curves, rivals_lottery, stops
from ui.evaluate.lists import half_share
from ui.evaluate.rating_errors import error_histogram, predicted_by_rating, rating_groups
from ui.evaluate.results import BEFORE_REFIT, THIS_RUN, baselines_help, metrics_table
from ui.evaluate.store import peers, stored_details
from ui.run_colours import run_colours
from ui.verdict import comparison, headline, judge
from ui.words import protocol_sentence

FILMS, ITEMS = nouns("ml-100k"), Nouns()


def test_without_runs_it_explains_itself(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("evaluate")
    said = words(app)
    assert "Nothing is trained yet" in said
    assert len(app.get("page_link")) >= 2
    assert not app.dataframe


def test_a_rating_run_shows_every_metric_beside_every_baseline(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["rating"])
    run = manager_for().get(runs["rating"])
    test, valid = (frame.value for frame in app.dataframe[:2])
    assert test.loc[THIS_RUN, "rmse"] == pytest.approx(run.test["rmse"])
    assert valid.loc[THIS_RUN, "rmse"] == pytest.approx(run.valid["rmse"])
    assert {"Bias only", "Item mean", "Global mean", "Popularity", "Random"} <= set(test.index)
    assert np.isnan(test.loc["Popularity", "rmse"])
    said = words(app)
    assert f"RMSE {run.test['rmse']:.3f}" in said
    assert "Test**: held out until the end" in said and "Validation**: held out" in said
    assert not app.get("plotly_chart")


def test_a_ranking_run_has_no_rating_errors(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["ranking"])
    assert "rmse" not in app.dataframe[0].value.columns
    # 40 items, of which everybody has rated some: nobody's is among a hundred.
    split = load_run(runs["ranking"]).split
    free = split.data.num_items - split.data.activity()[np.unique(split.test.user_idx)]
    assert f"among the first 10 of {free.min() + 1} to {free.max() + 1}" in words(app)
    assert "hundred" not in words(app)


SECTIONS = ("Results", "Rivals", "List length", "Deciles", "Errors", "Lists", "Compare", "Run card")


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("kind", ["rating", "ranking"])
def test_every_section_is_in_the_address_and_drawn_alone(
    kind: str, section: str, runs: dict[str, str], open_page: OpenPage
) -> None:
    app = open_page("evaluate", run=runs[kind], show=section)
    assert not app.error
    charts = {"Rivals": 2, "List length": 4, "Deciles": 2, "Errors": 3, "Lists": 1, "Compare": 1}.get(section, 0)
    charts = 0 if kind == "ranking" and section in ("Errors", "Compare") else charts
    assert len(app.get("plotly_chart")) == charts
    if section == "Results" or (kind, section) == ("ranking", "Errors"):  # it does not predict ratings: back to the results
        assert "Test**: held out until the end" in words(app)


def test_a_running_run_shows_validation_and_says_when_test_comes(running: str, open_page: OpenPage) -> None:
    app = open_page("evaluate", run=running)
    said = words(app)
    assert "is being trained" in said and "Test is scored once, at the end" in said
    assert len(app.dataframe) == 1
    assert "Validation**" in said and "Test**" not in said
    assert any(button.label == "Show newest" for button in app.button)
    assert not app.get("plotly_chart")


def test_a_failed_run_says_why_and_what_to_do(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["failed"])
    assert "This run failed" in app.error[0].value
    assert "learning rate" in app.error[0].value
    assert any("train again" in link.value for link in app.get("page_link"))


def test_an_interrupted_run_can_go_on(runs: dict[str, str], open_page: OpenPage, no_worker: None) -> None:
    app = open_page("evaluate", run=runs["interrupted"])
    assert "the machine went down" in words(app)
    next(button for button in app.button if button.label == "Go on from its last checkpoint").click().run()
    assert manager_for().get(runs["interrupted"]).state == "queued"
    assert "waits for its turn" in words(app)


def test_a_queued_run_has_nothing_yet(no_runs: Path, open_page: OpenPage, no_worker: None) -> None:
    run_id = manager_for().submit(RunConfig().with_flat({"dataset": "planted"}))
    said = words(open_page("evaluate", run=run_id))
    assert "waits for its turn" in said and "Nothing has been measured yet" in said


@pytest.mark.parametrize("page", ["evaluate", "recommend", "embeddings"])
def test_a_run_that_is_not_here_is_named(page: str, runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page(page, run="nope*x*")
    assert "There is no run" in app.warning[0].value
    assert "nope\\*x\\*" in app.warning[0].value
    app.selectbox[0].select(runs["ranking"]).run()
    assert not app.exception
    assert app.query_params["run"] == runs["ranking"]
    assert not app.warning


def test_the_run_bar_switches_runs_and_writes_the_address(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["rating"])
    app.selectbox[0].select(runs["ranking"]).run()
    assert app.query_params["run"] == runs["ranking"]
    assert "NDCG@10" in words(app)
    app.query_params["run"] = runs["rating"]  # the back button
    app.run()
    assert app.query_params["run"] == runs["rating"]
    assert "RMSE" in words(app)


def test_the_run_last_looked_at_survives_the_navigation(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["failed"])
    app.switch_page(str(Path(__file__).resolve().parents[2] / "pages" / "embeddings.py"))
    del app.query_params["run"]
    app.run()
    assert app.query_params["run"] == runs["failed"]


def test_a_damaged_evaluation_is_one_clear_line(runs: dict[str, str], open_page: OpenPage) -> None:
    (manager_for().folder(runs["rating"]).path / "evaluation.npz").write_bytes(b"not an archive")
    app = open_page("evaluate", run=runs["rating"])
    assert "cannot be read" in app.error[0].value
    assert len(app.dataframe) == 2  # the stored metrics are still there


def test_the_figure_before_the_refit_is_shown(no_runs: Path, open_page: OpenPage) -> None:
    run_id = train_tiny(no_runs, refit=True)
    result = json.loads((no_runs / "runs" / run_id / "result.json").read_text())
    table = open_page("evaluate", run=run_id).dataframe[0].value
    assert table.loc[BEFORE_REFIT, "rmse"] == pytest.approx(result["test_before_refit"]["rmse"])


def test_curves_pass_through_the_stored_metrics(runs: dict[str, str]) -> None:
    details = stored_details(runs["rating"])
    assert details is not None
    lengths = tuple(list_lengths(details))
    ours, lottery, stored = length_curves("x", lengths, details), length_lottery(details, lengths), summarise(details)
    assert ours["hr"][lengths.index(10)] == pytest.approx(stored["hr@10"])
    for name in ("ndcg", "mrr", "map", "recall", "precision"):
        assert ours[f"{name}_full"][9] == pytest.approx(stored[f"{name}@10/full"])
    run = manager_for().get(runs["rating"])
    assert lottery["hr"][9] == pytest.approx(run.baselines["test"]["random"]["hr@10"])
    assert lottery["ndcg_full"][9] == pytest.approx(run.baselines["test"]["random"]["ndcg@10/full"])


def test_the_best_baseline_is_lowest_for_errors_and_highest_for_hits() -> None:
    baselines = {"a": {"rmse": 1.0, "hr@10": 0.2}, "b": {"rmse": 0.9, "hr@10": 0.1}, "c": {}}
    assert best_baseline("rmse", baselines) == "b"
    assert best_baseline("hr@10", baselines) == "a"
    assert best_baseline("mae", baselines) == ""
    verdict = judge({"rmse": 0.72}, baselines, 10)
    assert verdict is not None and verdict.gain == pytest.approx(0.2)
    assert comparison(verdict) == ("20 % better than the best baseline", "green")
    doubtful = dataclasses.replace(verdict, chance=True)
    assert comparison(doubtful) == ("20 % better than the best baseline, but that may be chance", "orange")
    worse = judge({"rmse": 0.99}, baselines, 10)
    assert worse is not None and comparison(worse)[1] == "red"


def test_the_headline_is_a_sentence_for_people() -> None:
    said = headline({"rmse": 0.93, "mae": 0.73}, {"item mean": {"rmse": 1.02}}, Protocol(), FILMS)
    assert said == (
        "**RMSE 0.930**: predictions are off by about three quarters of a star on average; "
        "predicting each film's mean gives 1.020."
    )
    ranking = {"hr@10": 0.66, "ndcg@10": 0.39}
    said = headline(ranking, {"popularity": {"hr@10": 0.41, "ndcg@10": 0.23}}, Protocol(), ITEMS)
    assert "in 66 % of cases the held-out item is among the first 10" in said
    assert said.endswith("recommending what is most popular manages 41 % and an NDCG of 0.230.")
    assert headline({}, {}, Protocol(), ITEMS) == "Nothing has been measured yet."


@pytest.mark.parametrize("split", ["random", "leave-last-out", "time", "official"])
def test_every_split_has_its_sentence(split: str) -> None:
    said = protocol_sentence(RunConfig().with_flat({"split": split}))
    assert said.count(".") >= 3
    assert ("with a rating of 4 or more" in said) == (split != "leave-last-out")


def test_undefined_is_missing_and_rows_without_any_number_are_left_out() -> None:
    table = metrics_table({"rmse": 1.0}, {"popularity": {"hr@10": 0.2}, "global mean": {"rmse": 1.1}})
    assert table.index.tolist() == [THIS_RUN, "Global mean"]


def test_the_histogram_counts_every_prediction_once() -> None:
    actual = np.array([1, 2, 3, 4, 5], np.float32)
    figure = error_histogram(actual + np.array([0, 0.1, -0.4, 2.0, -3.9], np.float32), actual, FILMS, model="mf")
    assert sum(figure.data[0].y) == pytest.approx(100.0)
    assert figure.layout.title.text.startswith("60 %")


def test_real_valued_ratings_are_grouped_and_one_value_is_enough() -> None:
    many = np.linspace(1, 5, 401, dtype=np.float32)
    assert set(np.unique(rating_groups(many)).tolist()) == {1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5}
    assert len(predicted_by_rating(many, many, FILMS, model="mf").data[1].x) == 9
    single = np.full(3, 4, np.float32)
    assert len(predicted_by_rating(single, single, FILMS, model="mf").data[1].x) == 1
    empty = np.zeros(0, np.float32)
    assert predicted_by_rating(empty, empty, FILMS, model="mf").layout.title.text


def test_few_rivals_flatter_and_the_page_says_by_how_much(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["ranking"], show="Rivals")
    details = stored_details(runs["ranking"])
    assert details is not None and details.num_free is not None
    numbers = stops(details)
    assert numbers[0] == 10 and numbers[-1] == details.num_free.max()
    said = words(app)
    assert f"against all {numbers[-1]} items they never touched" in said.lower()
    app.select_slider[0].set_value(10).run()
    assert "With 10 negatives **HR@10 is" in words(app)


def test_the_honest_curve_falls_and_ends_among_everything_never_touched(runs: dict[str, str]) -> None:
    details = stored_details(runs["ranking"])
    assert details is not None and details.num_free is not None
    numbers = tuple(stops(details))
    curve, lottery = rivals_curves("x", 3, numbers, details), rivals_lottery(details, 3, numbers)
    assert (np.diff(curve["hr"]) <= 1e-12).all() and (np.diff(lottery["hr"]) <= 1e-12).all()
    rank = details.greater_free + 0.5 * details.equal_free
    assert curve["hr"][-1] == pytest.approx(np.mean(rank[details.num_free > 0] < 3))
    said = in_words({"hr": np.array([0.69, 0.15]), "ndcg": np.zeros(2)}, [99, 1600], 99, 10, "films")
    assert said == "With 99 negatives **HR@10 is 0.690**; against all 1,600 films they never touched it is **0.150**."
    curves = {"hr": np.array([0.69, 0.15])}
    assert in_words(curves, [99, 1600], 99, 10, "films", 0.6899) == said  # the same number says no more
    other = in_words(curves, [99, 1600], 99, 10, "films", 0.691, draws=5)
    assert "0.690** over all possible draws (Results has 0.691, from 5 draws);" in other


def test_an_old_evaluation_misses_some_sections_and_says_so(runs: dict[str, str], open_page: OpenPage) -> None:
    path = manager_for().folder(runs["ranking"]).path / "evaluation.npz"
    missing = dict.fromkeys(("greater_free", "equal_free", "num_free", "list_user", "lists"))
    old = EvaluationDetails.load(path)
    dataclasses.replace(old, **missing, ties_known=False, about={}).save(path)
    for section in ("Rivals", "Lists"):
        app = open_page("evaluate", run=runs["ranking"], show=section)
        assert TRAIN_AGAIN in words(app) and not app.error
        assert not app.get("plotly_chart")
    app = open_page("evaluate", run=runs["ranking"], show="List length")
    assert "an earlier version stored this run without them" in words(app)
    assert len(app.get("plotly_chart")) == 4


@pytest.mark.parametrize("ties", ["optimistic", "pessimistic"])
def test_the_tie_policy_acts_on_the_figures_shown(ties: str, runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["ranking"], ties=ties.capitalize())
    details = stored_details(runs["ranking"])
    assert details is not None
    expected = summarise(details.with_ties(ties))
    assert app.dataframe[0].value.loc[THIS_RUN, "ndcg@10"] == pytest.approx(expected["ndcg@10"])
    assert TIES[ties].sentence in words(app)
    assert {"EASE", "Item-kNN", "Popularity"} <= set(app.dataframe[0].value.index)


@pytest.mark.parametrize("kind", ["rating", "ranking"])
def test_a_decile_lists_its_users_and_its_items(kind: str, runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs[kind], group="users-1")  # without ?show=, as the back button comes from Recommend
    table = app.dataframe[0].value
    assert len(table) and {"id", "ratings"} <= set(table.columns)
    assert "Click one to see their recommendations" in words(app)
    next(button for button in app.button if button.label == "Close").click().run()
    assert not app.dataframe and "group" not in app.query_params
    app = open_page("evaluate", run=runs[kind], show="Deciles", group="items-10")
    assert {"title", "times"} <= set(app.dataframe[0].value.columns)
    for nonsense in ("items-99", "users-x", "elephants-1"):
        assert not open_page("evaluate", run=runs[kind], show="Deciles", group=nonsense).dataframe


def test_a_group_can_be_opened_without_seeing_that_bars_are_clicked(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["rating"], show="Deciles")
    box = next(box for box in app.selectbox if box.label == "Look into a group")
    assert box.value is None and not app.dataframe
    box.select_index(2).run()
    assert not app.exception and app.query_params["group"].startswith("users-")
    assert len(app.dataframe[0].value)
    assert any("script" in link.value for link in open_page("evaluate", run=runs["rating"], show="Run card").get("page_link"))


def test_every_baseline_beside_a_run_is_explained() -> None:
    told = baselines_help({"EASE": {}, "bias only": {}}, FILMS)
    assert "**EASE**: a linear model in closed form" in told and "**Bias only**: predicting from each user's and film's" in told
    assert baselines_help({}, FILMS) == ""


def test_two_runs_on_one_split_are_compared_in_words(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["rating"], show="Compare", **{"with": runs["interrupted"]})
    said = words(app)
    assert "badge[" in said and "(A, this run)" in said and "With other users A − B" in said
    assert [run.run_id for run in peers(manager_for().get(runs["rating"]))] == [runs["interrupted"]]
    assert "Train another model on this split" in words(open_page("evaluate", run=runs["ranking"], show="Compare"))


def test_runs_with_other_tests_are_marked_and_say_why(runs: dict[str, str], open_page: OpenPage) -> None:
    home = manager_for().home
    elsewhere = train_tiny(home, name="elsewhere", test_fraction=0.3)
    shaped = train_tiny(home, name="shaped", **{"dataset.seed": 5})
    app = open_page("evaluate", run=runs["rating"], show="Compare")
    options = next(box for box in app.selectbox if box.label.startswith("Compare this run")).options
    marked = {option: OTHER_TEST in option for option in options}
    assert len(marked) == 4 and sum(marked.values()) == 3  # all but the one on the same split
    assert not next(marked[option] for option in options if "cut off" in option)
    for other, reason in ((elsewhere, "0.3 test"), (shaped, "seed 5"), (runs["ranking"], "everything held out")):
        app = open_page("evaluate", run=runs["rating"], show="Compare", **{"with": other})
        said = words(app).replace("\\", "")
        assert "scored on different tests" in app.warning[0].value and reason in said
        assert "is better]" not in said and not app.get("plotly_chart")
        assert ("Train B's model on the data and split of A" in said) == (other != runs["ranking"])
    picky = train_tiny(home, name="picky", relevance_threshold=3)
    app = open_page("evaluate", run=runs["rating"], show="Compare", **{"with": picky})
    assert "are of the same test ratings" in app.info[0].value
    assert "What counts as relevant" in words(app)


def test_the_verdict_names_the_better_run_and_what_other_users_would_change() -> None:
    found = Comparison("ndcg@10", 0.4, 0.38, 0.02, 0.011, 0.031, 900, 300, 200, "A is better")
    said = verdict_words(found)
    assert "would still lie between +0.011 and +0.031" in said
    assert "A serves 300 better, B 200, and both serve 400 alike" in said
    unsure = dataclasses.replace(found, low=-0.01, verdict="can't tell")
    assert "might be anything between −0.010 and +0.031" in verdict_words(unsure)
    worse = dataclasses.replace(found, metric="rmse", low=0.01, high=0.03, verdict="B is better")
    figure = difference_chart({"rmse": worse, "ndcg@10": found}, ["rmse", "ndcg@10"], ["a", "b"])
    shades = list(run_colours(["a", "b"]).values())
    assert [trace.marker.color for trace in figure.data] == shades  # what is clear is in the colour of the better run
    assert figure.layout.title.text == "A is better at 1, B at 1; can't tell at 0 of 2 metrics"
    assert figure.data[1].x[0] == pytest.approx(-0.02)  # a larger error is to the left of zero


def test_the_run_card_can_be_copied(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("evaluate", run=runs["rating"], show="Run card")
    card = app.code[0].value
    assert "split hash" in card and "python -m mfcore train" in card
    assert "the mean over all their orders" in words(app) and "Leak meter" in words(app)


def test_lines_of_the_same_name_are_kept_apart(runs: dict[str, str]) -> None:
    run = manager_for().get(runs["rating"])
    other = dataclasses.replace(manager_for().get(runs["interrupted"]), name="popularity")
    drawn = contestants(run, [other], "mean")
    names = [line.name for line in drawn]
    assert drawn[0].line["color"] != drawn[1].line["color"]  # one colour a run, whatever their models
    assert drawn[0].line["dash"] != drawn[1].line["dash"]
    assert len(set(names)) == len(names) and names[0] == "this run"


def test_half_of_all_places() -> None:
    assert half_share(np.array([5, 3, 1, 1])) == pytest.approx(0.25)
    assert half_share(np.array([1, 1, 1, 1])) == pytest.approx(0.5)
    assert np.isnan(half_share(np.zeros(3)))
