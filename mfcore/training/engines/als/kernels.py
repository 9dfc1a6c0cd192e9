"""One row after another: its normal equations made, factored and solved while they are in the first-level cache.

Nearly all work is the same product: a tile of a triangular matrix gets Σ_r a_r b_rᵀ added, with ratings r while it is made and
with finished rows r while it is factored. From loops Numba makes code for it that spends its time on loading and storing the
tile, so :func:`_tile` is written in the compiler's own language, with the tile in registers throughout.

Numba counts references to arrays unless told not to (``_nrt``). Everything compiled is in this one file, because Numba's cache
looks at the file a kernel is in and at no other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

from mfcore.training.engines.sgd_compiled.compiling import Function, kernel
from mfcore.typing import Float32, Float64

Indices = npt.NDArray[Any]

LANES = 16 if "+avx512f" in get_host_cpu_features() else 8
"""Columns of a tile; tables are padded to a multiple of it."""
HEIGHT = 8
"""Rows of a tile: eight sums at once keep both multipliers of a processor busy, and leave room in its registers."""
AT_ONCE = 64
"""Ratings whose vectors are gathered before they are added."""
_TRIES = 4

ZERO, ONE = np.float32(0.0), np.float32(1.0)
FLOOR, SHAKY = np.float32(1e-6), np.float32(1e-4)  # as in mfcore.training.engines.als.solve


class Rows(NamedTuple):
    """What is asked. starts (num_rows + 1,) int64, columns (n,) int32, ratings (n,) float32, ridge (num_rows,) float32."""

    starts: Indices
    columns: Indices
    ratings: Float32
    ridge: Float32


class Still(NamedTuple):
    """The side held still. x: (num_columns + 1, w) with zeros from ``dim`` on, offset: (num_columns + 1,); what every row
    starts with: gram (w, w), right (w,). ``unobserved``: the weight w0 of cells nobody chose, or below 0 if they do not count.
    """

    x: Float32
    offset: Float32
    gram: Float32
    right: Float32
    dim: int
    unobserved: Any


class Desk(NamedTuple):
    """Where one thread works. gram (w, w), picked (AT_ONCE, w), right (w,), inverse (w,): float32."""

    gram: Float32
    picked: Float32
    right: Float32
    inverse: Float32


def _compiled(function: Function) -> Function:
    # Sums may be reordered and fused; that numbers are finite must not be assumed, for a pivot that is not must be seen.
    free = {"reassoc", "contract", "nsz"}
    made: Function = numba.njit(nogil=True, error_model="numpy", fastmath=free, _nrt=False)(function)
    return made


@intrinsic
def _tile(_context, to, width, row, column, rows, count, factor):  # type: ignore[no-untyped-def]
    """to[row + t, column + l] += factor · Σ_r rows[r, row + t] · rows[r, column + l], r < count, t < HEIGHT, l < LANES.

    Both arrays are float32 of ``width`` columns, one row after the other in memory; ``count`` is at least 1.
    """
    return types.void(to, types.intp, types.intp, types.intp, rows, types.intp, types.float32), _emit_tile


def _emit_tile(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
    start, given = (cgutils.create_struct_proxy(signature.args[n])(context, b, arguments[n]).data for n in (0, 4))
    _, width, row, column, _, count, factor = arguments
    wide, fused = ir.VectorType(ir.FloatType(), LANES), ("contract",)
    down = [b.add(row, ir.Constant(row.type, t)) for t in range(HEIGHT)]
    before, loop, after = b.basic_block, b.append_basic_block(), b.append_basic_block()
    b.branch(loop)

    b.position_at_end(loop)
    r, sums = b.phi(count.type), [b.phi(wide) for _ in down]
    base = b.mul(r, width)
    across = b.load(_address(b, given, b.add(base, column), wide), align=4)
    more = [
        b.fadd(total, b.fmul(_spread(b, b.load(b.gep(given, [b.add(base, place)])), wide), across, flags=fused), flags=fused)
        for total, place in zip(sums, down, strict=True)
    ]
    following = b.add(r, ir.Constant(count.type, 1))
    for variable, first, then in zip([r, *sums], [0] + [[0.0] * LANES] * HEIGHT, [following, *more], strict=True):
        variable.add_incoming(ir.Constant(variable.type, first), before)
        variable.add_incoming(then, loop)
    b.cbranch(b.icmp_signed("<", following, count), loop, after)

    b.position_at_end(after)
    by = _spread(b, factor, wide)
    for total, place in zip(more, down, strict=True):
        there = _address(b, start, b.add(b.mul(place, width), column), wide)
        b.store(b.fadd(b.load(there, align=4), b.fmul(by, total, flags=fused), flags=fused), there, align=4)
    return context.get_dummy_value()


def _address(b: Any, start: Any, place: Any, wide: Any) -> Any:
    return b.bitcast(b.gep(start, [place]), wide.as_pointer())


def _spread(b: Any, number: Any, wide: Any) -> Any:
    """The number in every lane."""
    lane, nothing = ir.IntType(32), ir.Constant(wide, ir.Undefined)
    one = b.insert_element(nothing, number, ir.Constant(lane, 0))
    return b.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(lane, LANES), [0] * LANES))


@_compiled
def _add_scaled(to: Float32, factor: Any, row: Float32) -> None:
    for j in range(len(to)):
        to[j] += factor * row[j]


@_compiled
def _copy(to: Float32, row: Float32) -> None:
    for j in range(len(to)):
        to[j] = row[j]


@_compiled
def _dot(one: Float32, other: Float32) -> Any:
    total = ZERO
    for j in range(len(one)):
        total += one[j] * other[j]
    return total


@_compiled
def _make(row: int, asked: Rows, still: Still, desk: Desk) -> float:
    """The row's equations onto the desk: what stands on and right of the gram's diagonal. Returns Σ w (t − offset)², to be
    explained, over its ratings, less what ``unobserved`` cells would have in their place."""
    gram, picked, width, w = desk.gram, desk.picked, still.x.shape[1], still.unobserved
    for f in range(min(-(-still.dim // HEIGHT) * HEIGHT, width)):
        _copy(gram[f, f & -LANES :], still.gram[f, f & -LANES :])
    _copy(desk.right, still.right)
    unexplained, first, last = 0.0, asked.starts[row], asked.starts[row + 1]
    for start in range(first, last, AT_ONCE):
        count = min(AT_ONCE, last - start)
        for r in range(count):
            column = asked.columns[start + r]
            _copy(picked[r], still.x[column])
            offset = still.offset[column]
            target = asked.ratings[start + r] - offset if w < ZERO else ONE - (ONE - w) * offset
            _add_scaled(desk.right, target, picked[r])
            far = float(offset)
            if w < ZERO:
                unexplained += (asked.ratings[start + r] - far) ** 2
            else:
                unexplained += (1.0 - far) ** 2 - w * far**2
        for f in range(0, still.dim, HEIGHT):
            for j in range(f & -LANES, width, LANES):
                _tile(gram, width, f, j, picked, count, ONE if w < ZERO else ONE - w)
    return unexplained


@_compiled
def _factor(gram: Float32, inverse: Float32, dim: int) -> bool:
    """Cholesky in place, UᵀU, and 1 / U's diagonal beside it. False if the matrix is not positive definite."""
    width = gram.shape[1]
    for f in range(0, dim, HEIGHT):
        left = f & -LANES
        if f > 0:
            for j in range(left, width, LANES):
                _tile(gram, width, f, j, gram, f, -ONE)
        end = min(f + HEIGHT, dim)
        for p in range(f, end):
            if not gram[p, p] > ZERO:
                return False
            inverse[p] = ONE / np.sqrt(gram[p, p])
            pivots = gram[p, left:]
            for j in range(len(pivots)):
                pivots[j] *= inverse[p]
            for i in range(p + 1, end):
                _add_scaled(gram[i, left:], -gram[p, i], pivots)
    return True


