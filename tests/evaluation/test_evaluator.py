"""The harness: who competes with whom, how ties and broken scores rank, and what it must never look at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mfcore import UnusableRequest, evaluate
from mfcore.data import Interactions, Split
from mfcore.evaluation import Evaluator, Protocol, blocks, summarise
from mfcore.evaluation.ranking import per_user
from mfcore.registry import METRICS
from tests.evaluation.examples import Table, at, full_ranks_by_hand, rank_by_hand, split_of

NOT_NUMBERS = [math.nan, math.inf, -math.inf]


def _one_user(scores: list[float], *, train: int = 0, valid: int = 1, test: int = 2, kind: str = "leave-last-out") -> Any:
    split = split_of([(0, train, 3)], [(0, valid, 4)], [(0, test, 5)], 1, len(scores), kind)
    return split, Table([scores])


@st.composite
def worlds(draw: st.DrawFn, values: Any = None) -> tuple[Split, Table]:
    """A few users and items, every pair in one part or none, and scores with many ties and some that are not numbers."""
    num_users, num_items = draw(st.integers(1, 5)), draw(st.integers(2, 10))
    parts: dict[str, list[tuple[int, int, float]]] = {"train": [], "valid": [], "test": [], "none": []}
    for user in range(num_users):
        for item in range(num_items):
            parts[draw(st.sampled_from(list(parts)))].append((user, item, draw(st.sampled_from([1.0, 3.0, 4.0, 5.0]))))
    if not parts["train"]:
        parts["train"], parts["valid"], parts["test"] = [(0, 0, 3.0)], [], []
    value = st.sampled_from([0.0, 1.0, 2.0, -1.0, *NOT_NUMBERS]) if values is None else values
    row = st.lists(value, min_size=num_items, max_size=num_items)
    scores = draw(st.lists(row, min_size=num_users, max_size=num_users))
    return split_of(parts["train"], parts["valid"], parts["test"], num_users, num_items), Table(scores)


@given(worlds(), st.sampled_from(["valid", "test"]), st.booleans())
def test_full_ranks_agree_with_the_definition(world: tuple[Split, Table], on: str, all_relevant: bool) -> None:
    split, model = world
    details = Evaluator(split, on, Protocol(k=3), all_relevant).details(model)
    expected = full_ranks_by_hand(split, on, model.scores, -math.inf if all_relevant else 4.0)
    cases = list(zip(details.case_user.tolist(), details.case_item.tolist(), strict=True))
    assert set(cases) == set(expected)
    assert len(cases) == len(expected)
    np.testing.assert_array_equal(details.rank_full, [expected[case] for case in cases])


@given(worlds(), st.sampled_from(["valid", "test"]), st.integers(1, 12), st.integers(0, 3))
def test_sampled_ranks_agree_with_some_draw_of_free_items(world: tuple[Split, Table], on: str, count: int, seed: int) -> None:
    split, model = world
    evaluator = Evaluator(split, on, Protocol(sampled_negatives=count, negatives_seed=seed), all_relevant=True)
    drawn = _drawn(evaluator)
    details = evaluator.details(model)
    taken = set(zip(split.data.user_idx.tolist(), split.data.item_idx.tolist(), strict=True))
    for place, (user, item) in enumerate(zip(details.case_user.tolist(), details.case_item.tolist(), strict=True)):
        free = [other for other in range(split.data.num_items) if (user, other) not in taken]
        assert set(drawn[user]) <= set(free)
        assert len(drawn[user]) == min(count, len(free)) == details.num_sampled[place] - 1
        np.testing.assert_equal(details.rank_draws[0][place], rank_by_hand(item, drawn[user], model.scores[user]))


def _drawn(evaluator: Evaluator) -> dict[int, list[int]]:
    """User → its sampled negatives."""
    return {
        user: items[~missing].tolist()
        for block in evaluator.blocks
        for user, items, missing in zip(block.users.tolist(), block.negatives[0], block.no_negative, strict=True)
    }


@given(worlds(st.sampled_from([0.0, 1.0, 2.0])), st.sampled_from(["valid", "test"]))
def test_blocks_of_users_change_nothing(world: tuple[Split, Table], on: str) -> None:
    split, model = world
    whole = Evaluator(split, on, all_relevant=True).details(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SCORES_AT_ONCE", 1)
        piecewise = Evaluator(split, on, all_relevant=True).details(model)
    for name, value in vars(whole).items():
        np.testing.assert_array_equal(value, getattr(piecewise, name), err_msg=name)


def test_candidates_at_test_time_leave_out_train_and_validation_items() -> None:
    split, model = _one_user([9.0, 8.0, 5.0, 7.0, 1.0])
    details = Evaluator(split, "test", all_relevant=True).details(model)
    assert details.rank_full.tolist() == [1.0]  # only item 3 is above; 0 (train) and 1 (validation) do not compete
    assert details.num_full.tolist() == [3]


def test_at_validation_time_the_test_item_competes() -> None:
    split, model = _one_user([9.0, 6.0, 8.0, 7.0, 1.0])
    details = Evaluator(split, "valid", all_relevant=True).details(model)
    assert details.rank_full.tolist() == [2.0]  # items 2 (test) and 3
    assert details.num_full.tolist() == [4]


def test_ratings_below_the_threshold_are_no_cases_but_count_for_rmse() -> None:
    split = split_of([(0, 0, 3)], [], [(0, 1, 5), (0, 2, 2), (1, 3, 1)], 2, 6)
    model = Table([[0, 4, 4, 0, 0, 0], [0, 0, 0, 3, 0, 0]])
    details = Evaluator(split, "test").details(model)
    assert list(zip(details.case_user.tolist(), details.case_item.tolist(), strict=True)) == [(0, 1)]
    assert details.rank_full.tolist() == [0.5]
    assert details.rating_item.tolist() == [1, 2, 3]
    found = summarise(details)
    assert found["rmse"] == pytest.approx(math.sqrt((1 + 4 + 4) / 3))
    assert found["mae"] == pytest.approx(5 / 3)


def test_a_constant_model_ranks_in_the_middle_and_scores_as_chance_does() -> None:
    """Sampled among 99, everything tied: rank 49.5 on average. A harness that breaks ties in favour of the target reports HR
    100 %, one that puts it in the middle 0 %."""
    num_users, num_items = 5, 300
    held = [(user, user, 5.0) for user in range(num_users)]
    split = split_of([(0, 200, 4.0)], [], held, num_users, num_items, "leave-last-out")
    details = Evaluator(split, "test", all_relevant=True).details(Table(np.full((num_users, num_items), 3.7)))
    assert details.rank_draws[0].tolist() == [49.5] * num_users
    assert details.rank_full.tolist() == [149.0] + [149.5] * (num_users - 1)
    found = summarise(details)
    assert found["hr@10"] == pytest.approx(10 / 100) and found["hr@10/full"] == pytest.approx((10 / 299 + 4 * 10 / 300) / 5)
    assert found["ndcg@10"] == pytest.approx(sum(1 / math.log2(place + 2) for place in range(10)) / 100)
    assert summarise(details, k=50)["hr@50"] == pytest.approx(0.5)


@pytest.mark.parametrize("broken", NOT_NUMBERS)
def test_a_case_whose_own_score_is_no_number_ranks_last(broken: float) -> None:
    split, model = _one_user([0.0, 0.0, broken, 1.0, 2.0])
    details = Evaluator(split, "test", all_relevant=True).details(model)
    assert details.rank_full.tolist() == details.rank_draws[0].tolist() == [2.0]
    assert "rmse" not in summarise(details)


def test_a_competitor_that_is_no_number_never_lets_a_case_pass() -> None:
    split, model = _one_user([0.0, 0.0, 5.0, math.nan, 1.0])
    details = Evaluator(split, "test", all_relevant=True).details(model)
    assert details.rank_full.tolist() == details.rank_draws[0].tolist() == [1.0]


def test_a_diverged_model_has_no_hits() -> None:
    split = split_of([(0, 0, 3)], [], [(u, u + 1, 5.0) for u in range(4)], 4, 40, "leave-last-out")
    found = evaluate(Table(np.full((4, 40), math.nan)), split)
    assert set(found.values()) == {0.0}
    assert {"hr@10", "ndcg@10", "hr@10/full", "ndcg@10/full"} <= set(found)


def test_with_nothing_to_compete_with_a_rank_is_undefined() -> None:
    split = split_of([(0, 0, 3)], [], [(0, 1, 5)], 1, 2, "leave-last-out")
    details = Evaluator(split, "test", all_relevant=True).details(Table([[1.0, 2.0]]))
    assert np.isnan(details.rank_full).all()
    assert np.isnan(details.rank_draws[0]).all()
    assert set(summarise(details)) == {"rmse", "mae"}


def test_an_empty_part_measures_nothing() -> None:
    split = split_of([(0, 0, 3)], [], [(0, 1, 5)], 1, 2)
    assert evaluate(Table([[1.0, 2.0]]), split, "valid") == {}


class _Sealed(Split):
    @property
    def test(self) -> Interactions:  # type: ignore[override]
        raise AssertionError("the test part was read")


def test_validation_never_reads_the_test_part() -> None:
    split = split_of([(0, 0, 3)], [(0, 1, 4)], [(0, 2, 5)], 1, 6, split_type=_Sealed)
    model = Table([[0, 1, 2, 3, 4, 5]])
    assert evaluate(model, split, "valid")["hr@10/full"] == 1.0
    with pytest.raises(AssertionError, match="was read"):
        evaluate(model, split, "test")


def test_a_refit_meets_the_same_competitors() -> None:
    rng = np.random.default_rng(0)
    split = split_of([(0, 0, 3)], [(1, 1, 4)], [(u, u, 5.0) for u in range(2, 9)], 9, 200, "leave-last-out")
    model = Table(rng.random((9, 200)))
    wide = Protocol(k=60)
    assert evaluate(model, split, protocol=wide) == evaluate(model, split.with_validation_in_train(), protocol=wide)
    assert evaluate(model, split, protocol=wide) != evaluate(model, split, protocol=Protocol(k=60, negatives_seed=1))


def test_which_cases_count_follows_from_split_and_model() -> None:
    rows = ([(0, 0, 3)], [], [(0, 1, 2.0)], 1, 6)
    scores = [[0, 5, 1, 2, 3, 4]]
    assert "hr@10" not in evaluate(Table(scores), split_of(*rows))
    assert evaluate(Table(scores), split_of(*rows, "leave-last-out"))["hr@10"] == 1.0
    assert evaluate(Table(scores, predicts_ratings=False), split_of(*rows))["hr@10"] == 1.0
    assert "hr@10" not in evaluate(Table(scores, predicts_ratings=False), split_of(*rows), all_relevant=False)


def test_a_model_that_ranks_has_no_rating_error() -> None:
    split, model = _one_user([0.0, 1.0, 2.0, 3.0])
    model.predicts_ratings = False
    details = Evaluator(split, "test", all_relevant=True).details(model)
    assert details.predicted.size == details.actual.size == details.rating_user.size == 0
    assert not {"rmse", "mae"} & set(summarise(details))


def test_each_user_is_scored_once_and_the_models_scores_stay_whole() -> None:
    split = split_of([(0, 0, 3)], [], [(1, 1, 5), (0, 2, 5), (1, 3, 5)], 3, 5)
    model = Table(np.arange(15).reshape(3, 5))
    evaluator = Evaluator(split, "test")
    before = model.scores.copy()
    first, again = evaluator.metrics(model), evaluator.metrics(model)
    assert first == again
    assert model.asked == [0, 1] * 2
    assert np.array_equal(model.scores, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64])
def test_scores_of_any_type_and_layout_rank_alike(dtype: torch.dtype) -> None:
    split = split_of([(0, 0, 3), (1, 1, 3)], [], [(0, 2, 5), (1, 4, 5)], 2, 6)
    model = Table([[9, 8, 5, 7, 1, 6], [3, 9, 4, 5, 4, 0]])

    class Sideways:
        """Column by column in memory, as a product of transposed tables comes out."""

        def score_items(self, user_idx: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(model.scores.T[:, user_idx.numpy()].copy()).to(dtype).T

    assert not Sideways().score_items(torch.tensor([0, 1])).is_contiguous()
    assert Evaluator(split, "test").metrics(Sideways()) == Evaluator(split, "test").metrics(model)


class _Noisy(nn.Module):
    """Scores that dropout would spoil."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.arange(12.0).reshape(2, 6))
        self.dropout = nn.Dropout(0.9)

    def score_items(self, user_idx: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.table[user_idx])


