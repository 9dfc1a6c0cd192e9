"""A class in front of one server: python -m bench.load [--sessions 60] [--seconds 60] [--home DIR]

So many tabs go through the pages, as people do who look a few seconds at each, while two runs train; a third of them watch a
run live in between. Reported: how long a page takes (median, the slowest), errors, and the memory of the server for each open
tab, and once they are closed and forgotten. It speaks the protocol of Streamlit's page over real sockets and draws nothing.
Linux only (/proc); run it on a machine that does nothing else.
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
from dataclasses import replace
from pathlib import Path

import psutil

from bench.measured import Measured, report
from bench.visitors import PageSession, Visit
from mfcore.paths import data_dir
from mfcore.runs import RunConfig, RunFolder
from scripts.app_server import AppServer

SLOWEST, MEMORY = 2.0, 10.0
"""Seconds for a page, and MB for an open tab: what a class of sixty may meet."""
FORGOTTEN = 135.0
"""Seconds after which Streamlit no longer waits for a tab to come back."""
PAGES = ("", "train", "evaluate", "recommend", "embeddings", "data", "runs")
LOOK = 6.0
"""Seconds that somebody looks at a page, on average."""


def memory(server: AppServer) -> float:
    """MB that the server process itself holds (not its workers)."""
    return float(psutil.Process(server.pid).memory_info().rss / 1e6)


async def visitor(session: PageSession, runs: list[str], seconds: float, chance: random.Random) -> list[Visit]:
    """One person: page after page, with a look at each, and now and then at the live view of a run."""
    visits, until = [], time.monotonic() + seconds
    await asyncio.sleep(chance.uniform(0, LOOK))
    while time.monotonic() < until:
        page, run = chance.choice(PAGES), chance.choice(runs)
        query = f"run={run}" if page in ("train", "evaluate", "recommend", "embeddings", "runs") else ""
        visits.append(await session.open(page, query))
        look = min(chance.expovariate(1 / LOOK), until - time.monotonic())
        if page == "train":
            await session.watch(run, max(0.0, look))
        else:
            await asyncio.sleep(max(0.0, look))
    return visits


def trained(server: AppServer, count: int = 3) -> list[str]:
    """Finished runs to look at, and two that train for as long as anybody looks."""
    config = RunConfig().with_flat({"dataset": "ml-100k", "model": "biased-mf", "num_epochs": 3, "embedding_dim": 16})
    folders = [RunFolder.create(server.home, config) for _ in range(count)]
    while not all(folder.status().over for folder in folders):
        time.sleep(0.2)
    lasting = RunConfig().with_flat({"dataset": "ml-100k", "model": "biased-mf", "num_epochs": 100_000, "pace": 2})
    going = [RunFolder.create(server.home, lasting) for _ in range(2)]
    return [folder.run_id for folder in (*folders, *going[:1])]


async def measure(server: AppServer, sessions: int, seconds: float, seed: int) -> tuple[list[Visit], dict[str, float]]:
    """All visits of all sessions, and MB of the server: before, with all tabs open, after they were closed."""
    runs = await asyncio.to_thread(trained, server)
    async with PageSession(server.port) as first:  # whatever is loaded once is loaded now
        for page in PAGES:
            await first.open(page, f"run={runs[0]}")
    held = {"before": memory(server)}
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(PageSession(server.port)) for _ in range(sessions)]
        each = [visitor(tab, runs, seconds, random.Random(seed + number)) for number, tab in enumerate(tabs)]
        visits = [visit for some in await asyncio.gather(*each) for visit in some]
        held["open"] = memory(server)
    return visits, held


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-after", action="store_true", help="do not wait until closed tabs are forgotten")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        shutil.copytree(data_dir() / "datasets" / "ml-100k", home / "datasets" / "ml-100k")
        with AppServer(home) as server:
            visits, held = asyncio.run(measure(server, options.sessions, options.seconds, options.seed))
            if not options.no_after:
                time.sleep(FORGOTTEN)
                held["after"] = memory(server)
    rows = rows_of(visits, held, options.sessions)
    return report("load", rows)


def rows_of(visits: list[Visit], held: dict[str, float], sessions: int) -> list[Measured]:
    """The figures."""
    times = sorted(visit.seconds for visit in visits)
    errors = [error for visit in visits for error in visit.errors]
    for page in sorted({visit.page for visit in visits}):
        some = [visit.seconds for visit in visits if visit.page == page]
        print(f"{page:12s} {len(some):5d} visits, median {statistics.median(some):.3f} s, slowest {max(some):.3f} s")
    for error in dict.fromkeys(errors):
        print(f"error: {error}", file=sys.stderr)
    note = f"{sessions} sessions, two trainings, {len(visits)} pages"
    rows = [
        Measured("page_median", statistics.median(times), "s", len(times), note=note),
        Measured("page_95", times[int(0.95 * len(times))], "s", len(times), note=note),
        Measured("page_slowest", times[-1], "s", len(times), at_most=SLOWEST, note=note),
        Measured("errors", float(len(errors)), "", len(visits), at_most=0, note=note),
        Measured("memory_each", (held["open"] - held["before"]) / sessions, "MB", at_most=MEMORY, note=note),
    ]
    if "after" in held:
        kept = (held["after"] - held["before"]) / sessions
        rows.append(Measured("memory_each_after", kept, "MB", note="the same once tabs are closed and forgotten"))
    return [replace(row, value=round(row.value, 4)) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
