"""Projector mode: one view fills the screen in large type, for a lecture.

The key P switches it, Esc leaves it, and so does the browser leaving its full screen; a link with ``?projector=1`` opens it.
All of that happens in the browser (``components/projector.js``), without a rerun, so nothing that moves is interrupted. A
component takes part in three steps: it puts :func:`projector_script` before its own script and calls
``watchProjector(root, redraw)``, which returns the function to call at its end; it adds :func:`projector_style` to its style;
and it gives the element that is to fill the screen the class ``mfx-stage``. In JavaScript ``projecting()`` says whether the
mode is on and ``project(true)`` switches it; in CSS ``[data-mfx-projector="true"] .mfx-stage`` is the view in large.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

PARAM = "projector"
_FOLDER = Path(__file__).parent / "components"


def projector_script() -> str:
    """JavaScript of the switch, to stand before a component's own."""
    return (_FOLDER / "projector.js").read_text(encoding="utf-8")


def projector_style() -> str:
    """CSS of a view that fills the screen; sizes inside it are the component's own business."""
    return (_FOLDER / "projector.css").read_text(encoding="utf-8")


def with_projector(query: Mapping[str, str]) -> dict[str, str]:
    """``query`` for the address, with the switch as it stands there now: a page that writes its address must not end it."""
    on = {PARAM: "1"} if st.query_params.get(PARAM) == "1" else {}
    return {**{key: value for key, value in query.items() if key != PARAM}, **on}
