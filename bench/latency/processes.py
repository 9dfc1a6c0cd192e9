"""Processor time of the server and its workers, from /proc (Linux)."""

from __future__ import annotations

import os
import time
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """Processor time of one process so far, in nanoseconds' steps, threads that have ended included; NaN without /proc."""
    # clock_getcpuclockid(3), which Python lacks: the number of the clock of another process.
    return time.clock_gettime((~pid << 3) | 2) if PROC.is_dir() else float("nan")


def idle_percent(root: int, seconds: float = 20.0) -> float:
    """Percent of one core that a process and all its descendants use while nobody asks for anything; NaN without /proc."""
    if not PROC.is_dir():
        return float("nan")
    before, started = family_seconds(root), time.perf_counter()
    time.sleep(seconds)
    return round(100 * (family_seconds(root) - before) / (time.perf_counter() - started), 2)


def family_seconds(root: int) -> float:
    """User and system time so far of a process and all its descendants."""
    parents, ticks = {}, {}
    for entry in PROC.iterdir():
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