@pytest.mark.parametrize("training", [True, False])
def test_models_are_scored_in_eval_mode_and_put_back(training: bool) -> None:
    split = split_of([(0, 0, 3)], [], [(0, 5, 5), (1, 4, 5)], 2, 6)
    model = _Noisy().train(training)
    assert Evaluator(split, "test").details(model).rank_full.tolist() == [0.0, 1.0]
    assert model.training is training
    assert model.dropout.training is training
    assert model.table.grad is None


def test_a_misshapen_score_table_is_refused() -> None:
    class Lies:
        def score_items(self, user_idx: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(user_idx), 3)

    split = split_of([(0, 0, 3)], [], [(0, 1, 5)], 1, 6)
    with pytest.raises(ValueError, match=r"score_items must return .*\(1, 6\), got \(1, 3\)"):
        evaluate(Lies(), split)
    with pytest.raises(UnusableRequest, match="this model knows 1 users and 3 items"):
        evaluate(Table([[1, 2, 3]]), split)


def test_a_threshold_that_no_rating_reaches_is_refused_not_passed_over() -> None:
    split, model = _one_user([0.0, 1.0, 2.0, 3.0], kind="random")
    with pytest.raises(UnusableRequest, match=r"relevance_threshold must be <= 5, the highest rating of .*, got 99"):
        evaluate(model, split, protocol=Protocol(relevance_threshold=99))
    assert "hr@10" in evaluate(model, split, protocol=Protocol(relevance_threshold=99), all_relevant=True)
    assert "hr@10" in evaluate(model, split, protocol=Protocol(relevance_threshold=5))


