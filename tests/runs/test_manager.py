"""The queue and real worker processes: kills, stops, resumes, and servers that come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunManager, RunStatus, manager_for
from mfcore.runs.checkpoints.files import load_weights
from mfcore.runs.commands import Command, read_commands
from mfcore.runs.events import CommandEvent, ResumeEvent
from mfcore.runs.manager.executor import LocalExecutor
from tests.runs.tiny_runs import epochs, kinds, tiny, wait_until

ROOT = Path(__file__).resolve().parents[2]
Train = Callable[..., tuple[RunFolder, RunStatus]]
ENDLESS: dict[str, Any] = {"num_epochs": 100_000, "pace": 20}


def has_begun(folder: RunFolder, epoch: int = 1) -> Callable[[], bool]:
    return lambda: epoch in epochs(folder)


def test_a_killed_worker_leaves_a_run_that_resumes_to_the_same_weights(manager: RunManager, train: Train) -> None:
    config = tiny(num_epochs=30, pace=10)
    folder = manager.folder(manager.submit(config))
    wait_until(has_begun(folder, 13))  # more than a second: past the first checkpoint
    os.kill(int(folder.status().pid or 0), signal.SIGKILL)  # as a system does that has no memory left
    status = manager.wait(folder.run_id)
    assert status.state == "interrupted" and "killed" in status.reason and "memory" in status.reason
    assert not folder.locked() and "end" not in kinds(folder)
    folder.add_command(Command("pace", 0))  # of its former life: not heeded
    manager.resume(folder.run_id)
    wait_until(lambda: "resume" in kinds(folder))
    manager.command(folder.run_id, "pace", value=0)
    assert manager.wait(folder.run_id).state == "finished"
    resumed = next(event for event in folder.events.read()[0] if isinstance(event, ResumeEvent))
    assert 0 < resumed.epoch < 14 and resumed.step > 0
    assert epochs(folder) == list(range(31))
    whole, _ = train(tiny(num_epochs=30))
    for name in ("last", "best"):
        ours, theirs = (load_weights(f.checkpoints / f"{name}.safetensors")[0] for f in (folder, whole))
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert folder.result()["test"] == whole.result()["test"]


def test_stop_is_heard_within_200_ms_of_a_step_and_the_queue_moves_on(manager: RunManager) -> None:
    manager.warm()
    first = manager.folder(manager.submit(tiny(batch_size=1, num_epochs=100_000)))
    second, third = (manager.folder(manager.submit(tiny(**ENDLESS))) for _ in range(2))
    wait_until(has_begun(first))
    assert (second.status().state, third.status().state) == ("queued", "queued")
    manager.stop(third.run_id)
    assert third.status().state == "stopped" and kinds(third) == []
    asked = time.time()
    manager.stop(first.run_id)
    assert manager.wait(first.run_id).state == "stopped"
    heard = next(event for event in first.events.read()[0] if isinstance(event, CommandEvent))
    assert heard.time - asked < 0.2 + 0.3 * (os.cpu_count() == 1)
    assert first.result()["test"]
    wait_until(has_begun(second))
    with pytest.raises(UnusableRequest, match="stop it before deleting"):
        manager.delete(second.run_id)
    with pytest.raises(UnusableRequest, match=r"trained already|only an interrupted"):
        manager.resume(second.run_id)
    with pytest.raises(UnusableRequest, match="takes no more commands"):
        manager.stop(first.run_id)
    manager.command(second.run_id, "pause")
    wait_until(lambda: manager.get(second.run_id).state == "paused")
    # Asked to leave even while paused, it saves and can be resumed.
    os.kill(second.status().pid or 0, signal.SIGTERM)
    assert manager.wait(second.run_id).state == "interrupted"
    assert kinds(second)[-1] == "end"
    manager.delete(second.run_id)
    assert {summary.run_id for summary in manager.list()} == {first.run_id, third.run_id}


def test_a_run_outlives_its_server_and_the_next_one_adopts_it(home: Path) -> None:
    """The first manager dies without a word; its run goes on, its queue is taken over, its spare leaves."""
    script = (
        "import os, sys, time\n"
        "from mfcore.runs import RunManager, RunConfig\n"
        "from tests.runs.tiny_runs import epochs, tiny, wait_until\n"
        "manager = RunManager(sys.argv[1], max_concurrent=1)\n"
        "running = manager.folder(manager.submit(tiny(num_epochs=100_000, pace=20)))\n"
        "waiting = manager.submit(tiny())\n"
        "wait_until(lambda: 1 in epochs(running))\n"
        "manager.executor.warm()\n"
        "print(running.run_id, waiting, manager.executor.spare.pid, flush=True)\n"
        "os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(home)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 9, done.stderr
    running, waiting, spare = done.stdout.split()
    manager = RunManager(home, max_concurrent=1)
    try:
        folder = manager.folder(running)
        at = len(epochs(folder))
        wait_until(lambda: len(epochs(folder)) > at)
        manager.warm()
        wait_until(lambda: len(epochs(folder)) > at + 6)
        assert manager.get(running).state == "running" and manager.get(waiting).state == "queued"
        wait_until(lambda: not is_alive(int(spare)))
        manager.kill(running)
        wait_until(lambda: manager.get(running).state == "interrupted")
        assert manager.wait(waiting).state == "finished"
    finally:
        manager.shutdown()


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_two_servers_on_one_home_start_each_run_once(home: Path) -> None:
    managers = [RunManager(home, max_concurrent=2) for _ in range(2)]
    try:
        runs = [manager.submit(tiny()) for manager in managers for _ in range(1)]
        for manager in managers:
            manager.watcher.wake()
        for run_id in runs:
            wait_until(lambda run_id=run_id: managers[0].folder(run_id).status().over)  # type: ignore[misc]
            assert kinds(managers[0].folder(run_id)).count("start") == 1
            assert managers[0].get(run_id).state == "finished"
    finally:
        for manager in managers:
            manager.shutdown()


def test_there_is_one_manager_for_a_home(home: Path) -> None:
    assert manager_for(str(home)) is manager_for(home)


def test_a_worker_that_cannot_start_says_so(home: Path) -> None:
    manager = RunManager(home, executor=LocalExecutor(home, python="/bin/false"))
    status = manager.wait(manager.submit(tiny()))
    manager.shutdown()
    assert status.state == "failed" and "worker could not start (exit code 1)" in status.reason


@pytest.mark.parametrize(
    ("flat", "words"),
    [({"dataset": "netflix"}, "dataset must be one of"), ({"dataset": "planted", "dataset.nois": 1}, "no option 'nois'")],
)
def test_what_can_be_refused_at_once_is(flat: dict[str, Any], words: str, manager: RunManager) -> None:
    from mfcore.runs import RunConfig

    with pytest.raises(UnusableRequest, match=words):
        manager.submit(RunConfig().with_flat(flat))
    with pytest.raises(UnusableRequest, match="there is no run 20200101"):
        shape = {"model": "neumf", "pretrained_gmf": "20200101", "pretrained_mlp": "20200101"}
        manager.submit(tiny(**shape))
    assert manager.list() == []


def test_commands_are_checked_before_they_are_written(manager: RunManager, home: Path) -> None:
    folder = RunFolder.create(home, tiny(), claimed=True)
    for kind, args, words in [
        ("dance", {}, "command must be one of"),
        ("pace", {}, "takes one number"),
        ("pace", {"value": -1}, "pace must be >= 0"),
        ("learning_rate", {"value": "abc"}, "learning_rate must be a number"),
        ("stop", {"value": 1}, "takes no value"),
    ]:
        with pytest.raises(UnusableRequest, match=words):
            manager.command(folder.run_id, kind, **args)
    manager.command(folder.run_id, "pace", 5)
    manager.command(folder.run_id, "resume")
    written = [(command.kind, command.value) for command in read_commands(folder.commands)]
    assert written == [("pace", 5.0), ("resume", None)]


def test_a_spare_waits_and_leaves_with_its_parent(home: Path) -> None:
    executor = LocalExecutor(home)
    executor.warm()
    spare = executor.spare
    assert spare is not None and spare.poll() is None and spare.stdin is not None
    executor.warm()
    assert executor.spare is spare
    spare.stdin.close()  # what the end of this process would do
    assert spare.wait(timeout=60) == 0
    executor.close()
