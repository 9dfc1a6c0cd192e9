"""How quickly the app answers: python -m bench.first_point [--repeats 7]

Click to first point: from the press of Train to the first point that the browser draws, and to the first one of training
(epoch 1), on MovieLens 100K with the MF preset and a warm worker. Page switch: from a click in the navigation until the new
page stands. Idle CPU: server and workers together, with one tab open on a finished run (Linux only). Run it on a machine that
does nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.machine import write
from mfcore.paths import data_dir
from scripts.app_server import ROOT, AppServer
from scripts.browser import chromium, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

REQUIRED = {"click_to_first_point_s": 1.0, "page_switch_s": 0.5, "idle_cpu_percent": 1.0}
PAGES = ("Evaluate", "Recommend", "Embeddings", "Data", "Runs", "Home", "Train")

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


def first_points(page: Page, server: AppServer, repeats: int) -> dict[str, Any]:
    """Press Train on the MF preset again and again, each time on a freshly opened page."""
    first, trained = [], []
    for seed in range(repeats):
        visit(page, f"{server.url}/train?preset=mf&num_epochs=5&seed={seed}")
        page.wait_for_selector(".mfx-live .js-plotly-plot")
        page.wait_for_timeout(4000)  # the spare worker, replaced after the last run, loads torch meanwhile
        page.evaluate(WATCH)
        page.locator(".st-key-train_start button").click()
        page.wait_for_function("() => window.__bench.trained > 0", timeout=60_000)
        seen = page.evaluate("() => window.__bench")
        first.append((seen["first"] - seen["press"]) / 1000)
        trained.append((seen["trained"] - seen["press"]) / 1000)
        page.wait_for_function(
            "() => document.querySelector('.mfx-live [data-part=state]').textContent.trim() === 'finished'", timeout=120_000
        )
        settle(page)
    return {**summary("click_to_first_point_s", first), **summary("click_to_first_trained_epoch_s", trained)}


def page_switches(page: Page, repeats: int) -> dict[str, Any]:
    """Click through the navigation; a page stands when its script has ended and the address is its own."""
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    for round_number in range(repeats + 1):
        for name in PAGES:
            path = "/" if name == "Home" else f"/{name.lower()}"
            started = time.perf_counter()
            page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
            page.wait_for_function("path => location.pathname === path", arg=path)
            settle(page)
            if round_number:  # the first round fills caches
                times[name].append(time.perf_counter() - started)
            page.wait_for_timeout(300)
    every = [seconds for values in times.values() for seconds in values]
    by_page = {name: round(statistics.median(values), 3) for name, values in times.items()}
    return {**summary("page_switch_s", every), "page_switch_by_page_s": by_page}


def summary(name: str, values: list[float]) -> dict[str, Any]:
    """Median under ``name``, and all values."""
    return {name: round(statistics.median(values), 3), f"{name}_all": [round(value, 3) for value in values]}


def idle_cpu(server: AppServer, seconds: float = 20.0) -> float | None:
    """Percent of one core that the server and its workers use; None where there is no /proc."""
    if server.process is None or not Path("/proc/self/stat").exists():
        return None
    before, started = _cpu_seconds(server.process.pid), time.perf_counter()
    time.sleep(seconds)
    return round(100 * (_cpu_seconds(server.process.pid) - before) / (time.perf_counter() - started), 2)


def _cpu_seconds(root: int) -> float:
    """User and system time so far of a process and all its descendants."""
    parents, ticks = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)], ticks[int(entry.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    family, grew = {root}, True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        grew = bool(more)
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def measure(repeats: int) -> dict[str, Any]:
    """All figures, on a fresh server with a copy of the cached MovieLens."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        with AppServer(home) as server, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            result = first_points(page, server, repeats)
            result |= page_switches(page, 3)
            page.wait_for_timeout(5000)
            result["idle_cpu_percent"] = idle_cpu(server)
    return result


def main() -> int:
    """Measure, print, write bench/results/first_point.json. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description="How quickly the app answers.")
    parser.add_argument("--repeats", type=int, default=7, help="presses of Train (default 7)")
    result = measure(parser.parse_args().repeats)
    missed = [name for name, limit in REQUIRED.items() if result[name] is not None and result[name] > limit]
    for name, limit in REQUIRED.items():
        print(f"{name:24} {result[name]}   required ≤ {limit}   {'missed' if name in missed else 'met'}")
    print("first trained epoch     ", result["click_to_first_trained_epoch_s"])
    print("page switch by page     ", result["page_switch_by_page_s"])
    print("written to", write("first_point", {"required": REQUIRED, **result}).relative_to(ROOT))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
