"""What a page shows when its script fails: one clear line, never a traceback. The details go to the terminal."""

from __future__ import annotations

from mfcore import log
from mfcore.errors import DataUnavailable, UnusableRequest
from ui.controls import error_line


def show(error: Exception) -> bool:
    """Show ``error`` on the page; True tells Streamlit that it has been dealt with.

    What a person asked wrongly, or what this machine cannot do, says so itself. Anything else is our mistake.
    """
    if isinstance(error, (UnusableRequest, DataUnavailable)):
        error_line(error)
        return True
    log.event("page failed", level="error", error=error)
    error_line(
        f"This page ran into a mistake of ours ({type(error).__name__}). The terminal that runs MF Explorer has the details."
    )
    return True
