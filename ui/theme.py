"""Colours and chart defaults. A colour means one thing, on every page, in light and in dark."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from zlib import crc32

import streamlit as st

from mfcore.registry import MODELS
from ui.state import recall

# What each meaning must stand out from is in TEXTS and GRAPHICS below, and is computed by tests/ui/test_theme.py.
LIGHT: dict[str, str] = {
    "train": "#a0601b",
    "valid": "#004340",
    "test": "#7a4591",
    "baseline": "#70655b",
    "text": "#2c2723",
    "muted": "#665c53",
    "background": "#fbf9f5",
    "surface": "#f2ede4",
    "grid": "#e6dfd3",
    "border": "#ded5c7",
    "field": "#8f8377",
    "primary": "#ab491e",
    "on-primary": "#ffffff",
    "accent": "#9c431b",
    "good": "#31692b",
    "warning": "#855100",
    "bad": "#a72c28",
    "info": "#295fa0",
    "good-soft": "#e7ebe1",
    "warning-soft": "#efe8dc",
    "bad-soft": "#f3e4e0",
    "info-soft": "#e6eaec",
    "test-soft": "#eee7eb",
    "muted-soft": "#ece9e5",
}
DARK: dict[str, str] = {
    "train": "#c27930",
    "valid": "#aff6f0",
    "test": "#cf9fe5",
    "baseline": "#a29991",
    "text": "#ece6de",
    "muted": "#afa69e",
    "background": "#1d1a17",
    "surface": "#282420",
    "grid": "#3a342e",
    "border": "#443c35",
    "field": "#7b7168",
    "primary": "#bb582e",
    "on-primary": "#ffffff",
    "accent": "#ed956d",
    "good": "#8ec387",
    "warning": "#e9b15e",
    "bad": "#f8867e",
    "info": "#7ab0e8",
    "good-soft": "#2b2e24",
    "warning-soft": "#352c20",
    "bad-soft": "#372723",
    "info-soft": "#282c30",
    "test-soft": "#322a30",
    "muted-soft": "#2f2b27",
}
# WCAG 2.2, AA: text on its ground needs 4.5 (1.4.3), lines and marks 3 (1.4.11).
TEXTS = (
    *((ink, ground) for ink in ("text", "muted", "baseline", "accent", "good", "warning", "bad", "info", "test", "valid")
      for ground in ("background", "surface")),
    ("train", "background"),
    ("on-primary", "primary"),
    ("background", "muted"),  # a switch that is on
    *((ink, f"{ink}-soft") for ink in ("good", "warning", "bad", "info", "test", "muted")),
    *(("text", f"{ink}-soft") for ink in ("good", "warning", "bad", "info", "test", "muted")),
)  # fmt: skip
GRAPHICS = tuple(
    (ink, ground) for ink in ("train", "valid", "test", "primary", "field") for ground in ("background", "surface")
)
# Streamlit's own names in .streamlit/config.toml, which a test holds to these.
STREAMLIT = {
    "primaryColor": "primary",
    "backgroundColor": "background",
    "secondaryBackgroundColor": "surface",
    "textColor": "text",
    "linkColor": "accent",
    "borderColor": "border",
    "codeBackgroundColor": "surface",
    "codeTextColor": "text",
    "dataframeBorderColor": "grid",
    "dataframeHeaderBackgroundColor": "surface",
    "dataframeHeaderTextColor": "muted",
    **{
        f"{theirs}{part}": f"{ours}{ending}"
        for theirs, ours in {
            "green": "good",
            "orange": "warning",
            "yellow": "warning",
            "red": "bad",
            "blue": "info",
            "violet": "test",
            "gray": "muted",
        }.items()
        for part, ending in {"Color": "", "TextColor": "", "BackgroundColor": "-soft"}.items()
    },
}
# For models without a colour of their own, and what nobody foresaw: the same in every session.
SPARE_LIGHT = ("#2f7f9e", "#9a7a16", "#6a5fb0", "#b0566a", "#4c7a63", "#7f6a8f")
SPARE_DARK = ("#6cbbd8", "#d3b45c", "#a9a0e8", "#e594a4", "#8fc0a6", "#bda9cc")

# For runs beside each other, in both themes: apart from each other, and from what train, validation and baselines wear.
RUN_COLOURS = ("#3a78d8", "#c03a9a", "#4d8f22", "#d2423c", "#8a5fd6", "#0d86b4", "#b3587a")

# Ten steps from little to much, for heat maps and for colouring points by a number; the least is still seen on its ground.
SEQUENTIAL_LIGHT = [
    "#be8241", "#b17539", "#a56a32", "#995e2b", "#8d5424", "#81491e", "#763f18", "#693410", "#5d2a09", "#501f02",
]  # fmt: skip
SEQUENTIAL_DARK = [
    "#875f4d", "#99684d", "#ab714d", "#ba7d4e", "#c88a53", "#d4995e", "#dea96d", "#e7bb82", "#efcd9b", "#f8e0b7",
]  # fmt: skip
# What the browser's pictures are coloured by; every step stands out from the ground by 3.
#   kinds: hues that eyes which confuse red and green tell apart, after Okabe & Ito (2008), each with a lightness of its own
#   much: little to much, evenly in lightness, after Crameri's batlow (2018); sides: against each other, from a neutral middle
#   ratings: low to high, evenly in lightness too, so that grey tones say the same
SCALES: dict[str, dict[str, list[str]]] = {
    "light": {
        "kinds": ["#0072b2", "#b06f00", "#bb5a92", "#007d5c", "#c44f00", "#1a80bd", "#857800", "#4a3f55"],
        "much": ["#bc742a", "#a3701a", "#7f7221", "#456c3c", "#035d55", "#00485b", "#132e63"],
        "sides": ["#7d3300", "#a75c00", "#857d72", "#3573a4", "#194a84"],
        "ratings": ["#a77f40", "#ae6c34", "#a34f30", "#8a3245", "#5b2257"],
    },
    "dark": {
        "kinds": ["#4aa3e0", "#f0b23c", "#dd94bd", "#1fc295", "#f0803c", "#8fd0f7", "#f0e442", "#d6cfe0"],
        "much": ["#4f7299", "#3d8289", "#5b9670", "#a1a356", "#ddac54", "#ffbc8e", "#ffd6cb"],
        "sides": ["#f6a171", "#c27429", "#8d857b", "#4e8cbe", "#85b9fb"],
        "ratings": ["#956091", "#c16474", "#e2815e", "#eeae6e", "#f4dea2"],
    },
}


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours "#rrggbb", 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted(_luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LARGE = "large_type"
"""Where the session remembers it; see ui/components/frame.py."""


def dark() -> bool:
    """Whether this browser shows the dark theme."""
    try:
        return st.context.theme.type == "dark"
    except Exception:  # outside a browser session (tests, bare import) there is no theme
        return False


def large_type() -> bool:
    """Whether this browser shows the page on a projector."""
    return bool(recall(LARGE, False))


def palettes() -> dict[str, dict[str, str]]:
    """All colours by meaning, every registered model among them, in ``light`` and in ``dark``: what the browser is given."""
    themes = {"light": LIGHT, "dark": DARK}
    return {name: {**{m: colour(m, name == "dark") for m in MODELS}, **foreseen} for name, foreseen in themes.items()}


def colour(meaning: str, is_dark: bool | None = None) -> str:
    """The colour of one meaning: train, valid, test, baseline, or a model's name.

    What has no colour of its own gets a spare one: registered models by order of registration, anything else by its name.
    """
    in_dark = dark() if is_dark is None else is_dark
    foreseen, spare = (DARK, SPARE_DARK) if in_dark else (LIGHT, SPARE_LIGHT)
    if meaning in foreseen:
        return foreseen[meaning]
    spec = MODELS.get(meaning)
    if spec is not None and spec.colour is not None:
        return spec.colour[in_dark]
    newcomers = [name for name, spec in MODELS.items() if spec.colour is None]
    place = newcomers.index(meaning) if meaning in newcomers else crc32(meaning.encode())
    return spare[place % len(spare)]


def sequential(is_dark: bool | None = None) -> list[list[Any]]:
    """A Plotly colour scale from little to much."""
    steps = SEQUENTIAL_DARK if (dark() if is_dark is None else is_dark) else SEQUENTIAL_LIGHT
    return [[index / (len(steps) - 1), step] for index, step in enumerate(steps)]


def text_size(pixels: int) -> int:
    """Pixels of a chart's text, which no style sheet reaches: half as large again on a projector."""
    return round(1.5 * pixels) if large_type() else pixels


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
        "font": {"family": '"Source Sans", "Source Sans 3", sans-serif', "size": text_size(13), "color": shades["text"]},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": [*(shades[name] for name in ("valid", "train", "test")), *(colour(name, is_dark) for name in MODELS)],
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


