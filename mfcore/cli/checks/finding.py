"""What a check finds, what it is given, and how all of them are asked. Light: nothing here may be missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mfcore.paths import reason

STATES = ("ok", "note", "problem")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    ``state``: ok, note (works, but one should know) or problem (something will not work). ``found``: what there is, in one
    line. ``cure``: what to do; every problem has one.
    """

    state: str
    found: str
    cure: str = ""


@dataclass(frozen=True)
class Circumstances:
    """What is to be looked at. ``home``, ``port``: as a server would be told; ``url``: of one that is served, or None."""

    home: str | None = None
    port: int | None = None
    url: str | None = None


Check = Callable[[Circumstances], Iterable[Finding]]


def ok(found: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", found)


def note(found: str, cure: str = "") -> Finding:
    """It works, but one should know."""
    return Finding("note", found, cure)


def problem(found: str, cure: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding("problem", found, cure)


def examine(checks: Mapping[str, Check], given: Circumstances) -> Iterator[tuple[str, Finding]]:
    """What each check finds, under its name, as it is found. One that fails is a problem, and does not stop the others."""
    for name, check in checks.items():
        try:
            for found in check(given):
                yield name, found
        except ImportError as error:
            yield name, problem(f"cannot be looked at ({reason(error)})", INSTALL)
        except Exception as error:
            why = f"{type(error).__name__}: {reason(error)}"
            yield name, problem(f"cannot be looked at ({why})", "look at what it names; this check met something unforeseen")


INSTALL = "install what is missing: pip install -r requirements.txt, or make setup"


def size(number_of_bytes: float) -> str:
    """Such as 3.4 GB."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if number_of_bytes < 1000:
            return f"{number_of_bytes:.3g} {unit}"
        number_of_bytes /= 1000
    return f"{number_of_bytes:,.1f} TB"