def test_an_unknown_part_is_refused() -> None:
    split, model = _one_user([0.0, 1.0, 2.0])
    with pytest.raises(UnusableRequest, match="on must be one of test, valid; got 'train'"):
        evaluate(model, split, "train")


def test_checkerboard_puts_the_withheld_diagonal_first() -> None:
    """Users like items of their own parity. A rank-2 approximation of the rest must find each user's missing item."""
    size = 12
    board = [(u, i, 5.0) for u in range(size) for i in range(size) if (u + i) % 2 == 0 and u != i]
    split = split_of(board, [], [(u, u, 5.0) for u in range(size)], size, size, "leave-last-out")
    seen = np.zeros((size, size))
    seen[split.train.user_idx, split.train.item_idx] = 1
    left, strength, right = np.linalg.svd(seen)
    found = evaluate(Table((left[:, :2] * strength[:2]) @ right[:2]), split, protocol=Protocol(k=1))
    ranking = {name: value for name, value in found.items() if "@" in name}
    assert ranking == dict.fromkeys(ranking, 1.0)
    specs = METRICS.values()
    sampled = {spec.key(1) for spec in specs if spec.of_cases is not None}
    full = {spec.key(1, full=True) for spec in specs if spec.of_lists is not None}
    assert set(ranking) == {name for name in sampled | full if "@" in name}
    assert found["auc"] == found["auc/full"] == 1.0


