"""``python -m mfcore``, ``mf-explorer`` where it is installed: everything the app can do, without a browser; and the app.

Exit status: 0 done, 2 the request was unusable (one line on standard error says why), 1 it failed.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from mfcore.cli.interrupts import uninterrupted
from mfcore.cli.remarks import complain
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.paths import at_home, reason


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        _speak_any_alphabet()
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()  # what cannot be written is noticed here, and not after everything
        return status
    except UnusableRequest as error:
        complain(str(error))
        return 2
    except ModuleNotFoundError as error:
        complain(f"{error}; `python -m mfcore doctor` says what else is missing, and how to install it")
        return 1
    except DataUnavailable as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _let_go_of_output()
        return 0
    except OSError as error:  # a full disk, above all: also that of what the output is sent to
        complain(f"{reason(error)}{f': {error.filename}' if error.filename else ''}")
        _let_go_of_output()
        return 1


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["doctor"]:  # has to work where the others cannot even be imported
        from mfcore.cli.doctor import run_alone

        return run_alone(arguments[1:])
    with uninterrupted():
        from mfcore.cli.parser import build_parser  # takes a moment, in which somebody may press Ctrl-C

    options = build_parser().parse_args(arguments)
    with at_home(options.home):  # imported datasets are known by name, and lie there
        return int(options.run(options))


def _speak_any_alphabet() -> None:
    """A terminal that has only some letters gets the others spelled out, as \\u2013, rather than none of the line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_output() -> None:
    """Python writes what is left when it ends, and would complain once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
