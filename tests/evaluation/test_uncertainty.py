"""Intervals over users, spread over seeds, and the comparison of two runs."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mfcore import Interactions, Protocol, UnusableRequest, leave_last_out
from mfcore.data import Split
from mfcore.evaluation import (
    EvaluationDetails,
    Evaluator,
    bootstrap_intervals,
    compare,
    over_seeds,
    summarise,
    user_metrics,
)
from mfcore.evaluation.summary import user_sums
from mfcore.evaluation.uncertainty import resampled
from mfcore.models.baselines import Popularity
from mfcore.models.item_to_item import EASE
from tests.evaluation.examples import Table, split_of

USERS, ITEMS = 60, 80


def make_split(seed: int = 0) -> Split:
    rng = np.random.default_rng(seed)
    rows = [(u, int(i), float(rng.integers(1, 6))) for u in range(USERS) for i in rng.choice(ITEMS, 12, replace=False)]
    return split_of(rows[::3] + rows[1::3], [], rows[2::3], USERS, ITEMS)


def model_of(noise: float, seed: int = 0) -> Table:
    """The better, the less noise: it knows the ratings of the world with seed 0."""
    data = make_split().data
    scores = np.full((USERS, ITEMS), 2.5)
    scores[data.user_idx, data.item_idx] = data.rating
    return Table(scores + noise * np.random.default_rng(seed + 100).normal(size=scores.shape))


def details_of(noise: float, seed: int = 0, **protocol: object) -> EvaluationDetails:
    return Evaluator(make_split(), protocol=Protocol(**protocol)).details(model_of(noise, seed))  # type: ignore[arg-type]


def test_every_user_metric_is_that_of_the_user_alone() -> None:
    details = details_of(1.0, k=5)
    table = user_metrics(details)
    for user in table.index[:7]:
        case, rated = details.case_user == user, details.rating_user == user
        names = ("case_user", "case_item", "greater_full", "equal_full", "num_sampled", "num_full", "num_relevant")
        parts = {name: getattr(details, name)[case] for name in names}
        parts |= {name: getattr(details, name)[:, case] for name in ("greater_sampled", "equal_sampled")}
        parts |= {name: getattr(details, name)[rated] for name in ("rating_user", "rating_item", "predicted", "actual")}
        alone = summarise(dataclasses.replace(details, **parts))
        assert table.loc[user].dropna().to_dict() == pytest.approx(alone)
    full = [name for name in table.columns if name.endswith("/full")]
    for name in full:
        assert table[name].mean() == pytest.approx(summarise(details)[name])


def test_a_user_without_cases_is_undefined_not_zero() -> None:
    split = split_of([(0, 0, 3)], [], [(0, 1, 5), (1, 2, 1)], 2, 6)
    table = user_metrics(Evaluator(split).details(Table(np.zeros((2, 6)))))
    assert table.index.tolist() == [0, 1]
    assert math.isnan(table.loc[1, "hr@10/full"])
    assert table.loc[1, "rmse"] == 0.0  # a prediction of 0 counts as the lowest rating, 1


def test_resampling_by_brute_force() -> None:
    """Draw users by hand and take the mean of what was drawn."""
    sums = user_sums(details_of(1.0))
    names = ["rmse", "ndcg@10", "ndcg@10/full"]
    found = resampled(sums, names, replicates=5, seed=3)
    drawn = np.random.default_rng(3).integers(0, len(sums.users), (5, len(sums.users)))
    for replicate, users in enumerate(drawn):
        for name in names:
            value = sums.total[name][users].sum() / sums.count[name][users].sum()
            assert found[name][replicate] == pytest.approx(math.sqrt(value) if name == "rmse" else value)


def test_intervals_hold_the_figure_repeat_and_agree_with_the_normal_approximation() -> None:
    details = details_of(1.0)
    found = bootstrap_intervals(details)
    assert found == bootstrap_intervals(details)
    assert set(found) == set(summarise(details))
    for name, interval in found.items():
        assert interval.value == summarise(details)[name]
        assert interval.low <= interval.value <= interval.high
    values = user_metrics(details)["ndcg@10/full"].dropna()
    error = 1.96 * values.std() / math.sqrt(len(values))
    interval = found["ndcg@10/full"]
    assert interval.num_users == len(values)
    assert interval.high - interval.low == pytest.approx(2 * error, rel=0.1)
    wide = bootstrap_intervals(details, level=0.99)["ndcg@10/full"]
    assert wide.low < interval.low < interval.high < wide.high


def test_blocks_of_replicates_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    details = details_of(1.0)
    whole = bootstrap_intervals(details, replicates=50)
    monkeypatch.setattr("mfcore.evaluation.uncertainty.WEIGHTS_AT_ONCE", 1)
    piecewise = bootstrap_intervals(details, replicates=50)
    for name, interval in whole.items():
        assert (piecewise[name].low, piecewise[name].high) == pytest.approx((interval.low, interval.high))


def test_one_user_has_no_interval_and_nobody_no_entry() -> None:
    split = split_of([(0, 0, 3)], [], [(0, 1, 5)], 1, 6)
    alone = bootstrap_intervals(Evaluator(split).details(Table([[0] * 6])))
    assert {"rmse", "hr@10", "ndcg@10/full"} <= set(alone)
    assert all(math.isnan(one.low) and math.isnan(one.high) and one.num_users == 1 for one in alone.values())
    assert bootstrap_intervals(Evaluator(split, "valid").details(Table([[0] * 6]))) == {}


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"replicates": 0}, {"k": 0}])
def test_unusable_requests(wrong: dict[str, float]) -> None:
    with pytest.raises(UnusableRequest, match=next(iter(wrong))):
        bootstrap_intervals(details_of(1.0), **wrong)  # type: ignore[arg-type]


def test_over_seeds_by_hand() -> None:
    found = over_seeds([{"rmse": 1.0, "mae": 0.5}, {"rmse": 3.0}])
    assert (found["rmse"].mean, found["rmse"].count) == (2.0, 2)
    assert found["rmse"].sd == pytest.approx(math.sqrt(2))
    assert found["mae"].count == 1
    assert math.isnan(found["mae"].sd)
    assert over_seeds([]) == {}


def test_a_clear_winner_a_clear_loser_and_a_draw() -> None:
    good, bad = details_of(0.5), details_of(4.0)
    found, turned = compare(good, bad), compare(bad, good)
    for name in ("rmse", "ndcg@10", "ndcg@10/full", "auc/full"):
        assert found[name].verdict == "A is better", name
        assert turned[name].verdict == "B is better", name
        assert turned[name].difference == pytest.approx(-found[name].difference)
        assert (turned[name].a_better, turned[name].b_better) == (found[name].b_better, found[name].a_better)
    assert found["rmse"].high < 0 < found["ndcg@10"].low
    alike = compare(details_of(1.0), details_of(1.0, seed=5))
    assert alike["ndcg@10/full"].verdict == "can't tell"
    same = compare(good, good)
    assert {one.verdict for one in same.values()} == {"can't tell"}
    assert {one.difference for one in same.values()} == {0.0}


def test_pairing_is_sharper_than_two_intervals() -> None:
    """A little noise on top: every user gets slightly worse, which two separate intervals cannot show."""
    first = details_of(1.0)
    scores = model_of(1.0)
    second = Evaluator(make_split(), protocol=Protocol()).details(
        Table(scores.scores + 0.3 * np.random.default_rng(1).normal(size=scores.scores.shape))
    )
    paired = compare(first, second)["rmse"]
    apart = bootstrap_intervals(first)["rmse"]
    assert paired.high - paired.low < 0.7 * (apart.high - apart.low)


def test_what_cannot_be_paired_is_refused_and_other_negatives_are_left_out() -> None:
    ours = details_of(1.0)
    elsewhere = Evaluator(make_split(1)).details(model_of(1.0))
    with pytest.raises(UnusableRequest, match="different splits"):
        compare(ours, elsewhere)
    strangers = dataclasses.replace(elsewhere, about={})
    with pytest.raises(UnusableRequest, match="different held-out interactions"):
        compare(ours, strangers)
    with pytest.raises(UnusableRequest, match="count ties differently"):
        compare(ours, ours.with_ties("optimistic"))
    other_draw = compare(ours, details_of(2.0, negatives_seed=1))
    assert "ndcg@10" not in other_draw
    assert {"ndcg@10/full", "rmse"} <= set(other_draw)


def test_a_model_that_ranks_against_one_that_rates() -> None:
    ranks = model_of(1.0)
    ranks.predicts_ratings = False
    found = compare(details_of(0.5), Evaluator(make_split()).details(ranks))
    assert "rmse" not in found
    assert found["ndcg@10/full"].verdict == "A is better"


def test_ease_beats_popularity_on_movielens(ml_100k: Interactions) -> None:
    split = leave_last_out(ml_100k)
    evaluator = Evaluator(split, all_relevant=True)
    found = compare(evaluator.details(EASE(split.train)), evaluator.details(Popularity(split.train)))
    assert found["hr@10"].verdict == found["ndcg@10/full"].verdict == "A is better"
