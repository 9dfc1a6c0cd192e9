"""axe-core over every page, in both themes and in every state a page can be in: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from scripts.browser import visit
from tests.e2e.live_view import LiveView, press
from tests.e2e.test_app import PAGES, train

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from scripts.app_server import AppServer

RUNS = {
    "rating": ("preset=biased-mf&num_epochs=2&pace=0", "finished"),
    "ranking": ("preset=mf-implicit&num_epochs=2&pace=0", "finished"),
    "failed": ("preset=mf&learning_rate=1000&num_epochs=2&pace=0", "failed"),
}
ABOUT_A_RUN = ("train", "evaluate", "recommend", "embeddings")
GRAVE = ("serious", "critical")
SETTLED = """() => {
  const app = document.querySelector('[data-testid=stApp]')
  return app.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]')
    && document.querySelector('h1') && getComputedStyle(app).getPropertyValue('--mfx-muted')
    && document.getAnimations().every(one => one.playState !== 'running' || one.effect.getTiming().iterations > 1)
}"""
"""A page stands a moment after its script: what comes first is drawn last, and what is drawn anew is faint meanwhile."""


def faults(page: Page) -> list[str]:
    """What axe finds serious or critical in both themes, a line each; also headings that are out of order or not one."""
    found = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("theme => getComputedStyle(document.querySelector('.stApp')).colorScheme === theme", arg=theme)
        page.wait_for_function(SETTLED)
        for fault in Axe().run(page).response["violations"]:
            if fault["impact"] in GRAVE or fault["id"] == "heading-order":
                places = [f"{node['target']} {node['html'][:120]} {node.get('failureSummary', '')}" for node in fault["nodes"]]
                found += [f"{theme}: {fault['id']}: {place}" for place in places]
    if page.locator("h1").count() != 1:
        found.append(f"headings of the first order: {page.locator('h1').all_inner_texts()}")
    return found


@pytest.fixture(scope="module")
def runs(browser: Browser, server: AppServer) -> dict[str, str]:
    """One run of each kind, by kind."""
    page = browser.new_page()
    made = {kind: train(page, server, query, until) for kind, (query, until) in RUNS.items()}
    page.close()
    return made


@pytest.mark.parametrize("path", PAGES)
def test_pages_without_a_run(page: Page, server: AppServer, path: str) -> None:
    visit(page, f"{server.url}/{path}")
    assert not faults(page)


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("path", ABOUT_A_RUN)
def test_pages_about_a_run(page: Page, server: AppServer, runs: dict[str, str], path: str, kind: str) -> None:
    visit(page, f"{server.url}/{path}?run={runs[kind]}")
    if path == "train":
        LiveView(page).wait_for_state(RUNS[kind][1])
    if path == "embeddings" and kind != "failed":
        page.wait_for_selector(".mfs-space:not([data-points='0'])")
    assert not faults(page)


@pytest.mark.parametrize("path", ["", "data", "runs"])
def test_pages_with_runs(page: Page, server: AppServer, runs: dict[str, str], path: str) -> None:
    visit(page, f"{server.url}/{path}")
    assert not faults(page)


@pytest.mark.parametrize("section", ["Rivals", "List length", "Deciles", "Errors", "Lists", "Compare", "Run card"])
def test_sections_of_evaluate(page: Page, server: AppServer, runs: dict[str, str], section: str) -> None:
    kind = "rating" if section == "Errors" else "ranking"
    visit(page, f"{server.url}/evaluate?run={runs[kind]}&show={section}")
    assert not faults(page)


def more(page: Page) -> None:
    page.locator(".mfx-live [data-act=more]").click()


def overlays(page: Page) -> None:
    page.locator(".mfx-live .mfx-menu summary").first.click()


OPENED: dict[str, Callable[[Page], None]] = {"more": more, "overlays": overlays}


@pytest.mark.parametrize("what", OPENED)
def test_a_run_in_training_with_something_open(page: Page, server: AppServer, what: str) -> None:
    visit(page, f"{server.url}/train?preset=biased-mf&num_epochs=300&pace=2")
    press(page, "train_start")
    live = LiveView(page)
    live.wait_for_points(2)
    OPENED[what](page)
    found = faults(page)
    page.locator(".mfx-live [data-act=stop]").click()
    live.wait_for_state("stopped")
    assert not found


def test_the_map_with_something_chosen(page: Page, server: AppServer, runs: dict[str, str]) -> None:
    visit(page, f"{server.url}/embeddings?run={runs['ranking']}&film=50")
    page.wait_for_selector(".mfs-panel:not([hidden])")
    page.locator(".mfs-more > summary", has_text="More").click()
    assert not faults(page)
