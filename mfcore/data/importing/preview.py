"""A look at a file: what is in it, as what it is understood, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mfcore.data.importing.layouts import Opened, open_source
from mfcore.data.importing.plan import ImportPlan
from mfcore.data.importing.roles import ROLES, Facts, Guess, guess_roles, numbers_of
from mfcore.data.importing.tables import Chunk
from mfcore.data.times import as_array, unit_of
from mfcore.validate import require

if TYPE_CHECKING:
    pass

_THINGS = {
    **dict.fromkeys(("movie", "film"), ("film", "films")),
    **dict.fromkeys(("book", "isbn"), ("book", "books")),
    **dict.fromkeys(("song", "track"), ("song", "songs")),
    **dict.fromkeys(("game", "app"), ("game", "games")),
    **dict.fromkeys(("product", "asin", "sku", "stockcode"), ("product", "products")),
    **dict.fromkeys(("venue", "place", "poi", "location"), ("place", "places")),
    **{
        name: (name, f"{name}s")
        for name in ("artist", "album", "joke", "recipe", "restaurant", "beer", "article", "show", "hotel")
    },
    "business": ("business", "businesses"),
    "anime": ("anime", "anime"),
}
_UNITS = {
    **dict.fromkeys(("play", "listen", "scrobble"), ("play", "plays")),
    **{name: (name, f"{name}s") for name in ("hour", "minute", "visit", "click", "view", "purchase")},
    "quantity": ("piece", "pieces"),
}
Source = "str | Path | Sequence[str | Path] | pd.DataFrame"
SAMPLED = 5000
"""Rows that are looked at."""
SHOWN = 8


@dataclass(frozen=True, eq=False)
class Preview:
    """A file as it is understood.

    Attributes:
        plan: everything that was told, and guesses for the rest. reasons: field of the plan → why, in a short sentence.
        columns: name → its first values as text. opened: the table, and what came with it. sample: its first rows.
        tables: files or sheets there are to choose from. warnings: sentences that one should read before importing.
    """

    plan: ImportPlan
    reasons: Mapping[str, str]
    columns: Mapping[str, list[str]]
    opened: Opened
    sample: Chunk
    tables: Sequence[str] = ()
    warnings: Sequence[str] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether it can be imported as it is."""
        return bool(self.plan.user and self.plan.item)

    def rows(self) -> list[dict[str, str]]:
        """The first rows as they are understood: user, item, and what else there is."""
        from mfcore.data.importing.building import understood

        return understood(self, SHOWN)


def look(source: Any, plan: ImportPlan | None = None, *, items: Any = None) -> Preview:
    """Look at a file, a folder, several files, or a table in memory. ``items``: a second file, with titles.

    Raises:
        UnusableRequest: it holds no table, or what was told of it is not true of it.
    """
    plan = plan or ImportPlan()
    opened = open_source(source, plan, items)
    sample = opened.table.sample(SAMPLED)
    require(len(sample) > 0, f"{opened.table.name} has names of columns, and no rows")
    guesses, facts = _roles(opened, sample, plan)
    reasons = {name: why for name, (_, why) in opened.table.how.items()}
    reasons |= {role: guess.why for role, guess in guesses.items()}
    found = {name: value for name, (value, _) in opened.table.how.items() if hasattr(plan, name)}
    found |= {role: guess.column for role, guess in guesses.items()}
    whole = dataclasses.replace(plan, **{**found, "table": opened.chosen or plan.table})
    by_name = {one.name: one for one in facts}
    whole, warnings = _values(whole, sample, by_name, reasons)
    columns = {name: [_shown(value) for value in values[:SHOWN]] for name, values in sample.columns.items()}
    return Preview(whole, reasons, columns, opened, sample, opened.tables, [*opened.notes, *warnings])


def _roles(opened: Opened, sample: Chunk, plan: ImportPlan) -> tuple[dict[str, Guess], list[Facts]]:
    """What was told, then what the layout fixes, then guesses among the columns that are left."""
    told = {role: column for role in ROLES if (column := getattr(plan, role)) is not None}
    for column in filter(None, told.values()):
        known = ", ".join(sample.columns)
        require(column in sample.columns, f"{opened.table.name} has no column {column!r}; it has {known}")
    twice = sorted({column for column in told.values() if column and list(told.values()).count(column) > 1})
    require(not twice, f"the column {', '.join(twice)} cannot be two things at once")
    fixed = {role: column for role, column in opened.roles.items() if role not in told and column not in told.values()}
    guesses, facts = guess_roles(sample, {**fixed, **told})
    for role, column in fixed.items():
        guesses[role] = Guess(column, f"the layout is that of {opened.layout}" if column else "it has none")
    return guesses, facts


