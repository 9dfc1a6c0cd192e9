"""Widgets and notices that pages share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.runs.status import STATES
from mfcore.settings import in_labels
from ui.format import escape_markdown
from ui.state import page_path
from ui.visitors import Owned, me
from ui.words import state_word

_TONES = {"muted": "gray", "running": "blue", "warning": "orange", "good": "green", "bad": "red"}
"""Tone of a state → colour of its badge."""


def page_header(title: str, sentence: str) -> None:
    """Title of a page and one sentence on what it is for."""
    st.title(title, anchor=False)
    st.caption(sentence)


def state_badge(state: str) -> str:
    """Markdown of a coloured badge with a run's state."""
    tone = STATES[state].tone if state in STATES else "muted"
    return f":{_TONES[tone]}-badge[{escape_markdown(state_word(state))}]"


def whose_badge(thing: Owned) -> str:
    """Markdown of a badge that says who shares this run, or imported embeddings; empty for what is one's own or nobody's."""
    visitor = me()
    if not visitor.account or thing.owner in ("", visitor.owner):
        return ":gray-badge[shared]" if visitor.account and thing.shared else ""
    if not thing.shared:
        return ":gray-badge[somebody's]"  # admins see those too
    return f":violet-badge[shared by {escape_markdown(thing.shared_by) or 'somebody'}]"


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


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show what a person asked wrongly as one clear line instead of a traceback."""
    try:
        yield
    except UnusableRequest as error:
        error_line(error)


def error_line(error: Exception | str) -> None:
    """One clear line in the words of the form; markdown in it (run names, file names) is shown, not rendered."""
    said = in_labels(str(error))
    # A refusal is a sentence, unless it begins with a name, a path or a number, which stay as they are.
    begins = said.split(" ", 1)[0]
    st.error(escape_markdown(said[:1].upper() + said[1:] if begins.isalpha() and begins.islower() else said))
