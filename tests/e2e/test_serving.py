"""The app under a path: told so (``server.baseUrlPath``), and behind a proxy that strips a prefix it knows nothing of.

And what a key does that is pressed inside a component: nothing of Streamlit's.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from scripts.app_server import AppServer
from scripts.browser import settle, visit
from tests.e2e.live_view import LiveView, assert_fine, press
from tests.e2e.space_map import MAP, SpaceMap
from tests.e2e.stripping_proxy import StrippingProxy

if TYPE_CHECKING:
    from playwright.sync_api import Page

SMALL = "dataset=planted&model=mf&num_epochs=6&embedding_dim=4&pace=20"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with ``--server.baseUrlPath lab``."""
    home = tmp_path_factory.mktemp("lab")
    with AppServer(home, base_path="lab") as running:
        yield running


def answer(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as found:
        return json.load(found)


def goes_through(page: Page, url: str, server: AppServer) -> str:
    """Train, watch, steer, look at the map and follow its link, all below ``url``. Returns the run."""
    outside: list[str] = []
    page.on("request", lambda sent: None if sent.url.startswith((url, "blob:", "data:")) else outside.append(sent.url))
    visit(page, f"{url}/train?{SMALL}")
    press(page, "train_start")
    live = LiveView(page)
    live.wait_for_state("finished")
    live.wait_for_points(6)
    settle(page)
    assert_fine(page, server)
    run = re.search(r"[?&]run=([\w-]+)", page.url)
    assert run is not None
    page.get_by_label("More epochs").fill("1")
    page.get_by_role("button", name="more epochs").click()
    live.wait_for_points(7)
    live.wait_for_state("finished")

    visit(page, f"{url}/embeddings?run={run[1]}&film=1")
    SpaceMap(page).wait_until_drawn()
    link = page.locator(f"{MAP} .mfs-links a")
    link.wait_for()
    assert str(link.evaluate("node => node.href")).startswith(f"{url}/recommend?")
    assert_fine(page, server)
    # Streamlit looks for its own server below the page's address first, then above it; nothing of ours may leave the path.
    assert [sent for sent in outside if "/_stcore/" not in sent and "favicon" not in sent] == []
    return run[1]


def test_under_a_path_that_the_server_knows(page: Page, lab: AppServer) -> None:
    assert answer(f"{lab.url}/healthz") == {"status": "ok"}
    run = goes_through(page, lab.url, lab)
    assert answer(f"{lab.url}/api/runs/{run}/events?from=0")["state"] == "finished"


def test_behind_a_proxy_that_strips_a_prefix(page: Page, server: AppServer) -> None:
    with StrippingProxy(server.port, "/team/films") as proxy:
        assert answer(f"{proxy.url}/healthz") == {"status": "ok"}
        goes_through(page, proxy.url, server)


@pytest.mark.parametrize("where", [".mfx-live [data-act=projector]", ".mfx-live [data-part=smoothing]"])
def test_keys_in_the_live_view_reach_neither_rerun_nor_clear_cache(page: Page, server: AppServer, where: str) -> None:
    visit(page, f"{server.url}/train?{SMALL}")
    page.wait_for_selector(".mfx-live [data-part=pace] button")  # its code is here
    page.locator(where).focus()
    assert keys_do_nothing(page)


def test_keys_on_the_map_reach_neither_rerun_nor_clear_cache(page: Page, server: AppServer) -> None:
    visit(page, f"{server.url}/train?{SMALL}")
    press(page, "train_start")
    LiveView(page).wait_for_state("finished")
    settle(page)
    run = re.search(r"[?&]run=([\w-]+)", page.url)
    assert run is not None
    visit(page, f"{server.url}/embeddings?run={run[1]}")
    SpaceMap(page).wait_until_drawn()
    page.locator(f"{MAP} [data-part=stage]").focus()
    assert keys_do_nothing(page)


def keys_do_nothing(page: Page) -> bool:
    """Whether R and C leave the page as it is; outside of the component R is seen to run the page again, so we would notice."""
    page.evaluate(
        "() => { window.mfxRuns = 0; new MutationObserver(() => { window.mfxRuns += 1 })"
        ".observe(document.querySelector('[data-testid=stApp]'), { attributeFilter: ['data-test-script-state'] }) }"
    )
    for key in ("r", "c"):
        page.keyboard.press(key)
    page.wait_for_timeout(700)
    quiet = page.evaluate("() => window.mfxRuns") == 0 and page.locator("[role=dialog]").count() == 0
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("r")
    page.wait_for_function("() => window.mfxRuns > 0")
    return bool(quiet)
