"""The gate before everything, with one password for all and with a provider; and every route of ours, for whom it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.runs.layout import RunFolder
from mfcore.runs.manager.manager import manager_for
from mfcore.runs.manager.watcher import Watcher
from tests.runs.tiny_runs import tiny
from tests.ui.conftest import PASSWORD, SetAccess
from ui.api import routes as api
from ui.api.attempts import Attempts
from ui.api.gate import Gate, open_to_strangers
from ui.api.steering import TOKEN_HEADER, steering_token
from ui.sessions import Sessions, browser_id, cookie_in, new_cookie

HOST = "http://testserver"
PAGE = {"accept": "text/html"}
LogIn = Callable[..., tuple[dict[str, str], str]]


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def back(request: Request) -> Response:
    """What Streamlit answers to who comes back from the provider: with a cookie of its own, where that went well."""
    answer = RedirectResponse("/")
    if "code" in request.query_params:
        answer.set_cookie("_streamlit_user", "signed")
    else:
        answer.delete_cookie("_streamlit_user")
    return answer


class Server:
    """Our routes behind the gate, beside what stands for Streamlit's: a page, a socket, uploads, a way back."""

    def __init__(self, base: str = "", attempts: Attempts | None = None) -> None:
        anything = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
        routes = [
            *api.under_base_path(api.ROUTES, base),
            Route(f"{base and '/' + base}/oauth2callback", back),
            Route("/{path:path}", lambda request: HTMLResponse("<p>content</p>"), methods=anything),
            WebSocketRoute("/{path:path}", echo),
        ]
        self.app = Starlette(routes=routes, middleware=[Middleware(Gate, attempts=attempts)])
        self.client = self.browser()

    def browser(self) -> TestClient:
        return TestClient(self.app, follow_redirects=False)

    def log_in(self, password: str, path: str = "/", **headers: str) -> Any:
        return self.client.post(path, data={"password": password}, headers=headers)

    def talks(self, path: str = "/_stcore/stream", **headers: str) -> bool:
        try:
            with self.client.websocket_connect(path, headers=headers):
                return True
        except WebSocketDisconnect:
            return False


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    monkeypatch.setattr(Watcher, "wake", lambda self: None)  # nothing here needs a worker
    return tmp_path


@pytest.fixture
def behind_password(home: Path, set_access: SetAccess, sessions: Sessions) -> Iterator[Server]:
    set_access(password=PASSWORD, admin_password="battery staple")
    yield Server()


# --- one password for all --------------------------------------------------------------------------------------------

TRICKS = (
    "/", "/train?run=x", "/runs", "/api/queue", "/api/runs/x/events", "/api/assets/x/y.js", "//api/queue", "/%61pi/queue",
    "/api%2Fqueue", "/api/./queue", "/healthz/", "/healthz/../api/queue", "/healthz%2F..%2Fapi/queue", "/HEALTHZ", "/media/x",
    "/_stcore/upload_file/a/b", "/_stcore/stream", "/_stcore/health", "/static/x.js", "/lab/api/queue", "/lab/healthz", "/;x",
    "/oauth2callback", "/auth/login", "/healthz;x", "/x/healthz",
)  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_answers_before_the_password(method: str, behind_password: Server) -> None:
    for path in TRICKS:
        for headers in ({}, PAGE, {"cookie": f"mfx_visitor={new_cookie()}"}, {"cookie": "mfx_visitor=1; _streamlit_user=x"}):
            answer = behind_password.client.request(method, HOST + path, headers=headers)
            assert answer.status_code == 401, (method, path)
            assert "<p>content" not in answer.text and "set-cookie" not in answer.headers
            assert answer.headers["cache-control"] == "no-store"
    assert not behind_password.talks() and not behind_password.talks("/healthz")
    assert not behind_password.talks(cookie=f"mfx_visitor={new_cookie()}")


