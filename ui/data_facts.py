"""Facts about a dataset in the words and shapes that the Data page shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mfcore.data.interactions import Interactions
from mfcore.data.split import Split
from ui.format import NOTHING, count

SPLIT_SENTENCES = {
    "random": "Ratings are dealt out at random. Easy to compare with published figures, but a model may learn from the future "
    "to predict the past.",
    "leave-last-out": "Each user's latest rating is the test, the one before it validation, all earlier ones train: "
    "“what will this person watch next?”",
    "time": "One date divides all ratings: what came before trains, what came after tests. Closest to real life and the "
    "hardest, because new users and new items appear that nobody could learn.",
    "official": "The five divisions that came with MovieLens 100K, each with a fifth of the ratings as test. "
    "Published figures often use them; validation is drawn from the rest.",
}


def words_for(data: Interactions) -> tuple[str, str]:
    """What the rows and columns of this table are called: films where there are titles with years, else items."""
    return "users", "films" if data.item_table["year"].notna().any() else "items"


def rounded_percent(share: float) -> str:
    """0.063 → "6.3 %"; small shares keep two digits that matter, and only a true 100 % says so."""
    value = 100.0 * share
    if 0 < value < 1:
        return f"{value:.2g} %"
    text = f"{value:.0f}" if value >= 10 and (value <= 99.5 or value == 100) else f"{value:.1f}"
    return f"{text} %"


def density_words(density: float) -> str:
    """How full the table is, as a person would say it."""
    if density >= 0.5:
        return f"{rounded_percent(density)} of the table is filled, which real data never is."
    return f"Of every {round(1 / density):,} possible ratings, one is known; a recommender guesses the others."


def head_share(counts: np.ndarray, head: float = 0.2) -> float:
    """Share of all ratings held by the best-known ``head`` of the items. ``counts``: (num_items,)."""
    ordered = np.sort(counts)[::-1]
    return float(ordered[: max(1, round(head * len(ordered)))].sum() / ordered.sum())


def block(user_idx: np.ndarray, item_idx: np.ndarray, values: np.ndarray, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """``values`` of the cells users × items as (len(users), len(items)) float32, NaN where there is none."""
    row, column = (pd.Series(np.arange(len(wanted)), index=wanted) for wanted in (users, items))
    inside = np.isin(user_idx, users) & np.isin(item_idx, items)
    out = np.full((len(users), len(items)), np.nan, dtype=np.float32)
    out[row.loc[user_idx[inside]].to_numpy(), column.loc[item_idx[inside]].to_numpy()] = values[inside]
    return out


def parts(split: Split) -> Iterator[tuple[str, np.ndarray]]:
    """The three parts by the name shown on screen, with their rows."""
    yield from (("train", split.train_rows), ("validation", split.valid_rows), ("test", split.test_rows))


def part_table(split: Split) -> pd.DataFrame:
    """One column a part, one row a fact, as text: ratings, users, items, those nobody can have learned about, dates."""
    data, things = split.data, words_for(split.data)[1]
    seen = {index: np.unique(getattr(data, index)[split.train_rows]) for index in ("user_idx", "item_idx")}
    columns: dict[str, dict[str, str]] = {}
    for name, chosen in parts(split):
        facts = {"ratings": f"{count(len(chosen))} ({rounded_percent(len(chosen) / len(data))})"}
        for index, word in (("user_idx", "users"), ("item_idx", things)):
            facts[word] = count(len(np.unique(getattr(data, index)[chosen])))
        for index, word in (("user_idx", "users"), ("item_idx", things)):
            cold = len(np.setdiff1d(getattr(data, index)[chosen], seen[index]))
            facts[f"{word} never met in training"] = NOTHING if name == "train" else count(cold)
        if data.timestamp is not None and len(chosen):
            facts["from"], facts["to"] = (_day(moment(data.timestamp[chosen])) for moment in (np.min, np.max))
        columns[name] = facts
    return pd.DataFrame(columns).fillna(NOTHING)


def _day(seconds: int) -> str:
    day = pd.to_datetime(seconds, unit="s")
    return f"{day.day} {day:%b %Y}"


def item_rows(data: Interactions) -> pd.DataFrame:
    """One row an item, most rated first: id, title, year, genres, ratings, mean."""
    counts = data.popularity()
    sums = np.bincount(data.item_idx, weights=data.rating, minlength=data.num_items)
    table = pd.DataFrame(
        {
            "id": data.items.ids,
            "title": data.item_table["title"],
            "year": data.item_table["year"],
            "genres": data.item_table["genres"].map(", ".join),
            "ratings": counts,
            "mean": np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0),
        }
    )
    return table.sort_values("ratings", ascending=False, kind="stable", ignore_index=True)


def search(table: pd.DataFrame, text: str) -> pd.DataFrame:
    """Rows whose title, genres, year or id holds every word of ``text``; case does not matter."""
    found = pd.Series(True, index=table.index)
    haystack = table[["id", "title", "year", "genres"]].astype("string").fillna("").agg(" ".join, axis=1).str.lower()
    for word in text.lower().split():
        found &= haystack.str.contains(word, regex=False)
    return table[found]
