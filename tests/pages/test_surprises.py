"""What Evaluate explains: each sentence where it is true, none where it is not."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from mfcore.evaluation import Interval
from mfcore.evaluation.breakdown import Contrast, End
from mfcore.runs import RunConfig, RunSummary
from mfcore.runs.history import Change, RunHistory
from mfcore.runs.manager.manager import manager_for
from tests.pages.conftest import train_tiny
from tests.pages.reading import OpenPage, words
from ui.datasets import Nouns, nouns
from ui.evaluate.compare import same_words, what_differs
from ui.evaluate.surprises import (
    about_ends,
    baseline_is_better,
    few_users,
    stopped_while_improving,
    trained_for_ratings,
    validation_is_better,
)
from ui.verdict import Verdict

FILMS, ITEMS = nouns("ml-100k"), Nouns()


def summary(**changes: object) -> RunSummary:
    flat = {key: changes.pop(key) for key in ("loss", "model", "refit") if key in changes}
    config = RunConfig().with_flat({"dataset": "planted", **flat})
    known = {"state": "finished", "epochs_done": 20, "num_epochs": 20, "best_epoch": 12, "selection_metric": "rmse"}
    return dataclasses.replace(RunSummary("r", "", "", False, config, "finished", "", 0.0), **{**known, **changes})  # type: ignore[arg-type]


def test_ranking_of_a_rating_run_is_explained_in_the_datas_unit_and_only_where_it_is_behind() -> None:
    figures, baselines = {"rmse": 0.9, "hr@10": 0.4, "ndcg@10": 0.2}, {"EASE": {"hr@10": 0.8, "ndcg@10": 0.5}}
    assert "HR and NDCG behind a baseline**: this run was trained to guess stars" in trained_for_ratings(
        summary(), figures, baselines, FILMS
    )
    assert "guess points" in trained_for_ratings(summary(), figures, baselines, ITEMS)
    assert not trained_for_ratings(summary(), figures, {"EASE": {"hr@10": 0.3, "ndcg@10": 0.1}}, FILMS)
    assert not trained_for_ratings(summary(model="mf", loss="bce"), figures, baselines, FILMS)


def test_a_better_baseline_is_explained_by_the_validation_curve() -> None:
    behind = Verdict("rmse", 1.0, "bias only", 0.9)
    assert not baseline_is_better(summary(), Verdict("rmse", 0.9, "bias only", 1.0))
    assert "no epoch improved" in baseline_is_better(summary(best_epoch=0), behind)
    assert "more epochs" in baseline_is_better(summary(best_epoch=20, curve=[3.0, 1.0]), behind)
    assert "epoch 12 of 20 and did not improve" in baseline_is_better(summary(curve=[3.0, 1.0]), behind)
    assert "hardly moved" in baseline_is_better(summary(best_epoch=19, curve=[3.713, 3.712, 3.711]), behind)


def test_a_run_that_ended_early_at_its_best_says_so() -> None:
    assert "after epoch 6 of 20" in stopped_while_improving(summary(state="stopped", epochs_done=6, best_epoch=6))
    assert not stopped_while_improving(summary(state="stopped", epochs_done=6, best_epoch=3))
    assert not stopped_while_improving(summary(best_epoch=20))
    assert not stopped_while_improving(summary(state="running", epochs_done=6, best_epoch=6))


def test_validation_against_test_is_chance_or_has_reasons_that_hold() -> None:
    wide, narrow = ({"rmse": Interval(0.95, low, high, 900)} for low, high in ((0.90, 1.0), (0.94, 0.96)))
    run = summary(valid={"rmse": 0.92})
    assert "may be chance" in validation_is_better(run, {"rmse": 0.95}, wide, refitted=False)
    said = validation_is_better(run, {"rmse": 0.95}, narrow, refitted=True)
    assert "Validation looks better" in said and "out of 20" in said and "learned from validation" not in said
    said = validation_is_better(summary(valid={"rmse": 0.99}), {"rmse": 0.95}, narrow, refitted=True)
    assert "Test looks better" in said and "learned from validation too" in said and "flatters" not in said
    assert not validation_is_better(run, {"rmse": 0.9205}, narrow, refitted=True)


def test_few_users_make_rough_intervals() -> None:
    assert "only one user" in few_users({"hr@10": Interval(1.0, math.nan, math.nan, 1)})
    assert "no more than 12 users" in few_users({"hr@10": Interval(1.0, 0.9, 1.0, 12)})
    assert not few_users({"hr@10": Interval(1.0, 0.9, 1.0, 400)})


LEAST = End(0.85, 0.79, 0.91, 100, 100, held_popularity=164, rivals=1660, spread=1.0, lean=0.0)
MOST = End(0.47, 0.37, 0.56, 95, 95, held_popularity=102, rivals=1343, spread=1.2, lean=0.0)


@pytest.mark.parametrize(
    ("rest", "said"),
    [(-0.26, "part of it: among films as well known as each other, 0.260 of 0.380 remain"), (0.01, "all but goes"),
     (-0.38, "little of it")],
)  # fmt: skip
def test_the_least_active_doing_best_is_explained_by_what_was_measured(rest: float, said: str) -> None:
    found = about_ends(Contrast(LEAST, MOST, rest), "hr@10", FILMS, users=True)
    assert "better known, with 164 training ratings on average against 102" in found and said in found


def test_no_reason_is_made_up_and_chance_is_called_chance() -> None:
    alike = Contrast(dataclasses.replace(LEAST, held_popularity=90), MOST, -0.4)
    assert "better known, with" not in about_ends(alike, "hr@10", FILMS, users=True)
    chance = Contrast(LEAST, dataclasses.replace(MOST, high=0.8))
    assert "may be chance" in about_ends(chance, "hr@10", ITEMS, users=True)
    assert not about_ends(Contrast(MOST, LEAST), "hr@10", FILMS, users=True)  # as one would expect
    fewer = Contrast(dataclasses.replace(LEAST, rivals=500), MOST)
    assert "compete with fewer: 500 against 1,343" in about_ends(fewer, "hr@10", FILMS, users=True)
    errors = Contrast(dataclasses.replace(MOST, lean=-2.6, spread=1.3), dataclasses.replace(LEAST, lean=-3.7, spread=1.0))
    found = about_ends(errors, "rmse", FILMS, users=False)
    assert "2.60 stars too low on average, against 3.70 stars too low" in found and "differ less" not in found


def test_the_same_run_twice_is_said_to_be_the_same_to_the_last_digit(no_runs: Path, open_page: OpenPage) -> None:
    first, second, third = train_tiny(no_runs), train_tiny(no_runs), train_tiny(no_runs, seed=5)
    app = open_page("evaluate", run=second, show="Compare", **{"with": first})
    assert "The same to the last digit" in words(app) and "Nothing that was set" in words(app)
    assert not app.get("plotly_chart")
    app = open_page("evaluate", run=second, show="Compare", **{"with": third})
    assert "to the last digit" not in words(app)
    assert app.dataframe[-1].value.loc["Seed"].tolist() == ["0", "5"]
    assert "made no difference" in same_words({"threads": ("1", "2")})


def test_a_steered_run_is_set_apart_from_an_unsteered_one(runs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    manager = manager_for()
    one, other = manager.get(runs["rating"]), manager.get(runs["interrupted"])
    assert list(what_differs(one, other)) == ["seed"]
    read = RunHistory.read

    def steered(folder: object) -> RunHistory:
        history = read(folder)  # type: ignore[arg-type]
        change = Change(2, 10, "learning_rate", 0.05, 0.005, in_flight=True)
        return dataclasses.replace(history, changes=(change,)) if history.run_id == one.run_id else history

    monkeypatch.setattr(RunHistory, "read", steered)
    apart = what_differs(one, other)
    assert set(apart) == {"learning_rate", "seed"}
    assert apart["learning_rate"][0].endswith("→ 0.005 after epoch 2") and "→" not in apart["learning_rate"][1]
