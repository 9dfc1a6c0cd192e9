"""Figures of two runs may stand side by side only where they are of the same test."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mfcore.runs import RunConfig, preset_config
from mfcore.runs.comparability import differing_tests, letters_of_tests, marks_of_tests
from mfcore.runs.presets import PRESETS
from mfcore.runs.summary import RunSummary


def scored(run_id: str = "a", metric: str = "rmse", split_hash: str = "", **flat: Any) -> RunSummary:
    config = RunConfig().with_flat(flat)
    return RunSummary(
        run_id, "", "", False, config, "finished", "", 1.0,
        test={metric: 0.9}, selection_metric=metric, split_hash=split_hash,
    )  # fmt: skip


def test_what_changes_no_test_is_no_reason() -> None:
    one = scored(model="mf", split_seed=0, fold=3)
    assert differing_tests(one, scored(model="biased-mf", learning_rate=0.5, draws=20, negatives_seed=4)) == []
    assert differing_tests(one, scored(split_hash="x")) == [], "an early version did not say"


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ({"dataset": "planted"}, "dataset: MovieLens 100K against"),
        ({"split_seed": 1}, "split: "),
        ({"split": "official"}, "split: "),
    ],
)
def test_other_test_ratings_are_a_reason_for_every_metric(flat: dict[str, Any], words: str) -> None:
    for metric in ("rmse", "ndcg@10"):
        (reason,) = differing_tests(scored(), scored(**flat), metric)
        assert words in reason


@pytest.mark.parametrize("flat", [{"k": 5}, {"sampled_negatives": 50}, {"ties": "optimistic"}, {"relevance_threshold": 3.0}])
def test_rankings_need_the_same_protocol_and_ratings_do_not(flat: dict[str, Any]) -> None:
    assert differing_tests(scored(), scored(**flat), "rmse") == []
    assert len(differing_tests(scored(), scored(**flat), "ndcg@10")) == 1


def test_the_rows_themselves_decide_where_they_are_known() -> None:
    same = {"split": "random"}
    assert differing_tests(scored(split_hash="x", **same), scored(split_hash="y", **same)) == [
        "the data: it has changed between the two"
    ]


def test_letters_of_tests_are_given_only_where_tests_differ() -> None:
    runs = [scored("a"), scored("b", split_seed=1), scored("c"), dataclasses.replace(scored("d"), test={})]
    assert letters_of_tests(runs) == {"a": "A", "b": "B", "c": "A"}
    assert letters_of_tests(runs[::2]) == {}
    ranks = scored("e", "ndcg@10", loss="bce")
    assert letters_of_tests([runs[0], ranks]) == {"a": "A", "e": "B"}


def test_good_starts_of_one_task_share_their_test() -> None:
    for ranks in (False, True):
        configs = [preset_config(name) for name, preset in PRESETS.items() if preset.kind == "good"]
        splits = {repr((c.split, c.all_relevant)) for c in configs if c.training.implicit == ranks}
        assert len(splits) == 1, splits


def test_a_list_marks_figures_of_one_metric_that_do_not_compare_and_only_those() -> None:
    rating, ranking = scored("a", split="random"), scored("b", "ndcg@10", loss="bce")

    def metric(run: RunSummary) -> str:
        return run.selection_metric

    assert marks_of_tests([rating, ranking], metric) == {}, "nobody takes one metric for another"
    marks = marks_of_tests([rating, ranking, scored("c", split="random", split_seed=1)], metric)
    assert {run_id: letter for run_id, (letter, _) in marks.items()} == {"a": "A", "c": "C"}
    assert all(reasons[0].startswith("split: ") for _, reasons in marks.values())
