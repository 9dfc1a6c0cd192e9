"""What commands say on standard error. Light: it is there before anything else is loaded."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn


def complain(text: str) -> None:
    """One line on standard error."""
    print("error:", " ".join(text.split()), file=sys.stderr)


def note(text: str) -> None:
    """A remark on standard error that is no error."""
    print("note:", " ".join(text.split()), file=sys.stderr)


class OneLineParser(argparse.ArgumentParser):
    """Refuses in one line, like everything else here."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        complain(f"{message}; see {self.prog} --help")
        sys.exit(2)
