"""What runs take on disk, and what goes next when the room is used up: said before it happens."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mfcore.quantities import size
from mfcore.runs import RunSummary
from mfcore.runs.disk import GB
from ui.format import escape_markdown
from ui.run_titles import distinct_titles
from ui.state import manager

_NAMED = 3
"""Runs that are named; of more it is said how many."""


def disk_notice(runs: Sequence[RunSummary]) -> None:
    """Where the disk budget is nearly used up: what goes first, and how to keep it. Else nothing. ``runs``: those shown."""
    use = manager().disk()
    if not use.nearly_full:
        return
    titles = distinct_titles(runs)
    named = [f"**{escape_markdown(titles[run_id])}**" for run_id in use.next_to_go if run_id in titles][:_NAMED]
    others = len(use.next_to_go) - len(named)
    said = f"Runs take {size(use.total)} of the {use.budget / GB:g} GB they have been given."
    if use.next_to_go:
        who = ", ".join(named) if named else "the oldest runs"
        more = f" and {others} more" if named and others else ""
        said += (
            f" When it is used up, epochs to branch from go, the oldest runs first: {who}{more}."
            " Results stay. Star a run to keep its epochs, or delete runs that you need no more."
        )
    else:
        said += " Nothing can go by itself: what is left are results and starred runs. Delete runs that you need no more."
    st.info(said, icon=":material/hard_drive:")
