"""Two people at one provider, a class with one password, and a server for looking only; in real browsers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mfcore.runs import RunFolder
from scripts.app_server import AppServer
from scripts.browser import settle, visit
from tests.e2e.oidc_provider import Provider
from tests.runs.tiny_runs import tiny

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

TINY = "dataset=planted&dataset.num_users=40&dataset.num_items=30&dataset.density=0.4&split=random&embedding_dim=4&num_epochs=3"
Come = Callable[[], "Page"]


@pytest.fixture
def come(browser: Browser) -> Iterator[Come]:
    """A new person with a browser of their own."""
    opened: list[BrowserContext] = []

    def new() -> Page:
        opened.append(browser.new_context(viewport={"width": 1280, "height": 720}))
        page = opened[-1].new_page()
        page.set_default_timeout(30_000)
        return page

    yield new
    for context in opened:
        context.close()


@contextmanager
def with_provider(home: Path, **environment: str) -> Iterator[tuple[Provider, AppServer]]:
    secrets = home / "secrets.toml"
    named = {f"MF_EXPLORER_{name.upper()}": value for name, value in environment.items()}
    server = AppServer(home, environment={"MF_EXPLORER_LOGIN": "oidc", **named}, options=["--secrets.files", str(secrets)])
    with Provider() as provider:
        secrets.write_text(provider.secrets_toml(server.url))
        with server:
            yield provider, server


def log_in(page: Page, server: AppServer, who: str, at: str = "/") -> None:
    page.goto(f"{server.url}{at}")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name=who, exact=True).click()
    page.wait_for_selector(".st-key-who")
    settle(page)


def train(page: Page, server: AppServer) -> str:
    """Train a run of a second; returns its id."""
    visit(page, f"{server.url}/train?{TINY}")
    page.locator(".st-key-train_start button").click()
    page.wait_for_url(re.compile("run="))
    page.wait_for_selector(".mfx-live [data-part=state]:has-text('finished')")
    settle(page)
    found = re.search(r"run=([\w-]+)", page.url)
    assert found is not None
    return found[1]


def status(page: Page, server: AppServer, path: str) -> int:
    return page.request.get(f"{server.url}{path}").status


def log_out(page: Page) -> None:
    page.locator(".st-key-who button").first.click()
    page.get_by_role("button", name="Log out").click()


def test_two_people_and_what_each_of_them_sees(tmp_path: Path, come: Come) -> None:
    with with_provider(tmp_path) as (_, server):
        ann, bob = come(), come()
        ann.goto(server.url)
        ann.get_by_role("button", name="Log in").wait_for()
        assert status(ann, server, "/api/queue") == 401
        log_in(ann, server, "ann")
        log_in(bob, server, "bob")
        anns, bobs = train(ann, server), train(bob, server)
        owners = {one: RunFolder(tmp_path / "runs" / one).meta()["owner"] for one in (anns, bobs)}
        assert len(set(owners.values())) == 2 and all(owner.startswith("u-") for owner in owners.values())

        # Neither on a page, nor by an address, nor by a route.
        visit(bob, f"{server.url}/runs?run={anns}")
        bob.get_by_text(f"Run {anns} is not here").wait_for()
        bob.get_by_text("1 run, newest first").wait_for()
        visit(bob, server.url)
        assert anns not in bob.content() and bobs in bob.content()
        events = f"/api/runs/{anns}/events"
        assert (status(ann, server, events), status(bob, server, events)) == (200, 404)

        # Shared, it can be looked at and not steered.
        visit(ann, f"{server.url}/runs?run={anns}")
        ann.get_by_text("Share", exact=True).click()
        settle(ann)
        visit(bob, f"{server.url}/runs?run={anns}")
        bob.get_by_text("shared by Ann Example").wait_for()
        assert bob.locator(".st-key-delete button").first.is_disabled() and bob.get_by_label("Name", exact=True).is_disabled()
        assert status(bob, server, events) == 200
        visit(bob, f"{server.url}/train?run={anns}")
        bob.wait_for_selector(".mfx-live [data-part=state]:has-text('finished')")
        assert not bob.locator(".mfx-live .mfx-transport").is_visible()

        # The server starts anew: the page comes back by itself, and the routes know who asks.
        server.stop()
        server.start()
        assert status(bob, server, events) == 401
        visit(bob, f"{server.url}/runs?run={bobs}")
        assert status(bob, server, events) == 200

        # Out again, in every tab, and with a copy of the cookies.
        other_tab = ann.context.new_page()
        visit(other_tab, f"{server.url}/runs?run={anns}")
        kept = ann.context.cookies()
        log_out(other_tab)
        other_tab.get_by_role("button", name="Log in").wait_for()
        assert status(ann, server, "/api/queue") == 401
        ann.locator(".st-key-refresh button").first.click()  # Streamlit lets a page that stayed open go on; we do not
        ann.get_by_role("button", name="Log in").wait_for()
        thief = come()
        thief.context.add_cookies([{"name": one["name"], "value": one["value"], "url": server.url} for one in kept])
        thief.goto(f"{server.url}/runs")
        thief.get_by_role("button", name="Log in").wait_for()
        assert status(thief, server, "/api/queue") == 401
        log_in(ann, server, "ann")
        assert status(ann, server, events) == 200, "and in again"


def test_only_members_are_let_in_and_admins_see_all(tmp_path: Path, come: Come) -> None:
    hidden = RunFolder.create(tmp_path, tiny(name="of somebody else"), claimed=True, owner="u-1")
    with with_provider(tmp_path, members="@example.org", admins="bob@example.org") as (_, server):
        bob, eve = come(), come()
        log_in(bob, server, "bob", f"/runs?run={hidden.run_id}")
        assert status(bob, server, f"/api/runs/{hidden.run_id}/events") == 200
        eve.goto(server.url)
        eve.get_by_role("button", name="Log in").click()
        eve.get_by_role("link", name="eve", exact=True).click()
        eve.get_by_text("not on the list of those who are let in").wait_for()
        assert status(eve, server, "/api/queue") == 401


def test_a_class_with_one_password(tmp_path: Path, come: Come) -> None:
    with AppServer(tmp_path, base_path="lab", environment={"MF_EXPLORER_PASSWORD": "correct horse"}) as server:
        first, second = come(), come()
        for page in (first, second):
            page.goto(f"{server.url}/train?{TINY}")
            page.get_by_label("Password").fill("wrong password")
            page.get_by_role("button", name="Log in").click()
            page.get_by_text("This is not the password.").wait_for()
            page.get_by_label("Password").fill("correct horse")
            page.get_by_role("button", name="Log in").click()
            page.wait_for_selector(".st-key-who")
            assert "num_epochs=3" in page.url
        run = train(first, server)
        events = f"/api/runs/{run}/events"
        assert (status(first, server, events), status(second, server, events)) == (200, 404)
        first.locator(".st-key-who button").first.click()
        first.get_by_label("Your name").fill("Grace")
        first.get_by_label("Your name").press("Enter")
        first.locator(".st-key-who button:has-text('Grace')").wait_for()
        first.keyboard.press("Escape")
        log_out(first)
        first.get_by_text("You are logged out.").wait_for()
        assert status(first, server, events) == 401
        first.reload()
        first.get_by_label("Password").wait_for()


def test_a_server_for_looking_only(tmp_path: Path, come: Come) -> None:
    waits = RunFolder.create(tmp_path, tiny(name="waits"))
    with AppServer(tmp_path, environment={"MF_EXPLORER_READ_ONLY": "1"}) as server:
        page = come()
        visit(page, server.url)
        assert page.locator(".st-key-start_now button").first.is_disabled()
        visit(page, f"{server.url}/runs?run={waits.run_id}")
        assert page.locator(".st-key-stop button").first.is_disabled() and page.get_by_label("Name", exact=True).is_disabled()
        assert status(page, server, f"/api/runs/{waits.run_id}/events") == 200
        visit(page, f"{server.url}/train?run={waits.run_id}")
        assert page.locator(".st-key-train_queue button").first.is_disabled()
        assert not page.locator(".mfx-live .mfx-transport").is_visible()
        assert waits.status().state == "queued", "nobody trains what waits"