def test_the_form_takes_the_password_and_leads_back_to_where_one_wanted(behind_password: Server) -> None:
    client = behind_password.client
    form = client.get("/train?run=x&n=5", headers=PAGE)
    assert form.status_code == 401 and form.text.count("<input") == 1 and 'method="post"' in form.text
    wrong = behind_password.log_in("wrong", "/train?run=x&n=5")
    assert wrong.status_code == 401 and "This is not the password." in wrong.text
    right = behind_password.log_in(PASSWORD, "/train?run=x&n=5")
    assert right.status_code == 303 and right.headers["location"] == "?run=x&n=5"
    said = right.headers["set-cookie"]
    assert re.fullmatch(r"mfx_visitor=[\w-]{32}\.[\w-]{32}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax", said)
    assert client.get("/train?run=x&n=5", headers=PAGE).text == "<p>content</p>"
    assert client.get("/api/queue").status_code == 200 and behind_password.talks()
    assert behind_password.browser().get("/api/queue").status_code == 401, "another browser"


@pytest.mark.parametrize("scheme", ["https", "forwarded"])
def test_over_https_the_cookie_stays_there(scheme: str, behind_password: Server) -> None:
    forwarded = {"x-forwarded-proto": "https"} if scheme == "forwarded" else {}
    client = TestClient(behind_password.app, base_url="http://t" if forwarded else "https://t", follow_redirects=False)
    answer = client.post("/", data={"password": PASSWORD}, headers=forwarded)
    assert answer.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://testserver"},
    ],
)
def test_other_sites_log_nobody_in(headers: dict[str, str], behind_password: Server) -> None:
    answer = behind_password.log_in(PASSWORD, **headers)
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


@pytest.mark.parametrize("password", ["", " ", PASSWORD.upper(), PASSWORD + "x", PASSWORD[:-1], "x" * 10_000, "ü" * 20, "\x00"])
def test_what_is_not_the_password(password: str, behind_password: Server) -> None:
    answer = behind_password.log_in(password)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers


def test_the_password_is_taken_from_the_form_alone(behind_password: Server) -> None:
    """What stands in an address is kept in histories and logs."""
    client = behind_password.client
    assert client.get(f"/?password={PASSWORD}&token={PASSWORD}", headers=PAGE).status_code == 401
    assert client.post(f"/?password={PASSWORD}", data={}).status_code == 401
    assert client.post("/", json={"password": PASSWORD}).status_code == 401


def test_guessing_is_slow_for_each_and_for_all(home: Path, set_access: SetAccess, sessions: Sessions) -> None:
    now = [0.0]
    set_access(password=PASSWORD)
    server = Server(attempts=Attempts(each=3, together=5, clock=lambda: now[0]))
    assert [server.log_in("wrong").status_code for _ in range(4)] == [401, 401, 401, 429]
    refused = server.log_in(PASSWORD)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "60" and "60 seconds" in refused.text
    assert cookie_in([refused.headers.get("set-cookie", "")]) == ""
    now[0] = 59.0
    assert server.log_in(PASSWORD).status_code == 429
    now[0] = 61.0
    assert server.log_in(PASSWORD).status_code == 303


def test_attempts_are_counted_by_address_and_together_in_bounded_memory() -> None:
    now = [0.0]
    attempts = Attempts(each=2, together=6, most=3, clock=lambda: now[0])
    for address in ("a", "a", "b"):
        attempts.failed(address)
    assert attempts.wait("a") == 60 and attempts.wait("b") == 0 == attempts.wait("new")
    now[0] = 10.0
    for address in ("c", "d", "e"):
        attempts.failed(address)
    assert attempts.wait("new") == 50, "all together have tried six times"
    assert len(attempts._by_address) == 3
    now[0] = 60.5
    assert attempts.wait("new") == 0 and attempts.wait("a") == 0


def test_a_log_in_changes_the_key_and_keeps_the_visitor(behind_password: Server, sessions: Sessions) -> None:
    planted = new_cookie()
    behind_password.client.cookies.set("mfx_visitor", planted)
    fresh = cookie_in([behind_password.log_in(PASSWORD).headers["set-cookie"]])
    assert fresh != planted and browser_id(fresh) == browser_id(planted)
    assert sessions.find(fresh) and not sessions.find(planted), "who planted it does not come in by it"


