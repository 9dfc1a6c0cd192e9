"""Fetching a dataset while the page stays usable: one job a dataset, seen by every visitor, which anybody can stop."""

from __future__ import annotations

import functools
from collections.abc import Callable

import streamlit as st

from mfcore.data import fetch
from mfcore.data.sources.download import FetchCancelled
from mfcore.errors import DataUnavailable
from ui import jobs
from ui.controls import error_line
from ui.format import escape_markdown


def fetch_job(name: str) -> jobs.Job | None:
    """The fetch of this dataset that is going on, or ended last."""
    return jobs.job(f"fetch {name}")


def start_fetch(name: str) -> jobs.Job:
    """Fetch a dataset, unless somebody is at it already."""
    return jobs.start(f"fetch {name}", functools.partial(_fetch, name), "Looking for a source …")


def _fetch(name: str, progress: Callable[[str, float | None], None], cancelled: Callable[[], bool]) -> None:
    fetch(name, progress=progress, cancelled=cancelled)


def show_fetch(name: str) -> bool:
    """Show the fetch of a dataset, if there is one; returns whether it is going on."""
    job = fetch_job(name)
    if job is None:
        return False
    if job.running:
        jobs.follow(job, kept="What has arrived is kept.")
        return True
    _tell(job)
    return False


def _tell(job: jobs.Job) -> None:
    if isinstance(job.failure, DataUnavailable):
        error_line("It could not be fetched from anywhere.")
        for origin, why in job.failure.attempts:
            st.markdown(f"- **{escape_markdown(origin)}**: {escape_markdown(why)}")
        st.markdown(f"**What to do.** {escape_markdown(job.failure.advice)}.")
    elif isinstance(job.failure, FetchCancelled):
        st.info("Stopped. What has arrived is kept: fetching again goes on from there.", icon=":material/pause:")
    elif job.failure is not None:
        error_line(job.failure)
