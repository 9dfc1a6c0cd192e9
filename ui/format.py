"""Numbers and words as they appear on screen."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from mfcore.evaluation.metrics import headline_keys, is_share, metric_title, place
from mfcore.training.schedule import rate_text

NOTHING = "–"


def metric(value: float | None) -> str:
    """Three decimals; "–" where the number is undefined."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.3f}"


def count(value: float | None) -> str:
    """Whole number, thousands separated: 100,000."""
    return NOTHING if value is None or not math.isfinite(value) else f"{round(value):,}"


def rate(value: float | None) -> str:
    """A learning rate in three digits that matter: 0.00138, 0.02, 2e-7."""
    return NOTHING if value is None or not math.isfinite(value) else rate_text(value)


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


def silent_words(since: float) -> str:
    """What is said of a run whose worker was last heard at ``since``, in seconds since 1970."""
    clock = datetime.fromtimestamp(since).astimezone().strftime("%H:%M")
    return f"Not answering since {clock}. It may be at one long step, or hang. Ended, it can go on from its last checkpoint."


def escape_markdown(text: object) -> str:
    """Text from data, safe wherever Streamlit renders Markdown: labels, titles, captions, pills and segmented options.

    Not for selectbox options, data frames or metrics' values: those show text as it is.
    """
    return _MARKDOWN.sub(r"\\\1", str(text).replace("\n", " "))


def escape_plotly(text: object) -> str:
    """Text from data, safe in Plotly titles, hovers and labels, which read a little HTML."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def metric_name(key: str, *, short: bool = False) -> str:
    """``ndcg@10/full`` → "NDCG@10 (all items)", in short "NDCG@10 all"; ``rmse`` → "RMSE"."""
    return metric_title(key, short=short)


def reading_order(keys: Iterable[str]) -> list[str]:
    """Metrics as a table shows them: rating errors, then sampled ranking, then full ranking; the well-known first in each."""
    return sorted(keys, key=place)


def headline_metrics(known: Iterable[str], k: int) -> list[str]:
    """Those of the ``known`` metrics that are shown first and large, in reading order."""
    found = set(known)
    return [key for key in headline_keys(k) if key in found]


def unit_of(key: str) -> tuple[float, str, str]:
    """How a chart shows a metric: factor, unit, and Plotly's format of a number.

    Shares (of hits, of what was to be found, of a list) are in percent. NDCG, MRR and MAP are means of discounted places, of
    which no percent can be said; the unit of rating errors is the dataset's.
    """
    return (100.0, " %", ".1f") if is_share(key) else (1.0, "", ".3f")


def in_its_unit(key: str, value: float | None) -> str:
    """64 % for a share, 0.368 for another metric."""
    return percent(value, 0) if is_share(key) else metric(value)
