"""From rows to interactions: ids kept exactly, numbers and moments read, repeats put together, what is left out told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfcore.data.importing.opening import Piece
from mfcore.data.importing.plan import ImportPlan
from mfcore.data.importing.preview import Preview, look
from mfcore.data.importing.quick import read_quickly
from mfcore.data.importing.report import Report, Watch
from mfcore.data.importing.roles import numbers_of
from mfcore.data.importing.tables import Chunk
from mfcore.data.interactions import Interactions, make_item_table
from mfcore.data.times import as_array, convert
from mfcore.data.vocabulary import Vocabulary
from mfcore.errors import UnusableRequest
from mfcore.typing import Bool, Float32, Float64, Int64
from mfcore.validate import require

MISSING_IDS = frozenset({"", "nan", "NaN", "null", "NULL", "None", "none", "N/A", "n/a", "\\N", "<NA>", "NaT"})
_CANONICAL = re.compile(r"0|-?[1-9]\d{0,18}")
_WHOLE_FLOAT = re.compile(r"(-?\d+)\.0+")
_PARTS = {
    "train": 0,
    "training": 0,
    "valid": 1,
    "validation": 1,
    "val": 1,
    "dev": 1,
    "test": 2,
    "testing": 2,
    "0": 0,
    "1": 2,
    "false": 0,
    "true": 2,
}
_FEWEST = 2


@dataclass(frozen=True, eq=False)
class Imported:
    """``interactions``: what was read; ``report``: what became of the rows; ``plan``: as it was understood, complete."""

    interactions: Interactions
    report: Report
    plan: ImportPlan


@dataclass(frozen=True, eq=False)
class Rows:
    """Everything that was read, row by row: raw ids by their codes, and what goes with each."""

    users: Sequence[Any]
    items: Sequence[Any]
    user: Int64
    item: Int64
    rating: Float64 | Float32
    time: Int64 | None
    part: Int64 | None

    def take(self, keep: Any) -> Rows:
        """Some of the rows: a mask or positions."""
        columns: dict[str, Any] = {name: getattr(self, name) for name in ("user", "item", "rating", "time", "part")}
        kept: Any = {name: None if column is None else column[keep] for name, column in columns.items()}
        return replace(self, **kept)

    def __len__(self) -> int:
        return len(self.user)


def load_ratings(
    source: Any,
    *,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    items: Any = None,
    name: str | None = None,
    **choices: Any,
) -> Interactions:
    """Interactions from a file, a folder, several files or a DataFrame, in one line.

    What is not told is guessed; :func:`mfcore.data.importing.look` tells the guesses and their reasons.

    Args:
        source: a path (CSV and its kin, Excel, Parquet, JSON lines, Matrix Market, packed or not, folders and archives of
            known layouts), several paths, or a DataFrame with a row per interaction.
        user, item, rating, timestamp: names of columns; "" for none. items: a second file or DataFrame, with titles.
        name: what to call the data; its file's name otherwise. choices: further fields of :class:`ImportPlan`.

    Raises:
        UnusableRequest: it cannot be read, or holds nothing to learn from.
    """
    known = set(ImportPlan.__dataclass_fields__)
    strange = sorted(set(choices) - known)
    require(not strange, f"unknown: {', '.join(strange)}; known: {', '.join(sorted(known))}")
    plan = ImportPlan(user=user, item=item, rating=rating, time=timestamp, **choices)
    return read(source, plan, items=items, name=name).interactions


def read(
    source: Any,
    plan: ImportPlan | None = None,
    *,
    items: Any = None,
    name: str | None = None,
    progress: Callable[[str, float | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Imported:
    """Everything that is in a file, as interactions. Arguments as of :func:`load_ratings`; ``source`` may be a Preview.

    Raises:
        UnusableRequest: it cannot be read, or holds nothing to learn from. Cancelled: somebody called it off.
    """
    preview = source if isinstance(source, Preview) else look(source, plan, items=items)
    plan, opened = preview.plan, preview.opened
    require(bool(plan.user), "no column says who the user is; name it with user")
    require(bool(plan.item), "no column says what the item is; name it with item")
    watch = Watch(progress or (lambda message, share: None), cancelled or (lambda: False))
    report = Report()
    rows = read_quickly(preview, report, watch) or _read(preview, report, watch)
    require(len(rows) > 0, _nothing_left(report, opened.table.name))
    watch.tell("Putting repeats together", None)
    rows = _without_repeats(rows, plan, report)
    rows = _core(rows, plan, report)
    titles = _titles(preview)
    watch.tell("Building the dataset", None)
    data = _interactions(rows, plan, name or opened.name, preview, titles)
    report.taken = len(data)
    return Imported(data, report, plan)


# --- reading rows -------------------------------------------------------------------------------------------------------------


def _read(preview: Preview, report: Report, watch: Watch) -> Rows:
    tables = preview.opened.parts or [(preview.opened.table, None)]
    collected = [_Collector(preview.plan, report, part).of(table.chunks(report, watch)) for table, part in tables]
    return _joined(collected)


class _Collector:
    """Takes chunks in, and gives what they hold row by row."""

    def __init__(self, plan: ImportPlan, report: Report, part: int | None) -> None:
        self.plan, self.report, self.part = plan, report, part
        self.ids: dict[str, dict[Any, int]] = {"user": {}, "item": {}}
        self.found: dict[str, list[Any]] = {name: [] for name in ("user", "item", "rating", "time", "part")}

    def of(self, chunks: Iterator[Chunk]) -> Rows:
        for chunk in chunks:
            self._take(chunk)
        joined = {name: np.concatenate(parts) if parts else np.empty(0, np.int64) for name, parts in self.found.items()}
        users, items = (list(self.ids[kind]) for kind in ("user", "item"))
        return Rows(
            users,
            items,
            joined["user"].astype(np.int64),
            joined["item"].astype(np.int64),
            joined["rating"].astype(np.float64),
            joined["time"].astype(np.int64) if self.plan.time else None,
            joined["part"].astype(np.int64) if self.plan.part or self.part is not None else None,
        )

    def _take(self, chunk: Chunk) -> None:
        plan, columns, size = self.plan, chunk.columns, len(chunk)
        self.report.rows += size
        reason: list[str] = [""] * size
        codes = {kind: self._codes(kind, columns[getattr(plan, kind)], reason) for kind in ("user", "item")}
        rating = self._ratings(columns[plan.rating], reason) if plan.rating and plan.feedback != "chosen" else np.ones(size)
        if plan.rating and plan.feedback == "chosen" and plan.unrated_as == "missing" and plan.unrated is not None:
            self._ratings(columns[plan.rating], reason)
        time = self._times(columns[plan.time], reason) if plan.time else np.zeros(size, np.int64)
        part = self._parts(columns[plan.part], reason) if plan.part else np.full(size, self.part or 0)
        good = np.fromiter((not why for why in reason), np.bool_, size)
        if not good.all():
            for row in np.flatnonzero(~good).tolist():
                self.report.leave_out(chunk.lines[row], reason[row], chunk.text_of(row))
        for name, values in (("rating", rating), ("time", time), ("part", part), *codes.items()):
            self.found[name].append(values[good])

    def _codes(self, kind: str, values: Any, reason: list[str]) -> Int64:
        """(n,) the code of each id; of a missing one 0, and the reason."""
        ids = self.ids[kind]
        if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
            different, place = np.unique(values, return_inverse=True)
            codes = np.array([ids.setdefault(str(one), len(ids)) for one in different.tolist()], dtype=np.int64)
            return codes[place]
        found = np.zeros(len(values), np.int64)
        for row, value in enumerate(values.tolist() if isinstance(values, np.ndarray) else values):
            text = value if isinstance(value, str) else _id_text(value)
            if text in MISSING_IDS:
                reason[row] = reason[row] or f"the {kind} is missing"
                continue
            found[row] = ids.setdefault(text, len(ids))
        return found

    def _ratings(self, values: Any, reason: list[str]) -> Float64:
        numbers = numbers_of(values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind == "O" else values)
        for row in np.flatnonzero(~np.isfinite(numbers)).tolist():
            value = values[row]
            empty = value is None or value != value or str(value).strip() in MISSING_IDS
            reason[row] = reason[row] or ("the rating is missing" if empty else f"the rating {str(value)[:30]!r} is no number")
        if self.plan.unrated is not None and self.plan.unrated_as == "missing":
            for row in np.flatnonzero(numbers == self.plan.unrated).tolist():
                reason[row] = reason[row] or f"{self.plan.unrated:g} means that it was not rated"
        if self.plan.feedback == "counts":
            for row in np.flatnonzero(numbers < 0).tolist():
                reason[row] = reason[row] or "a count cannot be negative"
        if self.plan.scale is not None and self.plan.feedback == "ratings":
            low, high = self.plan.scale
            for row in np.flatnonzero((numbers < low) | (numbers > high)).tolist():
                reason[row] = reason[row] or f"the rating is off the scale of {low:g} to {high:g}"
        return numbers

    def _times(self, values: Any, reason: list[str]) -> Int64:
        array = as_array(values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object))
        seconds, good = convert(array, self.plan.time_unit or "s")
        for row in np.flatnonzero(~good).tolist():
            value = values[row]
            empty = value is None or value != value or str(value).strip() == ""
            reason[row] = reason[row] or (
                "the time is missing" if empty else "its time is no moment between the years 1 and 9999"
            )
        return seconds

    def _parts(self, values: Any, reason: list[str]) -> Int64:
        parts = np.zeros(len(values), np.int64)
        for row, value in enumerate(values):
            part = _PARTS.get(_id_text(value).strip().lower())
            if part is None:
                reason[row] = reason[row] or f"{str(value)[:30]!r} is none of train, valid and test"
            else:
                parts[row] = part
        return parts


def _id_text(value: Any) -> str:
    """An id as text: a whole number in a column of floats is that number."""
    if value is None or value != value:
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _joined(parts: Sequence[Rows]) -> Rows:
    """Several tables as one: their ids are put on one list, and read as what they are."""
    recoded: dict[str, list[Int64]] = {"user": [], "item": []}
    lists: dict[str, list[str]] = {}
    for kind in ("user", "item"):
        ids: dict[str, int] = {}
        for rows in parts:
            own = getattr(rows, f"{kind}s")
            codes = np.array([ids.setdefault(one, len(ids)) for one in own], dtype=np.int64)
            recoded[kind].append(codes[getattr(rows, kind)] if len(own) else np.empty(0, np.int64))
        lists[kind] = list(ids)
    whole = {name: [getattr(rows, name) for rows in parts] for name in ("rating", "time", "part")}
    joined: dict[str, Any] = {name: None if columns[0] is None else np.concatenate(columns) for name, columns in whole.items()}
    return Rows(lists["user"], lists["item"], np.concatenate(recoded["user"]), np.concatenate(recoded["item"]), **joined)


def _nothing_left(report: Report, name: str) -> str:
    if not report.reasons:
        return f"{name} has no rows"
    reason, number = report.reasons.most_common(1)[0]
    first = next(one for one in report.left_out if one.reason == reason)
    return (
        f"no row of {name} can be taken: of {number:,}, {reason} (line {first.line}: {first.text[:60]}); choose another column"
    )


# --- putting together ---------------------------------------------------------------------------------------------------------


def _without_repeats(rows: Rows, plan: ImportPlan, report: Report) -> Rows:
    """One row for each pair of user and item."""
    key = rows.user * len(rows.items) + rows.item
    moment = rows.time if rows.time is not None else np.zeros(len(rows), np.int64)
    ordered = np.sort(key)
    if plan.repeats != "count" and not (ordered[1:] == ordered[:-1]).any():
        return rows
    order = np.lexsort((np.arange(len(rows)), moment, key))
    first = np.flatnonzero(np.concatenate([[True], key[order][1:] != key[order][:-1]]))
    size = np.diff(np.concatenate([first, [len(rows)]]))
    last = first + size - 1
    report.merged += int((size - 1).sum())
    keep = np.sort(order[first if plan.repeats == "first" else last])
    if plan.repeats in ("last", "first", None):
        return rows.take(keep)
    rank = np.empty(len(rows), np.int64)
    rank[order[last]] = np.arange(len(last))
    total = size.astype(np.float64) if plan.repeats == "count" else np.add.reduceat(rows.rating[order], first)
    value = total / size if plan.repeats == "mean" else total
    return replace(rows.take(keep), rating=value[rank[keep]])


def kcore(user: Int64, item: Int64, user_core: int, item_core: int) -> Bool:
    """(n,) bool: which rows are left when users and items with fewer rows go, again and again, until none has fewer."""
    keep = np.ones(len(user), np.bool_)
    while True:
        few_users = np.bincount(user[keep], minlength=int(user.max(initial=0)) + 1) < user_core
        few_items = np.bincount(item[keep], minlength=int(item.max(initial=0)) + 1) < item_core
        gone = keep & (few_users[user] | few_items[item])
        if not gone.any():
            return keep
        keep &= ~gone


def _core(rows: Rows, plan: ImportPlan, report: Report) -> Rows:
    if max(plan.user_core, plan.item_core) <= 1:
        return rows
    keep = kcore(rows.user, rows.item, plan.user_core, plan.item_core)
    require(
        bool(keep.any()),
        f"nobody is left with {plan.user_core} interactions a user and {plan.item_core} an item; ask for fewer",
    )
    report.note(
        f"{int((~keep).sum()):,} interactions went with users of fewer than {max(1, plan.user_core)} and items of fewer than "
        f"{max(1, plan.item_core)}."
    )
    return rows.take(keep)


def _titles(preview: Preview) -> Any:
    """Titles of items by raw id: from a table of their own, else from a column beside the ids."""
    if preview.opened.titles is not None:
        return preview.opened.titles.by_id
    if not preview.plan.title or preview.plan.title == preview.plan.item:
        return {}
    found: dict[str, tuple[str, None, tuple[str, ...]]] = {}
    for table, _ in preview.opened.parts or [(preview.opened.table, None)]:
        for chunk in table.chunks():
            items, titles = chunk.columns[str(preview.plan.item)], chunk.columns[preview.plan.title]
            for item, title in zip(items, titles, strict=True):
                if title is not None and title == title and str(title).strip():
                    found.setdefault(_id_text(item), (" ".join(str(title).split()), None, ()))
    return found


def _interactions(rows: Rows, plan: ImportPlan, name: str, preview: Preview, titles: Any) -> Interactions:
    users, user = _vocabulary(rows.users, rows.user, "user")
    items, item = _vocabulary(rows.items, rows.item, "item")
    require(
        len(users) >= _FEWEST,
        f"all rows are of one user ({users.ids[0]}); a recommender learns from what several have in common",
    )
    require(len(items) >= _FEWEST, f"all rows are about one item ({items.ids[0]}); there is nothing to choose from")
    feedback = plan.feedback or "ratings"
    known = [titles.get(str(one), ("", None, ())) for one in items.ids.tolist()]
    item_named = (
        plan.item and not titles and any(letter.isalpha() for letter in str(items.ids[0])) and items.ids.dtype.kind == "U"
    )
    shown = [str(one) for one in items.ids.tolist()] if item_named else [one[0] for one in known]
    return Interactions(
        user_idx=user,
        item_idx=item,
        rating=rows.rating.astype(np.float32),
        timestamp=rows.time,
        users=users,
        items=items,
        item_table=make_item_table(shown, [one[1] for one in known], [one[2] for one in known]),
        rating_scale=plan.scale if plan.scale is not None and feedback == "ratings" else scale_of(rows.rating, feedback),
        name=name,
        feedback=feedback,
        part=None if rows.part is None else rows.part.astype(np.int8),
        negatives=_negatives(preview.opened.negatives, users, items) if preview.opened.negatives is not None else None,
    )


def scale_of(rating: Float64 | Float32, feedback: str) -> tuple[float, float]:
    """Lowest and highest rating: of a known kind of scale where they reach its top, else as they are."""
    if feedback == "chosen":
        return 0.0, 1.0
    low, high = float(np.float32(rating.min())), float(np.float32(rating.max()))
    if feedback == "counts":
        return min(0.0, low), high if high > 0 else 1.0
    whole = bool((rating == np.floor(rating)).all())
    if high in (5.0, 10.0) and low >= 0.5:
        low = 1.0 if whole or low >= 1.0 else 0.5
    return (low, high) if low < high else (low, low + 1.0)


def _vocabulary(ids: Sequence[Any], code: Int64, kind: str) -> tuple[Vocabulary, Int64]:
    """Those that occur: numbers in their order, text in the order of the file. (n,) codes → (n,) indices."""
    if isinstance(ids, np.ndarray):
        return _of_numbers(ids, code, kind)
    used = np.zeros(len(ids), np.bool_)
    used[code] = True
    if all(map(_WHOLE_FLOAT.fullmatch, ids)):  # as pandas writes a column of whole numbers with gaps
        ids = [str(int(float(one))) if len(one) < 16 else one.partition(".")[0] for one in ids]
        require(len(set(ids)) == len(ids), f"{kind} ids such as 1.0 and 1.00 are the same; write them alike")
    if all(map(_CANONICAL.fullmatch, ids)) and all(-(2**63) <= int(one) < 2**63 for one in ids):
        return _of_numbers(np.array([int(one) for one in ids], dtype=np.int64), code, kind)
    for place, one in enumerate(ids):
        odd = re.fullmatch(r"-?\d+\.\d*[1-9]\d*", one) if used[place] else None
        if odd and sum(bool(re.fullmatch(r"-?\d+(\.\d+)?", other)) for other in ids) == len(ids):
            raise UnusableRequest(f"{kind} {one} is no id: ids are whole numbers or text; is another column the {kind}?")
    index = np.cumsum(used) - 1
    return Vocabulary([one for one, there in zip(ids, used.tolist(), strict=True) if there], kind), index[code].astype(np.int64)


def _of_numbers(ids: Any, code: Int64, kind: str) -> tuple[Vocabulary, Int64]:
    used = np.zeros(len(ids), np.bool_)
    used[code] = True
    order = np.argsort(ids, kind="stable")
    order = order[used[order]]
    index = np.full(len(ids), -1, np.int64)
    index[order] = np.arange(len(order))
    return Vocabulary(ids[order], kind), index[code]


def _negatives(piece: Piece, users: Vocabulary, items: Vocabulary) -> Int64:
    """Lines of ``(user,item)``, a tab, and the items to rank against it, tab by tab."""
    known: dict[int, list[int]] = {}
    index_of = {str(one): place for place, one in enumerate(items.ids.tolist())}
    user_of = {str(one): place for place, one in enumerate(users.ids.tolist())}
    for number, line in enumerate(piece.whole().decode("utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        head, *others = line.strip().split("\t")
        pair = head.strip("()").split(",")
        require(len(pair) == 2, f"line {number} of {piece.short} must begin with (user,item); got {head[:40]!r}")
        if pair[0].strip() in user_of:
            known[user_of[pair[0].strip()]] = [index_of.get(one.strip(), -1) for one in others]
    wide = max((len(row) for row in known.values()), default=0)
    require(wide > 0, f"{piece.short} names no items to rank against")
    negatives = np.full((len(users), wide), -1, dtype=np.int64)
    for user, row in known.items():
        good = [one for one in row if one >= 0]
        negatives[user, : len(good)] = good
    return negatives


def understood(preview: Preview, count: int) -> list[dict[str, str]]:
    """The first rows of a preview as they are understood, for people to see whether that is right."""
    plan, sample = preview.plan, preview.sample
    columns = {
        role: sample.columns[getattr(plan, role)]
        for role in ("user", "item", "rating", "time", "part", "title")
        if getattr(plan, role)
    }
    rows = []
    for row in range(min(count, len(sample))):
        told = {role: _id_text(values[row]) for role, values in columns.items()}
        if "rating" in told:
            number = numbers_of([columns["rating"][row]])[0]
            told["rating"] = "–" if not np.isfinite(number) else f"{number:g}"
            if plan.feedback == "chosen":
                told["rating"] = "chosen"
        if "time" in told:
            told["time"] = _moment(columns["time"][row], plan.time_unit or "s")
        rows.append({"line": str(sample.lines[row]), **told})
    return rows


def _moment(value: Any, unit: str) -> str:
    seconds, good = convert(as_array(np.asarray([value], dtype=object)), unit)
    if not good[0]:
        return f"{value} is no moment"
    return str(np.datetime64(int(seconds[0]), "s")).replace("T", " ")
