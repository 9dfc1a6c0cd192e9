"""Faults of processes: workers and servers that are killed, hang, are stopped, or come twice."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import time
from typing import Any
from unittest import mock

from mfcore import log
from mfcore.__main__ import main
from mfcore.runs import RunFolder, RunManager, RunStore, store
from mfcore.runs.events import ResumeEvent, StartEvent
from scripts.app_server import AppServer
from tests.faults.forking import managed
from tests.faults.suite import Fault, Outcome, Stage, lost, twin
from tests.runs.tiny_runs import epochs, kinds, tiny, wait_until

SLOW: dict[str, Any] = {"num_epochs": 300, "optimizer": "adam"}
KILLS = 20


def lives(folder: RunFolder) -> int:
    """How often the run has begun or been taken up."""
    return sum(kind in ("start", "resume") for kind in kinds(folder))


def said(*words: str) -> str:
    """What the command line prints, errors included."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        main(list(words))
    return out.getvalue().strip()


def to_the_end(manager: RunManager, folder: RunFolder) -> None:
    """At full speed."""
    wait_until(lambda: manager.get(folder.run_id).state == "running")
    manager.command(folder.run_id, "pace", 0)
    manager.wait(folder.run_id, 120)


def worker_killed(stage: Stage) -> Outcome:
    """Inside epochs, between them, while checkpoints are written, before the first step."""
    flat: dict[str, Any] = {"num_epochs": 500, "model": "mlp", "dropout": 0.2, "optimizer": "adagrad", "schedule": "cosine"}
    outcome, whole = Outcome(), twin(**flat)
    with managed(stage.home) as manager:
        folder = manager.folder(manager.submit(tiny(**flat, pace=60)))
        for _ in range(KILLS):
            begun = lives(folder)
            wait_until(lambda: folder.locked() and folder.status().live)
            if stage.chance.random() < 0.8:  # else before it has set out
                wait_until(lambda: lives(folder) >= begun and "epoch" in kinds(folder), 60)  # noqa: B023
            time.sleep(stage.chance.uniform(0.0, 0.4))
            os.kill(int(folder.status().pid or 0), signal.SIGKILL)
            ended = manager.wait(folder.run_id)
            outcome.strikes(f"{ended.state}: {ended.reason}")
            manager.resume(folder.run_id)
        to_the_end(manager, folder)
    outcome.lost.update(lost(folder, whole))
    return outcome


def worker_wedged(stage: Stage) -> Outcome:
    """It is said not to answer, End is pressed, and it is resumed."""
    outcome, whole = Outcome(), twin(**SLOW)
    with managed(stage.home) as manager:
        folder = manager.folder(manager.submit(tiny(**SLOW, pace=30)))
        wait_until(lambda: len(epochs(folder)) > 3)
        os.kill(int(folder.status().pid or 0), signal.SIGSTOP)
        with mock.patch.object(store, "SILENCE", 0.5):
            wait_until(lambda: manager.get(folder.run_id).silent_since is not None)
            told = said("runs", "show", folder.run_id, "--home", str(stage.home))
        outcome.strikes(next(line for line in told.splitlines() if "not answering" in line))
        manager.kill(folder.run_id)
        ended = manager.wait(folder.run_id)
        outcome.sees(f"{ended.state}: {ended.reason}")
        manager.resume(folder.run_id)
        to_the_end(manager, folder)
    outcome.lost.update(lost(folder, whole))
    return outcome


def two_servers(stage: Stage) -> Outcome:
    """Both look into one queue; each run has one beginning, one end, and no resumption."""
    outcome = Outcome()
    with managed(stage.home, 2) as first, managed(stage.home, 2) as second:
        ids = [(first, second)[seed % 2].submit(tiny(num_epochs=5, seed=seed)) for seed in range(6)]
        for run_id in ids:
            first.wait(run_id)
    for seed, run_id in enumerate(ids):
        folder = first.folder(run_id)
        begun, again = len(folder.events.of(StartEvent)), len(folder.events.of(ResumeEvent))
        once = (begun, again, kinds(folder).count("end")) == (1, 0, 1)
        summary = first.get(run_id)
        outcome.strikes(f"{summary.state}: {summary.reason}", lost(folder, twin(num_epochs=5, seed=seed)))
        outcome.lost.update([] if once else ["a run trained twice"])
    return outcome


def server_stopped(stage: Stage) -> Outcome:
    """SIGTERM, as systemd or a container's engine sends it."""
    return _server_gone(stage, signal.SIGTERM)


