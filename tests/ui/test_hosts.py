"""No name but those this server is known by is answered: a site elsewhere may let its own name point here."""

from __future__ import annotations

import base64
import socket
import tomllib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from mfcore.cli.serve import LOOPBACK
from scripts.app_server import AppServer
from ui.api import hosts

ROOT = Path(__file__).resolve().parents[2]


def test_the_settings_beside_the_app_allow_this_machine_alone() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert tuple(settings["server"]["allowedHosts"]) == LOOPBACK


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("localhost", True),
        ("localhost:8501", True),
        ("LOCALHOST.:8501", True),
        ("127.0.0.1:8501", True),
        ("[::1]:8501", True),
        ("lab.example.org", True),
        ("a.class.example.org:443", True),
        ("", False),
        ("evil.example", False),
        ("class.example.org", False),
        ("evil-class.example.org", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("localhost:99999", False),
        ("localhost/evil.example", False),
        ("127.0.0.2", False),
    ],
)
def test_names(host: str, answered: bool) -> None:
    assert hosts.answers_to(host, [*LOOPBACK, "lab.example.org", "*.class.example.org"]) is answered


def test_no_list_and_a_star_answer_to_any() -> None:
    assert hosts.answers_to("anything.example", []) and hosts.answers_to("anything.example", ["*"])


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def test_routes_and_sockets_are_refused_before_they_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "allowed", lambda: ["testserver"])
    routes = [Route("/", lambda request: PlainTextResponse("here"), methods=["GET", "POST"]), WebSocketRoute("/socket", echo)]
    client = TestClient(Starlette(routes=routes, middleware=[Middleware(hosts.KnownHosts)]))
    evil = {"host": "evil.example", "origin": "http://evil.example"}
    assert client.get("/").text == "here"
    for refused in (client.get("/", headers=evil), client.post("/", headers=evil)):
        assert refused.status_code == 421 and "does not answer to this name" in refused.json()["error"]
    with client.websocket_connect("/socket"):
        pass
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/socket", headers=evil):
        pass


def first_line(port: int, path: str, host: str, *more: str) -> str:
    """What the server answers first."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", *more, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return connection.makefile().readline().strip()


def test_the_server_itself(tmp_path: Path) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: streamlit")
    key = f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}"
    with AppServer(tmp_path) as server:
        for path in ("/", "/healthz", "/api/runs/x/events"):
            assert " 421 " in f"{first_line(server.port, path, 'evil.example')} "
            assert " 421 " not in f"{first_line(server.port, path, f'localhost:{server.port}')} "
        assert " 403 " in f"{first_line(server.port, '/_stcore/stream', 'evil.example', *upgrade, key)} "
        assert " 101 " in f"{first_line(server.port, '/_stcore/stream', f'127.0.0.1:{server.port}', *upgrade, key)} "
