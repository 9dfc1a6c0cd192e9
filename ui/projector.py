"""Projector mode: large type on every page, for a lecture; a live view or a map fills the screen.

The key P switches it (unless the person switched the key off), Esc leaves it, and so does the browser leaving its full screen;
a link with ``?projector=1`` opens it. All of that happens in the browser (``components/shared/projector.js``,
``frame/main.js``), so nothing that moves is interrupted; charts that Python draws follow in one rerun.
A component takes part by ``watchProjector(root, redraw)`` and by the class ``mfx-stage`` on the element that is to fill the
screen; in CSS ``[data-mfx-projector="true"] .mfx-stage`` is the view in large.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ui.address import of_browser


def with_projector(query: Mapping[str, str]) -> dict[str, str]:
    """``query`` for the address, with the switch and whatever else is the browser's as it stands there now.

    A page that writes its address must not end them.
    """
    kept = {key: value for key, value in st.query_params.to_dict().items() if of_browser(key)}
    return {**{key: value for key, value in query.items() if not of_browser(key)}, **kept}
