"""Amounts as people say them, in refusals and in what is said of a queue."""

from __future__ import annotations


def size(number_of_bytes: float) -> str:
    """ "1.5 GB", with three digits."""
    for unit in ("bytes", "KB", "MB", "GB", "TB", "PB"):
        if number_of_bytes < 1000 or unit == "PB":
            return f"{number_of_bytes:.3g} {unit}"
        number_of_bytes /= 1000
    raise AssertionError


def about(seconds: float) -> str:
    """A length of time that is only roughly known: "a few seconds", "about 40 seconds", "about 5 minutes", "about 12 days"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} seconds"
    for unit, length, upto in (("minute", 60, 5400), ("hour", 3600, 129_600)):
        if seconds < upto:
            return f"about {round(seconds / length)} {unit}s"
    return f"about {seconds / 86_400:,.0f} days"
