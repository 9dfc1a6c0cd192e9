"""A dataset in words: what its rows and columns are called, how full it is, what its splits do."""

from __future__ import annotations

from mfcore.data.interactions import Interactions

PART_WORDS = {"train": "train", "valid": "validation", "test": "test"}

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
