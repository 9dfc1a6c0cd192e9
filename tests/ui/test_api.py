"""The HTTP routes: events of a run from an offset, states, refusals, plotly.js with its cache headers, security headers."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import plotly
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from mfcore.registry import MODELS, OPTIMIZERS
from mfcore.runs import RunConfig, RunFolder, RunManager, RunStatus
from mfcore.runs.events import EpochEvent, MessageEvent, StartEvent
from mfcore.runs.manager.watcher import Watcher
from ui.api import routes as api
from ui.api.assets import COMPONENTS, module_urls, plotly_script, plotly_url
from ui.api.headers import HEADERS, SecurityHeaders


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    monkeypatch.setattr(Watcher, "wake", lambda self: None)  # nothing here needs a worker
    return tmp_path


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=api.ROUTES, middleware=[Middleware(SecurityHeaders)])) as opened:
        yield opened


@pytest.fixture
def folder(home: Path) -> RunFolder:
    made = RunFolder.create(home, RunConfig().with_flat({"model": "mf", "num_epochs": 7}))
    made.events.append(StartEvent(num_epochs=7))
    made.events.append(EpochEvent(epoch=0, step=0, valid_loss=1.5, metrics={"rmse": 1.2}))
    return made


def events(client: TestClient, run_id: str, offset: int = 0) -> dict:
    answer = client.get(f"/api/runs/{run_id}/events", params={"from": offset})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_events_are_read_on_from_the_offset(client: TestClient, folder: RunFolder) -> None:
    first = events(client, folder.run_id)
    assert [event["kind"] for event in first["events"]] == ["start", "epoch"]
    known = {"model": "mf", "loss": "mse", "num_epochs": 7, "learning_rate": 0.005, "k": 10, "pace": 0.0, "weight_decay": 0.0}
    assert first["config"] == first["config"] | known
    controls = {one["name"]: one for one in first["config"]["controls"]}
    assert list(controls) == ["learning_rate", "weight_decay", "batch_size", "factor_lr_multiplier"], "what it has a use for"
    assert set(controls["batch_size"]) >= {"name", "label", "help", "value", "low", "high", "above", "whole"}
    assert (controls["learning_rate"]["value"], controls["batch_size"]["whole"]) == (0.005, True)
    branch = {one["name"]: one for one in first["config"]["branch"]}
    assert list(branch) == ["optimizer", "learning_rate", "weight_decay", "batch_size", "num_epochs"]
    assert branch["optimizer"]["options"] == OPTIMIZERS.titles() and branch["num_epochs"]["options"] is None
    assert (first["config"]["sample"], first["config"]["nouns"]["items"]) == ("ratings", "films")
    assert events(client, folder.run_id, first["next"])["events"] == []
    folder.events.append(MessageEvent(text="hello"))
    later = events(client, folder.run_id, first["next"])
    assert [event["text"] for event in later["events"]] == ["hello"]
    assert "config" not in later
    assert later["next"] == folder.events.path.stat().st_size


def test_what_may_change_while_a_model_trains_follows_from_its_spec(client: TestClient, home: Path) -> None:
    with MODELS.temporarily(replace(MODELS["biased-mf"], name="newcomer")):
        run_id = RunFolder.create(home, RunConfig().with_flat({"model": "newcomer"})).run_id
        offered = [one["name"] for one in events(client, run_id)["config"]["controls"]]
    assert [name for name in offered if name.endswith("multiplier")] == ["factor_lr_multiplier", "bias_lr_multiplier"]


def test_a_torn_last_line_waits_until_it_is_whole(client: TestClient, folder: RunFolder) -> None:
    offset = events(client, folder.run_id)["next"]
    line = json.dumps({"v": 1, "kind": "message", "text": "half"}).encode() + b"\n"
    with folder.events.path.open("ab") as file:
        file.write(line[:10])
        file.flush()
        assert events(client, folder.run_id, offset) == {**events(client, folder.run_id, offset), "events": [], "next": offset}
        file.write(line[10:])
    assert [event["text"] for event in events(client, folder.run_id, offset)["events"]] == ["half"]


def test_a_waiting_run_says_how_many_come_first(client: TestClient, home: Path, folder: RunFolder) -> None:
    assert events(client, folder.run_id) == {**events(client, folder.run_id), "state": "queued", "waiting_for": 0}
    second = RunFolder.create(home, RunConfig())
    second.write_status(RunStatus("queued", created=folder.status().created + 1))
    assert events(client, second.run_id)["waiting_for"] == 1


def test_a_run_that_is_over_says_why(client: TestClient, folder: RunFolder) -> None:
    folder.write_status(RunStatus("failed", created=1.0, ended=2.0, reason="loss became infinite at step 37"))
    answer = events(client, folder.run_id)
    assert (answer["state"], answer["reason"]) == ("failed", "loss became infinite at step 37")


def test_a_run_whose_worker_died_is_not_running(client: TestClient, folder: RunFolder) -> None:
    import socket

    folder.write_status(RunStatus("running", created=1.0, started=1.0, pid=os.getpid(), host=socket.gethostname()))
    assert events(client, folder.run_id)["state"] == "interrupted"


@pytest.mark.parametrize("run_id", ["20200101-000000-mf-none", "..", "%2e%2e", ".hidden", "a b", "x" * 300])
def test_what_is_no_run_is_not_found(client: TestClient, run_id: str) -> None:
    answer = client.get(f"/api/runs/{run_id}/events")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("offset", ["-1", "abc", "1.5", "", "9" * 30, "²"])
def test_an_unusable_offset_is_refused_in_words(client: TestClient, folder: RunFolder, offset: str) -> None:
    answer = client.get(f"/api/runs/{folder.run_id}/events", params={"from": offset})
    assert answer.status_code == 400
    assert "whole number" in answer.json()["error"]


def test_an_offset_beyond_the_end_reads_nothing_wrong(client: TestClient, folder: RunFolder) -> None:
    answer = client.get(f"/api/runs/{folder.run_id}/events", params={"from": 10**9})
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_routes_only_read(client: TestClient, folder: RunFolder, method: str) -> None:
    assert client.request(method, f"/api/runs/{folder.run_id}/events").status_code == 405
    assert client.request(method, "/healthz").status_code == 405


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_health_means_that_a_run_could_be_trained(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunManager, "troubles", lambda self: ["the data directory cannot be written to (read-only)"])
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "cannot train", "why": ["the data directory cannot be written to (read-only)"]}


def test_health_says_that_there_is_no_data_directory(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path / "file"))
    answer = client.get("/healthz")
    assert answer.status_code == 503 and "a file has that name" in answer.json()["why"][0]


def test_plotly_is_the_installed_one_compressed_and_kept_for_ever(client: TestClient) -> None:
    url = plotly_url()
    assert plotly.__version__ in url
    answer = client.get(url, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert int(answer.headers["content-length"]) < 2_000_000 < len(answer.content)
    assert client.get(url, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    plain = client.get(url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(plotly_script().packed)


@pytest.mark.parametrize("component", ["live", "embedding_map"])
def test_modules_are_served_as_they_stand_and_may_be_kept_for_ever(client: TestClient, component: str) -> None:
    main, *others = module_urls(component)
    assert main.endswith(f"/{component}/main.js")
    assert any("/shared/" in url for url in others)
    for url in (main, *others):
        answer = client.get(url)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.text == (COMPONENTS / "/".join(url.split("/")[-2:])).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["live.py", "live/live.html", "../theme.py", "..%2ftheme.py", "live/none.js", "loader.js"])
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    folder = module_urls("live")[0].removesuffix("live/main.js")
    assert client.get(folder + name).status_code == 404
    assert client.get("/api/assets/0123456789abcdef/live/main.js").status_code == 404, "of another version"


def test_every_route_answers_below_the_base_path_too(home: Path) -> None:
    with TestClient(Starlette(routes=api.under_base_path(api.ROUTES, "/lab/"))) as both:
        assert both.get("/lab/healthz").json() == both.get("/healthz").json() == {"status": "ok"}
        assert both.get(f"/lab{plotly_url()}").status_code == 200
        assert both.get("/lab/api/runs/none/events").status_code == 404
        assert both.post("/lab/healthz").status_code == 405
    assert api.under_base_path(api.ROUTES, "") == api.ROUTES


def test_the_agent_interface_stays_off() -> None:
    import streamlit as st

    assert st.get_option("server.enableAgentApi") is False


@pytest.mark.parametrize("path", ["/healthz", "/api/runs/nothing/events", "/nowhere"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    for name, value in HEADERS.items():
        assert headers[name] == value


def test_an_answer_to_a_mistake_of_ours_carries_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: Request) -> Response:
        raise RuntimeError("secret")

    routes = [Route("/broken", broken)]
    application = Starlette(routes=routes, middleware=[Middleware(SecurityHeaders)])
    answer = TestClient(application, raise_server_exceptions=False).get("/broken")
    assert answer.status_code == 500 and "secret" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    with pytest.raises(RuntimeError, match="secret"):  # the log has it
        TestClient(application).get("/broken")


@pytest.mark.parametrize(
    "line", ['{"kind":"epoch","epoch":1,"train_loss":1e999}', '{"kind":"epoch","epoch":' + "9" * 400 + "}"]
)
def test_numbers_beyond_every_number_are_passed_over(line: str, client: TestClient, folder: RunFolder) -> None:
    whole = events(client, folder.run_id)
    with (folder.path / "events.jsonl").open("a") as log:
        log.write(f"{line}\n")
    assert events(client, folder.run_id)["events"] == whole["events"]


def test_the_policy_lets_no_other_host_in() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "*" not in policy
