"""Stochastic gradient descent one sample at a time, compiled to machine code.

What a step does, and in which order, is what the autograd engine does at batch size 1: read the rows, take the loss, then move
every row by rate × (slope × its partner + 2λ × itself), all from the values read. Numbers are float32 throughout, as there.

Everything compiled is in this one file, because Numba's cache looks at the file a kernel is in and at no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from mfcore.training.native.compiling import keep_code_of

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

MSE, BCE, BPR = 0, 1, 2
EPS = np.float32(1e-10)  # torch's Adagrad adds it to the root


def _helper(function: Function) -> Function:
    """Compiled into the kernels that call it."""
    # Sums may be reordered and multiplications fused, which is what lets a dot product use the whole width of the processor.
    # That numbers are finite must not be assumed: the kernels look for those that are not.
    free = {"reassoc", "contract", "nsz"}
    compiled: Function = numba.njit(nogil=True, error_model="numpy", fastmath=free, forceinline=True)(function)
    return compiled


def _kernel(function: Function) -> Function:
    """Compiled for Python to call: without Python's lock, and kept for the next process."""
    # Its own sum keeps its order, so that a pass in two parts gives the same bits as one.
    compiled: Function = numba.njit(nogil=True, error_model="numpy")(function)
    keep_code_of(compiled)
    return compiled


class Tables(NamedTuple):
    """One array per table of the model: factors (n, d), biases (n, 1); (0, 1) where the model has no biases. float32.

    The same shape holds Adagrad's sums of squared gradients; for SGD those are all empty.
    """

    user_factors: Floats
    item_factors: Floats
    user_bias: Floats
    item_bias: Floats


class Rule(NamedTuple):
    """What a step is made of. All numbers are float32.

    ``base``: constant part of every score (μ). ``low``, ``span``: the output range; ``span`` 0 squeezes nothing.
    ``factor_rate``, ``bias_rate``: multipliers of the learning rate. ``user_decay`` (num_users,), ``item_decay``
    (num_items,): λ.
    """

    loss: int
    biased: bool
    adagrad: bool
    base: Any
    low: Any
    span: Any
    factor_rate: Any
    bias_rate: Any
    user_decay: Floats
    item_decay: Floats


@_helper
def _dot(table: Floats, row: int, other: Floats, other_row: int) -> Any:
    total = np.float32(0.0)
    for f in range(table.shape[1]):
        total += table[row, f] * other[other_row, f]
    return total


@_helper
def _sigmoid(x: Any) -> Any:
    return np.float32(1.0) / (np.float32(1.0) + np.exp(-x))


@_helper
def _sgd_pair(
    table: Floats, row: int, other: Floats, other_row: int, slope: Any, rate: Any, decay: Any, other_decay: Any
) -> None:
    for f in range(table.shape[1]):
        p, q = table[row, f], other[other_row, f]
        table[row, f] = p - rate * (slope * q + decay * p)
        other[other_row, f] = q - rate * (slope * p + other_decay * q)


@_helper
def _adagrad_step(table: Floats, sums: Floats, row: int, f: int, gradient: Any, rate: Any) -> None:
    total = sums[row, f] + gradient * gradient
    sums[row, f] = total
    table[row, f] -= rate * gradient / (np.sqrt(total) + EPS)


@_helper
def _move(table: Floats, sums: Floats, row: int, f: int, gradient: Any, rate: Any, adagrad: bool) -> None:
    if adagrad:
        _adagrad_step(table, sums, row, f, gradient, rate)
    else:
        table[row, f] -= rate * gradient


@_helper
def _adagrad_pair(
    table: Floats, sums: Floats, row: int, other: Floats, other_sums: Floats, other_row: int,
    slope: Any, rate: Any, decay: Any, other_decay: Any,
) -> None:  # fmt: skip
    for f in range(table.shape[1]):
        p, q = table[row, f], other[other_row, f]
        _adagrad_step(table, sums, row, f, slope * q + decay * p, rate)
        _adagrad_step(other, other_sums, other_row, f, slope * p + other_decay * q, rate)


@_helper
def _score(w: Tables, rule: Rule, u: int, i: int) -> Any:
    x = _dot(w.user_factors, u, w.item_factors, i) + rule.base
    if rule.biased:
        x += w.user_bias[u, 0] + w.item_bias[i, 0]
    return x


@_helper
def _softplus(x: Any) -> Any:
    return max(x, np.float32(0.0)) + np.log1p(np.exp(-abs(x)))


@_helper
def _point_loss(rule: Rule, x: Any, target: Any) -> Any:
    """(loss, its derivative by the score) of one rating or one label."""
    if rule.loss == BCE:
        return _softplus(x) - x * target, _sigmoid(x) - target
    if rule.span == np.float32(0.0):
        error = x - target
        return error * error, np.float32(2.0) * error
    share = _sigmoid(x)
    error = rule.low + rule.span * share - target
    return error * error, np.float32(2.0) * error * rule.span * share * (np.float32(1.0) - share)


