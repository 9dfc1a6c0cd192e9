"""From measurements to medians, ratios and verdicts. Nothing here measures."""

from __future__ import annotations

import statistics
from typing import Any

from bench.speed.rows import Row

HIGHER_IS_BETTER = {"rmse": False, "ndcg": True}


def summary(row: Row, measurements: list[dict[str, Any]]) -> dict[str, Any]:
    """Median, least and most of a contestant: samples per second, or seconds, as the row's unit says; and what it reached."""
    if not measurements or any("absent" in one for one in measurements):
        reason = next((one["absent"] for one in measurements if "absent" in one), "nothing was measured")
        return {"absent": reason}
    values = [one["samples"] / one["seconds"] if row.unit == "samples" else one["seconds"] for one in measurements]
    found: dict[str, Any] = {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
        "repeats": len(values),
    }
    for name in ("rmse", "ndcg"):
        reached = [one[name] for one in measurements if name in one]
        if reached:
            found[name] = statistics.fmean(reached)
    return found


def reaches(row: Row, found: dict[str, Any]) -> bool | None:
    """Whether a training ended as well as its row asks; None where nothing is asked or known."""
    if row.must_reach is None or row.must_reach[0] not in found:
        return None
    name, wanted = row.must_reach
    reached: bool = found[name] >= wanted if HIGHER_IS_BETTER[name] else found[name] <= wanted
    return reached


def ratio(row: Row, ours: dict[str, Any], theirs: dict[str, Any]) -> float | None:
    """Ours by theirs; None if one of them is absent."""
    if "absent" in ours or "absent" in theirs:
        return None
    return float(ours["median"] / theirs["median"])


def verdict(row: Row, name: str, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Rival ``name`` beside us: ratio, goal, and whether it is met (None: no goal, or somebody is absent).

    Rates must be at least goal times theirs, times at most. We must have reached what the row asks; a rival who has not has
    no time to compare with, unless the row is about everybody's best (ndcg).
    """
    goal = next(rival.goal for rival in row.rivals if rival.name == name)
    ours, theirs = found[row.ours], found[name]
    value = ratio(row, ours, theirs)
    result: dict[str, Any] = {"ratio": value, "goal": goal, "met": None, "reached": reaches(row, theirs)}
    if value is None or goal is None:
        return result
    if reaches(row, ours) is False:
        return {**result, "met": False}
    never = result["reached"] is False and row.must_reach is not None and row.must_reach[0] == "rmse"
    return {**result, "met": True if never else (value >= goal if row.unit == "samples" else value <= goal)}


def near(row: Row, found: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """How much of the machine a rate uses: GB/s and Gflop/s needed, and their share of what was measured on it."""
    if "absent" in found or row.unit != "samples":
        return {}
    place = "cuda" if row.name.startswith("cuda") else f"threads_{row.threads}"
    here, rate, result = limits.get(place, {}), found["median"], {}
    if row.bytes is not None:
        result["gb_per_s"] = rate * row.bytes / 1e9
        measured = here.get("cache_gb_per_s" if row.resident else "memory_gb_per_s")
        result["share_of_bandwidth"] = result["gb_per_s"] / measured if measured else None
    if row.flops is not None:
        result["gflop_per_s"] = rate * row.flops / 1e9
        measured = here.get("gflop_per_s")
        result["share_of_peak"] = result["gflop_per_s"] / measured if measured else None
    return result


def result_of(row: Row, measurements: dict[str, list[dict[str, Any]]], limits: dict[str, Any]) -> dict[str, Any]:
    """All of a row, ready to be written."""
    found = {name: summary(row, ones) for name, ones in measurements.items()}
    result: dict[str, Any] = {
        "name": row.name,
        "contestants": found,
        "verdicts": {rival.name: verdict(row, rival.name, found) for rival in row.rivals},
        "near": near(row, found[row.ours], limits),
        "reached": reaches(row, found[row.ours]),
    }
    if row.published and "median" in found[row.ours]:
        _, seconds, goal = row.published
        median = found[row.ours]["median"]
        result["published"] = {"ratio": median / seconds, "goal": goal, "met": median <= goal}
    return result
