"""Which column is the user, the item, the rating, the time: by its name, else by what is in it; each guess with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfcore.data.importing.tables import Chunk
from mfcore.data.times import as_array, convert, unit_of
from mfcore.typing import Float64

# Names as people write them, without blanks, dots, dashes and capitals; the first of a row is the surest.
_NAMES = {
    "user": "user userid useridx uid uuid usr userno usernum customer customerid custid member memberid viewer viewerid "
    "visitor visitorid person personid people reviewer reviewerid rater raterid judge account accountid client "
    "clientid reader readerid listener player playerid steamid profile profileid authorid author username userhash "
    "userkey usersha1 msno consumer consumerid patient student studentid voter subscriber subscriberid employee "
    "whoid wer nutzer utilisateur usuario cookie cookieid deviceid sessionid session emailaddress email respondent "
    "participant",
    "item": "item itemid itemidx iid itemno movie movieid film filmid isbn isbn13 asin parentasin product productid prodid "
    "sku article articleid song songid track trackid book bookid business businessid gmapid game gameid appid app "
    "anime animeid manga mangaid joke jokeid beer beerid wine wineid recipe recipeid venue venueid poi poiid "
    "location locationid place placeid restaurant restaurantid show showid video videoid url page pageid stockcode "
    "stock hotel hotelid course courseid podcast work workid artist artistid album albumid tvdbid imdbid const "
    "tconst tmdbid doi paper paperid newsid news contentid content offer offerid tag tagid repo repoid channel "
    "channelid streamer",
    "rating": "rating ratings rate score scores star stars overall preference pref grade vote mark myrating bookrating "
    "myscore reviewscore reviewrating userrating yourrating reviewoverall averagerating ratingvalue rated userscore "
    "bewertung note puntuacion value weight",
    "count": "count plays playcount listens listencount nplays numplays listeningcount hours hoursplayed playtime "
    "playtimeforever playtimehours minutes minutesplayed quantity qty visits visitcount clicks numclicks views "
    "viewcount frequency freq purchases times scrobbles watchtime duration amountofplays total",
    "time": "timestamp time datetime date ts unixreviewtime reviewtime created createdat createdon ratingtimestamp tstamp "
    "when watcheddate dateread dateadded daterated utc utctime localtime checkintime invoicedate submitted day "
    "eventtime eventdate timesubmitted unixtime addedat modified updatedat lastplayed reviewdate orderdate zeit "
    "datum fecha sorttimestamp",
    "part": "split part subset set partition istest traintest",
    "title": "title name movietitle movie_title booktitle itemname itemtitle productname producttitle filmtitle artistname "
    "trackname songtitle gamename animename businessname originaltitle headline label recipename venuename",
}
_KNOWN = {name.replace("_", ""): role for role, names in reversed(_NAMES.items()) for name in names.split()}
_NOBODY = frozenset(
    [
        "age",
        "behaviorname",
        "categories",
        "category",
        "city",
        "comment",
        "cool",
        "country",
        "description",
        "episodes",
        "funny",
        "gender",
        "genre",
        "genres",
        "helpful",
        "helpfulness",
        "helpfulvotes",
        "id",
        "image",
        "images",
        "index",
        "lat",
        "latitude",
        "length",
        "letterboxduri",
        "liked",
        "link",
        "lng",
        "lon",
        "longitude",
        "members",
        "notrated",
        "numratings",
        "numreviews",
        "occupation",
        "pages",
        "price",
        "publisher",
        "releaseyear",
        "review",
        "reviewid",
        "reviewtext",
        "reviewtitle",
        "row",
        "rowid",
        "runtime",
        "sex",
        "state",
        "style",
        "summary",
        "tags",
        "text",
        "timezoneoffset",
        "type",
        "unnamed",
        "unnamed0",
        "useful",
        "venuecategory",
        "venuecategoryid",
        "venuecategoryname",
        "verified",
        "verifiedpurchase",
        "vote",
        "votes",
        "year",
        "year2",
        "yearofpublication",
        "zip",
        "zipcode",
    ]
)
_TITLES = ("movie", "film", "book", "song", "track", "game", "show", "anime", "recipe", "artist", "album", "beer", "wine")
ROLES = ("user", "item", "rating", "time", "part", "title")


def plain(name: str) -> str:
    """``"User ID"``, ``user_id``, ``userId`` → ``userid``."""
    return re.sub(r"[^0-9a-zà-ÿа-я]", "", name.lower())


def known_name(name: str) -> str:
    """The role that a column of this name usually has; "" for any other."""
    short = plain(name)
    if short in _NOBODY and short not in _KNOWN:
        return "other" if len(short) > 2 else ""
    return _KNOWN.get(short, "")


@dataclass(frozen=True)
class Guess:
    """``column``: its name, or "" where no column has the role. ``why``: a short sentence."""

    column: str
    why: str


@dataclass(frozen=True)
class Facts:
    """What the sample says about a column: share of values that are there, that are numbers, whole, moments; how many are
    different; the numbers; and whether it only counts the rows."""

    name: str
    filled: float
    numeric: float
    whole: bool
    different: int
    numbers: Float64
    moments: float
    counts_rows: bool
    rows: int

    @property
    def scale_like(self) -> bool:
        """Whether the numbers may be ratings: few different ones, close together."""
        if self.numeric < 0.95 or not len(self.numbers):
            return False
        low, high = float(self.numbers.min()), float(self.numbers.max())
        few = self.different <= 21 or (self.different <= 101 and high - low <= 20)
        return few and high - low <= 100 and low >= -20 and not (high > 100 and self.whole)


def facts_of(name: str, values: Sequence[Any]) -> Facts:
    """Look at a column of the sample."""
    there = [value for value in values if value is not None and value == value and str(value).strip() != ""]
    numbers = numbers_of(there)
    known = numbers[np.isfinite(numbers)]
    whole = bool(len(known)) and bool((known == np.floor(known)).all())
    counting = len(known) > 5 and len(known) == len(values) and bool((np.diff(known) == 1).all()) and known[0] in (0, 1)
    return Facts(
        name,
        len(there) / max(1, len(values)),
        len(known) / max(1, len(there)),
        whole,
        len(set(map(str, there))),
        known,
        _share_of_moments(there),
        counting,
        len(values),
    )


def numbers_of(values: Sequence[Any]) -> Float64:
    """(n,) float64, NaN for what is no number. A decimal comma is one; so is "4/5", "4 stars" and "★★★½"."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        cache: dict[Any, float] = {}
        found = np.empty(len(values))
        for place, value in enumerate(values):
            known = cache.get(value)
            if known is None:
                known = cache[value] = one_number(value)
            found[place] = known
        return found


