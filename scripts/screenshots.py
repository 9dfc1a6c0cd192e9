"""Draw the pictures of the README anew: starts the app, trains, looks, writes docs/images/*.png.

``--all --out DIR``: every page as it stands now, with the runs that are here, in both themes and at three widths.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image

from mfcore.paths import data_dir
from scripts.app_server import ROOT, AppServer
from scripts.browser import chromium, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
IMAGES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 720}
SIZES: tuple[ViewportSize, ...] = (SIZE, {"width": 1920, "height": 1080}, {"width": 420, "height": 900})
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LIMIT = 300_000
"""Bytes a picture may have."""


def save(page: Page, name: str) -> None:
    """A picture of the window as a PNG of few colours, which a page of text and curves does not miss."""
    page.mouse.move(0, 719)  # nothing hovered
    page.wait_for_timeout(600)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = IMAGES / f"{name}.png"
    for colours in (256, 128, 64):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < LIMIT:
            break
    print(path.relative_to(ROOT), f"{path.stat().st_size / 1000:.0f} kB")


def press_train(page: Page, url: str) -> str:
    """Train what the address says; returns the run."""
    visit(page, url)
    page.locator(".st-key-train_start button").click()
    page.wait_for_function("() => new URLSearchParams(location.search).has('run')")
    run: str = page.evaluate("() => new URLSearchParams(location.search).get('run')")
    return run


def finished(page: Page) -> None:
    """Wait for the end of the run on view."""
    badge = "document.querySelector('.mfx-live [data-part=state]')?.textContent.trim()"
    page.wait_for_function(f"() => {badge} === 'finished'", timeout=240_000)
    settle(page)


def train_to_the_end(page: Page, url: str, preset: str) -> str:
    """Train a preset at full speed and wait for its end; returns the run."""
    run = press_train(page, f"{url}/train?preset={preset}&pace=0")
    finished(page)
    return run


def every_page(out: Path) -> None:
    """Every page × theme × width, of the data directory as it is: to look at before and after a change."""
    out.mkdir(parents=True, exist_ok=True)
    with AppServer(data_dir()) as server, chromium() as browser:
        for theme in THEMES:
            for size in SIZES:
                page = browser.new_context(viewport=size, color_scheme=theme).new_page()
                for name in PAGES:
                    visit(page, f"{server.url}/{'' if name == 'home' else name}")
                    page.wait_for_timeout(2500)  # charts and maps come after the page
                    path = out / f"{name}-{theme}-{size['width']}.png"
                    page.screenshot(path=path)
                    print(path)
                page.context.close()


def main() -> None:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every page instead of the README's pictures")
    parser.add_argument("--out", type=Path, default=Path("screenshots"), help="folder for --all")
    asked = parser.parse_args()
    if asked.all:
        every_page(asked.out)
    else:
        readme()


def readme() -> None:
    """Every picture of the README, in the order of a first visit."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        with AppServer(home) as server, chromium() as browser:
            page = browser.new_page(viewport=SIZE)
            visit(page, server.url)
            page.wait_for_timeout(4000)  # the spare worker loads torch
            run = press_train(page, f"{server.url}/train?preset=biased-mf")
            points = "document.querySelector('.mfx-live [data-part=plot-loss]')?.data?.[1]?.y?.length"
            page.wait_for_function(f"() => {points} >= 14", timeout=120_000)
            save(page, "train")
            finished(page)
            neumf, ranking = (train_to_the_end(page, server.url, preset) for preset in ("neumf", "mf-implicit"))
            views = {
                "evaluate": f"evaluate?run={run}",
                "evaluate-mf": f"evaluate?run={ranking}",
                "evaluate-neumf": f"evaluate?run={neumf}",
                "evaluate-rivals": f"evaluate?run={ranking}&show=Rivals",
                "evaluate-compare": f"evaluate?run={neumf}&show=Compare&with={ranking}",
                "recommend": f"recommend?run={run}&user=196",
                "embeddings": f"embeddings?run={ranking}&film=50",
            }
            for name, address in views.items():
                visit(page, f"{server.url}/{address}")
                page.wait_for_timeout(2500)
                save(page, name)
            visit(page, server.url)
            page.wait_for_timeout(1500)
            save(page, "home")
            dark = browser.new_context(viewport=SIZE, color_scheme="dark").new_page()
            visit(dark, f"{server.url}/train?run={ranking}")
            dark.wait_for_timeout(2500)
            save(dark, "train-dark")


if __name__ == "__main__":
    main()
