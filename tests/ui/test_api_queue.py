"""The queue as pages see it and change it."""

from __future__ import annotations

import dataclasses

import pytest
from starlette.testclient import TestClient

from mfcore.runs import RunConfig, RunFolder
from mfcore.runs.manager.manager import manager_for
from tests.ui.test_api_steering import ask, client

__all__ = ["client"]


@pytest.fixture
def waiting(client: TestClient) -> list[RunFolder]:
    config = RunConfig().with_flat({"model": "mf", "num_epochs": 7})
    folders = [RunFolder.create(manager_for().home, config) for _ in range(3)]
    for age, folder in enumerate(folders):
        folder.write_status(dataclasses.replace(folder.status(), place=100.0 + age))
    return folders


def order(client: TestClient) -> list[str]:
    return [run["id"] for run in client.get("/api/queue").json()["waiting"]]


def test_the_queue_is_told_in_its_order_and_moved(client: TestClient, waiting: list[RunFolder]) -> None:
    first, second, third = (folder.run_id for folder in waiting)
    assert order(client) == [first, second, third]
    assert ask(client, third, {"to": 1}, what="place") == (200, {"done": True})
    assert order(client) == [third, first, second]
    with waiting[0].lock():
        waiting[0].write_status(dataclasses.replace(waiting[0].status(), state="paused"))
        told = client.get("/api/queue").json()
    assert [run["id"] for run in told["paused"]] == [first] and told["running"] == []
    assert {"title", "epoch", "epochs", "waited", "clock"} <= set(told["paused"][0])


def test_what_cannot_be_moved_is_refused_in_words(client: TestClient, waiting: list[RunFolder]) -> None:
    for wish in ({"to": 0}, {"to": "x"}, {}, {"to": 1, "more": 2}):
        assert ask(client, waiting[0].run_id, wish, what="place")[0] == 400
    assert ask(client, waiting[0].run_id, {"kind": "stop"})[0] == 200
    status, answer = ask(client, waiting[0].run_id, {"to": 1}, what="place")
    assert status == 400 and "does not wait" in answer["error"]
    assert client.post(f"/api/runs/{waiting[1].run_id}/place", json={"to": 2}).status_code == 403


def test_cancelled_in_two_tabs(client: TestClient, waiting: list[RunFolder]) -> None:
    assert ask(client, waiting[0].run_id, {"kind": "stop"})[0] == 200
    status, answer = ask(client, waiting[0].run_id, {"kind": "stop"})
    assert status == 400 and "is over" in answer["error"]
    assert order(client) == [folder.run_id for folder in waiting[1:]]


def test_a_deleted_run_leaves_the_queue(client: TestClient, waiting: list[RunFolder]) -> None:
    manager_for().delete(waiting[0].run_id)
    assert order(client) == [folder.run_id for folder in waiting[1:]]
