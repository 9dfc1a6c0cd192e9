"""Faults of disks: full at any moment, not to be written to, with other bits than were written, with half a line."""

from __future__ import annotations

import errno
import random
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mfcore.errors import UnusableRequest
from mfcore.evaluation import EvaluationDetails
from mfcore.runs import RunFolder, RunStore
from mfcore.runs.events import EpochEvent, Event, MessageEvent
from mfcore.runs.loaded import load_run
from mfcore.runs.manager.manager import _managers
from mfcore.runs.worker.session import train_run
from tests.faults.disk import DEEP, failing
from tests.faults.processes import said
from tests.faults.suite import Fault, Outcome, Stage, lost, picture, twin
from tests.runs.tiny_runs import tiny
from ui.api.routes import ROUTES

SHORT = {"num_epochs": 2}
QUICK = 40
"""Moments that the quick form tries of all there are; the last, after which nothing fails, among them."""


def cut_short(home: Path, epoch: int = 2, **flat: object) -> RunFolder:
    """A run whose worker was asked to leave after ``epoch``."""
    done: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent):
            done.append(event.epoch)

    folder = RunFolder.create(home, tiny(**flat))
    assert train_run(folder, home, listen=listen, interrupted=lambda: epoch in done).state == "interrupted"
    return folder


def resumed(folder: RunFolder, home: Path) -> None:
    RunStore(home).requeue(folder.run_id)
    train_run(folder, home)


