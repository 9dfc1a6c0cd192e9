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

from mfcore.training.engines.compiling import Function, kernel
from mfcore.typing import Float32, Float64

Indices = npt.NDArray[Any]
Scalar = np.float32

LANES = 16 if "+avx512f" in get_host_cpu_features() else 8
"""Columns of a tile; tables are padded to a multiple of it."""
HEIGHT = 8
"""Rows of a tile: eight sums at once keep both multipliers of a processor busy, and leave room in its registers."""
AT_ONCE = 64
"""Ratings whose vectors are gathered before they are added."""
_TRIES = 4

ZERO, ONE = np.float32(0.0), np.float32(1.0)
NONE = np.zeros(0, dtype=np.float32)
FLOOR, SHAKY = np.float32(1e-6), np.float32(1e-4)  # as in mfcore.training.engines.als.normal_equations


class Rows(NamedTuple):
    """The rows to solve. starts (num_rows + 1,) int64, columns (n,) int32, ratings (n,) float32, ridge (num_rows,) float32.
    confidence (n,) float32, none of them below ``unobserved``, or empty where all are 1."""

    starts: Indices
    columns: Indices
    ratings: Float32
    ridge: Float32
    confidence: Float32 = NONE


class FixedSide(NamedTuple):
    """The side held fixed. x: (num_columns + 1, w) with zeros from ``dim`` on, offset: (num_columns + 1,); what every row
    starts with: gram (w, w), right (w,). ``unobserved``: the weight w0 of cells nobody chose, or below 0 if they do not count.
    """

    x: Float32
    offset: Float32
    gram: Float32
    right: Float32
    dim: int
    unobserved: Scalar


class Workspace(NamedTuple):
    """What one thread works in. gram (w, w), picked (AT_ONCE, w), right (w,), inverse (w,): float32."""

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
def _add_scaled(to: Float32, factor: Scalar, row: Float32) -> None:
    for j in range(len(to)):
        to[j] += factor * row[j]


@_compiled
def _copy(to: Float32, row: Float32) -> None:
    for j in range(len(to)):
        to[j] = row[j]


@_compiled
def _dot(one: Float32, other: Float32) -> Scalar:
    total = ZERO
    for j in range(len(one)):
        total += one[j] * other[j]
    return total


@_compiled
def _build_weighted(row: int, rows: Rows, fixed: FixedSide, space: Workspace) -> float:
    """What :func:`_build` adds for the row's own cells, where each weighs its confidence and all others ``unobserved``."""
    gram, picked, width, w = space.gram, space.picked, fixed.x.shape[1], fixed.unobserved
    unexplained, first, last = 0.0, rows.starts[row], rows.starts[row + 1]
    for start in range(first, last, AT_ONCE):
        count = min(AT_ONCE, last - start)
        for r in range(count):
            column = rows.columns[start + r]
            offset, sure = fixed.offset[column], rows.confidence[start + r]
            _add_scaled(space.right, sure - (sure - w) * offset, fixed.x[column])
            # Both factors of a product are these rows: each brings the root of the weight.
            picked[r, :] = ZERO
            _add_scaled(picked[r], np.sqrt(sure - w), fixed.x[column])
            far = float(offset)
            unexplained += float(sure) * (1.0 - far) ** 2 - float(w) * far**2
        for f in range(0, fixed.dim, HEIGHT):
            for j in range(f & -LANES, width, LANES):
                _tile(gram, width, f, j, picked, count, ONE)
    return unexplained


