"""The expected figures at N negatives: every possible draw written out, many draws averaged, and both ends of the curve."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore import Interactions, UnusableRequest, leave_last_out
from mfcore.evaluation import EvaluationDetails, Evaluator, Protocol, sampled_curve, summarise
from mfcore.evaluation.ranking import Places, per_case
from mfcore.models.baselines import Popularity
from mfcore.settings.ties import TIES
from tests.evaluation.examples import Table, split_of
from tests.evaluation.test_ties_and_draws import world


def details_of(greater: list[int], equal: list[int], free: list[int], k: int, ties: str) -> EvaluationDetails:
    """Details that hold nothing but what the curve reads."""
    size = len(free)
    none: Any = np.zeros(size, np.int64)
    nothing: Any = np.zeros(0, np.int64)
    named = {"greater_free": greater, "equal_free": equal, "num_free": free}
    counts: Any = {name: np.array(values, np.int64) for name, values in named.items()}
    drawn: Any = np.zeros((1, size), np.int64)
    return EvaluationDetails(
        k, none, none, drawn, drawn, none, none, none, none, none, nothing, nothing, nothing, nothing, ties, **counts
    )


@given(st.data())
def test_every_draw_written_out(data: st.DataObject) -> None:
    free = data.draw(st.integers(1, 8))
    greater = data.draw(st.integers(0, free))
    equal = data.draw(st.integers(0, free - greater))
    k, count, ties = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 10)), data.draw(st.sampled_from(list(TIES)))
    stands = ["above"] * greater + ["tied"] * equal + ["below"] * (free - greater - equal)
    drawn = [(some.count("above"), some.count("tied")) for some in itertools.combinations(stands, min(count, free))]
    expected = per_case(Places(*np.array(drawn).T, np.ones(len(drawn), np.bool_)).under(ties), k)
    (row,) = sampled_curve(details_of([greater], [equal], [free], k, ties), [count]).itertuples(index=False)
    assert row.hr == pytest.approx(expected["hr"])
    assert row.ndcg == pytest.approx(expected["ndcg"])


def test_one_above_of_four_by_hand() -> None:
    """Of 4 free items 1 is above; 2 are drawn: it is among them half of the time."""
    curve = sampled_curve(details_of([1], [0], [4], 1, "mean"), [2])
    assert curve["hr"].tolist() == pytest.approx([0.5])
    assert sampled_curve(details_of([1, 0], [0, 0], [4, 9], 1, "mean"), [2])["hr"].tolist() == pytest.approx([0.75])


@pytest.mark.parametrize("ties", list(TIES))
def test_many_draws_average_to_the_curve_and_all_items_are_its_end(ties: str) -> None:
    split, model = world()
    protocol = Protocol(k=4, sampled_negatives=12, draws=100, ties=ties)
    details = Evaluator(split, protocol=protocol).details(model)
    curve = sampled_curve(details).set_index("num_negatives")
    assert curve.index[0] == 10
    assert curve.index[-1] == details.num_free.max()  # type: ignore[union-attr]
    assert (curve["hr"].diff().dropna() <= 1e-12).all()
    assert curve.loc[12, "hr"] == pytest.approx(summarise(details)["hr@4"], abs=0.02)
    assert curve.loc[12, "ndcg"] == pytest.approx(summarise(details)["ndcg@4"], abs=0.02)
    everything = Evaluator(split, protocol=Protocol(k=4, sampled_negatives=40, ties=ties)).metrics(model)
    assert curve["hr"].iloc[-1] == pytest.approx(everything["hr@4"])
    assert curve["ndcg"].iloc[-1] == pytest.approx(everything["ndcg@4"])


def test_with_one_held_out_item_a_user_the_end_is_full_ranking() -> None:
    rng = np.random.default_rng(1)
    split = split_of([(u, u, 4.0) for u in range(9)], [], [(u, u + 20, 5.0) for u in range(9)], 9, 60, "leave-last-out")
    details = Evaluator(split, all_relevant=True).details(Table(rng.random((9, 60))))
    end = sampled_curve(details).iloc[-1]
    assert end["hr"] == pytest.approx(summarise(details)["hr@10/full"])
    assert end["ndcg"] == pytest.approx(summarise(details)["ndcg@10/full"])


def test_nothing_to_measure_is_nan_and_no_negatives_are_refused() -> None:
    empty = sampled_curve(details_of([], [], [], 3, "mean"))
    assert empty[["hr", "ndcg"]].isna().all().all()
    assert sampled_curve(details_of([0], [0], [0], 3, "mean"), [5])["hr"].isna().all()
    with pytest.raises(UnusableRequest, match="num_negatives must be >= 1, got 0"):
        sampled_curve(details_of([0], [0], [5], 3, "mean"), [0])


def test_on_movielens_twenty_draws_scatter_around_the_curve(ml_100k: Interactions) -> None:
    split = leave_last_out(ml_100k)
    details = Evaluator(split, protocol=Protocol(draws=20), all_relevant=True).details(Popularity(split.train))
    at_99 = sampled_curve(details, [99]).iloc[0]
    assert at_99["hr"] == pytest.approx(summarise(details)["hr@10"], abs=0.003)
    assert at_99["ndcg"] == pytest.approx(summarise(details)["ndcg@10"], abs=0.003)
    assert at_99["hr"] == pytest.approx(0.418, abs=0.004)
    curve = sampled_curve(details)
    assert curve["hr"].iloc[0] > 0.95
    assert curve["hr"].iloc[-1] == pytest.approx(0.0838, abs=0.0005)
