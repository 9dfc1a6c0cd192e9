"""Widgets and notices that pages share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.runs.status import STATES
from ui.format import escape_markdown, metric, metric_help, metric_name
from ui.run_titles import run_title
from ui.state import page_path

if TYPE_CHECKING:
    from mfcore.runs.manager.manager import RunSummary

STATE_WORDS: dict[str, str] = {name: state.word for name, state in STATES.items()}
_TONE_COLOURS = {"muted": "gray", "running": "blue", "warning": "orange", "good": "green", "bad": "red"}


def page_header(title: str, sentence: str) -> None:
    """Title of a page and one sentence on what it is for."""
    st.header(title, anchor=False)
    st.caption(sentence)


def state_badge(state: str) -> str:
    """Markdown of a coloured badge with a run's state."""
    known = STATES.get(state)
    return f":{_TONE_COLOURS[known.tone]}-badge[{known.word}]" if known else f":gray-badge[{escape_markdown(state)}]"


def run_label(run: RunSummary) -> str:
    """A run in a few plain words: its name, else model, what sets it apart and dataset; with the time of its id."""
    title = run.name or f"{run_title(run)} on {run.dataset}"
    return f"{'★ ' if run.starred else ''}{title} · {run.run_id[4:6]}-{run.run_id[6:8]} {run.run_id[9:11]}:{run.run_id[11:13]}"


def link_to(page: str, label: str, *, icon: str | None = None, run: str | None = None, **query: str) -> None:
    """A link to a page, about a run if one is named, with further query parameters."""
    params: dict[str, str] = {**({"run": run} if run else {}), **query}
    st.page_link(page_path(page), label=label, icon=icon, query_params=params or None)


def empty_state(
    sentence: str, *, page: str = "train", link: str = "Train a first model", icon: str = ":material/arrow_forward:"
) -> None:
    """What a page with nothing to show says instead: why, and where to begin."""
    with st.container(border=True, key=f"empty_{page}"):
        st.markdown(sentence)
        link_to(page, link, icon=icon)


def run_missing(run_id: str) -> None:
    """The address names a run that is not here (deleted, or from another machine)."""
    st.warning(f"There is no run {escape_markdown(run_id)} here. It was deleted, or the link comes from another machine.")
    link_to("runs", "Choose a run", icon=":material/list:")


def failed_state(reason: str) -> None:
    """A run that failed, with its reason and a way out."""
    st.error(f"This run failed: {escape_markdown(reason) or 'no reason was recorded.'}", icon=":material/error:")


def metric_tile(key: str, value: float | None, *, baseline: float | None = None, baseline_name: str = "") -> None:
    """One metric as a tile with its tooltip, and the difference to a baseline."""
    better = "inverse" if key.startswith(("rmse", "mae")) else "normal"
    delta = None
    if value is not None and baseline is not None:
        delta = f"{value - baseline:+.3f} against {baseline_name or 'baseline'}"
    st.metric(metric_name(key), metric(value), delta=delta, delta_color=better, help=metric_help(key) or None, border=True)


@contextmanager
def plain_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Show what a person asked wrongly as one clear line instead of a traceback."""
    try:
        yield
    except (UnusableRequest, *kinds) as error:
        error_line(error)


def error_line(error: Exception | str) -> None:
    """One clear line; markdown in it (run names, file names) is shown, not rendered."""
    st.error(escape_markdown(error))


def choose(label: str, options: Mapping[str, str], *, key: str, default: str, help: str | None = None) -> str:
    """Exactly one of a few options as a segmented control; ``options`` maps value → words on screen."""
    picked = st.segmented_control(
        label,
        list(options),
        format_func=lambda value: escape_markdown(options[value]),
        default=default,
        key=key,
        help=help,
        required=True,
    )
    return default if picked is None else str(picked)
