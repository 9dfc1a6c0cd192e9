"""What stands in the header of every page: light or dark, projector mode, and whether a key switches it."""

from __future__ import annotations

import streamlit as st

from ui.address import PROJECTOR
from ui.components.mounting import mounted
from ui.state import recall, remember
from ui.theme import LARGE

_COMPONENT = mounted("frame")


def page_frame() -> None:
    """Draw it; called before each page. A change of colours or type draws the page anew, once, with its charts in them."""
    asked = st.query_params.get(PROJECTOR) == "1"
    if recall(LARGE) is None:
        remember(LARGE, asked)
    look = _COMPONENT(key="page_frame", on_look_change=lambda: None).look
    if look:
        remember(LARGE, bool(look["large"]))
    elif asked:  # a link that was followed meanwhile
        remember(LARGE, True)
    # The navigation drops what is in the address; the mode goes along from page to page.
    if recall(LARGE):
        st.query_params[PROJECTOR] = "1"
    elif PROJECTOR in st.query_params:
        del st.query_params[PROJECTOR]