def test_whoever_comes_after_a_log_out_is_somebody_else(behind_password: Server, sessions: Sessions) -> None:
    first = cookie_in([behind_password.log_in(PASSWORD).headers["set-cookie"]])
    sessions.end(first)
    assert behind_password.client.get("/api/queue").status_code == 401 and not behind_password.talks()
    behind_password.client.cookies.clear()
    behind_password.client.cookies.set("mfx_visitor", first)
    second = cookie_in([behind_password.log_in(PASSWORD).headers["set-cookie"]])
    assert browser_id(second) != browser_id(first)
    assert behind_password.browser().get("/api/queue", headers={"cookie": f"mfx_visitor={first}"}).status_code == 401


def test_another_password_makes_an_admin(behind_password: Server, sessions: Sessions) -> None:
    found = [
        sessions.find(cookie_in([Server().log_in(password).headers["set-cookie"]])) for password in (PASSWORD, "battery staple")
    ]
    assert [one is not None and one.admin for one in found] == [False, True]


@pytest.mark.parametrize(
    "path", ["/lab", "/lab/", "/lab/api/queue", "/api/queue", "/lab/_stcore/upload_file/a/b", "/labapi/queue"]
)
def test_below_a_path_it_is_shut_as_well(
    path: str, home: Path, set_access: SetAccess, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "get_option", lambda name: "lab" if name == "server.baseUrlPath" else None)
    set_access(password=PASSWORD)
    server = Server("lab")
    assert server.client.get(path).status_code == 401 and not server.talks("/lab/_stcore/stream")
    assert server.client.get("/lab/healthz").status_code == 200
    answer = server.log_in(PASSWORD, "/lab/")
    assert "; Path=/lab;" in answer.headers["set-cookie"]
    assert server.client.get("/lab/api/queue").status_code == 200


