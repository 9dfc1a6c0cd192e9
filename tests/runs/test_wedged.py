"""A worker that hangs is told of, can be ended, and its run goes on to the weights it would have had."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfcore.__main__ import main
from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunManager, RunStatus, RunStore, store
from mfcore.runs.worker.heartbeat import EVERY, Heartbeat
from tests.runs.tiny_runs import epochs, equal, tiny, wait_until, weights

Train = Callable[..., tuple[RunFolder, RunStatus]]
STOPPED = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
LONG: dict[str, Any] = {"num_epochs": 300, "pace": 30}


def wedged(manager: RunManager, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run whose worker is stopped in the middle of it, and has been quiet for long enough to say so."""
    folder = manager.folder(manager.submit(tiny(**LONG)))
    wait_until(lambda: len(epochs(folder)) > 3, 60)
    os.kill(int(folder.status().pid or 0), signal.SIGSTOP)
    monkeypatch.setattr(store, "SILENCE", 0.5)
    wait_until(lambda: manager.get(folder.run_id).silent_since is not None)
    return folder


@STOPPED
def test_it_is_said_ended_and_goes_on_to_the_same_weights(
    manager: RunManager, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = wedged(manager, monkeypatch)
    waits = manager.submit(tiny())
    told = manager.get(folder.run_id)
    assert told.state == "running" and told.silent_since is not None and time.time() - told.silent_since < 60
    manager.stop(folder.run_id)  # it hears nothing
    with pytest.raises(UnusableRequest, match="is being trained"):
        manager.delete(folder.run_id)
    manager.kill(folder.run_id)
    ended = manager.wait(folder.run_id)
    assert (ended.state, ended.reason) == ("interrupted", "its worker process was ended by hand")
    assert manager.wait(waits).state == "finished", "the queue goes on"
    monkeypatch.undo()
    manager.resume(folder.run_id)
    wait_until(lambda: manager.get(folder.run_id).state == "running")
    manager.command(folder.run_id, "pace", value=0)
    assert manager.wait(folder.run_id, 120).state == "finished"
    whole, _ = train(tiny(**{**LONG, "pace": 0}))
    assert equal(weights(folder), weights(whole))


@STOPPED
def test_the_command_line_says_it_and_ends_it(
    manager: RunManager, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = wedged(manager, monkeypatch)
    manager.watcher.close()  # another server had started it
    assert main(["runs", "--home", str(home)]) == 0
    assert "running, not answering since" in capsys.readouterr().out
    assert main(["runs", "show", folder.run_id, "--home", str(home)]) == 0
    assert f"tell {folder.run_id} kill" in capsys.readouterr().out
    assert main(["tell", folder.run_id, "kill", "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["state"] == "interrupted"
    assert RunStore(home).get(folder.run_id).reason == "its worker process was ended by hand"
    assert main(["tell", folder.run_id, "kill", "--home", str(home)]) == 2
    assert "has no worker on this machine" in capsys.readouterr().err


def test_a_run_that_is_held_gives_signs_of_life(manager: RunManager, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = manager.folder(manager.submit(tiny(**LONG)))
    wait_until(lambda: len(epochs(folder)) > 3, 60)
    manager.command(folder.run_id, "pause")
    wait_until(lambda: manager.get(folder.run_id).state == "paused")
    monkeypatch.setattr(store, "SILENCE", EVERY + 2.0)
    time.sleep(EVERY + 3.0)
    assert manager.get(folder.run_id).silent_since is None
    manager.stop(folder.run_id)
    assert manager.wait(folder.run_id).state == "stopped"


def test_a_heartbeat_costs_a_touch_in_two_seconds_and_needs_no_room(tmp_path: Path) -> None:
    now = [10.0]
    heart = Heartbeat(tmp_path / "heartbeat", lambda: now[0])
    heart.beat()
    assert (tmp_path / "heartbeat").stat().st_size == 0
    os.utime(tmp_path / "heartbeat", (1.0, 1.0))
    now[0] += EVERY / 2
    heart.beat()
    assert (tmp_path / "heartbeat").stat().st_mtime == 1.0
    now[0] += EVERY
    heart.beat()
    assert time.time() - (tmp_path / "heartbeat").stat().st_mtime < 60
    Heartbeat(tmp_path / "no folder" / "heartbeat").beat()
