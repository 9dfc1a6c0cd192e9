"""Numbers and words as they appear on screen."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

NOTHING = "–"


def metric(value: float | None) -> str:
    """Three decimals; "–" where the number is undefined."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.3f}"


def count(value: float | None) -> str:
    """Whole number, thousands separated: 100,000."""
    return NOTHING if value is None or not math.isfinite(value) else f"{round(value):,}"


def percent(share: float | None, decimals: int = 1) -> str:
    """0.063 → 6.3 %."""
    return NOTHING if share is None or not math.isfinite(share) else f"{100 * share:.{decimals}f} %"


def rounded_percent(share: float) -> str:
    """0.063 → "6.3 %"; small shares keep two digits that matter, and only a true 100 % says so."""
    value = 100.0 * share
    if 0 < value < 1:
        return f"{value:.2g} %"
    text = f"{value:.0f}" if value >= 10 and (value <= 99.5 or value == 100) else f"{value:.1f}"
    return f"{text} %"


def duration(seconds: float | None) -> str:
    """Human units: 80 ms, 4.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def when(moment: str | float | datetime | None, now: datetime | None = None) -> str:
    """A point in time as people say it: just now, 5 min ago, 3 h ago, 12 Nov 2026 14:30."""
    if moment is None or moment == "":
        return NOTHING
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    elif not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    age = ((now or datetime.now(UTC)) - moment).total_seconds()
    if age < 60:
        return "just now"
    if age < 3600:
        return f"{int(age // 60)} min ago"
    if age < 86400:
        return f"{int(age // 3600)} h ago"
    local = moment.astimezone()
    return f"{local.day} {local:%b %Y %H:%M}"


_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^])")


def escape_markdown(text: object) -> str:
    """Text from data, safe wherever Streamlit renders Markdown: labels, titles, captions, pills and segmented options.

    Not for selectbox options, data frames or metrics' values: those show text as it is.
    """
    return _MARKDOWN.sub(r"\\\1", str(text).replace("\n", " "))


def escape_plotly(text: object) -> str:
    """Text from data, safe in Plotly titles, hovers and labels, which read a little HTML."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True)
class Metric:
    """A metric in words. ``unit``: "share" (0 to 1, said in percent), "rating" (in units of a rating) or "" (neither).

    ``help``: a sentence or two, with what a good value is; ``short``: its title where a column is narrow; ``of_lists``: it has
    a K, and depends on how many rivals there are.
    """

    title: str
    help: str = ""
    lower_is_better: bool = False
    unit: str = ""
    of_lists: bool = True
    short: str = ""


# In the order in which they are read: rating errors, then HR and NDCG before the rest.
METRICS: dict[str, Metric] = {
    "rmse": Metric(
        "RMSE",
        "Root mean squared error of predicted ratings, in stars; lower is better. "
        "On MovieLens 100K the bias-only baseline has about 0.94 (random split) and a good factor model 0.91 to 0.93.",
        lower_is_better=True,
        unit="rating",
        of_lists=False,
    ),
    "mae": Metric(
        "MAE",
        "Mean absolute error of predicted ratings, in stars; lower is better. On MovieLens 100K 0.72 to 0.74 is good.",
        lower_is_better=True,
        unit="rating",
        of_lists=False,
    ),
    "hr": Metric(
        "HR",
        "Hit rate: share of held-out items found in the first K; higher is better. "
        "On MovieLens 100K, among 99 sampled items, popularity has about 0.40 and a good model 0.65 to 0.70 at K = 10.",
        unit="share",
    ),
    "ndcg": Metric(
        "NDCG",
        "Like the hit rate, but a hit near the top counts more; higher is better. "
        "On MovieLens 100K, among 99 sampled items, popularity has about 0.23 and a good model 0.38 to 0.40 at K = 10.",
    ),
    "mrr": Metric(
        "MRR",
        "Mean of one over the position of the first held-out item; 1 would be always first. "
        "On MovieLens 100K, among 99 sampled items, about 0.3 is good.",
    ),
    "map": Metric("MAP", "Mean over users of the average precision in the first K; higher is better, and rarely above 0.3."),
    "recall": Metric(
        "Recall", "Share of a user's held-out items found in the first K; higher is better. Good is like HR.", unit="share"
    ),
    "precision": Metric(
        "Precision",
        "Share of the first K that the user really chose; at most 1/K with one held-out item.",
        unit="share",
        short="Prec.",
    ),
    "auc": Metric(
        "AUC",
        "Chance that a held-out item is placed above a random other one: 0.5 is guessing, 1 perfect. "
        "On MovieLens 100K, with each user's latest film held out, popularity has about 0.80 and a good model 0.89; "
        "it says little about the top of the list.",
        of_lists=False,
    ),
}
_FULL = (
    " Here all items compete, not 99 sampled ones, so numbers are much smaller:"
    " on MovieLens 100K HR@10 of 0.13 to 0.15 and NDCG@10 of 0.07 to 0.08 are good."
)


