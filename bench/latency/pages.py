"""What a person waits for, taken inside the page: page switches, first points of a curve, other people's lists."""

from __future__ import annotations

import socket
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.latency.processes import cpu_seconds
from bench.measured import Measured, median
from scripts.app_server import AppServer
from scripts.browser import settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What a person came to the page for: when this is in the document and the script has ended, the page stands.
CONTENT = {
    "Evaluate": ".st-key-show button",
    "Recommend": ".st-key-seen",
    "Embeddings": ".mfs-space",
    "Data": ".st-key-split_picture",
    "Runs": ".st-key-starred",
    "Home": ".st-key-living_picture .mfx-live",
    "Train": ".st-key-train_start button",
}
# What the browser then draws by itself, without asking the server: the last thing one waits for.
DRAWN = {
    "Evaluate": "[data-testid=stDataFrame] canvas",
    "Recommend": "[data-testid=stDataFrame] canvas",
    "Embeddings": ".mfs-space[data-drawn]",
    "Data": ".st-key-split_picture .js-plotly-plot .main-svg",
    "Runs": "[data-testid=stDataFrame] canvas",
    "Home": ".mfx-live .js-plotly-plot .main-svg",
    "Train": ".mfx-live .js-plotly-plot .main-svg",
}

# In the page, so that no round trip of the driver is in the figure. The clock starts with the press; a look at each change
# of the document and at each picture. A page stands when the address is its own, its content is in the document (no other page
# has the same) and the script has ended.
WATCH_PAGE = """([path, content, drawn]) => {
  const app = document.querySelector("[data-testid=stApp]")
  const bench = (window.__bench = { press: 0, stands: 0, drawn: 0 })
  document.addEventListener("click", () => { bench.press = performance.now() }, { once: true, capture: true })
  const look = () => {
    if (!bench.press) return
    const state = app.getAttribute("data-test-script-state")
    const main = document.querySelector("[data-testid=stMain]")
    const here = location.pathname === path && main
    if (!bench.stands && here && state === "notRunning" && main.querySelector(content)) bench.stands = performance.now()
    if (bench.stands && !bench.drawn && main.querySelector(drawn)) bench.drawn = performance.now()
    if (bench.drawn) observer.disconnect()
  }
  const observer = new MutationObserver(look)
  observer.observe(document.documentElement, { subtree: true, childList: true, attributes: true })
  const beat = () => { look(); if (!bench.drawn) requestAnimationFrame(beat) }
  requestAnimationFrame(beat)
}"""


PAGE_SWITCH = 0.3
"""Seconds that a page may take."""


def page_switches(page: Page, pid: int, repeats: int) -> list[Measured]:
    """Click through the navigation, round after round; the first round fills caches and is not counted. Times in seconds.

    ``pid``: the server, whose processor time from the click until the page stands is reported beside what the browser sees.
    """
    stands: dict[str, list[float]] = {name: [] for name in CONTENT}
    drawn: dict[str, list[float]] = {name: [] for name in CONTENT}
    server: dict[str, list[float]] = {name: [] for name in CONTENT}
    for round_number in range(repeats + 1):
        for name in CONTENT:
            path = "/" if name == "Home" else f"/{name.lower()}"
            page.evaluate(WATCH_PAGE, [path, CONTENT[name], DRAWN[name]])
            before = cpu_seconds(pid)
            page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
            page.wait_for_function("() => window.__bench.drawn > 0", timeout=30_000)
            used, seen = cpu_seconds(pid) - before, page.evaluate("() => window.__bench")
            if round_number:
                stands[name].append((seen["stands"] - seen["press"]) / 1000)
                drawn[name].append((seen["drawn"] - seen["press"]) / 1000)
                server[name].append(used)
            settle(page)
            page.wait_for_timeout(400)
    every = [seconds for values in stands.values() for seconds in values]
    slowest = max(statistics.median(values) for values in stands.values())
    rows = [median("page_switch", every, "s", at_most=PAGE_SWITCH)]
    rows.append(Measured("page_switch_slowest", slowest, "s", repeats, at_most=PAGE_SWITCH))
    for what, by_page in (("page_switch", stands), ("page_drawn", drawn), ("page_server_cpu", server)):
        rows += [median(f"{what}/{name}", values, "s") for name, values in by_page.items()]
    return rows