def server_killed(stage: Stage) -> Outcome:
    return _server_gone(stage, signal.SIGKILL)


def _server_gone(stage: Stage, number: int) -> Outcome:
    """One run trains, one is paused, one waits; the server goes and comes again."""
    outcome, server = Outcome(), AppServer(stage.home, environment={"MF_EXPLORER_HOME": str(stage.home)})
    flats = [{**SLOW, "seed": seed} for seed in (1, 2, 3)]
    runs = RunStore(stage.home)
    try:
        server.start()
        paused = RunFolder.create(stage.home, tiny(**flats[0], pace=20))
        wait_until(lambda: len(epochs(paused)) > 2)
        asked = RunManager(stage.home)
        asked.watcher.wake = lambda: None  # type: ignore[method-assign]  # it is the server's to start runs
        asked.command(paused.run_id, "pause")
        wait_until(lambda: paused.status().state == "paused")
        going = RunFolder.create(stage.home, tiny(**flats[1], pace=20))
        wait_until(lambda: len(epochs(going)) > 2)
        waiting = RunFolder.create(stage.home, tiny(**flats[2]))
        assert server.process is not None
        server.process.send_signal(number)
        server.process.wait(30)
        outcome.strikes(_last_line(server) if number == signal.SIGTERM else "")
        outcome.sees(", ".join(f"{runs.get(one.run_id).state}" for one in (paused, going, waiting)) + " until the next start")
        server.start()
        wait_until(lambda: paused.status().state == "paused" and going.status().state == "running")
        for one in (going, paused):
            asked.command(one.run_id, "pace", 0)
        asked.command(paused.run_id, "resume")
        for one, flat in zip((paused, going, waiting), flats, strict=True):
            asked.wait(one.run_id, 120)
            outcome.lost.update(lost(one, twin(**flat)))
    finally:
        server.stop()
    return outcome


def _last_line(server: AppServer) -> str:
    """Of ours, without its time."""
    return next(line for line in reversed(server.log().splitlines()) if "logger=" not in line).partition(" ")[2].lstrip()


def home_removed(stage: Stage) -> Outcome:
    """While a run trains in it; another home, with a run of its own, must not notice."""
    outcome, other = Outcome(), stage.fresh("other")
    with managed(other) as neighbour, managed(stage.home) as manager:
        kept = neighbour.folder(neighbour.submit(tiny(**SLOW, pace=60)))
        folder = manager.folder(manager.submit(tiny(**SLOW, pace=60)))
        wait_until(lambda: len(epochs(folder)) > 3 and len(epochs(kept)) > 3)
        worker = manager.watcher.workers[folder.run_id]
        said_by_log: list[str] = []
        with mock.patch.object(log, "event", _heard(said_by_log)):
            _remove(stage, manager)
            wait_until(lambda: worker.exit_code() is not None)
            wait_until(lambda: folder.run_id not in manager.watcher.workers)
        outcome.strikes("; ".join(words for words in said_by_log if "removed" in words) or "nothing")
        outcome.sees(manager.troubles()[0] if not stage.home.exists() and manager.troubles() else "")
        listed = RunStore(stage.home).list()
        outcome.lost.update(["the run"] if not listed else ["the removed folder is half back"])
        to_the_end(neighbour, kept)
    outcome.lost.update(f"{what} in another home" for what in lost(kept, twin(**SLOW)))
    return outcome


def _remove(stage: Stage, manager: RunManager) -> None:
    """Whole, though a worker writes into it meanwhile: as somebody does who moves a folder away and then deletes it."""
    gone = stage.home.with_name("gone")
    stage.home.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
    manager.watcher.wake()


def _heard(words: list[str]) -> Any:
    said_before = log.event

    def event(what: str, **facts: Any) -> None:
        words.append(f"{what}: {facts.get('reason', '')}")
        said_before(what, **facts)

    return event


FAULTS = [
    Fault("worker killed", f"SIGKILL at {KILLS} moments of one run's life, each time resumed", worker_killed),
    Fault("worker wedged", "SIGSTOP in the middle of a run, then End and resume", worker_wedged),
    Fault("two servers on one home", "two managers with two places each take six runs from one queue", two_servers),
    Fault(
        "server stopped", "SIGTERM to the app with three runs (paused, training, waiting), then started again", server_stopped
    ),
    Fault("server killed", "SIGKILL to the app with the same three runs, then started again", server_killed),
    Fault("data directory removed", "renamed and deleted while a run trains in it", home_removed, ("the run",)),
]
