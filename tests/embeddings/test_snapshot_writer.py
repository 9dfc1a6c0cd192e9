"""Snapshots are written within bounds of time, number and size, and what is thinned out is the least missed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mfcore.embeddings.snapshot_writer import IN_HAND, SHARE, Budget, Limits, SnapshotWriter, superfluous
from mfcore.embeddings.snapshots import SnapshotFiles
from tests.embeddings.tiny_models import SPLIT, model


@dataclass
class Clock:
    """Stands still until ``now`` is changed, so that writing takes no time."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_vectors_that_are_no_numbers_are_not_kept(folder: Path) -> None:
    made = model("mf")
    with torch.no_grad():
        made.item_factors[3, 1] = float("nan")
    assert not SnapshotWriter(folder, SPLIT, made).write(made, 1, keep=True)
    assert SnapshotFiles(folder).epochs() == []


def test_float16_takes_vectors_beyond_its_own_range(folder: Path) -> None:
    made = model("mf")
    with torch.no_grad():
        made.item_factors.mul_(1e7)
        made.user_factors.mul_(1e-9)
    SnapshotWriter(folder, SPLIT, made).write(made, 0)
    kept = SnapshotFiles(folder).load(0)
    assert kept is not None
    assert kept.items == pytest.approx(made.item_vectors().numpy(), rel=2e-3, abs=1e4)
    assert kept.users == pytest.approx(made.user_vectors().numpy(), rel=2e-3, abs=1e-12)


def test_writing_is_bounded_in_time_but_what_must_be_kept_is(folder: Path) -> None:
    made, clock = model(), Clock()
    writer = SnapshotWriter(folder, SPLIT, made, clock=clock)
    assert writer.write(made, 0)
    clock.now += 0.005
    assert not writer.write(made, 1)  # at most a hundred a second
    assert writer.write(made, 2, keep=True)
    assert not writer.write(made, 2, keep=True)  # is there already
    clock.now += 0.011
    assert writer.write(made, 3)
    assert SnapshotFiles(folder).epochs() == [0, 2, 3]


def test_slow_writing_is_paid_for_with_time(folder: Path) -> None:
    clock = Clock()

    def slow(*_: object) -> None:
        clock.now += 0.5

    made = model()
    writer = SnapshotWriter(folder, SPLIT, made, clock=clock, store=slow)
    written = 0
    for epoch in range(1000):  # ten epochs a second
        written += writer.write(made, epoch)
        clock.now += 0.1
    assert 1 <= written <= 1 + (clock.now - 100) * SHARE / 0.5


def test_the_budget_is_a_share_of_the_time_that_passes() -> None:
    budget = Budget()
    spent, now = 0.0, 100.0
    for _ in range(10_000):
        now += 0.01
        if budget.left(now) > 0:
            budget.spend(0.004)
            spent += 0.004
    assert spent <= SHARE * 100 + IN_HAND + 0.004
    assert spent >= 0.95 * SHARE * 100
    assert SHARE < 0.02


def test_only_so_much_time_is_saved_up() -> None:
    budget = Budget()
    assert budget.left(0.0) == IN_HAND
    assert budget.left(1e6) == IN_HAND


def test_numbers_are_bounded_and_thinned_out_evenly(folder: Path) -> None:
    made, clock = model(), Clock()
    writer = SnapshotWriter(folder, SPLIT, made, limits=Limits(snapshots=20), clock=clock)
    for epoch in range(301):
        clock.now += 10.0
        writer.write(made, epoch, keep=epoch == 77)
    kept = SnapshotFiles(folder).epochs()
    assert len(kept) == 20
    assert {0, 77, 300} <= set(kept)
    assert np.diff(kept).max() <= 3 * 300 / 19


@pytest.mark.parametrize(
    ("epochs", "keep", "dropped"),
    [
        ([0, 8, 9, 12, 20, 40], {0}, 9),  # by the gap after alone it would be 8
        ([0, 20, 28, 31, 32, 40], {0}, 31),  # by the gap before alone it would be 32
        ([0, 5, 6, 7, 30], {0, 6}, 5),  # 6 is closest to its neighbours, and to be kept
        ([0, 5, 6, 7, 30], {0, 5, 6, 7, 30}, 6),  # all are to be kept and one must go: then as if none was
        ([0, 1, 100], {0}, 1),  # neither the first nor the last, however close they are
        ([0, 99, 100], {0}, 99),
        ([4, 5, 9, 13], set(), 5),  # the first stays without being asked to
    ],
)
def test_what_lies_closest_between_its_neighbours_is_superfluous(epochs: list[int], keep: set[int], dropped: int) -> None:
    assert superfluous(epochs, keep) == dropped


