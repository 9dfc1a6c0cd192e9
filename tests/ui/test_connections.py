"""Connections that say nothing are closed; those that say something slowly are heard."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.runs.tiny_runs import FakeClock
from ui.connections import Silent, TimedBodies, close_silent


class Protocol(SimpleNamespace):
    """What uvicorn keeps of a connection."""

    __hash__ = object.__hash__


def test_only_what_has_asked_nothing_for_long_is_overdue() -> None:
    clock = FakeClock()
    silent = Silent(20.0, clock)
    mute, asking, web_socket = Protocol(cycle=None), Protocol(cycle=object()), Protocol()
    connections = [mute, asking, web_socket]
    assert silent.overdue(connections) == []
    clock.sleep(19)
    assert silent.overdue(connections) == []
    clock.sleep(2)
    assert silent.overdue(connections) == [mute]
    mute.cycle = object()
    assert silent.overdue(connections) == []
    mute.cycle = None
    assert silent.overdue(connections) == [], "its time begins anew"


@pytest.fixture
def port() -> Iterator[int]:
    """A uvicorn server with both guards and little patience."""

    async def echo(request: Request) -> PlainTextResponse:
        body = await request.body()
        await asyncio.sleep(0.6)  # an answer may take longer than patience for a body
        return PlainTextResponse(f"{len(body)} bytes")

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        task = asyncio.create_task(close_silent(server, Silent(0.5), 0.05))
        yield
        task.cancel()

    app = Starlette(
        routes=[Route("/", echo, methods=["GET", "POST"])],
        middleware=[Middleware(TimedBodies, patience=0.5)],
        lifespan=lifespan,
    )
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield int(listening.getsockname()[1])
    server.should_exit = True
    thread.join(10)
    listening.close()


def answer(port: int, *pieces: bytes) -> bytes:
    """All that comes back for some bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.3)  # slowly, and yet within its patience
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(4096):
                received += piece
        return received


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nConnection: close\r\n\r\n"


def test_half_a_head_is_closed_without_a_word(port: int) -> None:
    assert answer(port) == b"" and answer(port, b"GET / HTTP/1.1\r\nHost: loc") == b""


def test_half_a_body_is_told_so(port: int) -> None:
    told = answer(port, HEAD + b"abc")
    assert told.startswith(b"HTTP/1.1 408") and b"did not come to its end" in told


def test_what_comes_slowly_is_answered(port: int) -> None:
    assert b"6 bytes" in answer(port, HEAD[:20], HEAD[20:], b"abc", b"def")
    assert b"0 bytes" in answer(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_server_allows_itself_more_files_than_systems_give() -> None:
    """In a process of its own: limits stay."""
    code = (
        "import resource; from ui.connections import allow_many_files\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))\n"
        "assert allow_many_files(300) == 300 == resource.getrlimit(resource.RLIMIT_NOFILE)[0]\n"
        "assert allow_many_files(100) == 300, 'never fewer'\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 250))\n"
        "assert allow_many_files(300) == 250\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
