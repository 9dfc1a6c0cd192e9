"""Faults of clocks and connections: a clock that is set while runs train and wait, and a browser that was away."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from starlette.applications import Starlette
from starlette.testclient import TestClient

from mfcore.runs import RunFolder, RunManager, events
from mfcore.runs.events import EpochEvent, Event
from mfcore.runs.manager.manager import _managers
from mfcore.runs.worker.session import train_run
from tests.faults.suite import Fault, Outcome, Stage, lost, twin
from tests.runs.test_watcher import PlayedExecutor
from tests.runs.tiny_runs import FakeClock, tiny
from ui.api.routes import ROUTES

HOUR = 3600.0
AWAY = 600.0


@contextmanager
def set_clock() -> Iterator[list[float]]:
    """The time of day, off by the sum of what is appended to the list."""
    off: list[float] = []
    really = time.time

    def told() -> float:
        return really() + sum(off)

    with mock.patch.object(time, "time", told), mock.patch.object(events, "now", told):
        yield off


def clock_jumps_while_it_trains(stage: Stage) -> Outcome:
    """An hour forward after the second epoch, two back after the fourth, one forward after the sixth."""
    outcome, whole = Outcome(), twin(num_epochs=8)
    folder = RunFolder.create(stage.home, tiny(num_epochs=8))
    jumps = {2: HOUR, 4: -2 * HOUR, 6: HOUR}

    with set_clock() as off:

        def listen(event: Event) -> None:
            if isinstance(event, EpochEvent) and event.epoch in jumps:
                off.append(jumps[event.epoch])

        train_run(folder, stage.home, listen=listen)
    (shown,) = RunManager(stage.home).list()
    outcome.times = len(jumps)
    outcome.sees(f"{shown.state}: {shown.reason}")
    stamps = [event.time for event in folder.events.read()[0]]
    outcome.sees(f"times of events fall back {sum(b < a for a, b in itertools.pairwise(stamps))}×")
    outcome.lost.update(lost(folder, whole))
    return outcome


def clock_jumps_while_they_wait(stage: Stage) -> Outcome:
    """Between one asking and the next; those who asked first begin first all the same, by whichever way they asked."""
    outcome = Outcome()
    manager = RunManager(stage.home, 1, executor=PlayedExecutor())
    manager.watcher.wake = lambda: None  # type: ignore[method-assign]
    asked = []
    with set_clock() as off:
        for seed, jump in enumerate((0.0, HOUR, -2 * HOUR, HOUR, -HOUR)):
            off.append(jump)
            asked.append(manager.submit(tiny(num_epochs=3, seed=seed)))
        manager.stop(asked[0])  # and comes back, behind those that wait
        off.append(-HOUR)
        manager.resume(asked[0])
        asked = [*asked[1:], asked[0]]
        began = []
        for _ in asked:
            off.append(stage.chance.choice((-HOUR, HOUR)))
            manager.watcher._queue_due = 0.0
            manager.watcher.look()
            (run_id,) = manager.watcher.workers
            began.append(run_id)
            manager.watcher.executor.workers.pop(run_id).leaves(state="queued")  # type: ignore[attr-defined]
            del manager.watcher.workers[run_id]
            train_run(manager.folder(run_id), stage.home)
    outcome.times = len(asked)
    outcome.sees(f"they begin in the order of asking: {'yes' if began == asked else 'no'}")
    outcome.lost.update([] if began == asked else ["the order of the queue"])
    for run_id in asked:
        folder = manager.folder(run_id)
        outcome.lost.update(lost(folder, twin(num_epochs=3, seed=folder.config().training.seed)))
    return outcome


def browser_away(stage: Stage) -> Outcome:
    """It has seen the beginning, is away for ten minutes of the run's own time, and asks on from where it was."""
    outcome, clock = Outcome(), FakeClock()
    folder = RunFolder.create(stage.home, tiny(num_epochs=30, pace=30 / AWAY))
    with mock.patch.dict(os.environ, MF_EXPLORER_HOME=str(stage.home)), TestClient(Starlette(routes=ROUTES)) as client:

        def ask(offset: int) -> dict[str, Any]:
            return dict(client.get(f"/api/runs/{folder.run_id}/events", params={"from": offset}).json())

        first: dict[str, Any] = {}

        def listen(event: Event) -> None:
            if isinstance(event, EpochEvent) and event.epoch == 2:
                first.update(ask(0))

        train_run(folder, stage.home, listen=listen, timing=clock.timing())
        second = ask(int(first["next"]))
        made = _managers.pop(stage.home, None)
        if made is not None:
            made.shutdown()
    heard = [*first["events"], *second["events"]]
    wrote = [json.loads(line) for line in folder.events.path.read_text(encoding="utf-8").splitlines()]
    outcome.strikes(f"{len(second['events'])} events at once, then {second['state']}: {second['reason']}")
    outcome.lost.update(["events"] if heard != wrote else [])
    outcome.lost.update(["the ten minutes"] if clock.now < AWAY * 0.9 else [])
    outcome.lost.update(lost(folder, twin(num_epochs=30)))
    return outcome


FAULTS = [
    Fault("clock jumps while a run trains", "time of day +1 h, −2 h, +1 h between epochs", clock_jumps_while_it_trains),
    Fault("clock jumps while runs wait", "the same between one asking and the next", clock_jumps_while_they_wait),
    Fault(
        "browser away for ten minutes",
        "no request while a paced run trains to its end, on injected time; then one from the last offset",
        browser_away,
    ),
]
