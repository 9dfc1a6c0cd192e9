"""What our browser components have in common: how they reach the page, and what each is given about colours and words."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from mfcore.runs.status import LIVE_STATES, OVER_STATES
from ui.api.assets import COMPONENTS, module_urls
from ui.controls import STATE_COLOURS, STATE_WORDS
from ui.format import METRIC_HELP, lower_is_better, metric_name
from ui.theme import COLOURS

_TONES = {"gray": "muted", "blue": "running", "orange": "warning", "green": "good", "red": "bad"}
_PALETTE = ("mf", "biased-mf", "neumf", "gmf", "mlp", "test", "baseline")


def mounted(folder: str) -> Callable[..., Any]:
    """The component made of the modules, styles and page in ``ui/components/<folder>``.

    Without style isolation: Plotly puts its style sheet into the document, which a shadow root would not see.
    """
    styles = [COMPONENTS / "shared" / "projector.css", *sorted((COMPONENTS / folder).glob("*.css"))]
    modules = json.dumps(module_urls(folder))
    return st.components.v2.component(
        f"mf_explorer_{folder}",
        html=_text(COMPONENTS / folder / f"{folder}.html"),
        css="\n".join(_text(style) for style in styles),
        js=f"const MODULES = {modules}\n{_text(COMPONENTS / 'loader.js')}",
        isolate_styles=False,
    )


@cache
def shared_data() -> dict[str, Any]:
    """Colours by meaning and by model, run states, metrics: known to Python, told to the browser, restated nowhere."""
    return {
        "colours": {theme: {**shades, "palette": [shades[name] for name in _PALETTE]} for theme, shades in COLOURS.items()},
        "states": {
            name: {
                "word": "training" if name == "running" else word,
                "tone": _TONES[STATE_COLOURS[name]],
                "over": name in OVER_STATES,
                "live": name in LIVE_STATES,
            }
            for name, word in STATE_WORDS.items()
        },
        "metrics": {
            stem: {"label": metric_name(stem), "lower_is_better": lower_is_better(key), "help": help_}
            for key, help_ in METRIC_HELP.items()
            if "/" not in key and (stem := key.partition("@")[0])
        },
    }


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