_DECIMAL = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_OUT_OF = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(?:/\s*\d+|stars?|\*|★|von \d+|out of \d+)\s*(?:out of \d+)?", re.IGNORECASE)
_FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75}


def one_number(value: Any) -> float:
    """A number as people write it; NaN for anything else."""
    if isinstance(value, bool | np.bool_):
        return float(value)
    if isinstance(value, int | float | np.number):
        return float(value)
    text = str(value).strip()
    if _DECIMAL.fullmatch(text):
        return float(text.replace(",", "."))
    if found := _OUT_OF.fullmatch(text):
        return float(found[1].replace(",", "."))
    if text and set(text) <= {"★", "☆", *_FRACTIONS}:
        return text.count("★") + sum(_FRACTIONS.get(letter, 0.0) for letter in text)
    return {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}.get(text.lower(), float("nan"))


def _share_of_moments(values: Sequence[Any]) -> float:
    """Share of values that are moments of our days; small numbers are none."""
    if not len(values):
        return 0.0
    some = as_array(np.asarray(values[:500], dtype=object) if isinstance(values, list | tuple) else values[:500])
    try:
        unit, _ = unit_of(some)
        seconds, good = convert(some, unit)
    except Exception:  # whatever is in there is no moment
        return 0.0
    return float((good & (seconds > 300_000_000) & (seconds < 2_200_000_000)).mean())


def guess_roles(sample: Chunk, told: Mapping[str, str] | None = None) -> tuple[dict[str, Guess], list[Facts]]:
    """Role → guess, for each of ``ROLES``; and what was seen in each column. ``told``: role → column, which are no guesses, so
    that the rest is guessed among the other columns."""
    facts = [facts_of(name, values) for name, values in sample.columns.items()]
    guesses = {role: Guess(column, "as told" if column else "told to have none") for role, column in (told or {}).items()}
    _by_name(facts, guesses)
    taken = {guess.column for guess in guesses.values()}
    left = [one for one in facts if one.name not in taken and known_name(one.name) != "other" and one.filled > 0]
    nameless = not any(known_name(one.name) for one in facts)
    _time_by_content(guesses, left)
    _ids_by_content(guesses, left, sample)
    if "rating" not in guesses:
        _rating_by_content(guesses, left, nameless)
    for role in ROLES:
        guesses.setdefault(role, Guess("", "no column looks like one"))
    return guesses, facts


