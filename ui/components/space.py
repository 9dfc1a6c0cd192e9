"""The map of learned vectors: points that move through the epochs on axes that stand still, drawn in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ui.theme import COLOURS

_FOLDER = Path(__file__).parent / "space"
_SCRIPTS = (
    *("words.js", "near.js", "camera.js", "points.js", "colours.js", "lens.js", "read.js", "overlay.js", "address.js"),
    *("time.js", "gestures.js", "panel.js", "controls.js", "dress.js", "follow.js", "view.js"),
)  # one module for the browser, in rooms for the reader


def script() -> str:
    """The component's JavaScript module, put together from its rooms."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS)


_COMPONENT = st.components.v2.component(
    "mf_explorer_space",
    html=(_FOLDER / "space.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "space.css").read_text(encoding="utf-8"),
    js=script(),
    isolate_styles=False,
)


def space_map(
    source: str,
    *,
    key: str = "map",
    run_id: str = "",
    nouns: tuple[str, str] = ("film", "films"),
    going: bool = False,
    layouts: Sequence[dict[str, Any]] = (),
    show: str = "",
    still_words: str = "",
    every: bool = False,
) -> bool:
    """Show the points that a route answers with.

    Everything a person does on it happens in the browser and stands in the address; the page is not run again for it.

    Args:
        source: path of a route as :mod:`ui.api_space` describes, without its query.
        run_id: the run it is of, for links and for its curve; "" for vectors from elsewhere.
        nouns: what an item is called, one and many.
        going: the run is not over, so new epochs are to be expected.
        layouts: other places for the items, such as t-SNE: name, words, width, numbers (base64 of float32), rows (item
            indices, or None for all in order).
        show: the name of the layout to turn to once it is there.
        still_words: said below where there is no more than one epoch.
        every: all items and users, in one frame: the model as it is.

    Returns:
        True in the one rerun that follows the end of a run which was going on.
    """
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    data: dict[str, Any] = {
        "key": f"{source}?{every}",
        "source": source,
        "events": f"/api/runs/{run_id}/events" if run_id else "",
        "recommend": bool(run_id),
        "run_id": run_id,
        "nouns": list(nouns),
        "going": going,
        "names": f"/api/runs/{run_id}/space/axes" if run_id else "",
        "layouts": list(layouts),
        "show": show,
        "still_words": still_words,
        "every": every,
        "colours": COLOURS,
        "base": f"/{base}" if base else "",
    }
    return _COMPONENT(data=data, key=key, on_ended_change=lambda: None).ended is not None
