"""``python -m mfcore``, ``mf-explorer`` where it is installed: everything the app can do, without a browser; and the app.

Exit status: 0 done, 2 the request was unusable (one line on standard error says why), 1 it failed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mfcore.cli.output import complain
from mfcore.cli.parser import build_parser
from mfcore.errors import DataUnavailable, UnusableRequest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except UnusableRequest as error:
        complain(str(error))
        return 2
    except DataUnavailable as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
