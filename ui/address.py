"""Choices that live in the address, so that a link or a reload shows the same thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from ui.format import escape_markdown

PROJECTOR, VIEW = "projector", "view."
FEW = 12
"""Choices that a line may name, one by one."""


def of_browser(param: str) -> bool:
    """Whether a query parameter is the browser's alone: projector mode, and what a live view shows (``view.x=time``)."""
    return param == PROJECTOR or param.startswith(VIEW)


def linked_choice(
    label: str,
    options: Sequence[Any],
    param: str,
    *,
    text: Callable[[Any], str] = str,
    default: Any = None,
    follow: bool = False,
    **look: Any,
) -> Any:
    """A select box whose value is the query parameter ``param``; without one, ``default`` is chosen (None: nothing).

    It has no key on purpose: the address is the only memory, so a link, the back button and a click cannot disagree. A value
    that is not among the options is named in a line and replaced by the default. ``follow``: the default depends on another
    choice, so it is not written into the address, and a value that does not fit gives way to it silently. ``look`` goes to
    ``st.selectbox``.
    """
    asked = st.query_params.get(param)
    names = [str(option) for option in options]
    fallback = options.index(default) if default is not None and default in options else None
    index = names.index(asked) if asked in names else fallback
    chosen = st.selectbox(label, options, index=index, format_func=text, **look)
    if asked is not None and asked not in names and not follow:
        known = f"; there are {', '.join(names)}" if len(names) <= FEW else ""
        words = escape_markdown(f"{label} “{asked[:80]}” is not in this data{known}.")
        st.caption(f":material/info: {words}")
    write_param(param, None if chosen is None or (follow and chosen == default) else str(chosen))
    if chosen != (None if index is None else options[index]):
        st.rerun()  # the box is drawn anew from the address; else its own memory would overrule the back button
    return chosen


def linked_number(label: str, param: str, *, default: int, high: int, **look: Any) -> int:
    """A field for a whole number, 0 … ``high``, whose value is the query parameter ``param``; without one, or where that is no
    such number, ``default``. ``look`` goes to ``st.number_input``."""
    asked = st.query_params.get(param, "")
    value = int(asked) if asked.isascii() and asked.isdigit() else default
    chosen = int(st.number_input(label, 0, high, min(value, high), **look))
    write_param(param, None if chosen == default else str(chosen))
    if chosen != min(value, high):
        st.rerun()  # drawn anew from the address, like every linked choice
    return chosen


def write_param(param: str, value: str | None) -> None:
    """Set or drop one query parameter, touching the address only where it changes."""
    if value is None:
        if param in st.query_params:
            del st.query_params[param]
    elif st.query_params.get(param) != value:
        st.query_params[param] = value
