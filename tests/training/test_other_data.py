"""A model and a split of different data are told apart by whoever is given both, in one line."""

from __future__ import annotations

import numpy as np
import pytest

from mfcore import Recommender, Trainer, build_model, evaluate, random_split
from mfcore.data import Interactions, Vocabulary, make_item_table
from mfcore.data.sources.generated import planted
from mfcore.errors import UnusableRequest


def test_a_model_of_other_data_is_refused_by_all_three() -> None:
    small = random_split(planted(num_users=20, num_items=15, density=0.4))
    large = random_split(planted(num_users=30, num_items=25, density=0.4))
    model = build_model("mf", small.train, embedding_dim=2)
    words = r"this model knows 20 users and 15 items, planted has 30 and 25; use the data it was trained on"
    for use in (lambda: Trainer(model, large), lambda: evaluate(model, large), lambda: Recommender(model, large.data)):
        with pytest.raises(UnusableRequest, match=words):
            use()
    assert evaluate(model, small) and Recommender(model, small.data) and Trainer(model, small)


@pytest.mark.parametrize(("low", "high"), [(0.5, 4.4), (0.1, 0.7), (1.0, 5.0)])
def test_ratings_may_stand_on_the_bounds_of_their_scale(low: float, high: float) -> None:
    """Whatever the bounds are as 32-bit numbers."""

    def rated(*ratings: float) -> Interactions:
        items = Vocabulary([f"i{number}" for number in range(len(ratings))])
        return Interactions(
            user_idx=np.zeros(len(ratings), np.int64),
            item_idx=np.arange(len(ratings)),
            rating=np.array(ratings, np.float32),
            timestamp=None,
            users=Vocabulary(["a"]),
            items=items,
            item_table=make_item_table(items.ids),
            rating_scale=(low, high),
        )

    assert len(rated(low, high)) == 2
    with pytest.raises(UnusableRequest, match="rating must lie within"):
        rated(high + 0.01)
