"""How much one server lets be asked of it, who is next among those who wait, and what goes when the disk budget is used up."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfcore.errors import UnusableRequest
from mfcore.quantities import about, size
from mfcore.runs import RunConfig, RunFolder, RunManager, RunStatus, RunStore, disk
from mfcore.runs.estimate import DataShape, expected_starts, seconds_an_epoch, shape_of, time_left, whole_time
from mfcore.runs.events import MessageEvent
from mfcore.runs.limits import Limits
from mfcore.runs.manager.queue import Queue, in_turn
from mfcore.runs.summary import RunSummary
from tests.runs.test_watcher import PlayedExecutor
from tests.runs.tiny_runs import equal, tiny, weights

Train = Callable[..., tuple[RunFolder, RunStatus]]


def manager_of(home: Path, **limits: Any) -> RunManager:
    """One that starts nothing."""
    made = RunManager(home, executor=PlayedExecutor(), limits=Limits(**limits))
    made.watcher.wake = lambda: None  # type: ignore[method-assign]
    return made


def test_limits_are_read_from_one_line() -> None:
    assert Limits.read("") == Limits()
    assert Limits.read("each=5, hours=0.5 disk=100") == Limits(each=5, hours=0.5, disk=100.0)


@pytest.mark.parametrize(
    "text", ["ech=5", "each", "each=", "each=five", "each=1.5", "hours=-1", "disk=nan", "hours=inf", "each=1e99"]
)
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UnusableRequest, match="limit"):
        Limits.read(text)


def test_one_person_cannot_fill_the_queue(home: Path) -> None:
    """Whether by Train, by branching, by resuming or by asking for more epochs."""
    manager = manager_of(home, each=3, waiting=5)
    for _ in range(3):
        manager.submit(tiny(), asked_by="ann")
    with pytest.raises(UnusableRequest, match="3 of your runs wait already, and no more than 3 may"):
        manager.submit(tiny(), asked_by="ann")
    manager.submit(tiny(), asked_by="bob")
    manager.submit(tiny(), owner="carl", asked_by="x")
    with pytest.raises(UnusableRequest, match="5 runs wait already, and no more than 5 may"):
        manager.submit(tiny(), asked_by="dora")
    assert len(manager.list()) == 5, "a refused run leaves no folder"


def test_every_way_into_the_queue_is_counted(home: Path, train: Train) -> None:
    parent, _ = train()
    manager = manager_of(home, each=1)
    waiting = manager.submit(tiny())
    for ask in (
        lambda: manager.branch(parent.run_id, 1, {"num_epochs": 4}),
        lambda: manager.extend(parent.run_id, 2),
        lambda: manager.submit(tiny()),
    ):
        with pytest.raises(UnusableRequest, match="of your runs wait already"):
            ask()
    manager.stop(waiting)
    manager.branch(parent.run_id, 1, {"num_epochs": 4})
    with pytest.raises(UnusableRequest, match="of your runs wait already"):
        manager.resume(waiting)


def test_only_so_many_runs_hold_their_memory(home: Path) -> None:
    manager = manager_of(home, paused=1)
    first, second = (manager.folder(manager.submit(tiny())) for _ in range(2))
    with first.lock(), second.lock():
        for folder, state in ((first, "paused"), (second, "running")):
            folder.write_status(dataclasses.replace(folder.status(), state=state))
        for wish in ("pause", "step_epoch", "step_batch"):
            with pytest.raises(UnusableRequest, match="1 run may be paused at a time"):
                manager.command(second.run_id, wish)
            manager.command(first.run_id, wish)  # it is paused as it is
        manager.command(second.run_id, "stop")
        manager.command(first.run_id, "resume")
    assert first.last_command() == 4 and second.last_command() == 1


def waits(run_id: str, place: float, who: str, state: str = "queued") -> RunSummary:
    return RunSummary(run_id, "", "", False, RunConfig(), state, "", place, place=place, asked_by=who)


def test_those_who_wait_take_turns() -> None:
    ann = [waits(f"a{number}", number, "ann") for number in range(4)]
    bob, carl = [waits(f"b{number}", 10 + number, "bob") for number in range(2)], [waits("c0", 20, "carl")]
    order = [run.run_id for run in in_turn([*ann, *bob, *carl])]
    assert order == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]
    running = [waits("a9", 0, "ann", "running")]
    assert [run.run_id for run in in_turn([*ann, *bob], running)][:3] == ["b0", "a0", "b1"]
    assert [run.run_id for run in in_turn(ann)] == ["a0", "a1", "a2", "a3"], "alone, first come is first served"


def test_one_overtakes_only_oneself(home: Path) -> None:
    manager = manager_of(home)
    ids = {name: manager.submit(tiny(), asked_by=name[0]) for name in ("a1", "a2", "a3", "b1", "b2")}
    for number, run_id in enumerate(ids.values()):  # all were asked for within one tick of the clock
        folder = manager.folder(run_id)
        folder.write_status(dataclasses.replace(folder.status(), place=100.0 + number))
    names = {run_id: name for name, run_id in ids.items()}

    def order() -> list[str]:
        return [names[folder.run_id] for folder in manager.queue.waiting()]

    assert order() == ["a1", "b1", "a2", "b2", "a3"]
    manager.queue.move(ids["a3"], 1)
    assert order() == ["a3", "b1", "a1", "b2", "a2"]
    manager.queue.move(ids["b1"], 99)
    assert order() == ["a3", "b2", "a1", "b1", "a2"]


def test_a_run_of_weeks_is_refused_with_what_would_do(home: Path) -> None:
    manager = manager_of(home)
    endless = tiny(num_epochs=1_000_000, embedding_dim=4096, **{"dataset.num_users": 1000, "dataset.num_items": 1000})
    with pytest.raises(
        UnusableRequest, match=r"this would train for about .* days .*a run may take 24 hours; try num_epochs \d"
    ) as told:
        manager.submit(endless)
    fitting = int(str(told.value).split("num_epochs ")[1].split(",")[0].replace(",", "") or 0)
    assert fitting and manager.list() == []
    manager_of(home, hours=0).submit(endless)
    with pytest.raises(UnusableRequest, match="of memory"):
        manager.submit(
            tiny(embedding_dim=4096, **{"dataset.num_users": 10**6, "dataset.num_items": 10**6, "dataset.density": 1e-6})
        )


def test_more_epochs_than_allowed_are_refused_for_a_run_that_is_over(home: Path, train: Train) -> None:
    folder, _ = train()
    with pytest.raises(UnusableRequest, match="this would train for about"):
        manager_of(home, hours=1e-4).extend(folder.run_id, 100_000)


def test_time_is_told_by_runs_of_the_same_shape(home: Path, train: Train) -> None:
    folder, _ = train(tiny(num_epochs=4))
    run = RunStore(home).get(folder.run_id)
    shape = shape_of(run.config, home)
    assert shape == DataShape(60, 40, 720)
    an_epoch = seconds_an_epoch(tiny(num_epochs=99, learning_rate=0.5), shape, [run])
    assert an_epoch == pytest.approx(run.train_seconds / 4)
    assert seconds_an_epoch(tiny(pace=0.1), shape, [run]) == 10.0
    other = seconds_an_epoch(tiny(embedding_dim=8), shape, [run])
    assert other is not None and other != an_epoch and 1e-5 < other < 1.0
    assert whole_time(tiny(num_epochs=100), 2.0) == pytest.approx(203.0)
    half = dataclasses.replace(run, epochs_done=50, num_epochs=100, train_seconds=100.0, inherited_seconds=0.0)
    assert time_left(half, [], home) == pytest.approx((3.0 + 200.0) / 2)
    branched = dataclasses.replace(half, inherited_seconds=98.0)  # it has trained one epoch of its own so far
    assert time_left(branched, [], home) == time_left(half, [], home)


def test_when_those_who_wait_begin() -> None:
    waiting = [("a", 10.0), ("b", 20.0), ("c", None), ("d", 5.0)]
    assert expected_starts([30.0], waiting, 1) == {"a": 30.0, "b": 40.0, "c": 60.0}, "after an unknown one nobody knows"
    assert expected_starts([30.0, 8.0], waiting, 2) == {"a": 8.0, "b": 18.0, "c": 30.0, "d": 38.0}
    assert expected_starts([], waiting[:2], 2) == {"a": 0.0, "b": 0.0}
    assert expected_starts([None], waiting, 1) == {}


def test_quantities_in_words() -> None:
    assert [about(s) for s in (3, 44, 125, 4000, 90_000, 200_000, 1e9)] == [
        "a few seconds", "about 40 seconds", "about 2 minutes", "about 67 minutes", "about 25 hours", "about 2 days",
        "about 11,574 days",
    ]  # fmt: skip
    assert [size(n) for n in (12, 1.5e9, 2e20)] == ["12 bytes", "1.5 GB", "2e+05 PB"]


def three(train: Train) -> list[RunFolder]:
    """Runs with kept epochs, the oldest first."""
    made = [train(tiny(num_epochs=4, seed=seed))[0] for seed in range(3)]
    for age, folder in enumerate(made):
        folder.write_status(dataclasses.replace(folder.status(), created=100.0 + age))
    return made


def test_the_oldest_kept_epochs_go_first_and_nothing_else(home: Path, train: Train) -> None:
    first, second, third = three(train)
    store = RunStore(home)
    store.set_meta(first.run_id, starred=True)
    sizes = disk.measure(store)
    assert sizes[second.run_id].total == sum(path.stat().st_size for path in second.path.rglob("*") if path.is_file())
    before = {folder.run_id: (weights(folder), weights(folder, "best"), folder.result()) for folder in (first, second, third)}
    whole = sum(one.total for one in sizes.values())
    budget = (whole - sizes[second.run_id].kept // 2) / disk.GB
    use = disk.disk_use(store, budget)
    assert use.nearly_full and use.next_to_go == (second.run_id, third.run_id)
    assert disk.make_room(store, budget) == [second.run_id]
    assert second.kept_epochs() == [] and first.kept_epochs() and third.kept_epochs()
    told = second.events.of(MessageEvent)[-1].text
    assert "5 epochs to branch from were removed to make room" in told and "its results stay" in told
    for folder in (first, second, third):
        kept = weights(folder), weights(folder, "best"), folder.result()
        assert equal(kept[0], before[folder.run_id][0]) and equal(kept[1], before[folder.run_id][1])
        assert kept[2] == before[folder.run_id][2]
    assert store.get(second.run_id).state == "finished"
    store.requeue(second.run_id, epochs=1)
    assert train(folder=second)[1].state == "finished", "what it can go on from stays"


def test_a_branch_that_never_began_keeps_what_it_begins_from(home: Path, train: Train) -> None:
    parent, _ = train(tiny(num_epochs=2))
    manager = manager_of(home, disk=0)  # nothing is measured before all is in place
    child = manager.folder(manager.branch(parent.run_id, 1, {"num_epochs": 3}))
    manager.stop(child.run_id)
    manager.delete(parent.run_id)  # they shared the file, which is the child's alone from now on
    assert manager.get(child.run_id).over and disk.disk_use(manager.store, 1).next_to_go == ()
    assert disk.make_room(manager.store, 1e-9) == [] and child.kept_epochs() == [1]
    manager.store.requeue(child.run_id)
    assert train(folder=child)[1].state == "finished"


def test_when_nothing_more_may_go_new_runs_are_refused(home: Path, train: Train) -> None:
    for folder in three(train):
        RunStore(home).set_meta(folder.run_id, starred=True)
    manager = manager_of(home, disk=1e-5)
    with pytest.raises(UnusableRequest, match="more than the 1e-05 GB they have been given; delete some"):
        manager.submit(tiny())
    assert disk.make_room(manager.store, 1e-5) == []
    assert disk.make_room(manager.store, 0) == [] and not disk.disk_use(manager.store, 0).nearly_full


def test_a_run_that_trains_keeps_its_epochs_and_a_shared_file_counts_once(home: Path, train: Train) -> None:
    folder, _ = train(tiny(num_epochs=2))
    going = RunFolder.create(home, tiny())
    os.link(folder.checkpoints / "epoch-00001.safetensors", going.checkpoints / "epoch-00001.safetensors")
    store = RunStore(home)
    sizes = disk.measure(store)
    assert sorted(one.kept > 0 for one in sizes.values()) == [False, True] or sum(one.kept for one in sizes.values()) < 2 * max(
        one.kept for one in sizes.values()
    )
    assert disk.disk_use(store, 1).next_to_go == (folder.run_id,)
    assert Queue(store).line().waiting[0].run_id == going.run_id
