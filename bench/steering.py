"""How soon a run does as it is told: python -m bench.steering [--repeats 20]

A slow model (NeuMF on MovieLens 100K) is trained, watched in Chromium, and steered there: its learning rate is changed, it is
paused and goes on, at random moments; once held at one epoch a second and once at full speed. Measured from the click: until
the worker has done it and written so into the run's events, and until the page says so. A worker hears between two steps;
what is asked while it validates waits for that to end: ``after_a_step`` counts from there, ``acted`` in full.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measured import Measured, median, report
from mfcore.paths import data_dir
from mfcore.runs import RunFolder
from mfcore.runs.events import CommandEvent, EpochEvent, Event
from scripts.app_server import AppServer
from scripts.browser import chromium, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

AFTER_A_STEP = 0.2
"""Seconds that the latest command may take."""
PACES = {"one epoch a second": 1, "full speed": 0}
RUN = "preset=neumf&num_epochs=5000&patience=0"
# Clicks, and comes back when the page has changed as told: the badge's word, or the newest message on the learning rate.
CLICK = """async ([act, shown]) => {
  const live = document.querySelector('.mfx-live')
  const says = () => shown.startsWith('Learning')
    ? [...live.querySelectorAll('.mfx-messages li span')].find(s => s.textContent.startsWith('Learning rate set'))?.textContent
    : live.querySelector('[data-part=state]').textContent
  const began = Date.now()
  live.querySelector(`[data-act=${act}]`).click()
  while (says() !== shown && Date.now() < began + 20000) await new Promise(done => setTimeout(done, 4))
  return [began / 1000, Date.now() / 1000]
}"""


@dataclass(frozen=True)
class Asked:
    """One command: its name in the events, and when (seconds since 1970) it was clicked and was seen on the page."""

    name: str
    clicked: float
    shown: float


def steer(page: Page, repeats: int, rate: float) -> list[Asked]:
    """So many times: another learning rate, a pause and on again, each at a random moment."""
    luck, asked = random.Random(7), []
    for repeat in range(repeats):
        up = repeat % 2 == 0
        for name, act, shown in (
            ("learning_rate", "rate-up" if up else "rate-down", f"Learning rate set to {rate * (10 if up else 1):g}."),
            ("pause", "play", "paused"),
            ("resume", "play", "training"),
        ):
            page.wait_for_timeout(luck.uniform(300, 1300))
            clicked, seen = page.evaluate(CLICK, [act, shown])
            asked.append(Asked(name, clicked, seen))
    return asked


def delays(asked: list[Asked], events: list[Event]) -> dict[str, list[float]]:
    """Seconds from click to deed, from the step's end to the deed, and from click to page, of every command.

    Raises:
        RuntimeError: a command was not done.
    """
    epochs = [event.time for event in events if isinstance(event, EpochEvent)]
    acted, after, shown = [], [], []
    for one in asked:
        done = [e.time for e in events if isinstance(e, CommandEvent) and e.name == one.name and e.time >= one.clicked - 0.002]
        if not done or one.shown < done[0] - 0.002:
            raise RuntimeError(f"{one.name} was not done, or shown before it was")
        # An epoch is told of when it has been validated: from there on steps end again.
        validated = max((t for t in epochs if t <= done[0]), default=0.0)
        acted.append(done[0] - one.clicked)
        after.append(done[0] - max(one.clicked, validated))
        shown.append(one.shown - one.clicked)
    return {"after_a_step": after, "acted": acted, "shown": shown}


def situation(page: Page, server: AppServer, home: Path, pace: int, repeats: int) -> dict[str, list[float]]:
    """All repeats on one run at one pace."""
    visit(page, f"{server.url}/train?{RUN}&pace={pace}")
    page.locator(".st-key-train_start button").click()
    page.wait_for_url(re.compile("run="))
    folder = RunFolder(home / "runs" / page.url.partition("run=")[2].partition("&")[0])
    while not any(event.epoch > 0 for event in folder.events.of(EpochEvent)):
        time.sleep(0.1)
    page.wait_for_function("() => document.querySelector('.mfx-live [data-part=state]').textContent === 'training'")
    asked = steer(page, repeats, folder.config().training.learning_rate)
    page.locator(".mfx-live [data-act=stop]").click()
    page.wait_for_function("() => document.querySelector('.mfx-live [data-part=state]').textContent === 'stopped'")
    return delays(asked, folder.events.surviving())


def measure(repeats: int) -> list[Measured]:
    """Both situations, on a fresh server with a copy of the cached MovieLens."""
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        home = Path(place)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        with AppServer(home) as server:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(120_000)
            found = {name: situation(page, server, home, pace, repeats) for name, pace in PACES.items()}
    every = {name: [value for one in found.values() for value in one[name]] for name in ("after_a_step", "acted", "shown")}
    limits = {"after_a_step": AFTER_A_STEP}
    longest = [Measured(name, max(of), "s", len(of), at_most=limits.get(name)) for name, of in every.items()]
    return longest + [median(f"{pace}/{name}", of, "s") for pace, one in found.items() for name, of in one.items()]


def main() -> int:
    """Measure, print, write. Status 1 when the required figure is missed."""
    parser = argparse.ArgumentParser(description="How soon a run does as it is told.")
    parser.add_argument("--repeats", type=int, default=20, help="of each command at each pace (default 20)")
    return report("steering", measure(parser.parse_args().repeats))


if __name__ == "__main__":
    sys.exit(main())
