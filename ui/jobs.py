"""What takes longer than a moment goes on beside its page: one job under a name, seen by everybody, which can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.format import escape_markdown
from ui.state import no_writing

_QUICK = 0.5
"""Seconds in which what fails at once fails."""
_OFTEN = 0.2
"""Seconds between two words on how far it is."""

Work = Callable[[Callable[[str, float | None], None], Callable[[], bool]], Any]
"""Takes (progress, cancelled): what to tell how far it is, and what to ask whether to stop."""


class Job:
    """One piece of work in a thread of its own.

    ``message`` and ``share`` (0 to 1, None where nobody knows) say how far it is; ``result`` what it gave, ``failure`` what it
    ended with instead.
    """

    def __init__(self, name: str, work: Work, message: str) -> None:
        self.name, self.message = name, message
        self.share: float | None = None
        self.result: Any = None
        self.failure: Exception | None = None
        self._work, self._stop = work, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, and wait a moment in case that is enough."""
        self._thread.start()
        self._thread.join(_QUICK)

    def cancel(self) -> None:
        """Ask it to stop."""
        self._stop.set()
        self.message = "Stopping …"

    def wait(self, seconds: float) -> None:
        """Until it ends, so long at the most."""
        self._thread.join(seconds)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._work(self._show, self._stop.is_set)
        except Exception as failure:
            self.failure = failure

    def _show(self, message: str, share: float | None) -> None:
        self.message, self.share = message, share


_jobs: dict[str, Job] = {}
_lock = threading.Lock()


def job(name: str) -> Job | None:
    """The job of this name that is going on, or ended last."""
    return _jobs.get(name)


def start(name: str, work: Work, message: str) -> Job:
    """Begin a job, unless there is one of this name already."""
    with _lock:
        known = _jobs.get(name)
        if known is None or not known.running:
            known = _jobs[name] = Job(name, work, message)
            known.start()
    return known


def forget(name: str) -> None:
    """Nothing more is to be said about a job that has ended."""
    with _lock:
        if name in _jobs and not _jobs[name].running:
            del _jobs[name]


def follow(found: Job, *, kept: str) -> None:
    """Say how far a job is until it ends, with a button that stops it; the page then runs again. ``kept``: what a stop loses.

    A click, or leaving the page, ends this and not the job.
    """
    st.caption("You may leave this page meanwhile; it goes on.")
    bar = st.progress(0.0)
    st.button("Cancel", icon=":material/close:", key=f"cancel_{found.name}", help=kept, on_click=found.cancel, **no_writing())
    while found.running:
        bar.progress(min(max(found.share or 0.0, 0.0), 1.0), text=escape_markdown(found.message))
        found.wait(_OFTEN)
    st.rerun()
