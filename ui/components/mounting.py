"""What our browser components have in common: how they reach the page, and what each is given about colours and words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from mfcore.evaluation.metrics import metric_help
from mfcore.registry import METRICS, MODELS
from mfcore.runs.status import STATES
from ui.api.assets import COMPONENTS, module_urls
from ui.theme import RUN_COLOURS, SCALES, palettes


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


def shared_data() -> dict[str, Any]:
    """Colours by meaning, model and run, states, metrics: known to Python, told to the browser, restated nowhere."""
    palette = (*MODELS, "test", "baseline")
    return {
        "colours": {
            theme: {
                **shades,
                "palette": [shades[name] for name in palette],
                "runs": list(RUN_COLOURS),
                "scales": SCALES[theme],
            }
            for theme, shades in palettes().items()
        },
        "states": {name: {"word": s.word, "tone": s.tone, "over": s.over, "live": s.live} for name, s in STATES.items()},
        "metrics": {
            name: {"label": spec.title, "lower_is_better": spec.lower_is_better, "help": metric_help(name)}
            for name, spec in METRICS.items()
        },
    }


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
