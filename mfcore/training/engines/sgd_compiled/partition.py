"""Which thread trains which samples, so that no two threads ever hold the same row."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from mfcore.training.engines.sgd_compiled.compiling import kernel
from mfcore.typing import Int64

Columns = tuple[Any, Any, Any, Any]
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
