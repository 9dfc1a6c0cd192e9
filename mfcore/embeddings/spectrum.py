"""The shape of a cloud of vectors, and over time: effective rank, lengths against popularity, nearness to a known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mfcore.cache import LRU
from mfcore.embeddings.projection import finite_table
from mfcore.embeddings.snapshots import Snapshot, SnapshotSource
from mfcore.typing import Float64, Int64
from mfcore.validate import require

Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class Spectrum:
    """``singular_values``: (min(n, d),) float64, largest first. ``effective_rank``: 1 … d; NaN for vectors of zeros."""

    singular_values: Float64
    effective_rank: float


def spectrum(vectors: npt.ArrayLike) -> Spectrum:
    """Singular values of (n, d) vectors and their effective rank exp(−Σ pₖ ln pₖ), pₖ = σₖ / Σσ (Roy & Vetterli 2007).

    d equal singular values give d, a single one gives 1: how many dimensions are in use, with no threshold.

    Raises:
        UnusableRequest: not a table, or not finite.
    """
    table = finite_table(vectors)
    count, width = table.shape
    if count > 4 * width:  # the (d, d) products are much smaller; σ is exact to about 1e-8 of the largest
        square = np.linalg.eigvalsh(table.T @ table)[::-1]
        singular = np.sqrt(np.maximum(square, 0.0))
    else:
        singular = np.linalg.svd(table, compute_uv=False)
    return Spectrum(singular, effective_rank(singular))


def effective_rank(singular_values: npt.ArrayLike) -> float:
    """exp of the entropy of the singular values' shares; NaN when all are 0."""
    values = np.asarray(singular_values, dtype=np.float64)
    total = values.sum()
    if not total > 0:
        return float("nan")
    share = values[values > 0] / total
    return float(np.exp(-(share * np.log(share)).sum()))


@dataclass(frozen=True, eq=False)
class NormsByPopularity:
    """``popularity`` (n,), ``norm`` (n,): one entry per point. ``rho``: their rank correlation (Spearman), NaN if undefined.

    ``bin_popularity``, ``bin_norm`` (b,): medians of up to 12 groups of equal size, for a line through the cloud.
    """

    popularity: Float64
    norm: Float64
    rho: float
    bin_popularity: Float64
    bin_norm: Float64


def norms_by_popularity(vectors: npt.ArrayLike, popularity: npt.ArrayLike) -> NormsByPopularity:
    """Lengths of (n, d) vectors against how often each was rated ((n,)).

    Raises:
        UnusableRequest: lengths disagree, or vectors are not finite.
    """
    from scipy import stats  # here: every server imports this module, few pages need it, and scipy costs half a second

    norm, often = np.linalg.norm(finite_table(vectors), axis=1), np.asarray(popularity, dtype=np.float64)
    require(norm.shape == often.shape, f"{len(norm)} vectors need {len(norm)} popularities, got {len(often)}")
    varies = len(norm) > 2 and np.ptp(norm) > 0 and np.ptp(often) > 0
    rho = float(np.corrcoef(stats.rankdata(norm), stats.rankdata(often))[0, 1]) if varies else float("nan")
    groups = [group for group in np.array_split(np.argsort(often, kind="stable"), min(12, len(norm))) if len(group)]
    medians = [np.array([np.median(values[group]) for group in groups]) for values in (often, norm)]
    return NormsByPopularity(often, norm, rho, medians[0], medians[1])


@dataclass(frozen=True, eq=False)
class Recovery:
    """How much of a planted space was found. ``angles``: (r,) degrees, ascending, 0 (found) to 90.

    ``score``: mean cos², 0 to 1. ``chance``: the score a random subspace would have on average, r / n.
    """

    angles: Float64
    score: float
    chance: float


def recovery(items: npt.ArrayLike, truth: npt.ArrayLike, users: npt.ArrayLike | None = None) -> Recovery:
    """Principal angles (Björck & Golub 1973) between the r dimensions a model uses most and the r true ones.

    Args:
        items: (n, d) learned. truth: (n, r) true vectors of the same items. users: (m, d) learned; with them the learned space
            is that of the predictions P·Qᵀ (its first r right singular vectors), which no rescaling of P against Q can change;
            without, that of Q alone.

    Raises:
        UnusableRequest: lengths disagree, vectors are not finite, or d or n is below r.
    """
    from scipy import linalg

    learned, true = finite_table(items), finite_table(truth)
    require(len(learned) == len(true), f"{len(learned)} learned vectors, {len(true)} true ones: they must be of the same items")
    rank = true.shape[1]
    width = min(*learned.shape, *(() if users is None else np.shape(users)))
    require(width >= rank, f"{rank} planted dimensions cannot be found in {width}; widen embedding_dim")
    basis, upper = np.linalg.qr(learned)
    core = upper.T if users is None else np.linalg.qr(finite_table(users), mode="r") @ upper.T
    turned = basis @ np.linalg.svd(core)[2][:rank].T
    # Vectors of zeros span nothing, whatever directions the decomposition makes up for them.
    if not np.abs(core).max(initial=0.0) > 0:
        return Recovery(np.full(rank, 90.0), 0.0, rank / len(true))
    angles = np.sort(linalg.subspace_angles(turned, true))
    return Recovery(np.degrees(angles), float(np.mean(np.cos(angles) ** 2)), rank / len(true))


def spectra(source: SnapshotSource) -> dict[int, Spectrum]:
    """Epoch → :func:`spectrum` of the item vectors, all epochs there are."""
    return _each(source, "spectrum", lambda one: spectrum(one.items))


def norms_over_time(source: SnapshotSource, popularity: Int64) -> dict[int, NormsByPopularity]:
    """Epoch → :func:`norms_by_popularity` of the item vectors. popularity: (num_items,), how often each item was rated."""
    often = popularity[source.item_idx]
    return _each(source, "norms", lambda one: norms_by_popularity(one.items, often))


def recovery_over_time(source: SnapshotSource, truth: Float64, *, dot_product: bool) -> dict[int, Recovery]:
    """Epoch → :func:`recovery` of the planted space.

    Args:
        truth: (num_items, r) true vectors. dot_product: whether the model predicts by p·q, and is judged by the space of its
            predictions; others are by that of their item vectors alone.

    Raises:
        UnusableRequest: fewer dimensions than were planted.
    """
    true = truth[source.item_idx]
    return _each(source, "recovery", lambda one: recovery(one.items, true, one.users if dot_product else None))


_computed: LRU[tuple[Any, ...], Any] = LRU(2000)


def _each(source: SnapshotSource, what: str, compute: Callable[[Snapshot], Answer]) -> dict[int, Answer]:
    """``compute`` for every epoch; computed once for each, until its snapshot changes."""
    found: dict[int, Answer] = {}
    for epoch, stamp in sorted(source.stamps().items()):
        key = (source.key, what, epoch, stamp)
        known: Answer | None = _computed.get(key)
        if known is None:
            snapshot = source.load(epoch)
            known = None if snapshot is None else _computed.put(key, compute(snapshot))
        if known is not None:
            found[epoch] = known
    return found
