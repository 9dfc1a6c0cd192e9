"""Commands that train, or say something to what trains: train, runs resume, branch, extend, tell."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from mfcore.cli.interrupts import uninterrupted
from mfcore.cli.output import TrainingProgress, duration, print_json, print_metrics, say
from mfcore.cli.remarks import complain
from mfcore.cli.settings import config_from, pairs_from
from mfcore.errors import UnusableRequest
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.events import EpochEvent, Event, ResumeEvent, StartEvent
from mfcore.runs.export.command import FLAGS
from mfcore.runs.layout import RunFolder, RunStatus
from mfcore.runs.manager.executor import LocalExecutor
from mfcore.runs.manager.queue import leave_command
from mfcore.runs.store import ENDED_BY_HAND, RunStore, check_config
from mfcore.validate import require

CANCEL, KILL = "cancel", "kill"
WISHES = (f"{CANCEL}: Take it out of the queue.", f"{KILL}: End its process, which no longer answers.")
"""What one may say besides the commands that a worker hears."""


def train(options: argparse.Namespace) -> int:
    """Train one run in this process; it shows in the app like any other."""
    config = config_from(options)
    store = RunStore(options.home)
    check_config(config, store)
    folder = RunFolder.create(store.home, config, claimed=True)
    status = _train_here(folder, store)
    if status.error in ("UnusableRequest", "DataUnavailable") and not folder.events.of(EpochEvent):
        store.delete(folder.run_id)  # nothing happened that would be worth keeping
        if status.error == "UnusableRequest":
            raise UnusableRequest(status.reason)
        complain(status.reason)
        return 1
    return _report(folder, status, options.json)


def resume(options: argparse.Namespace) -> int:
    """Go on with an interrupted run, in this process."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    store.requeue(run_id, claimed=True)
    folder = store.folder(run_id)
    return _report(folder, _train_here(folder, store), options.json)


def branch(options: argparse.Namespace) -> int:
    """Make a branch and train it in this process."""
    store = RunStore(options.home)
    parent = store.folder(store.find(options.run_id))
    changes = pairs_from(options.set or [])
    changes.update({key: getattr(options, key) for key in FLAGS if getattr(options, key, None) is not None})
    config = branch_config(parent, options.epoch, changes, options.name)
    check_config(config, store)
    folder = branch_folder(store.home, parent, config, claimed=True)
    return _report(folder, _train_here(folder, store), options.json)


def extend(options: argparse.Namespace) -> int:
    """More epochs: asked of the worker of a run that is going, trained in this process after its end."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    command = Command("extend", options.epochs)
    folder = store.folder(run_id)
    if not folder.status().over:
        return _tell(folder, command, options.json)
    store.requeue(run_id, claimed=True, epochs=int(command.value or 0))
    return _report(folder, _train_here(folder, store), options.json)


def tell(options: argparse.Namespace) -> int:
    """Leave a command for the worker."""
    store = RunStore(options.home)
    folder = store.folder(store.find(options.run_id))
    wish = options.wish
    if wish == KILL:
        return _end_worker(folder, store, options.json)
    if wish == CANCEL:
        require(folder.status().state == "queued", f"run {folder.run_id} does not wait in the queue; tell it to stop")
        wish = "stop"
    return _tell(folder, Command(wish, options.value), options.json)


def _end_worker(folder: RunFolder, store: RunStore, as_json: bool) -> int:
    """End the process that trains a run; it can go on from its last checkpoint."""
    LocalExecutor(store.home).find(folder).kill()
    deadline = time.monotonic() + 10.0
    while not store.mark_if_lost(folder, ENDED_BY_HAND) and time.monotonic() < deadline:
        time.sleep(0.05)  # the system takes a moment to give its lock back
    state = store.get(folder.run_id).state
    if as_json:
        print_json({"run_id": folder.run_id, "command": KILL, "state": state})
    else:
        say(f"run {folder.run_id} is {state}; go on with: python -m mfcore runs resume {folder.run_id}")
    return 0 if state == "interrupted" else 1


def _tell(folder: RunFolder, command: Command, as_json: bool) -> int:
    leave_command(folder, command)
    value = {} if command.value is None else {"value": command.value}
    if as_json:
        print_json({"run_id": folder.run_id, "command": command.kind, **value})
    else:
        said = " ".join([command.kind, *(f"{given:g}" for given in value.values())])
        say(f"run {folder.run_id} was told: {said}")
    return 0


def _report(folder: RunFolder, status: RunStatus, as_json: bool) -> int:
    """Print how a run ended; returns the exit status."""
    result = folder.result()
    if as_json:
        print_json({**_unfinished(folder), **result, "state": status.state, "reason": status.reason})
    else:
        _print_result(folder, status, result)
    if status.state in ("finished", "stopped"):
        return 0
    complain(f"run {folder.run_id} {status.state}: {status.reason}")
    return 130 if status.state == "interrupted" else 1


def _train_here(folder: RunFolder, store: RunStore) -> RunStatus:
    """Train a claimed run in this process, with progress on standard error; returns how it ended."""
    with uninterrupted():
        from mfcore.runs.worker.session import train_run

    stop, leave, begun = threading.Event(), threading.Event(), threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, StartEvent | ResumeEvent):
            begun.set()
        progress.event(event)

    with TrainingProgress() as progress, _signals(stop, leave, begun):
        return train_run(
            folder, store.home, progress=progress.fetching, listen=listen, interrupted=leave.is_set, stop=stop.is_set
        )


@contextmanager
def _signals(stop: threading.Event, leave: threading.Event, begun: threading.Event) -> Iterator[None]:
    """Ctrl-C stops the run cleanly and tests what it learned; a second one ends at once. SIGTERM saves, to be resumed."""

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set() or not begun.is_set():
            raise KeyboardInterrupt
        stop.set()

    handlers: dict[int, Any] = {signal.SIGINT: on_interrupt, signal.SIGTERM: lambda _number, _frame: leave.set()}
    if threading.current_thread() is not threading.main_thread():
        handlers = {}  # only there signals can be handled
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unfinished(folder: RunFolder) -> dict[str, Any]:
    """The result's keys for a run without result, so that whoever parses it finds them all."""
    config = folder.config()
    epochs = [event for event in folder.events.of(EpochEvent) if event.epoch > 0]
    return {
        "run_id": folder.run_id,
        "dataset": config.dataset.name,
        "model": config.model.name,
        "test": {},
        "valid": epochs[-1].metrics if epochs else {},
        "train_seconds": sum(event.seconds for event in epochs),
        "epochs": len(epochs),
        "samples_per_second": (epochs[-1].samples_per_second or 0.0) if epochs else 0.0,
    }


def _print_result(folder: RunFolder, status: RunStatus, result: dict[str, Any]) -> None:
    if not result:
        return
    chosen = f"best epoch {result['best_epoch']} of {result['epochs']}"
    say(f"run {folder.run_id} {status.state}: {chosen}, {duration(result['train_seconds'])} of training")
    print_metrics(result["test"], result["valid"], result.get("baselines", {}))
