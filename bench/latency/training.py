"""From the press of Train to the first point that the browser draws, and how long a freshly started server takes for both."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.app_server import AppServer
from scripts.browser import settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TRAIN = "/train?preset=mf&num_epochs=5&seed={seed}"
START = ".st-key-train_start button"

# In the page, so that no round trip of the driver is in the figure: the time of the press, then of what is drawn.
WATCH = """
() => {
  const drawn = trace => document.querySelector(".mfx-live [data-part=plot-loss]")?.data?.[trace]?.y?.length ?? 0
  const bench = (window.__bench = { press: 0, first: 0, trained: 0 })
  const button = document.querySelector(".st-key-train_start button")
  button.addEventListener("click", () => { bench.press = performance.now() }, { once: true, capture: true })
  const look = () => {
    if (bench.press && !bench.first && drawn(2)) bench.first = performance.now()
    if (bench.press && !bench.trained && drawn(1)) bench.trained = performance.now()
    if (!bench.trained) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}
"""
# Runs before anything else in a fresh tab: presses Train, or only notes the time, as soon as the page is usable.
USABLE = """
window.__bench = { usable: 0 }
const look = () => {
  const app = document.querySelector("[data-testid=stApp]")
  const ready = app?.dataset.testConnectionState === "CONNECTED" && app.dataset.testScriptState === "notRunning"
  if (ready && document.querySelector("%s")) window.__bench.usable = Date.now()
  else requestAnimationFrame(look)
}
requestAnimationFrame(look)
"""


def press_train(page: Page) -> tuple[float, float]:
    """Press Train on the page as it stands; seconds to the first point, and to the first one of training (epoch 1)."""
    page.evaluate(WATCH)
    page.locator(START).click()
    page.wait_for_function("() => window.__bench.trained > 0", timeout=60_000)
    seen = page.evaluate("() => window.__bench")
    return (seen["first"] - seen["press"]) / 1000, (seen["trained"] - seen["press"]) / 1000


def first_points(page: Page, url: str, repeats: int) -> dict[str, list[float]]:
    """Press Train on the MF preset again and again, each time on a freshly opened page and with a warm worker."""
    first, trained = [], []
    for seed in range(repeats):
        visit(page, url + TRAIN.format(seed=seed))
        page.wait_for_selector(".mfx-live .js-plotly-plot")
        page.wait_for_timeout(4000)  # the spare worker, replaced after the last run, loads torch meanwhile
        to_first, to_trained = press_train(page)
        first.append(to_first)
        trained.append(to_trained)
        page.wait_for_function(
            "() => document.querySelector('.mfx-live [data-part=state]').textContent.trim() === 'finished'", timeout=120_000
        )
        settle(page)
    return {"click_to_first_point_s": first, "click_to_first_trained_epoch_s": trained}


def cold_starts(browser: Browser, home: Path, repeats: int) -> dict[str, list[float]]:
    """From ``streamlit run app.py`` until the first page is usable, in a browser that is open; then Train, pressed at once.

    The first page is Home with its button that trains, in a tab that has cached nothing. The press is on the Train page of
    another server, as soon as its button is there: the worker and the libraries are cold then.
    """
    usable, first = [], []
    for seed in range(repeats):
        usable.append(first_page(browser, home, "/", ".st-key-start_now button")[0])
        first.append(first_page(browser, home, TRAIN.format(seed=1000 + seed), START, press=True)[1])
    return {"start_to_first_page_s": usable, "cold_click_to_first_point_s": first}


def first_page(browser: Browser, home: Path, path: str, content: str, *, press: bool = False) -> tuple[float, float]:
    """Start a server, open a page of it at once; seconds until it is usable, and from pressing Train there to a point."""
    tab = browser.new_page(viewport={"width": 1280, "height": 720})
    tab.add_init_script(USABLE % content)
    server, began = AppServer(home), time.time()
    try:
        server.launch()
        wait_for_port(server.port)
        tab.goto(server.url + path, wait_until="commit")
        tab.wait_for_function("() => window.__bench.usable > 0", timeout=60_000)
        to_usable = float(tab.evaluate("() => window.__bench.usable")) / 1000 - began
        return to_usable, press_train(tab)[0] if press else float("nan")
    finally:
        tab.close()
        server.stop()


def wait_for_port(port: int, timeout: float = 60.0) -> None:
    """Until something listens there: the moment at which the person's browser would get an answer."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")
