"""How quickly the app answers: python -m bench.latency [--repeats 7]

Start: from ``streamlit run app.py`` until Home is usable. Click to first point: from the press of Train to the first point that
the browser draws, MF preset on MovieLens 100K; on a server that has been up for a while, and on one that has just started. Page
switch: from a click in the navigation until the new page stands (its address, its content in the document, its script ended),
taken inside the page; beside it the processor time this costs the server. Recommendations: for the model, and on the page. Idle
CPU: server and workers together, with one tab open on a finished run (Linux only). Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.latency.pages import page_switches
from bench.latency.processes import idle_percent
from bench.latency.recommending import of_the_model, on_the_page
from bench.latency.training import cold_starts, first_points
from bench.machine import write
from mfcore.paths import data_dir
from scripts.app_server import ROOT, AppServer
from scripts.browser import chromium

REQUIRED = {
    "click_to_first_point_s": 0.7,
    "cold_click_to_first_point_s": 4.0,
    "start_to_first_page_s": 2.5,
    "page_switch_s": 0.3,
    "page_switch_slowest_s": 0.3,
    "recommend_s": 0.1,
    "idle_cpu_percent": 1.0,
}
SHOWN = ("click_to_first_trained_epoch_s", "recommend_on_page_s", "page_switch_by_page_s", "page_server_cpu_s")


def measure(repeats: int) -> dict[str, Any]:
    """All figures, on fresh servers with a copy of the cached MovieLens."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        with chromium() as browser:
            with AppServer(home) as server:
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                times = first_points(page, server.url, repeats)
                found = page_switches(page, server.pid, repeats)
                times["recommend_on_page_s"] = on_the_page(page, server.url, repeats)
                page.wait_for_timeout(5000)
                found["idle_cpu_percent"] = idle_percent(server.pid)
                page.close()
            times |= cold_starts(browser, home, min(repeats, 5))
        times["recommend_s"] = of_the_model(home, repeats)
    return {**summary(times), **found}


def summary(times: dict[str, list[float]]) -> dict[str, Any]:
    """Each list's median under its name, and all of it."""
    found: dict[str, Any] = {}
    for name, values in times.items():
        found[name] = round(statistics.median(values), 4)
        found[f"{name}_all"] = [round(value, 4) for value in values]
    return found


def main() -> int:
    """Measure, print, write bench/results/latency.json. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description="How quickly the app answers.")
    parser.add_argument("--repeats", type=int, default=7, help="presses of Train, rounds through the pages (default 7)")
    result = measure(parser.parse_args().repeats)
    missed = [name for name, limit in REQUIRED.items() if result[name] is not None and result[name] > limit]
    for name, limit in REQUIRED.items():
        print(f"{name:30} {result[name]}   required ≤ {limit}   {'missed' if name in missed else 'met'}")
    for name in SHOWN:
        print(f"{name:30} {result[name]}")
    print("written to", write("latency", {"required": REQUIRED, **result}).relative_to(ROOT))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
