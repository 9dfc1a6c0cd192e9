"""The arithmetic between measurements and the table of speed; nothing is timed here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.figures import BETWEEN_SPEED, README, speed
from bench.speed import limits, ours, plain, rows
from bench.speed.contestants import Player
from bench.speed.report import (
    document,
    lines,
    markdown,
    near,
    number,
    reaches,
    result_of,
    rows_of,
    rows_of_limits,
    speedups,
    summary,
    svg,
    times,
    verdict,
)
from bench.speed.rows import OURS, PEERS, PLAIN, ROWS, Rival, Row, contestants

RATE = Row(
    "rate", "Rate", "us", "one thread", (Rival("slow", "Slow", goal=2.0), Rival("fast", "Fast")), bytes=100.0, flops=50.0
)
TIME = Row("time", "Time", "us", "fast", (Rival("them", "Them", goal=1.0),), unit="seconds", must_reach=("rmse", 0.925))


def taken(seconds: list[float], samples: int = 100, **more: Any) -> list[dict[str, Any]]:
    return [{"seconds": value, "samples": samples, **more} for value in seconds]


def test_a_rate_is_samples_by_seconds_and_its_median_and_spread_are_those_of_rates() -> None:
    found = summary(RATE, taken([1.0, 2.0, 10.0]))
    assert (found["median"], found["least"], found["most"], found["repeats"]) == (50.0, 10.0, 100.0, 3)
    assert summary(TIME, taken([3.0, 1.0, 2.0, 9.0]))["median"] == 2.5


def test_what_was_reached_is_the_mean_and_counts_from_the_goal_on() -> None:
    found = summary(TIME, [*taken([1.0], rmse=0.92), *taken([1.0], rmse=0.93)])
    assert found["rmse"] == pytest.approx(0.925)
    assert reaches(TIME, {"rmse": 0.925}) is True
    assert reaches(TIME, {"rmse": 0.9251}) is False
    assert reaches(TIME, {}) is None
    ranking = Row("n", "N", "us", "", unit="seconds", must_reach=("ndcg", 0.395))
    assert reaches(ranking, {"ndcg": 0.4}) is True
    assert reaches(ranking, {"ndcg": 0.39}) is False


def test_one_absence_makes_a_contestant_absent_with_its_reason() -> None:
    assert summary(RATE, [*taken([1.0]), {"absent": "died"}]) == {"absent": "died"}
    assert "absent" in summary(RATE, [])
    found = {"us": summary(RATE, taken([1.0])), "slow": {"absent": "no compiler"}}
    assert verdict(RATE, "slow", found) == {"ratio": None, "goal": 2.0, "met": None, "reached": None}


@pytest.mark.parametrize(("ours_s", "theirs_s", "met"), [(1.0, 2.0, True), (1.0, 1.99, False), (1.0, 4.0, True)])
def test_rates_must_be_at_least_goal_times_theirs(ours_s: float, theirs_s: float, met: bool) -> None:
    found = {"us": summary(RATE, taken([ours_s])), "slow": summary(RATE, taken([theirs_s]))}
    result = verdict(RATE, "slow", found)
    assert result["ratio"] == pytest.approx(theirs_s / ours_s)
    assert result["met"] is met


@pytest.mark.parametrize(("ours_s", "theirs_s", "met"), [(1.0, 1.0, True), (1.01, 1.0, False), (0.5, 1.0, True)])
def test_times_must_be_at_most_goal_times_theirs(ours_s: float, theirs_s: float, met: bool) -> None:
    found = {"us": summary(TIME, taken([ours_s], rmse=0.92)), "them": summary(TIME, taken([theirs_s], rmse=0.92))}
    assert verdict(TIME, "them", found)["met"] is met


def test_a_time_without_the_quality_asked_for_is_no_time() -> None:
    quick_and_bad = {"us": summary(TIME, taken([0.1], rmse=0.95)), "them": summary(TIME, taken([1.0], rmse=0.92))}
    assert verdict(TIME, "them", quick_and_bad)["met"] is False
    they_never = {"us": summary(TIME, taken([9.0], rmse=0.92)), "them": summary(TIME, taken([1.0], rmse=0.93))}
    result = verdict(TIME, "them", they_never)
    assert (result["met"], result["reached"]) == (True, False)


def test_shares_of_the_machine() -> None:
    found = near(RATE, {"median": 1e9}, {"threads_1": {"cache_gb_per_s": 400.0, "gflop_per_s": 200.0}})
    assert found == {"gb_per_s": 100.0, "share_of_bandwidth": 0.25, "gflop_per_s": 50.0, "share_of_peak": 0.25}
    assert near(RATE, {"absent": "x"}, {}) == {}
    assert near(TIME, {"median": 1.0}, {}) == {}


def test_bytes_and_flops_of_a_rating_counted_by_hand() -> None:
    # Two factors: 2 rows of 2 + bias, read and written, 4 bytes each; ids of 8 bytes, rating and rate of 4.
    assert rows.one_rating(2) == (2 * 3 * 2 * 4 + 8 + 8 + 4 + 4, 24)
    # 4-2 tower, 3 factors: 8 weights, 2 + 3 in the last layer, 3 products and as many in their gradients.
    assert rows.neumf(3, (4, 2)) == 6 * (8 + 2 + 3 + 2 * 3)


def summaries(row: Row) -> dict[str, dict[str, Any]]:
    """As if everybody had taken as long, we half of it; one rival is absent."""
    reached = {row.must_reach[0]: row.must_reach[1]} if row.must_reach else {}
    found = {name: summary(row, taken([1.0 if module == OURS else 2.0], **reached)) for name, module, _ in contestants(row)}
    return found | ({row.rivals[-1].name: {"absent": "not for this Python"}} if row.rivals else {})


MACHINE = {"cache_gb_per_s": 1.0, "memory_gb_per_s": 1.0, "gflop_per_s": 1.0}
LIMITS = {"threads_1": MACHINE, "threads_2": MACHINE, "cuda": MACHINE}


def results() -> list[dict[str, Any]]:
    return [result_of(row, summaries(row), LIMITS) for row in ROWS]


def test_the_table_of_results_holds_all_that_is_shown() -> None:
    written = [*rows_of_limits(LIMITS), *(line for row in ROWS for line in rows_of(row, summaries(row)))]
    assert document({line.name: line for line in written}) == {"limits": LIMITS, "rows": results()}


def test_the_table_has_a_line_for_every_rival() -> None:
    found = list(lines(results()))
    assert len(found) == sum(max(1, len(row.rivals) + bool(row.published)) for row in ROWS)
    by_rival = {line[2]: line for line in found}
    assert by_rival["takuti's NumPy loop"][4:] == ("2×", "≥ 100× ✗")
    assert by_rival["Surprise SVD"][4:] == ("2×", "≥ 2× ✓")
    assert by_rival["the tutorial on a T4"][3:] == ("90 s", "0.0111×", "≤ 8 s ✓")
    assert by_rival["Cornac MF, one thread"][3] == "– (not for this Python)"
    text = markdown({"rows": results(), "limits": {}})
    assert len({line.count("|") for line in text if line.startswith("|")}) == 1


def test_numbers_are_short() -> None:
    assert [number(v, "samples") for v in (67_123_456.0, 99_400.0, 4.256)] == ["67.1 M/s", "99.4 k/s", "4.26 /s"]
    assert [number(v, "seconds") for v in (12.345, 0.0312)] == ["12.3 s", "31.2 ms"]
    assert [times(v) for v in (3210.4, 12.36, 0.8251, None)] == ["3,210×", "12.4×", "0.825×", "–"]


def test_the_picture_shows_every_ratio_and_faster_is_to_the_right() -> None:
    bars = list(speedups(results()))
    assert all(ratio == pytest.approx(2.0) for _, label, ratio in bars if label != "the tutorial on a T4")
    picture = svg(results(), "a <machine> & more")
    root = ElementTree.fromstring(picture)  # well-formed, whatever the caption says
    assert root.attrib["role"] == "img"
    assert picture.count("fill='#0969da'") == len(bars)
    slower = [result_of(RATE, {who: summary(RATE, taken([2.0 if who == "us" else 1.0])) for who in ("us", "slow", "fast")}, {})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.speed.report.BY_NAME", {"rate": RATE})
        assert svg(slower, "").count("fill='#bc4c00'") == 2


def test_every_contestant_named_in_a_row_exists() -> None:
    there = {OURS: set(ours.CONTESTANTS), PLAIN: set(plain.CONTESTANTS)}
    there[PEERS] = set(__import__("bench.speed.peers", fromlist=["CONTESTANTS"]).CONTESTANTS)
    named = {(module, name) for row in ROWS for name, module, _ in contestants(row)}
    assert all(name in there[module] for module, name in named)
    assert {name for module in there for name in there[module]} == {name for _, name in named}


CHILD = """
from bench.speed.contestants import Absent
def ready(folder):
    print("a library's own words")
    return lambda: {"seconds": 2.0, "samples": 3}
