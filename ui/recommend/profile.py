"""One user's taste and what a model makes of it: history, and recommendations with the liked item nearest to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mfcore.data import Interactions
from mfcore.evaluation.words import PARTS
from mfcore.typing import Float32, Int64
from ui.items import with_titles

if TYPE_CHECKING:
    from mfcore.runs import LoadedRun


def parts_of(run: LoadedRun, user_idx: int) -> dict[int, str]:
    """Item index → train, validation or test, for everything the user rated."""
    found: dict[int, str] = {}
    for part, words in PARTS.items():
        rows = getattr(run.split, part)
        found |= dict.fromkeys(rows.item_idx[rows.user_idx == user_idx].tolist(), words)
    return found


def history_of(run: LoadedRun, user_id: Any) -> pd.DataFrame:
    """What the user rated, favourites first, newest first among equals; ``part`` says what each rating was used for."""
    history = with_titles(run.recommender().history(user_id))
    part = parts_of(run, run.data.users.index(user_id))
    history["part"] = [part.get(item, "") for item in history["item_idx"].tolist()]
    return history.sort_values("rating", ascending=False, kind="stable", ignore_index=True)


def profile(history: pd.DataFrame) -> dict[str, Any]:
    """Number of ratings, their mean, the three most frequent genres, and the span of dates (None where there are none)."""
    genres = history["genres"].explode().dropna().value_counts()
    stamps = history["timestamp"].dropna()
    return {
        "count": len(history),
        "mean": float(history["rating"].mean()) if len(history) else float("nan"),
        "genres": genres.index[:3].tolist(),
        "from": stamps.min() if len(stamps) else None,
        "to": stamps.max() if len(stamps) else None,
    }


def recommended(run: LoadedRun, user_id: Any, n: int, *, include_seen: bool, history: pd.DataFrame) -> pd.DataFrame:
    """Top-N as the recommender gives it, with ``rating`` (the user's own, else NaN) and ``near`` (:func:`nearest_liked`)."""
    top = with_titles(run.recommender().recommend(user_id, n, include_seen=include_seen))
    rating = dict(zip(history["item_idx"].tolist(), history["rating"].tolist(), strict=True))
    top["rating"] = [rating.get(item, float("nan")) for item in top["item_idx"].tolist()]
    learned = ("train", "validation") if run.checkpoint == "refit" else ("train",)
    top["near"] = nearest_liked(vectors_of(run), top["item_idx"].to_numpy(), history, learned)
    return top


def vectors_of(run: LoadedRun) -> Float32:
    """(num_items, d) float32 item vectors of length 1; a vector of zeros stays zero."""
    vectors: Float32 = np.asarray(run.model.item_vectors(), dtype=np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Float32 = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit


def nearest_liked(
    unit_vectors: Float32, item_idx: Int64, history: pd.DataFrame, learned: Sequence[str] = ("train",)
) -> list[str]:
    """For each item the title of the liked training item whose vector points most nearly the same way; "" if none does.

    Liked: rated at least as high as this user's mean. Only ratings of the parts it ``learned`` from count: it saw no others.
    """
    liked = history[(history["rating"] >= history["rating"].mean()) & history["part"].isin(learned)]
    if liked.empty:
        return [""] * len(item_idx)
    known = liked["item_idx"].to_numpy()
    cosine = unit_vectors[item_idx] @ unit_vectors[known].T
    cosine[item_idx[:, None] == known[None, :]] = -1.0  # an item does not explain itself
    best = cosine.argmax(axis=1)
    names = liked["title"].tolist()
    return [names[column] if cosine[row, column] > 0.2 else "" for row, column in enumerate(best.tolist())]


def raters_of(data: Interactions, item_id: Any) -> pd.DataFrame:
    """Who rated an item: user_id, rating, rated (how many they rated), highest rating and most active first."""
    rows = np.flatnonzero(data.item_idx == data.items.index(item_id))
    counts = np.bincount(data.user_idx, minlength=data.num_users)
    found = pd.DataFrame(
        {
            "user_id": data.users.ids[data.user_idx[rows]],
            "rating": data.rating[rows],
            "rated": counts[data.user_idx[rows]],
        }
    )
    return found.sort_values(["rating", "rated"], ascending=False, kind="stable", ignore_index=True)


def by_popularity(data: Interactions) -> list[Any]:
    """Raw item ids, most rated first."""
    return list(data.items.ids[np.argsort(-data.popularity(), kind="stable")].tolist())
