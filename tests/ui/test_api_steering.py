"""The routes that change something: who may use them, what they do, and how they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mfcore.runs import RunConfig, RunFolder, RunStatus
from mfcore.runs.commands import read_commands
from mfcore.runs.manager.manager import manager_for
from mfcore.runs.manager.watcher import Watcher
from ui.api import routes as api
from ui.api.steering import TOKEN_HEADER, steering_token


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    monkeypatch.setattr(Watcher, "wake", lambda self: None)  # nothing here needs a worker
    with TestClient(Starlette(routes=api.ROUTES)) as opened:
        yield opened


@pytest.fixture
def folder(client: TestClient, tmp_path: Path) -> RunFolder:
    """A run that a worker is about to train."""
    made = RunFolder.create(tmp_path, RunConfig().with_flat({"model": "mf", "num_epochs": 7}))
    made.write_status(RunStatus("queued", created=1.0).claim())
    return made


def ask(client: TestClient, run_id: str, wish: Any, *, what: str = "commands", **headers: str) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/api/runs/{run_id}/{what}", json=wish, headers={TOKEN_HEADER: steering_token(), **headers})
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


def test_a_command_reaches_the_run(client: TestClient, folder: RunFolder) -> None:
    assert ask(client, folder.run_id, {"kind": "pause"}) == (200, {"done": True})
    assert ask(client, folder.run_id, {"kind": "learning_rate", "value": 0.25}) == (200, {"done": True})
    commands = [(command.kind, command.value) for command in read_commands(folder.commands)]
    assert commands == [("pause", None), ("learning_rate", 0.25)]


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"kind": "fly"}, "command must be one of"),
        ({"kind": "learning_rate", "value": -1}, "Learning rate must be above 0"),
        ({"kind": "learning_rate"}, "takes one number"),
        ({"kind": "pause", "value": 1}, "takes no value"),
        ({"value": 1}, "kind must be"),
        ({"kind": "pause", "more": 1}, "nothing else"),
        (["pause"], "one JSON object"),
        ({"kind": "pause", "value": "x" * 5000}, "at most 4096 bytes"),
    ],
)
def test_an_unusable_wish_is_refused_in_words(client: TestClient, folder: RunFolder, wish: Any, reason: str) -> None:
    status, answer = ask(client, folder.run_id, wish)
    assert status == 400
    assert reason in answer["error"]
    assert read_commands(folder.commands) == []


def test_what_is_over_takes_no_commands(client: TestClient, folder: RunFolder) -> None:
    folder.write_status(RunStatus("finished", created=1.0, ended=2.0))
    status, answer = ask(client, folder.run_id, {"kind": "pause"})
    assert status == 400
    assert "is over" in answer["error"]


@pytest.mark.parametrize("run_id", ["20200101-000000-mf-none", "..", "%2e%2e", "x" * 300])
def test_there_must_be_such_a_run(client: TestClient, run_id: str) -> None:
    answer = client.post(f"/api/runs/{run_id}/commands", json={"kind": "pause"}, headers={TOKEN_HEADER: steering_token()})
    assert answer.status_code in (400, 404)
    assert manager_for().list() == []


@pytest.mark.parametrize(
    "headers",
    [
        {TOKEN_HEADER: ""},
        {TOKEN_HEADER: "wrong"},
        {TOKEN_HEADER: "ä"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_cannot_steer(client: TestClient, folder: RunFolder, headers: dict[str, str]) -> None:
    encoded = {name: value.encode() for name, value in {TOKEN_HEADER: steering_token(), **headers}.items()}
    for what, wish in (("commands", {"kind": "stop"}), ("branch", {"epoch": 0})):
        answer = client.post(f"/api/runs/{folder.run_id}/{what}", json=wish, headers=encoded)
        assert answer.status_code == 403
    assert read_commands(folder.commands) == []


def test_the_servers_own_page_can(client: TestClient, folder: RunFolder) -> None:
    own = {"Origin": str(client.base_url), "Sec-Fetch-Site": "same-origin"}
    assert ask(client, folder.run_id, {"kind": "stop"}, **own)[0] == 200
    assert ask(client, folder.run_id, {"kind": "stop"}, Origin=str(client.base_url))[0] == 200


def test_steering_is_asked_for_by_post_alone(client: TestClient, folder: RunFolder) -> None:
    for what in ("commands", "branch"):
        assert client.get(f"/api/runs/{folder.run_id}/{what}").status_code == 405
        preflight = client.options(f"/api/runs/{folder.run_id}/{what}", headers={"Origin": "http://elsewhere.example"})
        assert "access-control-allow-origin" not in preflight.headers


def test_a_worker_is_ended_by_who_may_steer_and_only_where_there_is_one(client: TestClient, folder: RunFolder) -> None:
    assert client.post(f"/api/runs/{folder.run_id}/end", json={}).status_code == 403
    status, answer = ask(client, folder.run_id, {}, what="end")
    assert status == 400 and "has no worker on this machine" in answer["error"]
    assert ask(client, folder.run_id, {"now": True}, what="end")[0] == 400