def page_style() -> str:
    """The style sheet of every page: each meaning as ``--mfx-<meaning>``, following the theme by itself, and what uses them.

    Streamlit writes the theme's ``color-scheme`` on its root, and ``light-dark()`` reads it: no rerun, no script.
    """
    inks = "".join(f"--mfx-{name}: light-dark({light}, {DARK[name]}); " for name, light in LIGHT.items())
    return f"<style>.stApp {{ {inks}--mfx-shadow: light-dark(rgb(0 0 0 / 16%), rgb(0 0 0 / 55%)); }} {PAGE_RULES}</style>"


# Named below .stApp, so that they win wherever Streamlit's own rules, of one class, are put. Captions are ours: Streamlit's are
# the text's colour at 60 %, too faint on paper. What is chosen is told by its frame and ground; its words stay in ink: the
# accent on its own shade is too faint in the dark.
PAGE_RULES = """
.stApp [data-testid=stCaptionContainer] { opacity: 1; }
.stApp [data-testid=stCaptionContainer], .stApp [data-testid=stCaptionContainer] :is(p, li, ol, ul) { color: var(--mfx-muted); }
.stApp [data-testid=stSliderThumbValue], .stApp [data-testid=stSliderThumbValue] :is(div, p) { color: var(--mfx-accent); }
.mfx-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[data-testid=stElementContainer]:has(> .stHtml .mfx-unseen) {
  position: absolute; left: 0; width: 1px !important; overflow: hidden; }
:is([data-testid=stTextInputRootElement], [data-testid=stTextAreaRootElement], [data-testid=stNumberInputContainer],
  :is([data-testid=stSelectbox], [data-testid=stMultiSelect]) [role=group]):not(:focus-within) {
  border-color: var(--mfx-field); }
[data-testid=stTopNavLink] :is(span, p) { color: inherit; }
[data-testid=stTopNavLink] { color: var(--mfx-muted); }
[data-testid=stTopNavLink][aria-current=page] { color: var(--mfx-text); }
:is(input, textarea)::placeholder { color: var(--mfx-muted) !important; opacity: 1; }
button[data-variant=segmented_control][data-selected], button[data-variant=pills][data-selected] {
  color: inherit !important; font-weight: 600 !important; }
:is(a, button, summary, input, select, textarea, [tabindex="0"]):focus-visible {
  outline: 2px solid var(--mfx-primary); outline-offset: 1px; }
"""


def wordmark_style(svg: bytes) -> str:
    """A style sheet that draws the logo in the theme's own ink, so that it changes with the theme and not at the next rerun.

    An image cannot know the colours of the page around it; a mask can be filled with them: the mark in the accent, the words in
    the text's colour.
    """
    mask = f"url(data:image/svg+xml;base64,{b64encode(svg).decode()}) left center / contain no-repeat"
    ink = "linear-gradient(90deg, var(--mfx-primary) 0 18.5%, currentColor 18.5%)"
    return (
        "<style>[data-testid=stLogoLink] { color: inherit; } [data-testid=stHeaderLogo], [data-testid=stSidebarLogo] { "
        f"color: inherit; object-position: -9999px 0; background: {ink}; mask: {mask}; -webkit-mask: {mask}; }}</style>"
    )
