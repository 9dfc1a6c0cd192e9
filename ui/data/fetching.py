"""Fetching a dataset while the page stays usable: one job a dataset, seen by every visitor, which anybody can stop."""

from __future__ import annotations

import threading

import streamlit as st

from mfcore.data import fetch
from mfcore.data.sources.download import FetchCancelled
from mfcore.errors import DataUnavailable, UnusableRequest
from ui.controls import error_line
from ui.format import escape_markdown
from ui.state import no_writing

_QUICK = 0.5
"""Seconds in which what fails at once fails."""
_OFTEN = 0.3
"""Seconds between two looks at how far it is."""


class FetchJob:
    """One fetch in a thread of its own. ``message`` and ``share`` (0 to 1, None where nobody knows) say how far it is;
    ``failure``: what it ended with, None if it did not fail."""

    def __init__(self, name: str) -> None:
        self.name, self.message = name, "Looking for a source …"
        self.share: float | None = None
        self.failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, and wait a moment in case that is enough."""
        self._thread.start()
        self.wait(_QUICK)

    def wait(self, seconds: float) -> None:
        """Until it ends, so long at most."""
        self._thread.join(seconds)

    def cancel(self) -> None:
        """Stop at the next block, and keep what has arrived."""
        self._stop.set()
        self.message = "Stopping …"

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            fetch(self.name, progress=self._show, cancelled=self._stop.is_set)
        except (DataUnavailable, UnusableRequest, FetchCancelled) as failure:
            self.failure = failure
        except Exception as failure:
            self.failure = UnusableRequest(f"fetching {self.name} failed: {failure}")

    def _show(self, message: str, share: float | None) -> None:
        self.message, self.share = message, share


_jobs: dict[str, FetchJob] = {}
_lock = threading.Lock()


def fetch_job(name: str) -> FetchJob | None:
    """The fetch of this dataset that is going on, or ended last."""
    return _jobs.get(name)


def start_fetch(name: str) -> FetchJob:
    """Fetch a dataset, unless somebody is at it already."""
    with _lock:
        job = _jobs.get(name)
        if job is None or not job.running:
            job = _jobs[name] = FetchJob(name)
            job.start()
    return job


def show_fetch(name: str) -> bool:
    """Show the fetch of a dataset, if there is one; returns whether it is going on."""
    job = fetch_job(name)
    if job is None:
        return False
    if job.running:
        _follow(job)
        return True
    _tell(job)
    return False


def _follow(job: FetchJob) -> None:
    """Say how far it is until it ends. A click, or leaving the page, ends this and not the fetch."""
    st.caption("You may leave this page meanwhile; it goes on.")
    bar = st.progress(0.0)
    st.button(
        "Cancel",
        icon=":material/close:",
        key="cancel_fetch",
        help="What has arrived is kept.",
        on_click=job.cancel,
        **no_writing(),
    )
    while job.running:
        bar.progress(min(max(job.share or 0.0, 0.0), 1.0), text=escape_markdown(job.message))
        job.wait(_OFTEN)
    st.rerun()


def _tell(job: FetchJob) -> None:
    if isinstance(job.failure, DataUnavailable):
        error_line("It could not be fetched from anywhere.")
        for origin, why in job.failure.attempts:
            st.markdown(f"- **{escape_markdown(origin)}**: {escape_markdown(why)}")
        st.markdown(f"**What to do.** {escape_markdown(job.failure.advice)}.")
    elif isinstance(job.failure, FetchCancelled):
        st.info("Stopped. What has arrived is kept: fetching again goes on from there.", icon=":material/pause:")
    elif job.failure is not None:
        error_line(job.failure)
