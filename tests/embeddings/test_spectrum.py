"""Spectrum, effective rank, norms and recovery against hand-worked cases and scikit-learn / scipy."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats

from mfcore.embeddings.snapshots import Snapshot
from mfcore.embeddings.spectrum import (
    effective_rank,
    norms_by_popularity,
    norms_over_time,
    recovery,
    recovery_over_time,
    spectra,
    spectrum,
)
from mfcore.errors import UnusableRequest

RNG = np.random.default_rng


def test_equal_singular_values_use_every_dimension_and_one_uses_one() -> None:
    assert effective_rank([2.0, 2.0, 2.0]) == pytest.approx(3.0)
    assert effective_rank([5.0, 0.0, 0.0]) == pytest.approx(1.0)
    assert math.isnan(effective_rank([0.0, 0.0]))


def test_effective_rank_by_hand() -> None:
    # shares 3/4 and 1/4: exp(−(¾ ln ¾ + ¼ ln ¼)) = 4 / 3^¾
    assert effective_rank([3.0, 1.0]) == pytest.approx(4 / 3**0.75)


@pytest.mark.parametrize("shape", [(500, 8), (10, 8), (5, 8)])
def test_the_spectrum_is_that_of_the_decomposition(shape: tuple[int, int]) -> None:
    vectors = RNG(0).standard_normal(shape)
    assert spectrum(vectors).singular_values == pytest.approx(np.linalg.svd(vectors, compute_uv=False), rel=1e-9)


def test_norms_are_lengths_and_their_correlation_is_spearmans() -> None:
    vectors = RNG(1).standard_normal((60, 4))
    often = RNG(2).integers(0, 20, 60)
    found = norms_by_popularity(vectors, often)
    assert found.norm == pytest.approx(np.sqrt((vectors**2).sum(axis=1)))
    assert found.rho == pytest.approx(stats.spearmanr(often, found.norm).statistic)
    assert len(found.bin_norm) == 12
    assert (np.diff(found.bin_popularity) >= 0).all()


def test_norms_of_equal_lengths_have_no_correlation() -> None:
    assert math.isnan(norms_by_popularity(np.ones((5, 2)), np.arange(5)).rho)


def test_the_truth_is_recovered_whatever_the_scaling_between_users_and_items() -> None:
    rng = RNG(3)
    p, q = rng.standard_normal((80, 3)), rng.standard_normal((50, 3))
    mix = rng.standard_normal((3, 3))
    turned_q, turned_p = q @ mix, p @ np.linalg.inv(mix).T  # P'Q'ᵀ = PQᵀ
    noise = 1e-4 * rng.standard_normal((50, 8))
    wide = np.hstack([turned_q, np.zeros((50, 5))]) + noise
    found = recovery(wide, q, np.hstack([turned_p, np.zeros((80, 5))]))
    assert found.score == pytest.approx(1.0, abs=1e-4)
    assert found.angles.max() < 0.5
    assert found.chance == pytest.approx(3 / 50)


def test_an_orthogonal_space_scores_nothing_and_a_shared_direction_one_half() -> None:
    axes = np.eye(6)
    assert recovery(axes[:, :2], axes[:, 2:4]).score == pytest.approx(0.0)
    half = recovery(axes[:, [0, 1]], axes[:, [0, 2]])
    assert half.score == pytest.approx(0.5)
    assert half.angles == pytest.approx([0.0, 90.0], abs=1e-6)


def test_a_random_space_scores_what_chance_says() -> None:
    rng = RNG(4)
    found = [recovery(rng.standard_normal((40, 4)), rng.standard_normal((40, 4))) for _ in range(200)]
    mean = float(np.mean([one.score for one in found]))
    assert mean == pytest.approx(found[0].chance, abs=0.015)


def test_users_decide_which_dimensions_count() -> None:
    rng = RNG(5)
    q = rng.standard_normal((50, 2))
    loud = np.hstack([q, 30 * rng.standard_normal((50, 2))])  # large, but no user looks that way
    users = np.hstack([rng.standard_normal((70, 2)), np.zeros((70, 2))])
    assert recovery(loud, q, users).score == pytest.approx(1.0)
    assert recovery(loud, q).score < 0.3


def test_vectors_of_zeros_recover_nothing() -> None:
    assert recovery(np.zeros((9, 3)), RNG(0).standard_normal((9, 2))).score == 0.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: recovery(np.ones((5, 1)), np.ones((5, 2))), "widen embedding_dim"),
        (lambda: recovery(np.ones((5, 3)), np.ones((4, 2))), "same items"),
        (lambda: spectrum([[np.nan, 1.0]]), "diverged"),
        (lambda: norms_by_popularity(np.ones((3, 2)), [1, 2]), "3 popularities"),
    ],
)
def test_what_cannot_be_computed_is_refused(call: object, words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        call()  # type: ignore[operator]


# --- over time -------------------------------------------------------------------------------------------------------


class Source:
    """Epoch → (stamp, items (n, d), users (m, d)), to be changed at will; counts how often vectors are asked for."""

    note = ""

    def __init__(self, **kept: tuple[int, np.ndarray, np.ndarray]) -> None:
        self.key, self.kept, self.loads = time.perf_counter_ns(), {int(name[1:]): one for name, one in kept.items()}, 0
        _, items, users = next(iter(self.kept.values()))
        self.item_idx, self.user_idx = np.arange(10, 10 + len(items)), np.arange(len(users))

    def stamps(self) -> dict[int, int]:
        return {epoch: stamp for epoch, (stamp, *_) in self.kept.items()} | {99: 1}

    def load(self, epoch: int) -> Snapshot | None:
        self.loads += 1
        return None if epoch == 99 else Snapshot(epoch, 0, *self.kept[epoch][1:])


def test_each_epoch_is_computed_once_until_its_vectors_change() -> None:
    draw = RNG(1).standard_normal
    source = Source(e0=(1, draw((20, 4)), draw((5, 4))), e3=(1, draw((20, 4)), draw((5, 4))))
    first = spectra(source)
    assert list(first) == [0, 3], "what has gone meanwhile is left out"
    loads = source.loads
    assert spectra(source)[3] is first[3]
    assert source.loads == loads + 1, "only what has gone is looked for again"
    source.kept[3] = (2, np.eye(20, 4), draw((5, 4)))
    again = spectra(source)
    assert again[0] is first[0]
    assert again[3].effective_rank == pytest.approx(4.0)


def test_lengths_stand_beside_the_popularity_of_their_own_items() -> None:
    source = Source(e0=(1, np.diag([1.0, 2.0, 3.0]), np.zeros((1, 3))))
    popularity = np.concatenate([np.full(10, 77), [5, 6, 9]])
    assert norms_over_time(source, popularity)[0].popularity.tolist() == [5, 6, 9]


def test_a_model_of_dot_products_is_judged_by_its_predictions() -> None:
    """Of three dimensions two predict the truth; the third is long, and no user looks along it."""
    draw = RNG(2).standard_normal
    truth, noise = draw((30, 2)), 50 * draw((30, 1))
    items, users = np.hstack([truth, noise]), np.hstack([draw((40, 2)), np.zeros((40, 1))])
    every_item = np.vstack([np.zeros((10, 2)), truth])
    assert recovery_over_time(Source(e0=(1, items, users)), every_item, dot_product=True)[0].score == pytest.approx(1.0)
    assert recovery_over_time(Source(e0=(1, items, users)), every_item, dot_product=False)[0].score < 0.9
