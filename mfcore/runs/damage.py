"""Files of a run that an import, or a hand, filled with what no run writes: noticed before a page stumbles over them."""

from __future__ import annotations

from typing import Any

DAMAGED = "DamagedRun"
"""The ``error`` of a run with such files."""


def check_labels(meta: dict[str, Any]) -> None:
    """Name and note are text.

    Raises:
        TypeError: they are not.
    """
    if not all(isinstance(meta.get(name, ""), str) for name in ("name", "note")):
        raise TypeError("meta.json")


def check_result(result: dict[str, Any]) -> None:
    """Metrics are numbers by name, and so is all else that pages calculate with.

    Raises:
        TypeError, AttributeError: they are not.
    """
    tables = [result.get(name, {}) for name in ("test", "valid", "test_before_refit")]
    tables += list(result.get("baselines", {}).values())
    tables += [{name: result.get(name) or 0 for name in ("best_epoch", "train_seconds", "samples_per_second")}]
    if not all(_is_number(value) for table in tables for value in table.values()):
        raise TypeError("result.json")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
