"""Numbers and words on screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ui.format import (
    count,
    duration,
    escape_markdown,
    in_its_unit,
    metric,
    metric_help,
    metric_name,
    percent,
    unit_of,
    when,
)
from ui.theme import COLOURS, plotly_layout


@pytest.mark.parametrize(
    ("value", "text"), [(0.94049, "0.940"), (None, "–"), (float("nan"), "–"), (float("inf"), "–"), (0, "0.000")]
)
def test_metric(value: float | None, text: str) -> None:
    assert metric(value) == text


def test_counts_and_shares() -> None:
    assert (count(100000), count(None)) == ("100,000", "–")
    assert (percent(0.063), percent(None)) == ("6.3 %", "–")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.08, "80 ms"),
        (4.2, "4.2 s"),
        (45, "45 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
        (None, "–"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_when() -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert when(now - timedelta(seconds=5), now) == "just now"
    assert when((now - timedelta(minutes=5)).timestamp(), now) == "5 min ago"
    assert when((now - timedelta(hours=3)).isoformat(), now) == "3 h ago"
    assert "Nov 2026" in when(now - timedelta(days=3), now)
    assert when(None) == "–"


def test_titles_from_data_cannot_be_markdown() -> None:
    assert escape_markdown("*x* [a](http://b) :red[c] $d$ `e`").count("\\") >= 12
    assert escape_markdown("two\nlines") == "two lines"


def test_every_metric_has_a_name_and_says_what_is_good() -> None:
    assert metric_name("ndcg@10/full") == "NDCG@10 (all items)"
    assert metric_name("rmse") == "RMSE"
    assert all("good" in metric_help(key) for key in ("rmse", "mae", "hr@10", "ndcg@10", "ndcg@10/full"))
    assert metric_help("unheard-of") == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hr", "37 %"),
        ("hr@10", "37 %"),
        ("hr_full", "37 %"),
        ("recall@10/full", "37 %"),
        ("ndcg", "0.368"),
        ("ndcg@10/full", "0.368"),
        ("map_full", "0.368"),
        ("rmse", "0.368"),
    ],
)
def test_only_shares_are_said_in_percent(name: str, text: str) -> None:
    assert in_its_unit(name, 0.368) == text
    factor, unit, _ = unit_of(name)
    assert (factor, unit) == ((100.0, " %") if text.endswith("%") else (1.0, ""))


def test_a_colour_means_the_same_in_both_themes() -> None:
    assert COLOURS["light"].keys() == COLOURS["dark"].keys()
    for shades in COLOURS.values():
        named = [shades[name] for name in ("train", "valid", "test", "baseline", "mf", "biased-mf", "gmf", "mlp", "neumf")]
        assert len(set(named)) == len(named)


def test_layout_changes_are_laid_over_the_defaults() -> None:
    layout = plotly_layout(True, height=300, xaxis={"title": "epoch"})
    assert layout["height"] == 300
    assert layout["xaxis"]["title"] == "epoch"
    assert layout["xaxis"]["gridcolor"] == COLOURS["dark"]["grid"]