def absent(folder):
    raise Absent("needs a telescope")
def dies(folder):
    calls = iter([{"seconds": 1.0}])
    return lambda: next(calls)
def missing(folder):
    import no_such_library_at_all
CONTESTANTS = {"ready": ready, "absent": absent, "dies": dies, "missing": missing}
"""


def test_a_contestant_answers_from_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toys.py").write_text(CHILD, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Player(sys.executable, "toys", "ready", tmp_path, 1) as player:
        assert [player.absent, player.measure(), player.measure()] == ["", *[{"seconds": 2.0, "samples": 3}] * 2]
    with Player(sys.executable, "toys", "absent", tmp_path, 1) as player:
        assert player.absent == "needs a telescope"
    with Player(sys.executable, "toys", "missing", tmp_path, 1) as player:
        assert "no_such_library_at_all" in player.absent
    with Player(sys.executable, "toys", "dies", tmp_path, 1) as player:
        assert player.absent == ""
        assert "StopIteration" in player.measure()["absent"]
    with Player(None, "toys", "ready", tmp_path, 1) as player:
        assert "environment" in player.absent


def test_the_triad_computes_what_it_is_timed_with() -> None:
    import numpy as np

    a, b, c = np.zeros(5, dtype=np.float32), np.arange(5, dtype=np.float32), np.ones(5, dtype=np.float32)
    limits.triad(a, b, c, np.float32(0.5), 2)
    np.testing.assert_array_equal(a, b + 0.5)


def test_the_speed_in_the_readme_is_what_was_measured() -> None:
    found = BETWEEN_SPEED.search(README.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == speed(), "python -m bench.figures writes it"
