"""How smoothly the map of embeddings moves: python -m bench.frames [--seconds 5]

Frames a second that the browser draws while the map plays through the epochs of a run on MovieLens 100K (1,682 films, with
trails, in two and in three dimensions), and while 60,000 imported points are moved about; seconds from opening the page until
60,000 points are drawn. In a headless Chromium without a graphics card, where WebGL is computed by the processor: the worst
case. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.measured import Measured, median, report
from mfcore.paths import data_dir
from scripts.app_server import AppServer
from scripts.browser import chromium, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

FPS, MANY_DRAWN = 30.0, 2.0
"""Pictures a second that play must reach; seconds that drawing the points may take."""
MANY, WIDTH = 60_000, 32
MAP = ".mfs-space"

# Counts pictures that the map drew, not those that the browser could have drawn.
COUNT = """async ([map, seconds]) => {
  const view = document.querySelector(map).mfsView, gaps = []
  const began = performance.now(), first = view.drawnFrames
  let last = began, drawn = first
  await new Promise(resolve => {
    const look = now => {
      if (view.drawnFrames !== drawn) { drawn = view.drawnFrames; gaps.push(now - last); last = now }
      if (now - began < 1000 * seconds) requestAnimationFrame(look)
      else resolve()
    }
    requestAnimationFrame(look)
  })
  gaps.sort((a, b) => a - b)
  return { fps: 1000 * (drawn - first) / (performance.now() - began), slowest: gaps[Math.floor(0.95 * gaps.length)] }
}"""
SWAY = """([map, kind]) => {
  const view = document.querySelector(map).mfsView
  const sway = now => {
    if (kind === "orbit") orbitBy(view, now)
    else view.camera.x = 0.3 * Math.sin(now / 400)
    view.again(false)
    view.swaying = requestAnimationFrame(sway)
  }
  const orbitBy = (view, now) => { view.camera.yaw = Math.sin(now / 700); view.turn() }
  view.swaying = requestAnimationFrame(sway)
}"""


def open_map(page: Page, url: str) -> float:
    """Open an address; seconds until the map's first picture."""
    page.goto(url, wait_until="domcontentloaded")
    page.wait_for_selector(f"{MAP}[data-drawn]", timeout=60_000)
    drawn = float(page.locator(MAP).get_attribute("data-drawn") or "nan") / 1000
    settle(page)
    page.wait_for_timeout(1500)
    return drawn


def trained(home: Path) -> str:
    """A run of 30 epochs with its vectors kept."""
    environment = {**os.environ, "MF_EXPLORER_HOME": str(home)}
    command = [sys.executable, "-m", "mfcore", "train", "--preset", "biased-mf", "--set", "pace=10", "--set", "num_epochs=30"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return next(iter(sorted((home / "runs").iterdir()))).name


def planted(home: Path) -> str:
    """Sixty thousand points in twenty clouds, as if imported."""
    from mfcore.embeddings.export import Tables
    from mfcore.embeddings.imported import ImportedEmbeddings

    rng = np.random.default_rng(0)
    group = rng.integers(0, 20, MANY)
    vectors = (rng.normal(size=(20, WIDTH))[group] * 2 + rng.normal(size=(MANY, WIDTH))).astype(np.float32)
    metadata = {
        "title": [f"point {number}" for number in range(MANY)],
        "genres": [f"cloud {cloud}" for cloud in group],
        "ratings": [str(count) for count in rng.geometric(0.02, MANY)],
    }
    return ImportedEmbeddings.add(Tables(vectors, metadata), "sixty thousand", home).name


def playing(page: Page, url: str, axes: str, seconds: float) -> dict[str, float]:
    """Frames a second while the run's epochs are played, trails and all."""
    open_map(page, f"{url}&axes={axes}")
    page.locator(f"{MAP} [data-part=play]").click()
    page.wait_for_timeout(500)
    found: dict[str, float] = page.evaluate(COUNT, [MAP, seconds])
    return found


def swaying(page: Page, kind: str, seconds: float) -> dict[str, float]:
    """Frames a second while the map is moved all the time."""
    page.evaluate(SWAY, [MAP, kind])
    found: dict[str, float] = page.evaluate(COUNT, [MAP, seconds])
    page.evaluate("map => cancelAnimationFrame(document.querySelector(map).mfsView.swaying)", MAP)
    return found


def measure(seconds: float, repeats: int) -> list[Measured]:
    """All figures, on a fresh server."""
    rows: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        run, many = trained(home), planted(home)
        with AppServer(home) as server, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            open_map(page, f"{server.url}/embeddings?run={run}")  # the first page of a server is slower, for other reasons
            painter = page.locator(MAP).get_attribute("data-painter")
            for name, axes in (("play_2d", "2-D"), ("play_3d", "3-D")):
                found = [playing(page, f"{server.url}/embeddings?run={run}", axes, seconds) for _ in range(repeats)]
                frames = median(name, [one["fps"] for one in found], "fps")
                rows.append(replace(frames, at_least=FPS, note=f"drawn by {painter}"))
                rows.append(median(f"{name}_slow_frame", [one["slowest"] for one in found], "ms"))
            address = f"{server.url}/embeddings?embeddings={many}"
            rows.append(median("many_drawn", [open_map(page, address) for _ in range(repeats)], "s", at_most=MANY_DRAWN))
            rows.append(Measured("many_pan", swaying(page, "pan", seconds)["fps"], "fps"))
            open_map(page, f"{address}&axes=3-D")
            rows.append(Measured("many_orbit", swaying(page, "orbit", seconds)["fps"], "fps"))
    return rows


def main() -> int:
    """Measure, print, write. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description="How smoothly the map of embeddings moves.")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement of frames (default 5)")
    parser.add_argument("--repeats", type=int, default=3, help="default 3")
    arguments = parser.parse_args()
    return report("frames", measure(arguments.seconds, arguments.repeats))


if __name__ == "__main__":
    sys.exit(main())
