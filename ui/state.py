"""What the browser session remembers, and which run a page is about. The only home of ``st.session_state``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.runs import RunSummary
from ui.visitor_runs import VisitorRuns, runs_of
from ui.visitors import me, why_not_change, why_not_write

_PAGE_FOLDER = Path(__file__).resolve().parent.parent / "pages"


def manager() -> VisitorRuns:
    """The runs as whoever looks at this page has them. Asked anew each time: they may have logged out meanwhile."""
    return runs_of(me())


def no_writing() -> dict[str, Any]:
    """For a button that makes something: ``disabled`` and the sentence why, where nothing may be changed here."""
    return _disabled(why_not_write(me()))


def no_changing(*runs: RunSummary) -> dict[str, Any]:
    """The same for a button that changes these runs."""
    visitor = me()
    return _disabled(next(filter(None, (why_not_change(visitor, run) for run in runs)), ""))


def _disabled(why: str) -> dict[str, Any]:
    return {"disabled": True, "help": why} if why else {}


def page_path(name: str) -> str:
    """What ``st.page_link`` and ``st.switch_page`` take for a page by its name."""
    return str(_PAGE_FOLDER / f"{name}.py")


def requested_run_id() -> str | None:
    """The run the address names, whether it exists or not. It is remembered: the navigation drops it from the address."""
    asked = st.query_params.get("run") or None
    if asked:
        remember("last_run", asked)
    return asked


def newest_finished() -> RunSummary | None:
    """The run to show when the address names none: the newest finished one."""
    finished = [run for run in manager().list() if run.state == "finished"]
    return max(finished, key=lambda run: run.run_id, default=None)


def current_run_id() -> str | None:
    """The run this page is about: ``?run=``, else the one last looked at, else the newest finished run, else None."""
    asked = requested_run_id()
    if asked:
        return asked
    last = recall("last_run")
    if last in {run.run_id for run in manager().list()}:
        return str(last)
    newest = newest_finished()
    return newest.run_id if newest else None


def current_run() -> RunSummary | None:
    """Summary of :func:`current_run_id`; None when there is none, or the address names a run that is not here."""
    run_id = current_run_id()
    if not run_id:
        return None
    try:
        return manager().get(run_id)
    except (UnusableRequest, OSError, KeyError):
        return None


def open_run(run_id: str, page: str) -> NoReturn:
    """Go to ``page`` (home, train, evaluate …) about ``run_id``."""
    st.switch_page(page_path(page), query_params={"run": run_id})


def recall(key: str, default: Any = None) -> Any:
    """A value kept for this browser session (survives page changes, not a reload)."""
    return st.session_state.get(key, default)


def remember(key: str, value: Any) -> None:
    """Keep a value for this browser session; a widget's key may be set before the widget is drawn."""
    st.session_state[key] = value


def forget(key: str) -> None:
    """Drop a kept value, if there is one."""
    st.session_state.pop(key, None)
