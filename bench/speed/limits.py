"""What this machine can do at most: bandwidth of memory and of the cache, float32 operations per second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import numba
import numpy as np
import torch

MEMORY, CACHE = 32 << 20, 48 << 10
"""Numbers in each of the three arrays: 128 MiB, far beyond any cache; 192 KiB, all three in a core's second-level cache."""


@numba.njit(nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def triad(a: Any, b: Any, c: Any, scale: float, times: int) -> None:
    """McCalpin's STREAM triad, a = b + scale·c."""
    for _ in range(times):
        for n in range(len(a)):
            a[n] = b[n] + scale * c[n]


def bandwidth(size: int, threads: int, repeats: int = 5) -> float:
    """GB/s of the triad over arrays of ``size`` float32: two read and one written, best of ``repeats``."""
    arrays = [tuple(np.ones(size // threads, dtype=np.float32) for _ in range(3)) for _ in range(threads)]
    times = max(1, (MEMORY // 4) // size)
    scale, pool = np.float32(0.5), ThreadPoolExecutor(threads)
    triad(*arrays[0], scale, 1)
    seconds = []
    for _ in range(repeats):
        started = perf_counter()
        list(pool.map(lambda mine: triad(*mine, scale, times), arrays))
        seconds.append(perf_counter() - started)
    return 12.0 * (size // threads) * threads * times / min(seconds) / 1e9


def flops(threads: int, device: str = "cpu", size: int = 2048, repeats: int = 5) -> float:
    """Gflop/s of a square float32 matrix product, best of ``repeats``."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        a, b = torch.rand(size, size, device=device), torch.rand(size, size, device=device)
        seconds = min(_seconds(lambda: torch.mm(a, b), device) for _ in range(repeats + 1))
    finally:
        torch.set_num_threads(before)
    return 2.0 * size**3 / seconds / 1e9


def _seconds(work: Any, device: str) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    started = perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return perf_counter() - started


def measure() -> dict[str, Any]:
    """For one and two threads, and for the first GPU if there is one."""
    found: dict[str, Any] = {
        f"threads_{threads}": {
            "memory_gb_per_s": bandwidth(MEMORY, threads),
            "cache_gb_per_s": bandwidth(CACHE * threads, threads),
            "gflop_per_s": flops(threads),
        }
        for threads in (1, 2)
    }
    if torch.cuda.is_available():
        numbers = torch.ones(1 << 28, device="cuda")
        copied = torch.empty_like(numbers)
        seconds = min(_seconds(lambda: copied.copy_(numbers), "cuda") for _ in range(6))
        found["cuda"] = {"memory_gb_per_s": 8.0 * len(numbers) / seconds / 1e9, "gflop_per_s": flops(1, "cuda", 8192)}
    return found
