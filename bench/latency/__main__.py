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
import sys
import tempfile
from pathlib import Path

from bench.latency.pages import cold_starts, first_points, of_the_model, on_the_page, page_switches
from bench.latency.processes import idle_percent
from bench.measured import Measured, median, report
from mfcore.paths import data_dir
from scripts.app_server import AppServer
from scripts.browser import chromium

REQUIRED = {
    "start_to_first_page": 2.5,
    "click_to_first_point": 0.7,
    "cold_click_to_first_point": 4.0,
    "recommend": 0.1,
}
"""Seconds. Page switches have their limit in pages.py."""
IDLE_CPU = 1.0
"""Percent of one core."""


def measure(repeats: int) -> list[Measured]:
    """All figures, on fresh servers with a copy of the cached MovieLens."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        with chromium() as browser:
            with AppServer(home) as server:
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                times = first_points(page, server.url, repeats)
                rows = page_switches(page, server.pid, repeats)
                times["recommend_on_page"] = on_the_page(page, server.url, repeats)
                page.wait_for_timeout(5000)
                idle = idle_percent(server.pid)
                page.close()
            times |= cold_starts(browser, home, min(repeats, 5))
        times["recommend"] = of_the_model(home, repeats)
    rows += [median(name, values, "s", at_most=REQUIRED.get(name)) for name, values in times.items()]
    return [*rows, Measured("idle_cpu", idle, "%", at_most=IDLE_CPU)]


def main() -> int:
    """Measure, print, write. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description="How quickly the app answers.")
    parser.add_argument("--repeats", type=int, default=7, help="presses of Train, rounds through the pages (default 7)")
    return report("latency", measure(parser.parse_args().repeats))


if __name__ == "__main__":
    sys.exit(main())