# From the press of Train to the first point

TRAIN = "/train?preset=mf&num_epochs=5&seed={seed}"
TRAIN_BUTTON = ".st-key-train_start button"

# In the page, so that no round trip of the driver is in the figure: the time of the press, then of what is drawn.
WATCH_POINTS = """
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
    page.evaluate(WATCH_POINTS)
    page.locator(TRAIN_BUTTON).click()
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
    return {"click_to_first_point": first, "click_to_first_trained_epoch": trained}


def cold_starts(browser: Browser, home: Path, repeats: int) -> dict[str, list[float]]:
    """From ``streamlit run app.py`` until the first page is usable, in a browser that is open; then Train, pressed at once.

    The first page is Home with its button that trains, in a tab that has cached nothing. The press is on the Train page of
    another server, as soon as its button is there: the worker and the libraries are cold then.
    """
    usable, first = [], []
    for seed in range(repeats):
        usable.append(first_page(browser, home, "/", ".st-key-start_now button")[0])
        first.append(first_page(browser, home, TRAIN.format(seed=1000 + seed), TRAIN_BUTTON, press=True)[1])
    return {"start_to_first_page": usable, "cold_click_to_first_point": first}


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


# Recommendations, for the model and on the page

USERS = (237, 371, 456, 582, 619, 743, 845)  # each begins with another digit: a box ignores what it holds already
# From the press on another user in the list until what they would be recommended stands.
WATCH_LIST = """user => {
  const app = document.querySelector("[data-testid=stApp]")
  const bench = (window.__bench = { press: 0, stands: 0 })
  document.addEventListener("pointerdown", () => { bench.press = performance.now() }, { once: true, capture: true })
  const look = () => {
    const heads = [...document.querySelectorAll("[data-testid=stMain] h3")].map(head => head.textContent)
    const idle = app.getAttribute("data-test-script-state") === "notRunning"
    if (bench.press && idle && heads.some(head => head.includes(`user ${user} `))) bench.stands = performance.now()
    if (!bench.stands) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}"""


def of_the_model(home: Path, repeats: int) -> list[float]:
    """Seconds for a user's history and ten recommendations, each with the liked film nearest to it; other users each time."""
    from mfcore.runs.loaded import load_run
    from mfcore.runs.manager.manager import manager_for
    from ui.recommend.profile import history_of, recommended

    run, times = load_run(manager_for(home).list()[0].run_id, home=home), []
    ids = run.data.users.ids.tolist()
    for number in range(20 * repeats + 1):
        user, began = ids[(37 * number) % len(ids)], time.perf_counter()
        recommended(run, user, 10, include_seen=False, history=history_of(run, user))
        times.append(time.perf_counter() - began)
    return times[1:]  # the first loads what the others use


def on_the_page(page: Page, url: str, repeats: int) -> list[float]:
    """Seconds from choosing another user until the page shows what they would be recommended."""
    visit(page, f"{url}/recommend")
    times = []
    for number in range(repeats + 1):
        user = USERS[number % len(USERS)]
        box = page.get_by_role("combobox", name="User")
        box.click()
        page.wait_for_timeout(400)
        box.press("ControlOrMeta+a")
        box.press_sequentially(str(user), delay=100)
        option = page.get_by_role("option", name=str(user), exact=True)
        option.wait_for()
        page.wait_for_timeout(300)
        page.evaluate(WATCH_LIST, user)
        option.click()
        page.wait_for_function("() => window.__bench.stands > 0", timeout=30_000)
        seen = page.evaluate("() => window.__bench")
        times.append((seen["stands"] - seen["press"]) / 1000)
        page.wait_for_timeout(300)
    return times[1:]
