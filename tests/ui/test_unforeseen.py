"""Pages find words, colours and settings for what nobody foresaw: a new model, optimizer, metric, baseline or dataset."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from mfcore.evaluation.metrics import best_baseline, headline_key, lower_is_better, metric_help
from mfcore.registry import MODELS
from mfcore.runs import preset_config
from ui.datasets import Nouns, dataset_title, nouns
from ui.evaluate.contestants import STROKES, baseline_line
from ui.evaluate.results import THIS_RUN, metrics_table
from ui.format import headline_metrics, in_its_unit, metric_name, reading_order
from ui.theme import DARK, LIGHT, colour, palettes
from ui.train.draft import change, draft_of, first_draft
from ui.words import baseline_words, choice_title, choice_word, state_word


@pytest.mark.parametrize(("is_dark", "foreseen"), [(False, LIGHT), (True, DARK)])
def test_a_model_without_a_colour_gets_one_that_stays_and_means_nothing_else(is_dark: bool, foreseen: dict[str, str]) -> None:
    for name in ("vsd++", "two towers", ""):
        assert colour(name, is_dark) == colour(name, is_dark)
        assert colour(name, is_dark) not in foreseen.values()
    assert colour("vsd++", False) != colour("vsd++", True)


def test_registered_newcomers_are_told_apart_and_reach_the_browser() -> None:
    newcomers = ("first", "second", "third")
    with ExitStack() as stack:
        for name in newcomers:
            stack.enter_context(MODELS.temporarily(replace(MODELS["mf"], name=name, colour=None)))
        assert all(palettes()["light"][name] == colour(name, False) for name in newcomers)
        assert len({palettes()["dark"][name] for name in (*newcomers, "mf")}) == 4


def test_an_unknown_model_and_optimizer_have_words_and_start_from_something_sensible() -> None:
    assert choice_word("model", "vsd++") == "vsd++" and choice_title("optimizer", "nadine") == "nadine"
    assert state_word("asleep") == "asleep"
    assert choice_word("optimizer", "als") == "ALS"
    assert choice_word("model", "mf") == "MF" and choice_title("model", "mf") == "Matrix factorization"
    draft = change(first_draft(data_here=True), "optimizer", "nadine")
    assert draft["optimizer"] == "nadine"
    stranger = change(draft_of(preset_config("mf")), "model", "vsd++")
    assert (stranger["model"], stranger["loss"]) == ("vsd++", "bce")


def test_an_unknown_metric_is_in_the_table_under_its_name() -> None:
    found = {"serendipity@5/full": 0.3, "mrr@30": 0.2, "rmse": 0.9, "half_life": 7.0, "hr@10": 0.5}
    table = metrics_table(found, {"popularity": {"half_life": 6.0}})
    assert table.columns.tolist() == ["rmse", "hr@10", "mrr@30", "half_life", "serendipity@5/full"] == reading_order(found)
    assert table.loc[THIS_RUN, "half_life"] == 7.0
    assert metric_name("serendipity@5/full") == "SERENDIPITY@5 (all items)"
    assert metric_name("half_life", short=True) == "HALF LIFE"
    assert metric_name("precision@10/full", short=True) == "Prec.@10 all"
    assert (metric_help("half_life"), lower_is_better("half_life"), in_its_unit("half_life", 0.5)) == ("", False, "0.500")
    assert headline_metrics(found, 10) == ["rmse", "hr@10"]
    assert headline_key({"half_life": 7.0}, 10) == "half_life"
    assert best_baseline("half_life", {"popularity": {"half_life": 6.0}}) == "popularity"


def test_an_unknown_baseline_has_a_line_and_goes_by_its_name() -> None:
    assert baseline_line("slope one")["dash"] in set(STROKES) - {"solid"}
    assert baseline_line("slope one") == baseline_line("slope one")
    assert baseline_words("slope one {odd}", Nouns()) == "slope one {odd}"
    assert baseline_words("item mean", Nouns("film", "films")) == "predicting each film's mean"


def test_an_unknown_dataset_goes_by_its_name() -> None:
    assert dataset_title("jokes") == "jokes"
    assert nouns("jokes") == Nouns() and Nouns().rated("4") == "4"
    assert nouns("planted").items == "items"
    assert nouns("ml-100k").one_item == "a film" and nouns("ml-100k").rated("4") == "4 ★"
