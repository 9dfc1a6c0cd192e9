"""How much a training does in one go, and how often it looks up from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class Limits:
    """Passed to the Trainer and from there to everything in it. The marked (*) decide numbers, the others only the pace.

    clock: seconds from any start. stretch_seconds: what one call of an engine should take, so that commands are heard.
    report_seconds: between two StepEnds. diagnostics_share: largest share of the time that looking at vital signs may take.
    patience_seconds: of training that is repeated to find the sample that broke it.

    Compiled SGD: most_samples of a stretch; partition_samples (*) of one, times threads: a few milliseconds;
    fewest_partitioned (*): with fewer samples an epoch, one thread is done sooner than several are given their shares.

    ALS: piece_operations, multiplications given to a thread at once, about a millisecond; chunk_floats solved at once where
    PyTorch does, None: what suits the device.

    Validation: granted_seconds (*) an epoch may take whatever training takes, so that MovieLens 100K is measured whole;
    fewest_users (*): with fewer, a ranking metric moves by more than most epochs improve it, and epochs are left out instead;
    overhead_nanoseconds (*), counted for measuring anyone at all.
    """

    clock: Callable[[], float] = perf_counter
    stretch_seconds: float = 0.02
    report_seconds: float = 0.1
    diagnostics_share: float = 0.01
    patience_seconds: float = 60.0
    most_samples: int = 1 << 22
    partition_samples: int = 1 << 17
    fewest_partitioned: int = 150_000
    piece_operations: float = 2e7
    chunk_floats: int | None = None
    granted_seconds: float = 0.25
    fewest_users: int = 1000
    overhead_nanoseconds: float = 8e6


USUAL = Limits()
