"""Stochastic gradient descent one sample at a time, compiled to machine code.

What a step does, and in which order, is what the autograd engine does at batch size 1: read the rows, take the loss, then move
every row by rate × (slope × its partner + 2λ × itself), all from the values read. Numbers are float32 throughout, as there.

Numba counts references to every row it looks at, one atomic addition each: more work than the row itself, and two threads with
one table between them spend their time on that counter. The arrays outlive the call, so counting is off (``_nrt``). For the
same reason blocks of steps have no way out of their loop: with one, the compiler keeps less of it in registers.

Everything compiled is in this one file, because Numba's cache looks at the file a kernel is in and at no other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba
import numpy as np

from mfcore.training.engines.compiling import Function, kernel
from mfcore.typing import Float32, Int64

if TYPE_CHECKING:
    from mfcore.training.engines.sgd_compiled.engine import Rule, Tables

Scalar = np.float32

MSE, BCE, BPR = 0, 1, 2
BLOCK = 256
"""Steps between two looks at the losses."""
EPS = np.float32(1e-10)  # torch's Adagrad adds it to the root


def _helper(function: Function) -> Function:
    """Compiled into the kernels that call it."""
    # Sums may be reordered and multiplications fused, which is what lets a dot product use the whole width of the processor.
    # That numbers are finite must not be assumed: the kernels look for those that are not.
    free = {"reassoc", "contract", "nsz"}
    compiled: Function = numba.njit(nogil=True, error_model="numpy", fastmath=free, forceinline=True, _nrt=False)(function)
    return compiled


def _block(function: Function) -> Function:
    """Many steps, compiled by itself."""
    compiled: Function = numba.njit(nogil=True, error_model="numpy", _nrt=False)(function)
    return compiled


@_helper
def _dot(p: Float32, q: Float32) -> Scalar:
    total = np.float32(0.0)
    for f in range(len(p)):
        total += p[f] * q[f]
    return total


@_helper
def _sigmoid(x: Scalar) -> Scalar:
    small: Scalar = np.exp(-x)
    return np.float32(1.0) / (np.float32(1.0) + small)


@_helper
def _sgd_pair(p: Float32, q: Float32, slope: Scalar, rate: Scalar, decay: Scalar, other_decay: Scalar) -> None:
    for f in range(len(p)):
        at_p, at_q = p[f], q[f]
        p[f] = at_p - rate * (slope * at_q + decay * at_p)
        q[f] = at_q - rate * (slope * at_p + other_decay * at_q)


@_helper
def _adagrad_step(row: Float32, sums: Float32, f: int, gradient: Scalar, rate: Scalar) -> None:
    total = sums[f] + gradient * gradient
    sums[f] = total
    row[f] -= rate * gradient / (np.sqrt(total) + EPS)


@_helper
def _move(table: Float32, sums: Float32, row: int, gradient: Scalar, rate: Scalar, adagrad: bool) -> None:
    """A bias."""
    if adagrad:
        _adagrad_step(table[row], sums[row], 0, gradient, rate)
    else:
        table[row, 0] -= rate * gradient


@_helper
def _adagrad_pair(
    p: Float32, p_sums: Float32, q: Float32, q_sums: Float32, slope: Scalar, rate: Scalar, decay: Scalar, other_decay: Scalar
) -> None:
    for f in range(len(p)):
        at_p, at_q = p[f], q[f]
        _adagrad_step(p, p_sums, f, slope * at_q + decay * at_p, rate)
        _adagrad_step(q, q_sums, f, slope * at_p + other_decay * at_q, rate)


@_helper
def _score(w: Tables, rule: Rule, u: int, i: int) -> Scalar:
    x = _dot(w.user_factors[u], w.item_factors[i]) + rule.base
    if rule.biased:
        x += w.user_bias[u, 0] + w.item_bias[i, 0]
    return x


@_helper
def _softplus_and_sigmoid(x: Scalar) -> tuple[Scalar, Scalar]:
    """(log(1 + eˣ), its derivative), from one exponential that cannot overflow."""
    small = np.exp(-abs(x))
    share = np.float32(1.0) / (np.float32(1.0) + small)
    return max(x, np.float32(0.0)) + np.log1p(small), share if x >= 0 else small * share


@_helper
def _point_loss(rule: Rule, x: Scalar, target: Scalar) -> tuple[Scalar, Scalar]:
    """(loss, its derivative by the score) of one rating or one label."""
    if rule.loss == BCE:
        above, share = _softplus_and_sigmoid(x)
        return above - x * target, share - target
    if rule.span == np.float32(0.0):
        error = x - target
        return error * error, np.float32(2.0) * error
    share = _sigmoid(x)
    error = rule.low + rule.span * share - target
    return error * error, np.float32(2.0) * error * rule.span * share * (np.float32(1.0) - share)


@_block
def _points(
    users: Int64, items: Int64, targets: Float32, rates: Float32, w: Tables, sums: Tables, rule: Rule,
    start: int, losses: Float32,
) -> None:  # fmt: skip
    """The steps from ``start`` on, one for each place in ``losses``, where the loss met at each is put."""
    for n in range(start, start + len(losses)):
        u, i = users[n], items[n]
        losses[n - start], slope = _point_loss(rule, _score(w, rule, u, i), targets[n])
        rate = rates[n] * rule.factor_rate
        of_u, of_i = np.float32(2.0) * rule.user_decay[u], np.float32(2.0) * rule.item_decay[i]
        p, q = w.user_factors[u], w.item_factors[i]
        if rule.adagrad:
            _adagrad_pair(p, sums.user_factors[u], q, sums.item_factors[i], slope, rate, of_u, of_i)
        else:
            _sgd_pair(p, q, slope, rate, of_u, of_i)
        if rule.biased:
            rate = rates[n] * rule.bias_rate
            _move(w.user_bias, sums.user_bias, u, slope + of_u * w.user_bias[u, 0], rate, rule.adagrad)
            _move(w.item_bias, sums.item_bias, i, slope + of_i * w.item_bias[i, 0], rate, rule.adagrad)


@_helper
def _sgd_triple(
    p: Float32,
    q: Float32,
    other: Float32,
    slope: Scalar,
    rate: Scalar,
    user_decay: Scalar,
    item_decay: Scalar,
    other_decay: Scalar,
) -> None:
    for f in range(len(p)):
        at_u, at_i, at_j = p[f], q[f], other[f]
        p[f] = at_u - rate * (slope * (at_j - at_i) + user_decay * at_u)
        q[f] = at_i - rate * (item_decay * at_i - slope * at_u)
        other[f] = at_j - rate * (other_decay * at_j + slope * at_u)


@_helper
def _adagrad_triple(
    p: Float32, p_sums: Float32, q: Float32, q_sums: Float32, other: Float32, other_sums: Float32,
    slope: Scalar, rate: Scalar, user_decay: Scalar, item_decay: Scalar, other_decay: Scalar,
) -> None:  # fmt: skip
    for f in range(len(p)):
        at_u, at_i, at_j = p[f], q[f], other[f]
        _adagrad_step(p, p_sums, f, slope * (at_j - at_i) + user_decay * at_u, rate)
        _adagrad_step(q, q_sums, f, item_decay * at_i - slope * at_u, rate)
        _adagrad_step(other, other_sums, f, other_decay * at_j + slope * at_u, rate)


@_block
def _pairs(
    users: Int64, items: Int64, others: Int64, rates: Float32, w: Tables, sums: Tables, rule: Rule,
    start: int, losses: Float32,
) -> None:  # fmt: skip
    """As :func:`_points`, for pairs."""
    for n in range(start, start + len(losses)):
        u, i, j = users[n], items[n], others[n]
        behind = _score(w, rule, u, j) - _score(w, rule, u, i)
        losses[n - start], slope = _softplus_and_sigmoid(behind)
        # A pair counts its user twice and each item once, and L2 is the mean of the two occurrences.
        of_u, of_i, of_j = np.float32(2.0) * rule.user_decay[u], rule.item_decay[i], rule.item_decay[j]
        rate, p, q, other = rates[n] * rule.factor_rate, w.user_factors[u], w.item_factors[i], w.item_factors[j]
        if rule.adagrad:
            of_p, of_q = sums.user_factors, sums.item_factors
            _adagrad_triple(p, of_p[u], q, of_q[i], other, of_q[j], slope, rate, of_u, of_i, of_j)
        else:
            _sgd_triple(p, q, other, slope, rate, of_u, of_i, of_j)
        if rule.biased:
            # The user's bias is in both scores and cancels; only L2 moves it.
            rate, at_i, at_j = rates[n] * rule.bias_rate, w.item_bias[i, 0], w.item_bias[j, 0]
            _move(w.user_bias, sums.user_bias, u, of_u * w.user_bias[u, 0], rate, rule.adagrad)
            _move(w.item_bias, sums.item_bias, i, of_i * at_i - slope, rate, rule.adagrad)
            _move(w.item_bias, sums.item_bias, j, of_j * at_j + slope, rate, rule.adagrad)


@_helper
def _summed(losses: Float32, total: float) -> tuple[int, float]:
    """(losses before the first that is not finite, ``total`` plus those), in order: two halves give the bits of the whole."""
    for n in range(len(losses)):
        if not math.isfinite(losses[n]):
            return n, total
        total += losses[n]
    return len(losses), total


@kernel
def train_points(
    users: Int64, items: Int64, targets: Float32, rates: Float32, segments: Int64,
    w: Tables, sums: Tables, rule: Rule, total: float,
) -> tuple[int, float, float]:  # fmt: skip
    """One step for each sample in turn, for squared error and logistic loss.

    users, items (n,) int64, targets, rates (n,) float32; segments (s, 2) int64: where to begin and to end, one after the
    other; ``w`` and ``sums`` are changed in place. ``total``: the sum of losses so far. Returns (samples trained, the new
    total, the last loss); a loss that is not finite ends it, with that sample or up to 255 later: the weights are lost anyway.
    """
    losses = np.zeros(BLOCK, dtype=np.float32)
    trained, size = 0, 0
    for segment in range(len(segments)):
        for start in range(segments[segment, 0], segments[segment, 1], BLOCK):
            size = min(BLOCK, segments[segment, 1] - start)
            _points(users, items, targets, rates, w, sums, rule, start, losses[:size])
            finite, total = _summed(losses[:size], total)
            if finite < size:
                return trained + finite + 1, total, float(losses[finite])
            trained += size
    return trained, total, float(losses[size - 1])


@kernel
def train_pairs(
    users: Int64, items: Int64, others: Int64, rates: Float32, segments: Int64,
    w: Tables, sums: Tables, rule: Rule, total: float,
) -> tuple[int, float, float]:  # fmt: skip
    """As :func:`train_points`, for BPR: ``items`` (n,) were chosen by their users, ``others`` (n,) were not."""
    losses = np.zeros(BLOCK, dtype=np.float32)
    trained, size = 0, 0
    for segment in range(len(segments)):
        for start in range(segments[segment, 0], segments[segment, 1], BLOCK):
            size = min(BLOCK, segments[segment, 1] - start)
            _pairs(users, items, others, rates, w, sums, rule, start, losses[:size])
            finite, total = _summed(losses[:size], total)
            if finite < size:
                return trained + finite + 1, total, float(losses[finite])
            trained += size
    return trained, total, float(losses[size - 1])
