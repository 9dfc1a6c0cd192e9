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
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.machine import write
from mfcore.paths import data_dir
from scripts.app_server import ROOT, AppServer
from scripts.browser import chromium, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

REQUIRED = {"play_2d_fps": 30.0, "play_3d_fps": 30.0, "many_drawn_s": 2.0}
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


def measure(seconds: float, repeats: int) -> dict[str, Any]:
    """All figures, on a fresh server."""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        run, many = trained(home), planted(home)
        with AppServer(home) as server, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            open_map(page, f"{server.url}/embeddings?run={run}")  # the first page of a server is slower, for other reasons
            result["painter"] = page.locator(MAP).get_attribute("data-painter")
            for name, axes in (("play_2d", "2-D"), ("play_3d", "3-D")):
                found = [playing(page, f"{server.url}/embeddings?run={run}", axes, seconds) for _ in range(repeats)]
                result[f"{name}_fps"] = round(statistics.median(one["fps"] for one in found), 1)
                result[f"{name}_slow_frame_ms"] = round(statistics.median(one["slowest"] for one in found), 1)
                result[f"{name}_fps_all"] = [round(one["fps"], 1) for one in found]
            address = f"{server.url}/embeddings?embeddings={many}"
            opened = [open_map(page, address) for _ in range(repeats)]
            result["many_drawn_s"], result["many_drawn_s_all"] = round(statistics.median(opened), 2), opened
            result["many_pan_fps"] = round(swaying(page, "pan", seconds)["fps"], 1)
            open_map(page, f"{address}&axes=3-D")
            result["many_orbit_fps"] = round(swaying(page, "orbit", seconds)["fps"], 1)
    return result


def main() -> int:
    """Measure, print, write bench/results/frames.json. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description="How smoothly the map of embeddings moves.")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement of frames (default 5)")
    parser.add_argument("--repeats", type=int, default=3, help="default 3")
    arguments = parser.parse_args()
    result = measure(arguments.seconds, arguments.repeats)
    missed = []
    for name, limit in REQUIRED.items():
        met = result[name] <= limit if name.endswith("_s") else result[name] >= limit
        missed += [] if met else [name]
        print(
            f"{name:16} {result[name]}   required {'≤' if name.endswith('_s') else '≥'} {limit}   {'met' if met else 'missed'}"
        )
    for name in ("many_pan_fps", "many_orbit_fps", "play_2d_slow_frame_ms", "play_3d_slow_frame_ms", "painter"):
        print(f"{name:24} {result[name]}")
    print("written to", write("frames", {"required": REQUIRED, **result}).relative_to(ROOT))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
