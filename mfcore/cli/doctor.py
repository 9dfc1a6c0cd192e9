"""The command doctor: looks at this installation, its data directory and, with ``--url``, a served address. Changes nothing.

It has to work where something is broken: its own imports are few, and it has a parser of its own beside that of all commands.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mfcore import __version__
from mfcore.cli.checks import CHECKS
from mfcore.cli.checks.asking import checked_url
from mfcore.cli.checks.finding import STATES, Circumstances, Finding, examine
from mfcore.cli.remarks import OneLineParser
from mfcore.files import dumps
from mfcore.validate import integer

TEXT = "Look for what keeps MF Explorer from working here, and say how to cure it."


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this command; ``--home`` and ``--json`` are every command's."""
    parser.add_argument("--port", help="the port to look at (default: as it is configured, 8501)")
    parser.add_argument("--url", help="also look at a served address from outside, such as https://example.org/lab")


def doctor(options: argparse.Namespace) -> int:
    """Tell what was found, a line each; returns 1 where there is a problem.

    Raises:
        UnusableRequest: an option is unusable.
    """
    given = Circumstances(
        home=options.home,
        port=None if options.port is None else integer("port", options.port, low=1, high=65_535),
        url=None if options.url is None else checked_url(options.url),
    )
    told: list[tuple[str, Finding]] = []
    for name, found in examine(CHECKS, given):
        told.append((name, found))
        _tell(name, found)
    count = {state: sum(found.state == state for _, found in told) for state in STATES}
    print(_end(count))
    if options.json:
        rows = [{"check": name, "state": f.state, "found": f.found, "cure": f.cure or None} for name, f in told]
        print(dumps({"version": __version__, "counts": count, "checks": rows}, plain=True), flush=True)
    return 1 if count["problem"] else 0


def run_alone(arguments: Sequence[str]) -> int:
    """The command by itself, where those beside it may not even be imported."""
    parser = OneLineParser(prog="python -m mfcore doctor", description=TEXT)
    parser.add_argument("--home", metavar="DIR", help="where data and runs are kept (else MF_EXPLORER_HOME)")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line of standard output")
    add_flags(parser)
    return doctor(parser.parse_args(arguments))


def _tell(name: str, found: Finding) -> None:
    print(f"{found.state:8} {name:15} {_line(found.found)}")
    if found.cure:
        print(f"{'':24} → {_line(found.cure)}", flush=True)


def _line(text: str) -> str:
    """One line, without what a stranger's answer could do to a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _end(count: dict[str, int]) -> str:
    problems, notes = count["problem"], count["note"]
    if not problems:
        return f"no problem found{f', {notes} to know' if notes else ''}"
    return f"{problems} problem{'s' if problems > 1 else ''}, {notes} to know"
