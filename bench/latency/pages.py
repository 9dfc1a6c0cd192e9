"""From a click in the navigation until the new page stands, and what that costs the server."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from bench.latency.processes import cpu_seconds
from scripts.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
WATCH = """([path, content, drawn]) => {
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


def page_switches(page: Page, pid: int, repeats: int) -> dict[str, Any]:
    """Click through the navigation, round after round; the first round fills caches and is not counted. Times in seconds.

    ``pid``: the server, whose processor time from the click until the page stands is reported beside what the browser sees.
    """
    stands: dict[str, list[float]] = {name: [] for name in CONTENT}
    drawn: dict[str, list[float]] = {name: [] for name in CONTENT}
    server: dict[str, list[float]] = {name: [] for name in CONTENT}
    for round_number in range(repeats + 1):
        for name in CONTENT:
            path = "/" if name == "Home" else f"/{name.lower()}"
            page.evaluate(WATCH, [path, CONTENT[name], DRAWN[name]])
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
    return {
        "page_switch_s": round(statistics.median(every), 3),
        "page_switch_slowest_s": max(medians(stands).values()),
        "page_switch_by_page_s": medians(stands),
        "page_drawn_by_page_s": medians(drawn),
        "page_server_cpu_s": medians(server),
        "page_switch_all_s": {name: [round(value, 3) for value in values] for name, values in stands.items()},
    }


def medians(values: dict[str, list[float]]) -> dict[str, float]:
    """The median of each list."""
    return {name: round(statistics.median(of), 3) for name, of in values.items()}