def _parsed(key: str) -> tuple[str, str, bool]:
    """``ndcg@10/full`` (as in events) or ``ndcg_full`` (as in tables of curves) → stem, K as text or "", whether full."""
    base, _, variant = key.partition("/")
    stem, _, k = base.partition("@")
    return stem.removesuffix("_full"), k, variant == "full" or stem.endswith("_full")


def metric_words(key: str) -> Metric:
    """What is known of a metric by its key; a metric nobody described goes by its name."""
    stem = _parsed(key)[0]
    return METRICS.get(stem) or Metric(stem.replace("_", " ").upper())


def metric_name(key: str, *, short: bool = False) -> str:
    """``ndcg@10/full`` → "NDCG@10 (all items)", in short "NDCG@10 all"; ``rmse`` → "RMSE"."""
    (_, k, full), words = _parsed(key), metric_words(key)
    title = (short and words.short) or words.title
    return f"{title}{f'@{k}' if k else ''}" + ((" all" if short else " (all items)") if full else "")


def metric_help(key: str) -> str:
    """One sentence or two on a metric, with what a good value is on MovieLens 100K; for tooltips."""
    (_, k, full), words = _parsed(key), metric_words(key)
    return words.help + (_FULL if words.help and words.of_lists and k and full else "")


def lower_is_better(key: str) -> bool:
    """Errors fall, ranking metrics rise."""
    return metric_words(key).lower_is_better


def reading_order(keys: Iterable[str]) -> list[str]:
    """Metrics as a table shows them: rating errors, then sampled ranking, then full ranking; the well-known first in each."""

    def place(key: str) -> tuple[int, int, str]:
        stem, _, full = _parsed(key)
        family = 0 if metric_words(key).unit == "rating" else 2 if full else 1
        return family, list(METRICS).index(stem) if stem in METRICS else len(METRICS), key

    return sorted(keys, key=place)


def headline_metrics(known: Iterable[str], k: int) -> list[str]:
    """Those of the ``known`` metrics that are shown first and large, in reading order."""
    found, wanted = set(known), ("rmse", "mae", f"hr@{k}", f"ndcg@{k}", f"hr@{k}/full", f"ndcg@{k}/full")
    return [key for key in wanted if key in found]


def unit_of(key: str) -> tuple[float, str, str]:
    """How a chart shows a metric: factor, unit, and Plotly's format of a number.

    Shares (of hits, of what was to be found, of a list) are in percent. NDCG, MRR and MAP are means of discounted places, of
    which no percent can be said; the unit of rating errors is the dataset's.
    """
    return (100.0, " %", ".1f") if metric_words(key).unit == "share" else (1.0, "", ".3f")


def in_its_unit(key: str, value: float | None) -> str:
    """64 % for a share, 0.368 for another metric."""
    return percent(value, 0) if metric_words(key).unit == "share" else metric(value)
