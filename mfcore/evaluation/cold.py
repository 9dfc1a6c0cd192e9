"""What was known and what was not: the figures of cases whose user and item were trained, and of the rest."""

from __future__ import annotations

from dataclasses import dataclass

from mfcore.evaluation.breakdown import only
from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.summary import summarise
from mfcore.typing import Bool


@dataclass(frozen=True)
class Part:
    """One part of an evaluation: how many cases and ratings it has, and every defined metric of them."""

    num_cases: int
    num_ratings: int
    metrics: dict[str, float]


def warm_and_cold(details: EvaluationDetails, user_known: Bool, item_known: Bool) -> dict[str, Part]:
    """``{"warm": …, "cold": …}``: of what both the user and the item had training rows of, and of the rest. What is undefined
    in a part is absent from its metrics.

    Args:
        user_known: (num_users,), item_known: (num_items,): see :class:`mfcore.models.fallback.Fallback`.
    """
    cases = user_known[details.case_user] & item_known[details.case_item]
    ratings = user_known[details.rating_user] & item_known[details.rating_item]
    parts = {"warm": (cases, ratings), "cold": (~cases, ~ratings)}
    return {
        name: Part(int(case.sum()), int(rating.sum()), summarise(only(details, case, rating)))
        for name, (case, rating) in parts.items()
    }
