"""Every colour has one home, and each is seen on the ground it is used on: WCAG 2.2, level AA, computed for both themes."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from mfcore.registry import MODELS
from ui import theme
from ui.theme import DARK, GRAPHICS, LIGHT, SCALES, STREAMLIT, TEXTS, colour, contrast, sequential

ROOT = Path(theme.__file__).resolve().parent.parent
THEMES = [pytest.param(LIGHT, False, id="light"), pytest.param(DARK, True, id="dark")]
TEXT, GRAPHIC = 4.5, 3.0


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01), "the grey known to fail by a hair"
    assert contrast("#123456", "#123456") == 1.0


@pytest.mark.parametrize(("shades", "_dark"), THEMES)
def test_every_word_is_read_on_its_ground(shades: dict[str, str], _dark: bool) -> None:
    found = {pair: contrast(shades[pair[0]], shades[pair[1]]) for pair in TEXTS}
    assert not {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < TEXT}


@pytest.mark.parametrize(("shades", "is_dark"), THEMES)
def test_every_mark_stands_out_from_its_ground(shades: dict[str, str], is_dark: bool) -> None:
    inks = {f"{ink} on {ground}": (shades[ink], shades[ground]) for ink, ground in GRAPHICS}
    inks |= {name: (colour(name, is_dark), shades["background"]) for name in MODELS}
    spares = theme.SPARE_DARK if is_dark else theme.SPARE_LIGHT
    steps = [step for _, step in sequential(is_dark)]
    scales = {**SCALES["dark" if is_dark else "light"], "spare": spares, "sequential": steps}
    inks |= {f"{name} {at}": (ink, shades["background"]) for name, scale in scales.items() for at, ink in enumerate(scale)}
    found = {name: contrast(*pair) for name, pair in inks.items()}
    assert not {name: round(ratio, 2) for name, ratio in found.items() if ratio < GRAPHIC}


@pytest.mark.parametrize(("shades", "_dark"), THEMES)
def test_train_and_validation_differ_in_lightness_too(shades: dict[str, str], _dark: bool) -> None:
    assert contrast(shades["train"], shades["valid"]) > 2


@pytest.mark.parametrize("name", ["much", "ratings"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_scale_from_little_to_much_rises_in_lightness(name: str, mode: str) -> None:
    ground = (DARK if mode == "dark" else LIGHT)["background"]
    steps = [contrast(step, ground) for step in SCALES[mode][name]]
    assert steps == sorted(steps)
    assert min(later / earlier for earlier, later in pairwise(steps)) > 1.1


@pytest.mark.parametrize(("shades", "is_dark"), THEMES)
def test_streamlit_is_given_the_same_colours(shades: dict[str, str], is_dark: bool) -> None:
    written = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    chosen = written["dark" if is_dark else "light"]
    assert {key: value for key, value in chosen.items() if isinstance(value, str)} == {
        k: shades[m] for k, m in STREAMLIT.items()
    }
    series = [*(shades[name] for name in ("valid", "train", "test")), *(colour(name, is_dark) for name in MODELS)]
    assert chosen["chartCategoricalColors"] == series[: len(chosen["chartCategoricalColors"])]
    assert chosen["chartSequentialColors"] == [step for _, step in sequential(is_dark)]


LITERAL = re.compile(
    r"#[0-9a-f]{3}(?:[0-9a-f]{3})?(?:[0-9a-f]{2})?\b(?!-)|(?:rgba?|hsla?|oklch)\((?=\s*[\d.])|:\s+(?:white|black|red|grey|gray)\b",
    re.I,
)


def written_colours(text: str) -> list[str]:
    """Colours spelled out in a source text."""
    return [found[0] for found in LITERAL.finditer(text)]


def test_a_colour_spelled_out_is_found() -> None:
    assert written_colours('a { color: #fff } b { color: rgb(0 0 0 / 8%) } "#12ab9f" `#1c7672`; fill: white') == [
        "#fff", "rgb(", "#12ab9f", "#1c7672", ": white",
    ]  # fmt: skip
    assert written_colours("`rgb(${stops})` ####  '#empty-part' var(--mfx-good)") == []


def test_no_colour_is_written_outside_the_theme() -> None:
    sources = [
        path
        for folder in ("ui", "pages")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".js", ".css", ".html"}
    ]
    assert len(sources) > 80
    found = {
        str(path.relative_to(ROOT)): colours
        for path in sources
        if path != Path(theme.__file__) and (colours := written_colours(path.read_text(encoding="utf-8")))
    }
    assert not found
