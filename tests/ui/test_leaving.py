"""The server is stopped by SIGTERM, Ctrl+C or a closed terminal: status 0, one line, nothing lost and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from websockets.sync.client import connect

from mfcore.runs import RunFolder
from scripts.app_server import AppServer
from tests.runs.tiny_runs import epochs, tiny, wait_until
from ui.leaving import farewell

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def stop(server: AppServer, number: int) -> tuple[int, float]:
    """Send a signal; the status it ended with, and the seconds that took."""
    assert server.process is not None
    began = time.monotonic()
    server.process.send_signal(number)
    code = server.process.wait(30)
    return code, time.monotonic() - began


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_training_is_saved_and_goes_on_at_the_next_start(name: str, tmp_path: Path) -> None:
    server = AppServer(tmp_path).start()
    try:
        family = psutil.Process(server.pid)
        folder = RunFolder.create(tmp_path, tiny(num_epochs=500, pace=8))
        wait_until(lambda: len(epochs(folder)) > 2)
        with urllib.request.urlopen(f"{server.url}/healthz") as answer:
            assert answer.status == 200 and answer.headers["server"] is None, "which program answers is nobody's business"
        children = family.children(recursive=True)
        address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
        with connect(address, subprotocols=["streamlit"], origin=f"http://127.0.0.1:{server.port}") as tab:  # type: ignore[list-item,arg-type]
            assert tab.protocol.state.name == "OPEN"
            code, seconds = stop(server, getattr(signal, name))
        assert code == 0 and seconds < 10
        assert farewell(1) in server.log()
        assert "Traceback" not in server.log() and "Aborted" not in server.log()
        wait_until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 5)
        assert folder.status().state == "queued" and not folder.locked()
        done = len(epochs(folder))
        server.start()
        wait_until(lambda: len(epochs(folder)) > done + 2)
        assert epochs(folder)[: done + 2] == list(range(done + 2)), "an epoch was lost or trained twice"
    finally:
        server.stop()
    assert server.log().count(farewell(1)) == 2


def test_a_connection_that_never_leaves_does_not_keep_the_server(tmp_path: Path) -> None:
    """A laptop that fell asleep: its kernel keeps the connection, and nobody answers on it."""
    server = AppServer(tmp_path).start()
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    code = f"""
import os, signal
from websockets.sync.client import connect
with connect({address!r}, subprotocols=["streamlit"], origin="http://127.0.0.1:{server.port}"):
    print("open", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""
    asleep = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert asleep.stdout is not None and asleep.stdout.readline() == "open\n"
        status, seconds = stop(server, signal.SIGTERM)
        assert status == 0 and seconds < 10
        assert farewell(0) in server.log()
    finally:
        asleep.kill()
        asleep.communicate()
        server.stop()