def _values(
    plan: ImportPlan, sample: Chunk, facts: Mapping[str, Facts], reasons: dict[str, str]
) -> tuple[ImportPlan, list[str]]:
    """Fill in what the numbers are, what repeats mean, and the unit of time."""
    warnings: list[str] = []
    new: dict[str, Any] = {}

    def guess(name: str, value: Any, why: str) -> None:
        if getattr(plan, name) is None:
            new[name], reasons[name] = value, why
        else:
            reasons[name] = "as told"

    numbers = numbers_of(sample.columns[plan.rating]) if plan.rating else np.empty(0)
    known = numbers[np.isfinite(numbers)]
    value, why = _unrated(known)
    guess("unrated", value, why)
    unrated = plan.unrated if plan.unrated is not None else value
    marked = unrated is not None
    guess("unrated_as", "missing" if marked else "rating", "such a row tells no opinion" if marked else why)
    rated = known if unrated is None or plan.unrated_as == "rating" else known[known != unrated]
    feedback, why = _feedback(plan, rated, sample)
    guess("feedback", feedback, why)
    if plan.rating and feedback == "chosen" and plan.feedback is None:
        warnings.append(f"The column {plan.rating} says nothing: {why}. Each row counts as chosen.")
    repeats, why = _repeats(plan, sample, plan.feedback or feedback)
    guess("repeats", repeats, why)
    if repeats == "count" and not plan.rating and plan.feedback is None:
        new["feedback"], reasons["feedback"] = "counts", "rows are counted"
    if plan.time:
        unit, why = unit_of(_moments(sample.columns[plan.time]))
        guess("time_unit", unit, why)
    if not plan.user:
        warnings.append("No column says who the user is: choose it. A file about one person alone cannot teach a recommender.")
    if not plan.item:
        warnings.append("No column says what the item is: choose it.")
    words = dict(plan.words)
    for kind, said in _words(plan, new.get("feedback", plan.feedback) or "ratings", rated).items():
        words.setdefault(kind, said)
    return dataclasses.replace(plan, **new, words=words), warnings


def _moments(values: Any) -> Any:
    return as_array(values[:2000] if isinstance(values, np.ndarray) else np.asarray(values[:2000], dtype=object))


def _unrated(known: Any) -> tuple[float | None, str]:
    """0 on a scale that begins at 1 or later, -1 where all else is positive, 99 far above the rest."""
    if not len(known):
        return None, "there are no numbers"
    values, times = np.unique(known, return_counts=True)
    share = dict(zip(values.tolist(), (times / len(known)).tolist(), strict=True))
    rest = values[values > 0]
    if 99.0 in share and len(values) > 5 and values[-2] <= 10 and values[0] < 0:
        return 99.0, "99 lies far above all other values, which reach 10 at most"
    if -1.0 in share and len(rest) and rest[0] >= 0.5 and values[0] == -1.0 and values[-1] <= 10:
        return -1.0, "-1 lies below all ratings, as it does where it means that somebody gave none"
    whole = len(rest) > 1 and bool((rest == np.floor(rest)).all()) and rest[0] >= 1 and 5 <= rest[-1] <= 10
    if 0.0 in share and values[0] == 0.0 and whole and share[0.0] > 0.2:
        return 0.0, f"{100 * share[0.0]:.0f} % are 0, where all others are from {rest[0]:g} to {rest[-1]:g}"
    return None, "every number counts"


def _feedback(plan: ImportPlan, rated: Any, sample: Chunk) -> tuple[str, str]:
    if not plan.rating:
        return "chosen", "there is no column of ratings"
    if not len(rated):
        return "chosen", "it holds no numbers"
    values = np.unique(rated)
    if len(values) == 1:
        return "chosen", f"every one is {values[0]:g}"
    low, high, middle = float(values[0]), float(values[-1]), float(np.median(rated))
    from mfcore.data.importing.roles import _NAMES, plain

    named = plain(plan.rating) in _NAMES["count"].split()
    if low >= 0 and (named or (high > 20 and high > 10 * max(middle, 0.1)) or high > 1000):
        return "counts", f"from {low:g} to {high:g}, half of them at most {middle:g}: how often, and no opinion"
    return "ratings", f"numbers from {low:g} to {high:g}"


def _repeats(plan: ImportPlan, sample: Chunk, feedback: str) -> tuple[str, str]:
    if not plan.user or not plan.item or plan.user not in sample.columns or plan.item not in sample.columns:
        return "last", "as usual"
    pairs = list(zip(map(str, sample.columns[plan.user]), map(str, sample.columns[plan.item]), strict=True))
    share = 1 - len(set(pairs)) / len(pairs)
    if feedback == "counts" and plan.rating:
        return "sum", "counts of the same pair add up"
    if not plan.rating and share > 0.02:
        return "count", f"{100 * share:.0f} % of rows repeat a pair: they are counted"
    if share > 0:
        return "last", "somebody who rates again has changed their mind"
    return "last", "no pair repeats in the rows looked at"


def _words(plan: ImportPlan, feedback: str, rated: Any) -> dict[str, tuple[str, ...]]:
    """What things are called, as far as the names of columns tell."""
    from mfcore.data.importing.roles import plain

    item = plain(plan.item or "")
    thing = next((name for name in _THINGS if item.startswith(name)), "")
    words: dict[str, tuple[str, ...]] = {"item": _THINGS.get(thing, ("item", "items")), "user": ("user", "users")}
    name = plain(plan.rating or "")
    if feedback == "counts":
        return {**words, "rating": next((unit for key, unit in _UNITS.items() if key in name), ("time", "times"))}
    stars = "star" in name or (len(rated) and float(rated.min()) >= 0.5 and float(rated.max()) == 5.0)
    if feedback == "ratings" and stars:
        return {**words, "rating": ("star", "stars"), "symbol": ("★",)}
    return {**words, "rating": ("point", "points")}


def _shown(value: Any) -> str:
    return "" if value is None or value != value else str(value)
