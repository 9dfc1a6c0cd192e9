"""What a server writes on standard error while it serves, trains, refuses and stops: one stream, one JSON object a line."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from mfcore.runs import RunFolder, RunManager, RunStatus
from scripts.app_server import free_port
from tests.faults.disk import failing
from tests.runs.tiny_runs import tiny, wait_until
from ui.api.headers import SecurityHeaders

ROOT = Path(__file__).resolve().parent.parent.parent


def said(path: Path) -> list[dict[str, Any]]:
    """The events so far. Raises where a line is none."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def status_of(port: int, path: str, host: str, method: str = "GET") -> int:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_server_tells_its_life_in_one_stream(tmp_path: Path) -> None:
    waits = RunFolder.create(tmp_path, tiny(num_epochs=2))
    gone = RunFolder.create(tmp_path, tiny())
    port, errors = free_port(), tmp_path / "errors.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "MF_EXPLORER_HOME": str(tmp_path), "MF_EXPLORER_LOG": "json", "PYTHONPATH": str(ROOT)}
    gone.write_status(RunStatus("running", created=1.0, started=2.0, pid=None))
    with errors.open("wb") as stream:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=stream)
    try:
        wait_until(lambda: server.poll() is not None or status_of(port, "/healthz", "localhost") == 200)
        assert status_of(port, "/healthz", "elsewhere.example") == 421
        assert status_of(port, "/api/runs/none/commands", "localhost", "POST") == 403
        wait_until(lambda: server.poll() is not None or any(one["event"] == "run ended" for one in said(errors)))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
    events = said(errors)
    by_name = {one["event"]: one for one in events}
    assert events[0]["event"] == "server started" and events[0]["port"] == port and events[0]["address"] == "127.0.0.1"
    assert by_name["run interrupted"]["run"] == gone.run_id
    assert by_name["run started"]["run"] == waits.run_id
    ended = by_name["run ended"]
    status = waits.status()
    assert (ended["run"], ended["state"], ended["pid"]) == (waits.run_id, "finished", by_name["run started"]["pid"])
    assert ended["seconds"] == pytest.approx((status.ended or 0) - (status.started or 0), abs=0.001)
    refused = [(one["status"], one["host"], one["path"]) for one in events if one["event"] == "request refused"]
    assert refused == [(421, "elsewhere.example", "/healthz"), (403, "localhost", "/api/runs/none/commands")]
    assert by_name["server stopping"]["pid"] == events[0]["pid"]
    assert all(one["time"] <= after["time"] for one, after in pairwise(events))


def test_an_error_of_ours_is_logged_with_its_route(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("a mistake")

    asking = TestClient(SecurityHeaders(broken), raise_server_exceptions=False)
    assert asking.get("/api/queue?secret=1").status_code == 500
    (record,) = (one for one in caplog.records if one.name == "mf_explorer")
    line = record.getMessage()
    assert "request failed status=500 method=GET path=/api/queue" in line and "secret" not in line
    assert record.exc_info is not None and record.exc_info[0] is KeyError


BROKEN = """
import sys; sys.path.insert(0, {root!r})
import app as front
import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route
from ui.api.headers import SecurityHeaders
def broken(request):
    raise KeyError("a mistake\\nof ours")
routes, middleware = [Route("/broken", broken)], [Middleware(SecurityHeaders)]
app = st.App(front.ROOT / "ui" / "main.py", lifespan=front.lifespan, routes=routes, middleware=middleware)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_what_uvicorn_logs_comes_in_the_same_form_and_requests_that_go_well_do_not(tmp_path: Path) -> None:
    script, errors, port = tmp_path / "broken.py", tmp_path / "errors.log", free_port()
    script.write_text(BROKEN.format(root=str(ROOT)))
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    environment = {**os.environ, "MF_EXPLORER_HOME": str(tmp_path / "home"), "MF_EXPLORER_LOG": "json", "PYTHONPATH": str(ROOT)}
    with errors.open("wb") as stream:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=stream)
    try:
        wait_until(lambda: server.poll() is not None or status_of(port, "/_stcore/health", "localhost") == 200)
        assert status_of(port, "/broken", "localhost") == 500
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
    events = said(errors)
    assert not [one for one in events if "access" in one.get("logger", "")]
    told = [one for one in events if one["level"] == "error"]
    assert [one["event"] for one in told] == ["request failed", "Exception in ASGI application"]
    assert all("KeyError: 'a mistake" in one["trace"] for one in told) and told[0]["path"] == "/broken"


def test_what_is_done_to_runs_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = RunManager(tmp_path)
    kept = RunFolder.create(tmp_path, tiny())
    manager.stop(kept.run_id)
    with caplog.at_level(logging.INFO, "mf_explorer"):
        copy = manager.import_zip(manager.export_zip(kept.run_id))
        manager.delete(copy)
        with failing(tmp_path):
            assert manager.troubles()
        assert not manager.troubles()
    manager.shutdown()
    lines = [one.getMessage() for one in caplog.records]
    assert lines[0].startswith(f"run imported run={copy} bytes=") and lines[1] == f"run deleted run={copy}"
    assert lines[2].startswith("trouble began why=") and lines[3].startswith("trouble ended why=")
    assert len(lines) == 4
