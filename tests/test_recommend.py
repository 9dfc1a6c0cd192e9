"""Recommendations in raw ids and titles, and every corner a person can walk into."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mfcore import Interactions, Recommender, UnusableRequest
from tests.evaluation.examples import Table, interactions

ROWS = [(0, 0, 5.0), (0, 3, 3.0), (1, 1, 4.0), *((2, item, 3.0) for item in range(6)), (0, 4, 1.0)]
STAMPS = [50, 70, 10, *range(6), 70]
DESCRIPTION = ["item_id", "item_idx", "title", "year", "genres"]


class _Model(Table):
    """Scores from a table, item vectors as given. Users: 0, 1 with a history, 2 has seen everything, 3 nothing."""

    def __init__(self, scores: Any = None, vectors: Any = None) -> None:
        super().__init__(np.tile([1, 9, 5, 8, 7, 5], (4, 1)) if scores is None else scores)
        self.vectors = np.eye(6) if vectors is None else np.asarray(vectors, np.float32)

    def item_vectors(self) -> torch.Tensor:
        return torch.as_tensor(self.vectors)


@pytest.fixture
def data() -> Interactions:
    return interactions(ROWS, 4, 6, STAMPS)


def test_best_unseen_items_first_with_their_titles(data: Interactions) -> None:
    found = Recommender(_Model(), data).recommend(100, n=2)
    assert list(found.columns) == [*DESCRIPTION, "score", "raw_score", "seen", "known"]
    assert found["item_id"].tolist() == ["i1", "i2"]  # 5 would tie with 2: the lower index first
    assert found["item_idx"].tolist() == [1, 2]
    assert found["title"].tolist() == ["Film 1 (1901)", "Film 2 (1902)"]
    assert found["raw_score"].tolist() == [9.0, 5.0]
    assert found["score"].tolist() == [5.0, 5.0]  # held within the scale of 1 to 5
    assert not found["seen"].any()
    assert found.index.tolist() == [0, 1]


def test_seen_items_can_be_shown(data: Interactions) -> None:
    found = Recommender(_Model(), data).recommend("100", n=99, include_seen=True)
    assert found["item_idx"].tolist() == [1, 3, 4, 2, 5, 0]
    assert found["seen"].tolist() == [False, True, True, False, False, True]


def test_a_user_who_has_seen_everything_gets_an_empty_table_of_the_same_columns(data: Interactions) -> None:
    recommender = Recommender(_Model(), data)
    found = recommender.recommend(102)
    assert len(found) == 0
    assert list(found.columns) == [*DESCRIPTION, "score", "raw_score", "seen", "known"]
    assert found.dtypes["score"] == np.float64
    assert len(recommender.recommend(102, include_seen=True)) == 6


def test_a_user_without_history_gets_recommendations_and_an_empty_history(data: Interactions) -> None:
    recommender = Recommender(_Model(), data)
    assert recommender.recommend(103, n=1)["item_idx"].tolist() == [1]
    history = recommender.history(103)
    assert len(history) == 0
    assert list(history.columns) == [*DESCRIPTION, "rating", "timestamp"]


def test_history_is_newest_first_by_timestamp_and_file_order(data: Interactions) -> None:
    history = Recommender(_Model(), data).history(100)
    assert history["item_idx"].tolist() == [4, 3, 0]
    assert history["rating"].tolist() == [1.0, 3.0, 5.0]
    assert history["timestamp"].tolist() == [pd.Timestamp(second, unit="s") for second in (70, 70, 50)]


def test_history_without_timestamps_is_in_file_order() -> None:
    history = Recommender(_Model(), interactions(ROWS, 4, 6)).history(100)
    assert history["item_idx"].tolist() == [0, 3, 4]
    assert history["timestamp"].isna().all()
    assert pd.api.types.is_datetime64_dtype(history["timestamp"])


def test_similar_items_by_angle_and_by_product(data: Interactions) -> None:
    vectors = [[1, 0], [2, 2], [3, 0], [0, 1], [-1, 0], [1, 0.1]]
    recommender = Recommender(_Model(vectors=vectors), data)
    cosine = recommender.similar_items("i0", n=3)
    assert cosine["item_idx"].tolist() == [2, 5, 1]
    assert cosine["similarity"].tolist() == pytest.approx([1.0, 1 / math.sqrt(1.01), math.sqrt(0.5)])
    assert list(cosine.columns) == [*DESCRIPTION, "similarity", "ratings"]
    dot = recommender.similar_items("i0", n=99, by="dot")
    assert dot["item_idx"].tolist() == [2, 1, 5, 3, 4]
    assert dot["similarity"].tolist() == pytest.approx([3, 2, 1, 0, -1])


def test_similar_items_say_how_often_each_was_rated_and_leave_out_what_hardly_was(data: Interactions) -> None:
    recommender = Recommender(_Model(vectors=[[1, 0], [2, 2], [3, 0], [0, 1], [-1, 0], [1, 0.1]]), data)
    popularity = data.popularity()
    everything = recommender.similar_items("i0", n=99)
    assert everything["ratings"].tolist() == popularity[everything["item_idx"]].tolist()
    least = int(np.sort(popularity)[3])
    enough = recommender.similar_items("i0", n=99, min_ratings=least)
    expected = [item for item in everything["item_idx"].tolist() if popularity[item] >= least]
    assert enough["item_idx"].tolist() == expected and 0 < len(expected) < len(everything)
    assert recommender.similar_items("i0", min_ratings=99).empty


def test_a_vector_of_zeros_is_like_nothing_and_comes_last(data: Interactions) -> None:
    recommender = Recommender(_Model(vectors=[[1, 0], [0, 0], [-1, 0], [1, 1], [1, 2], [1, 3]]), data)
    found = recommender.similar_items("i0")
    assert found["item_idx"].tolist() == [3, 4, 5, 2, 1]
    assert math.isnan(found["similarity"].iloc[-1])
    assert recommender.similar_items("i1")["item_idx"].tolist() == [0, 2, 3, 4, 5]


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.integers(1, 8), st.booleans())
def test_order_is_by_score_then_index(scores: list[int], n: int, include_seen: bool) -> None:
    data = interactions(ROWS, 4, 6)
    found = Recommender(_Model(np.tile(scores, (4, 1))), data).recommend(100, n, include_seen)
    allowed = range(6) if include_seen else (1, 2, 5)
    assert found["item_idx"].tolist() == sorted(allowed, key=lambda item: (-scores[item], item))[:n]


def test_checkerboard_recommends_the_withheld_diagonal_first() -> None:
    size = 10
    board = [(u, i, 5.0) for u in range(size) for i in range(size) if (u + i) % 2 == 0 and u != i]
    parity = (np.add.outer(np.arange(size), np.arange(size)) % 2 == 0).astype(float)
    recommender = Recommender(_Model(parity), interactions(board, size, size))
    for user in range(size):
        assert recommender.recommend(100 + user, n=1)["item_idx"].tolist() == [user]


def test_scores_that_are_partly_no_numbers_come_last_and_none_at_all_is_divergence(data: Interactions) -> None:
    scores = np.tile([1.0, math.nan, 5, 8, 7, 6], (4, 1))
    assert Recommender(_Model(scores), data).recommend(100)["item_idx"].tolist() == [5, 2, 1]
    with pytest.raises(UnusableRequest, match="training diverged"):
        Recommender(_Model(np.full((4, 6), math.nan)), data).recommend(100)
    with pytest.raises(UnusableRequest, match="training diverged"):
        Recommender(_Model(vectors=np.full((6, 2), math.inf)), data).similar_items("i0")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.recommend(7), "unknown user 7"),
        (lambda r: r.recommend("abc"), "unknown user"),
        (lambda r: r.recommend(100, n=0), "n must be >= 1, got 0"),
        (lambda r: r.history(7), "unknown user 7"),
        (lambda r: r.similar_items("x"), "unknown item"),
        (lambda r: r.similar_items("i0", n=-1), "n must be >= 1"),
        (lambda r: r.similar_items("i0", min_ratings=-1), "min_ratings must be >= 0"),
        (lambda r: r.similar_items("i0", by="taste"), "by must be one of cosine, dot; got 'taste'"),
    ],
)
def test_unusable_requests_say_why(data: Interactions, ask: Any, message: str) -> None:
    with pytest.raises(UnusableRequest, match=message):
        ask(Recommender(_Model(), data))


def test_a_model_of_other_data_is_refused(data: Interactions) -> None:
    with pytest.raises(UnusableRequest, match="knows 3 users and 6 items, hand-made has 4 and 6"):
        Recommender(_Model(np.zeros((3, 6))), data)


def test_a_real_model_on_real_films(ml_100k: Interactions) -> None:
    from mfcore import build_model

    recommender = Recommender(build_model("biased-mf", ml_100k, seed=0), ml_100k)
    found = recommender.recommend(196, n=10)
    assert len(found) == 10
    assert not set(found["item_id"]) & set(recommender.history(196)["item_id"])
    assert found["title"].str.contains(r"\(\d{4}\)").any()
    similar = recommender.similar_items(50, n=5)
    assert 50 not in similar["item_id"].tolist()
    assert similar["similarity"].between(-1, 1).all()
