"""Film the README's recording anew: starts the app, trains, steers, plays the map; writes docs/images/laboratory.webp."""

from __future__ import annotations

import base64
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from mfcore.paths import data_dir
from scripts.app_server import ROOT, AppServer
from scripts.browser import chromium, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

FILM = ROOT / "docs" / "images" / "laboratory.webp"
SIZE: ViewportSize = {"width": 1280, "height": 900}
WIDTH = 880
FRAMES_A_SECOND = 8
LIMIT = 1_500_000
"""Bytes the film may have."""
TRAIN = "train?preset=biased-mf&num_epochs=30&pace=5"
MAP = ".st-key-map .mfs-space"


class Camera:
    """Takes what Chromium draws, each picture with its time, while the driver waits or clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pictures: list[tuple[float, bytes]] = []
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._take)

    def roll(self) -> None:
        """Begin to film."""
        self._session.send("Page.startScreencast", {"format": "jpeg", "quality": 92, "everyNthFrame": 1})

    def cut(self) -> None:
        """Stop filming; the next :meth:`roll` follows without a gap in the film."""
        self._session.send("Page.stopScreencast")
        self.page.wait_for_timeout(200)  # pictures on their way are taken in before the page goes on
        self.pictures.append((float("nan"), b""))

    def _take(self, event: dict[str, Any]) -> None:
        self.pictures.append((event["metadata"]["timestamp"], base64.b64decode(event["data"])))
        self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def film(self) -> list[Image.Image]:
        """Evenly timed frames of every scene, the last picture held where nothing moved."""
        frames: list[Image.Image] = []
        scene: list[tuple[float, bytes]] = []
        for time, picture in self.pictures:
            if picture:
                scene.append((time, picture))
            elif scene:
                frames += _even(scene)
                scene = []
        return frames


def _even(scene: list[tuple[float, bytes]]) -> list[Image.Image]:
    began, ended = scene[0][0], scene[-1][0]
    height = WIDTH * SIZE["height"] // SIZE["width"]
    frames, at = [], 0
    for tick in range(int((ended - began) * FRAMES_A_SECOND) + 1):
        while at + 1 < len(scene) and scene[at + 1][0] <= began + tick / FRAMES_A_SECOND:
            at += 1
        picture = Image.open(io.BytesIO(scene[at][1])).convert("RGB")
        frames.append(picture.resize((WIDTH, height), Image.Resampling.LANCZOS))
    return frames


def train(page: Page, camera: Camera, url: str) -> str:
    """Scene one: press Train, watch, pause, step twice, play to the end. Returns the run."""
    visit(page, f"{url}/{TRAIN}")
    page.wait_for_timeout(3000)
    camera.roll()
    page.wait_for_timeout(700)
    page.locator(".st-key-train_start button").click()
    page.wait_for_function("() => new URLSearchParams(location.search).has('run')")
    run: str = page.evaluate("() => new URLSearchParams(location.search).get('run')")
    state = "document.querySelector('.mfx-live [data-part=state]')?.textContent.trim()"
    page.wait_for_function(f"() => {state} === 'training'", timeout=60_000)
    page.wait_for_timeout(3000)
    page.locator(".mfx-live [data-act=play]").click()
    page.wait_for_timeout(900)
    for _ in range(2):
        page.locator(".mfx-live [data-act=step_epoch]").click()
        page.wait_for_timeout(700)
    page.locator(".mfx-live [data-act=play]").click()
    page.wait_for_function(f"() => {state} === 'finished'", timeout=120_000)
    page.wait_for_timeout(700)
    camera.cut()
    return run


def embeddings(page: Page, camera: Camera, url: str, run: str) -> None:
    """Scene two: the map plays through the epochs."""
    visit(page, f"{url}/embeddings?run={run}")
    page.wait_for_selector(f"{MAP}[data-drawn]")
    page.wait_for_timeout(1500)
    camera.roll()
    page.wait_for_timeout(500)
    page.locator(f"{MAP} [data-part=play]").click()
    page.wait_for_timeout(6500)
    camera.cut()


def write(frames: list[Image.Image]) -> None:
    """An animated WebP within the limit, at the best quality that fits."""
    for quality in (60, 45, 30, 20):
        frames[0].save(
            FILM, save_all=True, append_images=frames[1:], duration=1000 // FRAMES_A_SECOND, loop=0, quality=quality, method=4
        )
        if FILM.stat().st_size <= LIMIT:
            break
    size, seconds = FILM.stat().st_size, len(frames) / FRAMES_A_SECOND
    print(f"{FILM.relative_to(ROOT)}  {seconds:.0f} s, {len(frames)} frames, quality {quality}, {size / 1000:.0f} kB")


def main() -> None:
    """Both scenes into one film."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        with AppServer(home) as server, chromium() as browser:
            page = browser.new_page(viewport=SIZE)
            visit(page, server.url)
            page.wait_for_timeout(4000)  # the spare worker loads torch
            camera = Camera(page)
            run = train(page, camera, server.url)
            settle(page)
            embeddings(page, camera, server.url, run)
            write(camera.film())


if __name__ == "__main__":
    main()