def test_health_says_no_reasons_to_strangers(behind_password: Server, log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfcore.runs.manager.manager.RunManager.troubles", lambda self: ["the disk /secret is full"])
    client = behind_password.client
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (503, {"status": "cannot train"})
    headers, _ = log_in("Ann")
    assert client.get("/healthz", headers=headers).json()["why"] == ["the disk /secret is full"]


# --- without accounts, and with a provider ---------------------------------------------------------------------------


def test_without_accounts_a_page_brings_a_cookie_and_nothing_is_asked(
    home: Path, set_access: SetAccess, sessions: Sessions
) -> None:
    set_access()
    server = Server()
    assert "set-cookie" not in server.client.get("/api/queue").headers
    first = server.client.get("/", headers=PAGE)
    assert cookie_in([first.headers["set-cookie"]]) and first.text == "<p>content</p>"
    assert "set-cookie" not in server.client.get("/", headers=PAGE).headers, "a reload keeps it"
    forged = server.browser().get("/", headers={**PAGE, "cookie": "mfx_visitor=admin"})
    assert cookie_in([forged.headers["set-cookie"]])
    assert server.talks()


@pytest.fixture
def behind_provider(home: Path, set_access: SetAccess, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr("ui.access._check_oidc", lambda auth: None)
    set_access(login="oidc")
    return Server()


def test_before_a_log_in_at_a_provider_only_what_holds_no_content_answers(behind_provider: Server) -> None:
    shut = [
        "/api/queue", "/api/runs/x/events", "//api/queue", "/%61pi/queue", "/lab/api/queue", "/api", "/api/", "/media/x.png",
        "/_stcore/upload_file/a/b", "/_stcore/metrics", "/_stcore/agent/x", "/static/../media/x", "/x/media/y", "/_stcore",
    ]  # fmt: skip
    for path in shut:
        for method in ("GET", "HEAD", "PUT", "POST", "OPTIONS", "DELETE"):
            assert behind_provider.client.request(method, HOST + path, headers=PAGE).status_code == 401, (method, path)
    for path in ("/", "/train?run=x", "/static/js/x.js", "/auth/login", "/_stcore/health", "/favicon.png"):
        assert behind_provider.client.get(path).status_code == 200
    assert behind_provider.talks(), "Streamlit's pages end at a button to log in"


def test_who_comes_back_from_a_provider_gets_another_key(behind_provider: Server) -> None:
    client = behind_provider.client
    before = cookie_in([client.get("/", headers=PAGE).headers["set-cookie"]])
    failed = client.get("/oauth2callback?error=no")
    assert cookie_in(failed.headers.get_list("set-cookie")) == "", "a link from elsewhere takes nobody's key away"
    after = cookie_in(client.get("/oauth2callback?code=x").headers.get_list("set-cookie"))
    assert after != before and browser_id(after) == browser_id(before)


@pytest.mark.parametrize("login", ["oidc", "password"])
def test_what_is_not_foreseen_is_shut(login: str) -> None:
    for path in ("/api/new", "/_stcore/new", "/new/thing", "/api/assets/../queue", "/../api", "//healthz/x", "/healthz/x"):
        assert not open_to_strangers("http", path, login)
    assert open_to_strangers("http", "/healthz", login) and not open_to_strangers("websocket", "/media/healthz", login)


# --- each route of ours ----------------------------------------------------------------------------------------------

OPEN = {"/healthz", "/api/assets/{path:path}"}


def paths(run_id: str, embeddings_id: str) -> list[tuple[str, str]]:
    """Method and address of each route but those that are open; a new one is here by itself."""
    named = {"run_id": run_id, "embeddings_id": embeddings_id, "method": "tsne"}
    known = [(method, one.path) for one in api.ROUTES if one.path not in OPEN for method in sorted(one.methods or ())]
    return [(method, re.sub(r"\{(\w+)[^}]*\}", lambda found: named[found[1]], path)) for method, path in known]


def ask(client: TestClient, method: str, path: str, headers: dict[str, str]) -> Response:
    body = {"json": {}} if method == "POST" else {}
    return client.request(method, path, headers={TOKEN_HEADER: steering_token(), **headers}, **body)  # type: ignore[return-value]


@pytest.fixture
def routes_alone(home: Path) -> TestClient:
    """Without the gate: each route has to know by itself."""
    return TestClient(Starlette(routes=api.ROUTES))


def made(owner: str, home: Path) -> tuple[RunFolder, ImportedEmbeddings]:
    import numpy as np

    tables = Tables(np.eye(4, dtype=np.float32), {"label": list("abcd")})
    return RunFolder.create(home, tiny(), owner=owner), ImportedEmbeddings.add(tables, "four", home, owner=owner)


def test_every_route_refuses_who_is_not_let_in(routes_alone: TestClient, log_in: LogIn, home: Path) -> None:
    run, embeddings = made("", home)
    open_ones = {one.path for one in api.ROUTES} & OPEN
    assert "/healthz" in open_ones and len(paths("x", "y")) > 20
    for method, path in paths(run.run_id, embeddings.name):
        for headers in ({}, {"cookie": f"mfx_visitor={new_cookie()}"}):
            answer = ask(routes_alone, method, path, headers)
            assert answer.status_code == 401, (method, path)
            assert method == "HEAD" or "log in" in answer.json()["error"]  # type: ignore[attr-defined]


def test_every_route_about_somebody_elses_run_answers_as_if_there_were_none(
    routes_alone: TestClient, log_in: LogIn, home: Path
) -> None:
    ann, anns_id = log_in("Ann")
    bob, _ = log_in("Bob")
    run, embeddings = made(anns_id, home)
    nothing = "20261122-000000-mf-0000", "20261122-000000-000000"
    about = [pair for pair in zip(paths(run.run_id, embeddings.name), paths(*nothing), strict=True) if pair[0] != pair[1]]
    assert len(about) > 18
    for (method, path), (_, missing) in about:
        answer, other = ask(routes_alone, method, path, bob), ask(routes_alone, method, missing, bob)
        assert (answer.status_code, other.status_code) == (404, 404), (method, path)
        as_missing = other.text.replace(nothing[0], run.run_id).replace(nothing[1], embeddings.name)  # type: ignore[attr-defined]
        assert answer.text == as_missing, "to the letter"  # type: ignore[attr-defined]
        assert ask(routes_alone, method, path, ann).status_code != 404


def test_a_shared_run_can_be_looked_at_and_not_steered(routes_alone: TestClient, log_in: LogIn, home: Path) -> None:
    ann, anns_id = log_in("Ann")
    bob, _ = log_in("Bob")
    run, _ = made(anns_id, home)
    run.write_meta(shared=True)
    assert routes_alone.get(f"/api/runs/{run.run_id}/events", headers=bob).status_code == 200
    with_token = {**bob, TOKEN_HEADER: steering_token()}
    wishes: dict[str, Any] = {"commands": {"kind": "stop"}, "place": {"to": 1}, "end": {}}
    assert {one.path.rpartition("/")[2] for one in api.ROUTES if "POST" in (one.methods or ())} == {*wishes, "branch"}
    for what, wish in wishes.items():
        answer = routes_alone.post(f"/api/runs/{run.run_id}/{what}", json=wish, headers=with_token)
        assert answer.status_code == 403 and "somebody else's" in answer.json()["error"]
    assert run.status().state == "queued" and run.last_command() == 0
    own = routes_alone.post(f"/api/runs/{run.run_id}/commands", json={"kind": "stop"}, headers={**with_token, **ann})
    assert own.status_code == 200 and run.status().state == "stopped"


def test_where_nothing_may_be_changed_every_post_is_refused(
    routes_alone: TestClient, set_access: SetAccess, sessions: Sessions, home: Path
) -> None:
    run, embeddings = made("", home)
    set_access(read_only="1")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    wishes: dict[str, Any] = {"commands": {"kind": "stop"}, "place": {"to": 1}, "branch": {"epoch": 0}, "end": {}}
    posts = [path for method, path in paths(run.run_id, embeddings.name) if method == "POST"]
    for path in posts:
        wish = wishes[path.rpartition("/")[2]]  # a new one has to be told here
        answer = routes_alone.post(path, json=wish, headers={TOKEN_HEADER: steering_token()})
        assert answer.status_code == 403 and "for looking only" in answer.json()["error"]
    assert posts and not [one.path for one in api.ROUTES if (one.methods or set()) - {"GET", "HEAD", "POST"}]
    assert routes_alone.get(f"/api/runs/{run.run_id}/events").status_code == 200
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "run.lock"} == before


def test_the_queue_tells_of_others_without_a_title(routes_alone: TestClient, log_in: LogIn, home: Path) -> None:
    _, anns_id = log_in("Ann")
    bob, bobs_id = log_in("Bob")
    theirs = RunFolder.create(home, tiny(name="a secret"), owner=anns_id)
    own = RunFolder.create(home, tiny(name="mine"), owner=bobs_id)
    answer = routes_alone.get("/api/queue", headers=bob)
    rows = [(row["id"], row["title"], row["own"]) for row in answer.json()["waiting"]]
    assert rows == [("", "somebody's run", False), (own.run_id, "mine", True)]
    assert theirs.run_id not in answer.text and "secret" not in answer.text and anns_id not in answer.text
    told = routes_alone.get(f"/api/runs/{own.run_id}/events", headers=bob).json()
    assert told["waiting_for"] == 1


def test_a_branch_says_nothing_of_a_parent_that_one_may_not_see(routes_alone: TestClient, log_in: LogIn, home: Path) -> None:
    _, anns_id = log_in("Ann")
    bob, bobs_id = log_in("Bob")
    parent = RunFolder.create(home, tiny(name="a secret"), owner=anns_id)
    config = tiny().to_dict() | {"parent": {"run_id": parent.run_id, "epoch": 1, "changes": {}}}
    child = RunFolder.create(home, type(tiny()).from_dict(config), owner=bobs_id)
    told = routes_alone.get(f"/api/runs/{child.run_id}/events", headers=bob)
    assert told.json()["config"]["parent_title"] == "a run that is not here any more" and "secret" not in told.text


def test_a_route_hears_of_a_log_out_at_once(routes_alone: TestClient, log_in: LogIn, sessions: Sessions, home: Path) -> None:
    headers, _ = log_in("Ann")
    assert routes_alone.get("/api/queue", headers=headers).status_code == 200
    sessions.end(cookie_in([headers["cookie"]]))
    assert routes_alone.get("/api/queue", headers=headers).status_code == 401
    assert manager_for().list() == []


def test_plain_text_is_no_form(behind_password: Server) -> None:
    answer = behind_password.client.post("/", content=f"password={PASSWORD}", headers={"content-type": "text/plain"})
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
