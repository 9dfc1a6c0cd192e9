"""Does it wear out? python -m bench.soak [--minutes 10] [--sessions 20]

Round after round, a short run is trained (and an old one deleted), new tabs go through all pages and are closed. Reported from
the second third of the time on: growth of the server's memory, of its threads and of its open files, and errors. Streamlit
keeps a closed tab for two minutes (three open files each, 128 tabs at most), so less than ten minutes says little. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.load import PAGES, memory
from bench.measured import Measured, report
from bench.visitors import PageSession
from mfcore.paths import data_dir
from mfcore.runs import RunConfig, RunFolder, RunStore
from scripts.app_server import AppServer

GROWTH = 60.0
"""MB in an hour: what a server that is restarted once a week can grow by."""
_RUNS_KEPT = 20


@dataclass(frozen=True)
class Moment:
    """What the server held after a round. ``at``: seconds since the first one."""

    at: float
    memory: float
    threads: int
    files: int


async def tour(session: PageSession, run: str) -> list[str]:
    """All pages; returns the errors that were shown."""
    return [error for page in PAGES for error in (await session.open(page, f"run={run}")).errors]


async def one_round(server: AppServer, run: str, sessions: int) -> list[str]:
    """So many tabs, opened, used and closed."""
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(PageSession(server.port)) for _ in range(sessions)]
        return [error for some in await asyncio.gather(*(tour(tab, run) for tab in tabs)) for error in some]


def train(server: AppServer, seed: int) -> str:
    """A short run from queue to result; the oldest of many are deleted."""
    store = RunStore(server.home)
    for old in store.list()[_RUNS_KEPT:]:
        store.delete(old.run_id)
    flat = {"dataset": "planted", "model": random.Random(seed).choice(["mf", "biased-mf", "neumf"]), "num_epochs": 4}
    folder = RunFolder.create(server.home, RunConfig().with_flat({**flat, "seed": seed}))
    deadline = time.monotonic() + 120
    while not folder.status().over:
        if time.monotonic() > deadline:
            raise TimeoutError(f"run {folder.run_id} is {folder.status().state} after two minutes")
        time.sleep(0.1)
    return folder.run_id


def soak(server: AppServer, minutes: float, sessions: int) -> tuple[list[Moment], list[str]]:
    """Rounds until the time is over."""
    process, began = psutil.Process(server.pid), time.monotonic()
    moments, errors = list[Moment](), list[str]()
    while time.monotonic() - began < 60 * minutes:
        run = train(server, len(moments))
        errors += asyncio.run(one_round(server, run, sessions))
        now = Moment(time.monotonic() - began, memory(server), process.num_threads(), process.num_fds())
        print(f"{now.at:7.0f} s   {now.memory:6.1f} MB   {now.threads} threads   {now.files} files", flush=True)
        moments.append(now)
    return moments, errors


def growth(moments: list[Moment], of: str) -> float:
    """Per hour, by Theil and Sen's line: the median of the slopes between all pairs of moments."""
    pairs = [(a, b) for index, a in enumerate(moments) for b in moments[index + 1 :]]
    return 3600 * float(statistics.median((getattr(b, of) - getattr(a, of)) / (b.at - a.at) for a, b in pairs))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sessions", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        shutil.copytree(data_dir() / "datasets" / "ml-100k", home / "datasets" / "ml-100k")
        with AppServer(home) as server:
            moments, errors = soak(server, options.minutes, options.sessions)
    for error in dict.fromkeys(errors):
        print(f"error: {error}", file=sys.stderr)
    late = [moment for moment in moments if moment.at > 20 * options.minutes]
    if len(late) < 2:
        print("too short to tell of growth; give it more minutes", file=sys.stderr)
        return 1
    note = f"{options.minutes:g} minutes, {len(moments)} rounds of {options.sessions} tabs and a run"
    rows = [
        Measured("memory_growth", growth(late, "memory"), "MB/h", len(late), at_most=GROWTH, note=note),
        Measured("thread_growth", growth(late, "threads"), "1/h", len(late), at_most=6, note=note),
        Measured("file_growth", growth(late, "files"), "1/h", len(late), at_most=6, note=note),
        Measured("errors", float(len(errors)), "", len(moments), at_most=0, note=note),
    ]
    return report("soak", rows)


if __name__ == "__main__":
    sys.exit(main())
