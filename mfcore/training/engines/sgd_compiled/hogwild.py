"""Several threads, one model, no locks and no collisions."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mfcore.training.engines.sgd_compiled.kernels import Rule, Tables
from mfcore.training.engines.sgd_compiled.partition import Columns, deal, teams_of
from mfcore.typing import Int64

if TYPE_CHECKING:
    from mfcore.data import Interactions

Result = TypeVar("Result")
Shared = tuple[Tables, Tables, Rule]
Trained = tuple[int, float, float]
"""What the kernels take beside their samples, and what they return: (samples trained, sum of losses, the last loss)."""


class Together:
    """Trains samples in turns: in each, every thread has users and items of its own (Gemulla et al. 2011, DSGD).

    HOGWILD (Niu et al. 2011) lets all threads run over everything and bears lost updates. Here none is lost: the outcome is
    that of one thread going through the turns in order, so the same seed and number of threads repeat it bit for bit. Only
    the other items of pairs (BPR) are anybody's, and for them it is HOGWILD after all.
    """

    def __init__(self, threads: int, train: Interactions) -> None:
        self.threads = threads
        self._user_team = teams_of(np.bincount(train.user_idx, minlength=train.num_users), threads)
        self._item_team = teams_of(np.bincount(train.item_idx, minlength=train.num_items), threads)
        self._pool = ThreadPoolExecutor(threads - 1, "together")

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

        others = [self._pool.submit(take) for _ in work[1:]]
        take()
        for other in others:
            if not other.cancel():
                other.result()
        return [results[place] for place in range(len(work))]