def _by_name(facts: list[Facts], guesses: dict[str, Guess]) -> None:
    """Columns whose names say it. Of several the one earliest in our list; ids before names of things."""
    for role, names in _NAMES.items():
        order = [name.replace("_", "") for name in names.split()]
        found = [one for one in facts if plain(one.name) in order and _fits(role, one)]
        found = [one for one in found if one.name not in {guess.column for guess in guesses.values()}]
        if found:
            best = min(found, key=lambda one: (one.filled < 0.5, order.index(plain(one.name))))
            target = "rating" if role == "count" else role
            if target not in guesses:
                guesses[target] = Guess(best.name, f"its name, {best.name!r}")
    if "item" in guesses and "title" not in guesses:
        _title_beside_item(guesses, facts)
    if "item" not in guesses and "title" in guesses:
        title = guesses.pop("title")
        guesses["item"] = Guess(title.column, f"{title.why}, and there is no id beside it")


def _title_beside_item(guesses: dict[str, Guess], facts: list[Facts]) -> None:
    """ "movieId" and "movie": the text is the title of the id."""
    item = plain(guesses["item"].column)
    for one in facts:
        short = plain(one.name)
        if short in _TITLES and one.name != guesses["item"].column and one.numeric < 0.5 and short in item:
            guesses["title"] = Guess(one.name, f"text beside {guesses['item'].column!r}")


def _fits(role: str, one: Facts) -> bool:
    """Whether what is in a column is not against what its name says."""
    if one.filled == 0:
        return False
    if role in ("rating", "count"):
        return one.numeric > 0.5
    if role == "time":
        return one.moments > 0.5 or (one.numeric > 0.95 and one.different > 1)
    if role == "part":
        return one.different <= 5
    return not one.counts_rows or role in ("user", "item")


def _time_by_content(guesses: dict[str, Guess], left: list[Facts]) -> None:
    if "time" in guesses:
        return
    for one in left:
        if one.moments > 0.9 and one.different > 1:
            guesses["time"] = Guess(one.name, "its values are moments of our days")
            left.remove(one)
            return


def _ids_by_content(guesses: dict[str, Guess], left: list[Facts], sample: Chunk) -> None:
    """The user is the first column that repeats and is no rating, the item the next one."""
    candidates = [one for one in left if not one.counts_rows and one.filled > 0.5]
    keep = 2 - sum(role in guesses for role in ("user", "item"))
    scales = [one for one in candidates if one.scale_like]
    if len(candidates) > keep and "rating" not in guesses:  # one of them is the rating, the last that looks like one
        for one in reversed(scales):
            if len(candidates) > keep:
                candidates.remove(one)
    for role in ("user", "item"):
        if role not in guesses and candidates:
            one = candidates.pop(0)
            left.remove(one)
            guesses[role] = Guess(one.name, f"the first column with ids{' that is left' if role == 'item' else ''}")


def _rating_by_content(guesses: dict[str, Guess], left: list[Facts], nameless: bool) -> None:
    scales = [one for one in left if one.scale_like and one.different > 1 and not one.counts_rows]
    if scales:
        one = scales[0]
        low, high = float(one.numbers.min()), float(one.numbers.max())
        guesses["rating"] = Guess(one.name, f"numbers from {low:g} to {high:g}, {one.different} different ones")
        left.remove(one)
        return
    numbers = [
        one
        for one in left
        if one.numeric > 0.99 and not one.counts_rows and one.different > 1 and float(one.numbers.min()) >= 0
    ]
    if nameless and len(numbers) == 1 and numbers[0].whole:
        guesses["rating"] = Guess(numbers[0].name, "the only numbers that are left, so they are counts")
        return
    constant = [one for one in left if one.numeric > 0.99 and one.different == 1]
    if nameless and constant:
        guesses["rating"] = Guess(constant[0].name, "it holds one and the same number everywhere")


def is_wide(sample: Chunk) -> bool:
    """Whether this is a matrix: the first column names users, and each of the others holds what they gave to one item."""
    names = list(sample.columns)
    if len(names) < 6 or len(sample) < 2 or sum(bool(known_name(name)) for name in names[1:]) > 1:
        return False
    facts = [facts_of(name, values) for name, values in list(sample.columns.items())[1:]]
    filled = [one for one in facts if one.filled > 0]
    if len(filled) < 5 or any(one.numeric < 0.98 for one in filled):
        return False
    numbers = np.concatenate([one.numbers for one in filled])
    return bool(np.ptp(numbers) <= 200) and len(np.unique(numbers)) <= max(60, 0.5 * len(numbers))