@_compiled
def _build(row: int, rows: Rows, fixed: FixedSide, space: Workspace) -> float:
    """The row's equations into the workspace: what stands on and right of the gram's diagonal. Returns Σ w (t − offset)², to be
    explained, over its ratings, less what ``unobserved`` cells would have in their place."""
    gram, picked, width, w = space.gram, space.picked, fixed.x.shape[1], fixed.unobserved
    for f in range(min(-(-fixed.dim // HEIGHT) * HEIGHT, width)):
        _copy(gram[f, f & -LANES :], fixed.gram[f, f & -LANES :])
    _copy(space.right, fixed.right)
    if len(rows.confidence) > 0:
        return _build_weighted(row, rows, fixed, space)
    unexplained, first, last = 0.0, rows.starts[row], rows.starts[row + 1]
    for start in range(first, last, AT_ONCE):
        count = min(AT_ONCE, last - start)
        for r in range(count):
            column = rows.columns[start + r]
            _copy(picked[r], fixed.x[column])
            offset = fixed.offset[column]
            target = rows.ratings[start + r] - offset if w < ZERO else ONE - (ONE - w) * offset
            _add_scaled(space.right, target, picked[r])
            far = float(offset)
            if w < ZERO:
                unexplained += (float(rows.ratings[start + r]) - far) ** 2
            else:
                unexplained += (1.0 - far) ** 2 - float(w) * far**2
        for f in range(0, fixed.dim, HEIGHT):
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
def _substitute(space: Workspace, theta: Float32, dim: int) -> None:
    """θ from UᵀU θ = right, which is changed; θ comes as zeros."""
    right, inverse = space.right, space.inverse
    for p in range(dim):
        left = p & -LANES
        value = right[p] * inverse[p]
        _add_scaled(right[left:], -value, space.gram[p, left:])
        right[p] = value
    for p in range(dim - 1, -1, -1):
        left = p & -LANES
        theta[p] = (right[p] - _dot(space.gram[p, left:], theta[left:])) * inverse[p]


@_compiled
def _solve_row(row: int, rows: Rows, fixed: FixedSide, space: Workspace, theta: Float32) -> float:
    """θ in place. Returns Σ w (t − r̂)² afterwards, less what :func:`_build` leaves out; NaN if there was no solution."""
    more = ZERO
    for attempt in range(_TRIES):
        unexplained = _build(row, rows, fixed, space)
        mean = ZERO
        for f in range(fixed.dim):
            mean += space.gram[f, f] / np.float32(fixed.dim)
        ridge = max(rows.ridge[row], FLOOR * mean)
        if not ridge > ZERO:
            ridge = ONE  # no ratings and no ridge: θ = 0
        ridge += more
        for f in range(fixed.dim):
            space.gram[f, f] += ridge
        if _factor(space.gram, space.inverse, fixed.dim):
            explained = 0.0
            theta[:] = ZERO
            # b·θ needs b, which the substitution uses up; it equals ‖U θ‖², and U θ is what the first half leaves.
            _substitute(space, theta, fixed.dim)
            for f in range(fixed.dim):
                explained += float(space.right[f]) ** 2 + float(ridge) * float(theta[f]) ** 2
            return unexplained - explained
        more = mean * SHAKY * np.float32(10.0**attempt)
    theta[:] = np.float32(np.nan)
    return np.nan


@kernel
def add_unobserved(fixed: FixedSide) -> None:
    """Fill in what every row starts with when all cells count: w0 Σ x xᵀ on and right of the diagonal, and −w0 Σ offset x.

    gram and right come as zeros. By one thread and in a fixed order, so that the bits are the same with any number of them.
    """
    x, width, num_columns = fixed.x, fixed.x.shape[1], len(fixed.x) - 1
    for start in range(0, num_columns, AT_ONCE):
        count = min(AT_ONCE, num_columns - start)
        for f in range(0, fixed.dim, HEIGHT):
            for j in range(f & -LANES, width, LANES):
                _tile(fixed.gram, width, f, j, x[start:], count, fixed.unobserved)
        for n in range(start, start + count):
            _add_scaled(fixed.right, -fixed.unobserved * fixed.offset[n], x[n])


@kernel
def solve(first: int, last: int, rows: Rows, fixed: FixedSide, space: Workspace, theta: Float32, left: Float64) -> None:
    """Rows ``first`` to ``last``: θ into theta (num_rows, w), and into left (num_rows,) what :func:`_solve_row` returns."""
    for row in range(first, last):
        left[row] = _solve_row(row, rows, fixed, space, theta[row])
