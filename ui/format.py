"""Numbers and words as they appear on screen."""

from __future__ import annotations

import math
import re
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


def unit_of(name: str) -> tuple[float, str, str]:
    """How a chart shows a metric (``hr``, ``ndcg_full``, ``recall@10`` …): factor, unit, and Plotly's format of a number.

    Shares (of hits, of what was to be found, of a list) are in percent. NDCG, MRR and MAP are means of discounted places, of
    which no percent can be said; RMSE is in stars.
    """
    stem = name.partition("@")[0].removesuffix("_full")
    return (100.0, " %", ".1f") if stem in ("hr", "recall", "precision") else (1.0, "", ".3f")


def in_its_unit(name: str, value: float | None) -> str:
    """64 % for a share, 0.368 for another metric."""
    return percent(value, 0) if unit_of(name)[1] else metric(value)


def rate(value: float | None) -> str:
    """Things a second in short form: 3.1 M, 420 k, 87."""
    if value is None or not math.isfinite(value):
        return NOTHING
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


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


_METRICS = {
    "rmse": (
        "RMSE",
        "Root mean squared error of predicted ratings, in stars; lower is better. "
        "On MovieLens 100K the bias-only baseline has about 0.94 (random split) and a good factor model 0.91 to 0.93.",
    ),
    "mae": (
        "MAE",
        "Mean absolute error of predicted ratings, in stars; lower is better. On MovieLens 100K 0.72 to 0.74 is good.",
    ),
    "hr": (
        "HR",
        "Hit rate: share of held-out items found in the first K; higher is better. "
        "On MovieLens 100K, among 99 sampled items, popularity has about 0.40 and a good model 0.65 to 0.70 at K = 10.",
    ),
    "ndcg": (
        "NDCG",
        "Like the hit rate, but a hit near the top counts more; higher is better. "
        "On MovieLens 100K, among 99 sampled items, popularity has about 0.23 and a good model 0.38 to 0.40 at K = 10.",
    ),
    "mrr": (
        "MRR",
        "Mean of one over the position of the first held-out item; 1 would be always first. "
        "On MovieLens 100K, among 99 sampled items, about 0.3 is good.",
    ),
    "recall": ("Recall", "Share of a user's held-out items found in the first K; higher is better. Good is like HR."),
    "precision": ("Precision", "Share of the first K that the user really chose; at most 1/K with one held-out item."),
    "map": ("MAP", "Mean over users of the average precision in the first K; higher is better, and rarely above 0.3."),
    "auc": (
        "AUC",
        "Chance that a held-out item is placed above a random other one: 0.5 is guessing, 1 perfect. "
        "On MovieLens 100K, with each user's latest film held out, popularity has about 0.80 and a good model 0.89; "
        "it says little about the top of the list.",
    ),
}
_FULL = (
    " Here all items compete, not 99 sampled ones, so numbers are much smaller:"
    " on MovieLens 100K HR@10 of 0.13 to 0.15 and NDCG@10 of 0.07 to 0.08 are good."
)


def metric_name(key: str) -> str:
    """``ndcg@10/full`` → "NDCG@10 (all items)"; ``rmse`` → "RMSE"."""
    base, _, variant = key.partition("/")
    stem, at, k = base.partition("@")
    title = _METRICS.get(stem, (stem.upper(), ""))[0]
    return f"{title}{at}{k}" + (" (all items)" if variant == "full" else "")


def metric_help(key: str) -> str:
    """One sentence or two on a metric, with what a good value is on MovieLens 100K; for tooltips."""
    base, _, variant = key.partition("/")
    text = _METRICS.get(base.partition("@")[0], ("", ""))[1]
    hits = base.partition("@")[2]  # AUC has no K and is much the same against all items
    return text + (_FULL if text and hits and variant == "full" else "")


def lower_is_better(key: str) -> bool:
    """Errors fall, ranking metrics rise."""
    return key.partition("@")[0] in ("rmse", "mae")


_RANKING = ("hr", "ndcg", "mrr", "recall", "precision", "map")
METRIC_HELP: dict[str, str] = {
    key: metric_help(key)
    for key in ("rmse", "mae", "auc", "auc/full", *(f"{stem}@10{variant}" for stem in _RANKING for variant in ("", "/full")))
}
