"""Projector mode: one view fills the screen in large type, for a lecture.

The key P switches it, Esc leaves it, and so does the browser leaving its full screen; a link with ``?projector=1`` opens it.
All of that happens in the browser (``components/shared/projector.js``), without a rerun, so nothing that moves is interrupted.
A component takes part by ``watchProjector(root, redraw)`` and by the class ``mfx-stage`` on the element that is to fill the
screen; in CSS ``[data-mfx-projector="true"] .mfx-stage`` is the view in large.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

PARAM = "projector"


def with_projector(query: Mapping[str, str]) -> dict[str, str]:
    """``query`` for the address, with the switch as it stands there now: a page that writes its address must not end it."""
    on = {PARAM: "1"} if st.query_params.get(PARAM) == "1" else {}
    return {**{key: value for key, value in query.items() if key != PARAM}, **on}