def test_several_relevant_items_make_one_list_a_user() -> None:
    split = split_of([(0, 0, 3)], [], [(0, 1, 5), (0, 2, 4), (1, 0, 5)], 2, 6)
    model = Table([[9, 5, 3, 4, 1, 0], [1, 5, 4, 3, 2, 0]])
    details = Evaluator(split, "test", Protocol(k=3)).details(model)
    assert details.num_relevant.tolist() == [2, 2, 1]
    expected = per_user(np.array([0, 0, 1]), at([0, 2, 4]), 3)
    assert summarise(details)["ndcg@3/full"] == pytest.approx(expected["ndcg"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_ranks_as_the_cpu_does() -> None:
    rng = np.random.default_rng(4)
    rows = [(u, int(i), 5.0) for u in range(30) for i in rng.choice(90, 12, replace=False)]
    evaluator = Evaluator(split_of(rows[::3] + rows[1::3], [], rows[2::3], 30, 90), protocol=Protocol(draws=3))

    class Stored(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.from_numpy(rng.integers(0, 9, (30, 90)).astype(np.float32)))

        def score_items(self, user_idx: torch.Tensor) -> torch.Tensor:
            return self.table[user_idx]

    model = Stored()
    on_cpu, on_gpu = evaluator.details(model), evaluator.details(model.to("cuda"))
    for name, value in vars(on_cpu).items():
        np.testing.assert_array_equal(value, getattr(on_gpu, name), err_msg=name)