@_kernel
def train_points(
    users: Indices, items: Indices, targets: Floats, rates: Floats, w: Tables, sums: Tables, rule: Rule, total: float
) -> tuple[int, float, float]:
    """One step for each sample in turn, for squared error and logistic loss.

    users, items (n,) int64, targets, rates (n,) float32; ``w`` and ``sums`` are changed in place. ``total``: the sum of losses
    so far. Returns (samples trained, the new total, the last loss); a loss that is not finite ends it, with that sample.
    """
    loss = np.float32(0.0)
    for n in range(len(users)):
        u, i = users[n], items[n]
        loss, slope = _point_loss(rule, _score(w, rule, u, i), targets[n])
        if not math.isfinite(loss):
            return n + 1, total, float(loss)
        total += loss
        rate = rates[n] * rule.factor_rate
        user_decay, item_decay = np.float32(2.0) * rule.user_decay[u], np.float32(2.0) * rule.item_decay[i]
        if rule.adagrad:
            _adagrad_pair(
                w.user_factors, sums.user_factors, u, w.item_factors, sums.item_factors, i, slope, rate, user_decay, item_decay
            )
        else:
            _sgd_pair(w.user_factors, u, w.item_factors, i, slope, rate, user_decay, item_decay)
        if rule.biased:
            rate = rates[n] * rule.bias_rate
            _move(w.user_bias, sums.user_bias, u, 0, slope + user_decay * w.user_bias[u, 0], rate, rule.adagrad)
            _move(w.item_bias, sums.item_bias, i, 0, slope + item_decay * w.item_bias[i, 0], rate, rule.adagrad)
    return len(users), total, float(loss)


@_helper
def _sgd_triple(
    p: Floats, u: int, q: Floats, i: int, j: int, slope: Any, rate: Any, user_decay: Any, item_decay: Any, other_decay: Any
) -> None:
    for f in range(p.shape[1]):
        at_u, at_i, at_j = p[u, f], q[i, f], q[j, f]
        p[u, f] = at_u - rate * (slope * (at_j - at_i) + user_decay * at_u)
        q[i, f] = at_i - rate * (item_decay * at_i - slope * at_u)
        q[j, f] = at_j - rate * (other_decay * at_j + slope * at_u)


@_helper
def _adagrad_triple(
    p: Floats, p_sums: Floats, u: int, q: Floats, q_sums: Floats, i: int, j: int,
    slope: Any, rate: Any, user_decay: Any, item_decay: Any, other_decay: Any,
) -> None:  # fmt: skip
    for f in range(p.shape[1]):
        at_u, at_i, at_j = p[u, f], q[i, f], q[j, f]
        _adagrad_step(p, p_sums, u, f, slope * (at_j - at_i) + user_decay * at_u, rate)
        _adagrad_step(q, q_sums, i, f, item_decay * at_i - slope * at_u, rate)
        _adagrad_step(q, q_sums, j, f, other_decay * at_j + slope * at_u, rate)


@_kernel
def train_pairs(
    users: Indices, items: Indices, others: Indices, rates: Floats, w: Tables, sums: Tables, rule: Rule, total: float
) -> tuple[int, float, float]:
    """As :func:`train_points`, for BPR: ``items`` (n,) were chosen by their users, ``others`` (n,) were not."""
    loss = np.float32(0.0)
    for n in range(len(users)):
        u, i, j = users[n], items[n], others[n]
        behind = _score(w, rule, u, j) - _score(w, rule, u, i)
        loss, slope = _softplus(behind), _sigmoid(behind)
        if not math.isfinite(loss):
            return n + 1, total, float(loss)
        total += loss
        # A pair counts its user twice and each item once, and L2 is the mean of the two occurrences.
        of_u, of_i, of_j = np.float32(2.0) * rule.user_decay[u], rule.item_decay[i], rule.item_decay[j]
        rate, p, q = rates[n] * rule.factor_rate, w.user_factors, w.item_factors
        if rule.adagrad:
            _adagrad_triple(p, sums.user_factors, u, q, sums.item_factors, i, j, slope, rate, of_u, of_i, of_j)
        else:
            _sgd_triple(p, u, q, i, j, slope, rate, of_u, of_i, of_j)
        if rule.biased:
            # The user's bias is in both scores and cancels; only L2 moves it.
            rate, at_i, at_j = rates[n] * rule.bias_rate, w.item_bias[i, 0], w.item_bias[j, 0]
            _move(w.user_bias, sums.user_bias, u, 0, of_u * w.user_bias[u, 0], rate, rule.adagrad)
            _move(w.item_bias, sums.item_bias, i, 0, of_i * at_i - slope, rate, rule.adagrad)
            _move(w.item_bias, sums.item_bias, j, 0, of_j * at_j + slope, rate, rule.adagrad)
    return len(users), total, float(loss)