def disk_full(stage: Stage) -> Outcome:
    """Fails at the n-th operation, for n = 0, 1, 2 … until a run gets through; with room again, the run goes on."""
    outcome, whole, number = Outcome(), twin(**SHORT), 0
    with failing(stage.home, first=10**9, kinds=DEEP) as counted:
        train_run(RunFolder.create(stage.home, tiny(**SHORT)), stage.home)
    step = 1 if stage.thorough else max(1, len(counted.writes) // QUICK)
    struck = True
    while struck and stage.in_time:
        home = stage.fresh(f"at-{number}")
        run, words, struck = _with_one_failure(home, number)
        if struck:
            outcome.strikes(words)
        if run is not None and run.status().state != "finished":
            resumed(run, home)
        outcome.lost.update(lost(run, whole) if run is not None else [])
        shutil.rmtree(home)
        number += 1 + stage.chance.randrange(step) if step > 1 else 1
    return outcome


def _with_one_failure(home: Path, number: int) -> tuple[RunFolder | None, str, bool]:
    """The run, None where it could not even be made; what is said of it; and whether anything failed."""
    run = None
    with failing(home, first=number, most=1, kinds=DEEP) as disk:
        try:
            run = RunFolder.create(home, tiny(**SHORT))
            train_run(run, home)
        except (OSError, UnusableRequest) as error:
            words = f"refused: {error.strerror if isinstance(error, OSError) else error}"
    if run is None:
        assert not list((home / "runs").iterdir()) if (home / "runs").is_dir() else True, "half a run was left"
        return None, words, True
    if run.status().state == "queued":  # its worker could not even say that it began: it still waits
        shown = RunStore(home).get(run.run_id)
        return _trained(run, home), f"{shown.state}: {shown.reason or 'it waits for its turn again'}", True
    shown = RunStore(home).get(run.run_id)
    assert shown.over and shown.reason, shown
    return run, f"{shown.state}: {shown.reason}", len(disk.writes) > number


def _trained(run: RunFolder, home: Path) -> RunFolder:
    train_run(run, home)
    return run


def read_only(stage: Stage) -> Outcome:
    """With a run that has finished in it: looked at by page route and command line, and asked to train."""
    outcome, home = Outcome(), stage.home
    train_run(RunFolder.create(home, tiny(**SHORT)), home)
    before = picture(home)
    with failing(home, error=errno.EROFS), mock.patch.dict("os.environ", MF_EXPLORER_HOME=str(home)):
        with TestClient(Starlette(routes=ROUTES)) as client:
            answer = client.get("/healthz")
        made = _managers.pop(home, None)
        if made is not None:
            made.shutdown()
        outcome.strikes(f"/healthz {answer.status_code}: {'; '.join(answer.json().get('why', []))}")
        asked = ("train", "--model", "mf", "--dataset", "planted", "--epochs", "1", "--home", str(home))
        outcome.strikes(said(*asked).splitlines()[-1])
        listed = said("runs", "--home", str(home))
        outcome.strikes("runs: " + ("listed" if "finished" in listed else listed))
    outcome.lost.update(["a file"] if picture(home) != before else [])
    (folder,) = RunStore(home).list()
    outcome.lost.update(lost(RunStore(home).folder(folder.run_id), twin(**SHORT)))
    return outcome


def flip(path: Path, chance: random.Random) -> None:
    """Turn one bit of a file."""
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.unlink()  # a branch may share the file with its parent
    path.write_bytes(content)


def last_flipped(stage: Stage) -> Outcome:
    """In the checkpoint that an interrupted run is to go on from."""
    outcome, whole = Outcome(), twin(num_epochs=4)
    folder = cut_short(stage.home, num_epochs=4)
    for number in range(30 if stage.thorough else 5):
        again = RunFolder(Path(shutil.copytree(folder.path, folder.path.with_name(f"{folder.run_id}-{number}"))))
        flip(again.checkpoints / "last.safetensors", stage.chance)
        resumed(again, stage.home)
        warned = [event.text for event in again.events.of(MessageEvent) if event.level == "warning"]
        outcome.strikes(warned[0] if warned else "nothing", lost(again, whole))
    return outcome


def split_flipped(stage: Stage) -> Outcome:
    """In the rows that all runs of a configuration share."""
    outcome, whole = Outcome(), twin(num_epochs=4)
    folder = cut_short(stage.home, num_epochs=4)
    (split,) = (stage.home / "splits").glob(f"{folder.provenance()['split_hash']}.npz")
    sound = split.read_bytes()
    for number in range(30 if stage.thorough else 5):
        again = RunFolder(Path(shutil.copytree(folder.path, folder.path.with_name(f"{folder.run_id}-{number}"))))
        flip(split, stage.chance)
        resumed(again, stage.home)
        load_run(again.run_id, stage.home)
        words = "nothing: it is made anew" if split.read_bytes() == sound else "nothing: the rows are the same"
        outcome.strikes(f"{again.status().state}: {words}", lost(again, whole))
    return outcome


def evaluation_flipped(stage: Stage) -> Outcome:
    """In the cases behind the figures of a run that has finished; ``evaluate`` makes them anew."""
    outcome, whole = Outcome(), twin(**SHORT)
    train_run(folder := RunFolder.create(stage.home, tiny(**SHORT)), stage.home)
    sound, content = EvaluationDetails.load(folder.evaluation_path), folder.evaluation_path.read_bytes()
    for _ in range(30 if stage.thorough else 5):
        folder.evaluation_path.write_bytes(content)
        flip(folder.evaluation_path, stage.chance)
        words = "nothing: the figures are the same"
        try:
            EvaluationDetails.load(folder.evaluation_path)
        except UnusableRequest as error:
            words = str(error)
            outcome.sees(said("evaluate", folder.run_id, "--home", str(stage.home)).splitlines()[0])
        seen = EvaluationDetails.load(folder.evaluation_path)
        same = np.array_equal(seen.rank_full, sound.rank_full) and np.array_equal(seen.predicted, sound.predicted)
        outcome.strikes(words, [*lost(folder, whole), *([] if same else ["cases of the test"])])
    return outcome


def line_torn(stage: Stage) -> Outcome:
    """The last line of events, anywhere in it, as a worker leaves it that dies in the middle of writing."""
    outcome, whole = Outcome(), twin(num_epochs=4)
    folder = cut_short(stage.home, num_epochs=4)
    for number in range(20 if stage.thorough else 5):
        again = RunFolder(Path(shutil.copytree(folder.path, folder.path.with_name(f"{folder.run_id}-{number}"))))
        log = again.events.path.read_bytes()
        last = log.rstrip(b"\n").rfind(b"\n") + 1
        again.events.path.write_bytes(log[: stage.chance.randrange(last + 1, len(log))])
        shown = RunStore(stage.home).get(again.run_id)
        resumed(again, stage.home)
        outcome.strikes(f"{shown.state}: {shown.reason}", lost(again, whole))
    return outcome


def config_damaged(stage: Stage) -> Outcome:
    """Cut off, emptied, or with a bit turned where that makes it unreadable; the run beside it stays whole."""
    outcome = Outcome()
    folder = cut_short(stage.home, num_epochs=4)
    for number in range(20 if stage.thorough else 4):
        again = RunFolder(Path(shutil.copytree(folder.path, folder.path.with_name(f"{folder.run_id}-{number}"))))
        path = again.path / "config.json"
        content = path.read_bytes()
        path.write_bytes(content[: stage.chance.randrange(len(content) - 2)])
        shown = RunStore(stage.home).get(again.run_id)
        assert shown.state == "damaged" and {run.run_id for run in RunStore(stage.home).list()} >= {folder.run_id}
        outcome.strikes(f"{shown.state}: {shown.reason}", ["the run"])
    resumed(folder, stage.home)
    outcome.lost.update(f"{what} of the run beside it" for what in lost(folder, twin(num_epochs=4)))
    return outcome


FAULTS = [
    Fault(
        "disk full",
        "the n-th open, mkdir, write (half of it taken), fsync or rename fails, for n = 0, 1, 2 … until a run gets through",
        disk_full,
    ),
    Fault("read-only data directory", "every open for writing and mkdir is refused (EROFS)", read_only),
    Fault("bit flipped in last.safetensors", "one bit at random, before it is resumed from", last_flipped),
    Fault("bit flipped in the split", "one bit at random, before it is resumed with", split_flipped),
    Fault("bit flipped in evaluation.npz", "one bit at random, after the end", evaluation_flipped),
    Fault("torn last line of events", "cut off anywhere in the last line", line_torn),
    Fault("damaged config.json", "cut off anywhere", config_damaged, ("the run",)),
]
