"""Several threads, one model, no locks and no collisions: which thread trains which samples, and when."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np

from mfcore.training.engines.compiling import kernel
from mfcore.training.engines.sgd_compiled.engine import Rule, Shared, Tables, Trained
from mfcore.training.engines.sgd_compiled.kernels import MSE, train_pairs, train_points
from mfcore.typing import Float32, Int64

if TYPE_CHECKING:
    from mfcore.data import Interactions

Result = TypeVar("Result")

Columns = tuple[Int64, Int64, Float32 | Int64, Float32]
"""users, items, thirds (targets or other items), rates: (n,) each."""

ROWS = 16
"""Rows are given out by so many: 16 biases fill one cache line, and a line shared by two threads makes both wait."""


def teams_of(counts: Int64, number: int) -> Int64:
    """A team for every row, (n,) int64 in [0, number): neighbours stay together and all teams get about as many samples.

    counts: (n,) samples of each row. The chunks with most samples are given out first, each to the team with fewest so far.
    """
    chunk_of = np.arange(len(counts)) // ROWS
    weights = np.bincount(chunk_of, weights=counts + 1)
    team_of_chunk = np.zeros(len(weights), dtype=np.int64)
    loads = np.zeros(number)
    for chunk in np.argsort(-weights, kind="stable"):
        team = int(loads.argmin())
        team_of_chunk[chunk] = team
        loads[team] += weights[chunk]
    return team_of_chunk[chunk_of]


def _number_of_block(user_team: int, item_team: int, number: int) -> int:
    turn = item_team - user_team
    if turn < 0:  # a remainder would take longer than all the rest
        turn += number
    return user_team * number + turn


_block: Any = numba.njit(nogil=True, error_model="numpy", forceinline=True)(_number_of_block)


@kernel
def deal(given: Columns, to: Columns, user_team: Int64, item_team: Int64, number: int, bounds: Int64) -> None:
    """Sort samples by who trains them and when; their order stays as it is among those of one team and turn.

    In turn s team t trains its users' ratings of team (t + s) mod ``number``'s items: all teams at once, nobody's row twice.
    given, to: columns of (n,). bounds: (number² + 1,), filled so that ``to[bounds[b]:bounds[b + 1]]`` are the samples of
    team b // number in turn b % number.
    """
    users, items, thirds, rates = given
    to_users, to_items, to_thirds, to_rates = to
    block_of = np.empty(len(users), dtype=np.int32)
    place = np.zeros(number * number + 1, dtype=np.int64)
    for n in range(len(users)):
        block = _block(user_team[users[n]], item_team[items[n]], number)
        block_of[n] = block
        place[block + 1] += 1
    for block in range(number * number):
        place[block + 1] += place[block]
    bounds[:] = place
    for n in range(len(users)):
        block = block_of[n]
        at = place[block]
        place[block] = at + 1
        to_users[at], to_items[at], to_thirds[at], to_rates[at] = users[n], items[n], thirds[n], rates[n]


def load_kernels() -> None:
    """Compile all kernels of this folder, or load what an earlier process compiled."""
    index, number, table = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), np.zeros((0, 1), dtype=np.float32)
    zero, nowhere, tables = np.float32(0.0), np.zeros((0, 2), dtype=np.int64), Tables(table, table, table, table)
    rule = Rule(MSE, False, False, zero, zero, zero, zero, zero, number, number)
    train_points(index, index, number, number, nowhere, tables, tables, rule, 0.0)
    train_pairs(index, index, index, number, nowhere, tables, tables, rule, 0.0)
    for third in (number, index):
        columns = index, index, third, number
        deal(columns, columns, index, index, 1, np.zeros(2, dtype=np.int64))


class PartitionedSgd:
    """Trains samples in turns: in each, every thread has users and items of its own (Gemulla et al. 2011, DSGD).

    HOGWILD (Niu et al. 2011) lets all threads run over everything and bears lost updates. Here none is lost: the outcome is
    that of one thread going through the turns in order, so the same seed and number of threads repeat it bit for bit. Only
    the other items of pairs (BPR) are anybody's, and for them it is HOGWILD after all.

    Args:
        executor: runs the other threads; what it does not run, the calling thread does.
    """

    def __init__(self, threads: int, train: Interactions, executor: Executor | None = None) -> None:
        self.threads = threads
        self._user_team = teams_of(np.bincount(train.user_idx, minlength=train.num_users), threads)
        self._item_team = teams_of(np.bincount(train.item_idx, minlength=train.num_items), threads)
        self._executor = executor or ThreadPoolExecutor(threads - 1, "partitions")

    def train(self, kernel: Callable[..., Trained], columns: Columns, shared: Shared, total: float) -> Trained:
        """``kernel`` on all samples; ``shared``: what it takes after its columns and segments. As the kernel returns."""
        dealt, bounds = self._deal(columns)
        trained = 0
        for turn in range(self.threads):
            segments = [bounds[:, team * self.threads + turn + np.arange(2)].copy() for team in range(self.threads)]
            for count, loss, last in self._at_once([partial(kernel, *dealt, s, *shared, 0.0) for s in segments]):
                trained, total = trained + count, total + loss
                if not math.isfinite(last):
                    return trained, total, last
        return trained, total, 0.0

    def _deal(self, columns: Columns) -> tuple[Columns, Int64]:
        """The samples by team and turn, as each thread sorted its share, and bounds (threads, threads² + 1) of each."""
        users, items, thirds, rates = columns
        dealt = np.empty_like(users), np.empty_like(items), np.empty_like(thirds), np.empty_like(rates)
        ends = [len(users) * place // self.threads for place in range(self.threads + 1)]
        bounds = np.zeros((self.threads, self.threads**2 + 1), dtype=np.int64)

        def share(place: int, start: int, stop: int) -> None:
            given = users[start:stop], items[start:stop], thirds[start:stop], rates[start:stop]
            to = dealt[0][start:stop], dealt[1][start:stop], dealt[2][start:stop], dealt[3][start:stop]
            deal(given, to, self._user_team, self._item_team, self.threads, bounds[place])
            bounds[place] += start

        self._at_once([partial(share, place, *both) for place, both in enumerate(pairwise(ends))])
        return dealt, bounds

    def _at_once(self, work: list[Callable[[], Result]]) -> list[Result]:
        """Whoever is free takes the next piece, we among them: on a busy machine nobody waits for a thread still asleep."""
        pieces, results = iter(enumerate(work)), dict[int, Result]()

        def take() -> None:
            for place, piece in pieces:
                results[place] = piece()

        others = [self._executor.submit(take) for _ in work[1:]]
        take()
        for other in others:
            if not other.cancel():
                other.result()
        return [results[place] for place in range(len(work))]