@given(st.sets(st.integers(0, 500), min_size=3, max_size=40), st.sets(st.integers(0, 500), max_size=20))
def test_dropping_the_superfluous_one_opens_the_smallest_gap_there_can_be(numbers: set[int], keep: set[int]) -> None:
    epochs = sorted(numbers)
    dropped = superfluous(epochs, keep)
    assert dropped not in (epochs[0], epochs[-1])
    inner = epochs[1:-1]
    free = [epoch for epoch in inner if epoch not in keep]
    assert dropped in (free or inner)

    def opened(epoch: int) -> int:
        """The gap that is left where ``epoch`` was."""
        return min(other for other in epochs if other > epoch) - max(other for other in epochs if other < epoch)

    assert opened(dropped) == min(map(opened, free or inner))


@given(count=st.integers(3, 400), limit=st.integers(3, 60))
def test_thinning_keeps_both_ends_and_even_gaps(count: int, limit: int) -> None:
    epochs: list[int] = []
    for epoch in range(count):
        epochs.append(epoch)
        while len(epochs) > limit:
            epochs.remove(superfluous(epochs, {0}))
    assert epochs[0] == 0 and epochs[-1] == count - 1
    gaps = np.diff(epochs)
    assert gaps.max() <= max(1.0, 3.0 * (count - 1) / (len(epochs) - 1))


def test_wide_vectors_are_kept_of_the_most_rated(folder: Path) -> None:
    made = model()
    SnapshotWriter(folder, SPLIT, made, limits=Limits(items=10, users=7)).write(made, 0)
    about, kept = SnapshotFiles(folder).metadata(), SnapshotFiles(folder).load(0)
    assert about is not None and kept is not None
    popular = SPLIT.train.popularity()
    assert popular[about.item_idx].min() >= np.delete(popular, about.item_idx).max()
    assert (len(kept.items), len(kept.users)) == (10, 7)
    assert kept.items == pytest.approx(made.item_vectors().numpy()[about.item_idx], abs=2e-3)
    assert "10 most rated of 40 items" in about.note


@pytest.mark.parametrize(("width", "items", "users"), [(8, 4000, 1000), (64, 4000, 1000), (512, 1562, 390), (4096, 500, 100)])
def test_a_snapshot_is_bounded_in_size(width: int, items: int, users: int) -> None:
    assert Limits().rows(width, 100_000, 100_000) == (items, users)


def test_all_snapshots_together_are_bounded_in_number_and_size() -> None:
    assert Limits().count(336_000) == 199  # 128 MB of float16
    assert Limits().count(1000) == 200
    assert Limits().count(10**12) == 10, "a film of less is none"


def test_the_block_inside_an_epoch_is_replaced_and_goes_with_a_resume(folder: Path) -> None:
    made, clock = model(), Clock()
    writer = SnapshotWriter(folder, SPLIT, made, clock=clock)
    writer.write(made, 1, 10, keep=True)
    for step, epoch in ((11, 1.25), (12, 1.5)):
        clock.now += 0.21
        assert writer.write_now(made, epoch, step)
        assert not writer.write_now(made, epoch, step + 1)  # five a second
    files = SnapshotFiles(folder)
    assert files.block()[:2] == (1.5, 12)
    assert files.block(1)[:2] == (1, 10), "an epoch asked for is that of its end"
    assert len(files.blocks_within_epoch()) == 1
    writer.write(made, 2, 20, keep=True)
    assert files.block()[:2] == (2, 20)
    assert [files.block(epoch)[0] for epoch in (0, 1, 2)] == [1, 1, 2]
    assert files.block(99)[0] == 2, "the last before the one asked for"
    writer.take_back(1)
    assert files.epochs() == [1]
    assert files.blocks_within_epoch() == []


def test_a_full_disk_costs_a_snapshot_and_not_the_run(folder: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    made = model()
    writer = SnapshotWriter(folder, SPLIT, made, store=full)
    assert not writer.write(made, 0, keep=True)
    assert writer.write_now(made, 0.5, 1)
