"""Colours and chart defaults. A colour means one thing, on every page, in light and in dark."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from zlib import crc32

import streamlit as st

from mfcore.models.config import MODELS

LIGHT: dict[str, str] = {
    "train": "#c4761b",
    "valid": "#1c7672",
    "test": "#7b4a93",
    "baseline": "#8b8178",
    "mf": "#3a6ca8",
    "biased-mf": "#b4512b",
    "gmf": "#5c8a38",
    "mlp": "#8a6244",
    "neumf": "#a53f77",
    "text": "#2c2723",
    "muted": "#756b61",
    "background": "#fbf9f5",
    "surface": "#f2ede4",
    "grid": "#e6dfd3",
    "primary": "#b04e28",
    "good": "#3f7d3a",
    "warning": "#a86a10",
    "bad": "#b3342d",
}
DARK: dict[str, str] = {
    "train": "#e8a552",
    "valid": "#5cbdb5",
    "test": "#bf93d6",
    "baseline": "#9c9187",
    "mf": "#7ea9dc",
    "biased-mf": "#e88a62",
    "gmf": "#9cc674",
    "mlp": "#c79d7c",
    "neumf": "#e085b5",
    "text": "#ece6de",
    "muted": "#aba196",
    "background": "#1d1a17",
    "surface": "#282420",
    "grid": "#3a342e",
    "primary": "#c9663d",
    "good": "#86c07d",
    "warning": "#e3aa4e",
    "bad": "#ef8078",
}
COLOURS: dict[str, dict[str, str]] = {"light": LIGHT, "dark": DARK}
# For what nobody foresaw, a new model above all: told apart from the colours above, and the same in every session.
SPARE_LIGHT = ("#2f7f9e", "#9a7a16", "#6a5fb0", "#b0566a", "#4c7a63", "#7f6a8f")
SPARE_DARK = ("#6cbbd8", "#d3b45c", "#a9a0e8", "#e594a4", "#8fc0a6", "#bda9cc")

# Ten steps from little to much, for heat maps and for colouring points by a number.
SEQUENTIAL_LIGHT = [
    "#f6ecd9", "#efd9b4", "#e8c48d", "#dfac68", "#d3934a", "#c27a37", "#ab632d", "#8f4f28", "#713d24", "#532d1e",
]  # fmt: skip
SEQUENTIAL_DARK = [
    "#3a2a20", "#543523", "#704227", "#8c512c", "#a86334", "#c17840", "#d59056", "#e3a973", "#eec397", "#f7debf",
]  # fmt: skip


def dark() -> bool:
    """Whether this browser shows the dark theme."""
    try:
        return st.context.theme.type == "dark"
    except Exception:  # outside a browser session (tests, bare import) there is no theme
        return False


def colours(is_dark: bool | None = None) -> dict[str, str]:
    """All colours by meaning, every registered model among them; of the theme on screen unless told which."""
    foreseen = DARK if (dark() if is_dark is None else is_dark) else LIGHT
    return {**{name: colour(name, is_dark) for name in MODELS}, **foreseen}


def palettes() -> dict[str, dict[str, str]]:
    """:func:`colours` of both themes, ``light`` and ``dark``: what a component in the browser needs to change with it."""
    return {"light": colours(False), "dark": colours(True)}


def colour(meaning: str, is_dark: bool | None = None) -> str:
    """The colour of one meaning: train, valid, test, baseline, or a model's name.

    What has no colour of its own gets a spare one: registered models by order of registration, anything else by its name.
    """
    in_dark = dark() if is_dark is None else is_dark
    foreseen, spare = (DARK, SPARE_DARK) if in_dark else (LIGHT, SPARE_LIGHT)
    if meaning in foreseen:
        return foreseen[meaning]
    newcomers = [name for name in MODELS if name not in foreseen]
    place = newcomers.index(meaning) if meaning in newcomers else crc32(meaning.encode())
    return spare[place % len(spare)]


def sequential(is_dark: bool | None = None) -> list[list[Any]]:
    """A Plotly colour scale from little to much."""
    steps = SEQUENTIAL_DARK if (dark() if is_dark is None else is_dark) else SEQUENTIAL_LIGHT
    return [[index / (len(steps) - 1), step] for index, step in enumerate(steps)]


def plotly_layout(is_dark: bool | None = None, **changes: Any) -> dict[str, Any]:
    """Layout shared by every chart; ``changes`` are laid over it key by key (one level deep)."""
    shades = DARK if (dark() if is_dark is None else is_dark) else LIGHT
    axis = {
        "gridcolor": shades["grid"],
        "linecolor": shades["grid"],
        "zerolinecolor": shades["grid"],
        "tickcolor": shades["grid"],
        "automargin": True,
        "title": {"standoff": 8},
    }
    layout: dict[str, Any] = {
        "font": {"family": '"Source Sans", "Source Sans 3", sans-serif', "size": 13, "color": shades["text"]},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": [shades[name] for name in ("valid", "train", "test", "mf", "biased-mf", "gmf", "mlp", "neumf")],
        "margin": {"l": 48, "r": 12, "t": 28, "b": 40},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
        "hoverlabel": {"bgcolor": shades["surface"], "bordercolor": shades["grid"], "font": {"color": shades["text"]}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        "uirevision": "keep",
    }
    for key, value in changes.items():
        mergeable = isinstance(value, dict) and isinstance(layout.get(key), dict)
        layout[key] = {**layout[key], **value} if mergeable else value
    return layout


# What is chosen is told by its frame and ground; its words stay in ink: the accent on its own shade is too faint in the dark.
CHOSEN_STYLE = (
    "<style>button[data-variant=segmented_control][data-selected], button[data-variant=pills][data-selected] "
    "{ color: inherit !important; font-weight: 600 !important; }</style>"
)


def wordmark_style(svg: bytes) -> str:
    """A style sheet that draws the logo in the theme's own ink, so that it changes with the theme and not at the next rerun.

    An image cannot know the colours of the page around it; a mask can be filled with them: the mark in the accent, the words in
    the text's colour.
    """
    mask = f"url(data:image/svg+xml;base64,{b64encode(svg).decode()}) left center / contain no-repeat"
    ink = "linear-gradient(90deg, #c9663d 0 18.5%, currentColor 18.5%)"
    return (
        "<style>[data-testid=stLogoLink] { color: inherit; } [data-testid=stHeaderLogo], [data-testid=stSidebarLogo] { "
        f"color: inherit; object-position: -9999px 0; background: {ink}; mask: {mask}; -webkit-mask: {mask}; }}</style>"
    )
