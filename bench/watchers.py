"""What watching costs: python -m bench.watchers [--watchers 60] [--seconds 30] [--repeats 7]

Sixty live views ask for one run's events and picture as the browser component does, each as often as the server tells it to.
Reported: how late a point is (from the moment the worker wrote it until a watcher has it), and the processor time of the server
process. Then the other way round: how fast the same training is with nobody watching and with one live view on it, in turns,
the fastest of each compared. Linux only (/proc); run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.latency.processes import cpu_seconds
from bench.measured import Measured, median, report
from mfcore.paths import data_dir
from scripts.app_server import ROOT, AppServer

LATEST_POINT, SERVER_CPU, TRAINING_COST = 2.0, 10.0, 5.0
"""Seconds, percent of a core, percent of speed: what a class of watchers may cost."""
WATCHED = ("--preset", "biased-mf", "--epochs", "400", "--set", "pace=5")
MEASURED = ("--preset", "biased-mf", "--optimizer", "adam", "--lr", "0.005", "--set", "batch_size=1024", "--epochs", "30")
PICTURE_EVERY = 2.0
"""The picture is asked for half as often as the events, and only when there is something new."""


@dataclass
class Seen:
    """What all watchers saw. ``lags``: seconds from an event's time to its arrival."""

    lags: list[float] = field(default_factory=list)
    answers: int = 0
    pictures: int = 0
    bytes: int = 0


class Connection:
    """One kept-alive HTTP connection, as a browser has."""

    def __init__(self, port: int) -> None:
        self.port, self.received = port, 0

    async def get(self, path: str) -> bytes:
        """The body of an answer, unpacked."""
        if not hasattr(self, "_reader"):
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        body = await self._reader.readexactly(length)
        if not head.startswith("http/1.1 200"):
            raise RuntimeError(f"{path}: {head.splitlines()[0]}")
        self.received += len(body)
        return gzip.decompress(body) if "content-encoding: gzip" in head else body


async def watch(port: int, run_id: str, name: str, until: float, seen: Seen) -> None:
    """One live view: asks as the component does."""
    connection, offset, picture_due, first = Connection(port), 0, 0.0, True
    while time.time() < until:
        body = await connection.get(f"/api/runs/{run_id}/events?from={offset}&watcher={name}")
        now, answer = time.time(), json.loads(body)
        seen.answers += 1
        if not first:  # what was there before it came is not late
            seen.lags += [now - event["time"] for event in answer["events"]]
        every = answer["every_ms"] / 1000
        if any(event["kind"] == "snapshot" for event in answer["events"]) and now >= picture_due:
            await connection.get(f"/api/runs/{run_id}/block?epoch=latest{'' if first else '&static=0'}")
            picture_due = time.time() + max(PICTURE_EVERY * every, 0.25)
            seen.pictures += 1
        first, offset = False, answer["next"]
        seen.bytes, connection.received = seen.bytes + connection.received, 0
        await asyncio.sleep(every)


async def crowd(port: int, run_id: str, watchers: int, seconds: float, server: int) -> tuple[Seen, float]:
    """So many live views for so long; returns what they saw, and the server's share of one core in percent."""
    warm, until = time.time() + 6, time.time() + 6 + seconds
    views = []
    settled = Seen()
    for number in range(watchers):
        await asyncio.sleep(2.0 / watchers)  # a class does not open its laptops in one millisecond
        views.append(asyncio.create_task(watch(port, run_id, f"w{number}", until, settled)))
    await asyncio.sleep(max(0.0, warm - time.time()))
    settled.lags.clear()
    settled.answers = settled.pictures = settled.bytes = 0
    cpu, began = cpu_seconds(server), time.perf_counter()
    await asyncio.gather(*views)
    return settled, 100 * (cpu_seconds(server) - cpu) / (time.perf_counter() - began)


def train(home: Path, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """A training of its own process, as the server's workers are."""
    command = [sys.executable, "-m", "mfcore", "train", "--home", str(home), "--json", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def new_run(home: Path, before: set[str]) -> str:
    """The run that has appeared, once its first epoch is there."""
    while True:
        for path in (home / "runs").glob("2*"):
            events = path / "events.jsonl"
            if path.name not in before and events.exists() and '"epoch"' in events.read_text():
                return path.name
        time.sleep(0.02)


def runs_in(home: Path) -> set[str]:
    """Names of the runs there are."""
    return {path.name for path in (home / "runs").glob("2*")}


def with_a_crowd(server: AppServer, home: Path, watchers: int, seconds: float) -> list[Measured]:
    """Lateness and cost of many watchers on one run."""
    training = train(home, WATCHED)
    try:
        run_id = new_run(home, set())
        assert server.process is not None
        seen, cpu = asyncio.run(crowd(server.port, run_id, watchers, seconds, server.process.pid))
    finally:
        training.kill()
        training.wait()
    late, note = sorted(seen.lags), f"{watchers} watchers for {seconds:g} s"
    return [
        Measured("latest_point", late[-1], "s", len(late), at_most=LATEST_POINT, note=note),
        Measured("median_point", statistics.median(late), "s", len(late)),
        Measured("server_cpu", cpu, "%", at_most=SERVER_CPU),
        Measured("answers", seen.answers / seconds, "/s"),
        Measured("pictures", seen.pictures / seconds, "/s"),
        Measured("traffic", seen.bytes / seconds / 1000, "kB/s"),
    ]


def throughput(server: AppServer, home: Path, watched: bool) -> float:
    """Ratings a second of one training, with one live view on it or none."""
    before = runs_in(home)
    training = train(home, MEASURED)
    if watched:
        run_id = new_run(home, before)

        async def look() -> None:
            view = asyncio.create_task(watch(server.port, run_id, "one", time.time() + 600, Seen()))
            while training.poll() is None:
                await asyncio.sleep(0.05)
            view.cancel()
            with suppress(asyncio.CancelledError):
                await view

        asyncio.run(look())
    output, _ = training.communicate()
    return float(json.loads(output.splitlines()[-1])["samples_per_second"])


def measure(watchers: int, seconds: float, repeats: int) -> list[Measured]:
    """All figures, on a fresh server with a copy of the cached MovieLens."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(data_dir() / "datasets", home / "datasets")
        with AppServer(home) as server:
            time.sleep(4)  # the server loads its libraries
            rows = with_a_crowd(server, home, watchers, seconds)
            speeds: dict[bool, list[float]] = {False: [], True: []}
            for _ in range(repeats):
                for watched in (False, True):
                    speeds[watched].append(throughput(server, home, watched))
    # The fastest of each: whatever else the machine does can only slow a training down.
    alone, seen = max(speeds[False]), max(speeds[True])
    cost = Measured("training_cost", 100 * (1 - seen / alone), "%", repeats, at_most=TRAINING_COST)
    speed = [median(name, speeds[watched], "ratings/s") for name, watched in (("unwatched", False), ("watched", True))]
    return [*rows, cost, *speed]


def main() -> int:
    """Measure, print, write. Status 1 when a required figure is missed."""
    parser = argparse.ArgumentParser(description="What watching a run costs.")
    parser.add_argument("--watchers", type=int, default=60, help="live views on one run (default 60)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long they watch (default 30)")
    parser.add_argument("--repeats", type=int, default=7, help="trainings with and without a watcher (default 7 each)")
    asked = parser.parse_args()
    return report("watchers", measure(asked.watchers, asked.seconds, asked.repeats))


if __name__ == "__main__":
    sys.exit(main())