@_compiled
def _substitute(desk: Desk, theta: Float32, dim: int) -> None:
    """θ from UᵀU θ = right, which is changed; θ comes as zeros."""
    right, inverse = desk.right, desk.inverse
    for p in range(dim):
        left = p & -LANES
        value = right[p] * inverse[p]
        _add_scaled(right[left:], -value, desk.gram[p, left:])
        right[p] = value
    for p in range(dim - 1, -1, -1):
        left = p & -LANES
        theta[p] = (right[p] - _dot(desk.gram[p, left:], theta[left:])) * inverse[p]


@_compiled
def _solve_row(row: int, asked: Rows, still: Still, desk: Desk, theta: Float32) -> float:
    """θ in place. Returns Σ w (t − r̂)² afterwards, less what :func:`_make` leaves out; NaN if there was no solution."""
    more = ZERO
    for attempt in range(_TRIES):
        unexplained = _make(row, asked, still, desk)
        mean = ZERO
        for f in range(still.dim):
            mean += desk.gram[f, f] / np.float32(still.dim)
        ridge = max(asked.ridge[row], FLOOR * mean)
        if not ridge > ZERO:
            ridge = ONE  # no ratings and no ridge: θ = 0
        ridge += more
        for f in range(still.dim):
            desk.gram[f, f] += ridge
        if _factor(desk.gram, desk.inverse, still.dim):
            explained = 0.0
            theta[:] = ZERO
            # b·θ needs b, which the substitution uses up; it equals ‖U θ‖², and U θ is what the first half leaves.
            _substitute(desk, theta, still.dim)
            for f in range(still.dim):
                explained += float(desk.right[f]) ** 2 + float(ridge) * float(theta[f]) ** 2
            return unexplained - explained
        more = mean * SHAKY * np.float32(10.0**attempt)
    theta[:] = np.float32(np.nan)
    return np.nan


@kernel
def begin(still: Still) -> None:
    """Fill in what every row starts with when all cells count: w0 Σ x xᵀ on and right of the diagonal, and −w0 Σ offset x.

    gram and right come as zeros. By one thread and in a fixed order, so that the bits are the same with any number of them.
    """
    x, width, num_columns = still.x, still.x.shape[1], len(still.x) - 1
    for start in range(0, num_columns, AT_ONCE):
        count = min(AT_ONCE, num_columns - start)
        for f in range(0, still.dim, HEIGHT):
            for j in range(f & -LANES, width, LANES):
                _tile(still.gram, width, f, j, x[start:], count, still.unobserved)
        for n in range(start, start + count):
            _add_scaled(still.right, -still.unobserved * still.offset[n], x[n])


@kernel
def solve(first: int, last: int, asked: Rows, still: Still, desk: Desk, theta: Float32, left: Float64) -> None:
    """Rows ``first`` to ``last``: θ into theta (num_rows, w), and into left (num_rows,) what :func:`_solve_row` returns."""
    for row in range(first, last):
        left[row] = _solve_row(row, asked, still, desk, theta[row])
