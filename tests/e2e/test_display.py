"""Light or dark, and projector mode: on every page, kept, and left without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from scripts.app_server import AppServer
from scripts.browser import settle, visit
from tests.e2e.test_app import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

THEME = "getComputedStyle(document.querySelector('.stApp')).colorScheme"
LARGE = "document.documentElement.dataset.mfxProjector === 'true'"
ADDRESS = "new URL(location.href).searchParams.get('projector')"
READY = ".mfx-frame [name=mfx-theme]:checked"
MENU = ".mfx-frame summary"
INK = "(node => node ? getComputedStyle(node).fill : '')(document.querySelector('.js-plotly-plot .xtitle'))"
"""Empty while the chart is being drawn."""


@pytest.fixture(scope="module", params=["", "lab"], ids=["at the root", "under a path"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with nothing fetched: made-up ratings will do."""
    home: Path = tmp_path_factory.mktemp("display")
    with AppServer(home, base_path=request.param) as running:
        yield running


def opened(page: Page, url: str) -> None:
    """Open an address; the header's code has come, which its menu shows by what is chosen there."""
    visit(page, url)
    page.wait_for_selector(READY, state="attached")


def until(page: Page, truth: str) -> None:
    page.wait_for_function(f"() => {truth}")


def test_the_theme_is_the_systems_until_chosen_and_then_kept(page: Page, served: AppServer) -> None:
    page.emulate_media(color_scheme="light")
    opened(page, f"{served.url}/data?dataset=planted")
    until(page, f"{THEME} === 'light'")
    page.emulate_media(color_scheme="dark")
    until(page, f"{THEME} === 'dark'")
    page.emulate_media(color_scheme="light")
    until(page, f"{THEME} === 'light'")
    until(page, f"{INK} !== ''")
    light = page.evaluate(INK)
    page.locator(MENU).click()
    page.get_by_label("Dark").check()
    until(page, f"{THEME} === 'dark' && !['', '{light}'].includes({INK})")
    page.keyboard.press("Escape")
    expect(page.locator(".mfx-frame[open]")).to_have_count(0)
    page.reload(wait_until="domcontentloaded")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"), "before anything is drawn"
    page.locator(".mfx-live:visible, .js-plotly-plot:visible").first.wait_for()
    until(page, f"{THEME} === 'dark'")
    page.get_by_role("link", name="Train").click()
    page.wait_for_selector(".mfx-live")
    until(page, f"{THEME} === 'dark' && document.querySelector('.mfx-live')?.style.colorScheme === 'dark'")
    page.locator(MENU).click()
    page.get_by_label("As the system").check()
    until(page, f"{THEME} === 'light' && document.querySelector('.mfx-live')?.style.colorScheme === 'light'")


def test_the_projector_goes_along_from_page_to_page(page: Page, served: AppServer) -> None:
    opened(page, f"{served.url}/{PAGES[-1]}")
    size = page.evaluate("getComputedStyle(document.documentElement).fontSize")
    page.locator("h1").first.click()
    page.keyboard.press("p")
    until(page, f"{LARGE} && {ADDRESS} === '1'")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") != size
    page.get_by_role("link", name="Data").click()
    page.wait_for_url("**/data?**")
    settle(page)
    until(page, f"{LARGE} && {ADDRESS} === '1'")
    page.reload()
    until(page, f"document.querySelector('.mfx-frame') && {LARGE} && {ADDRESS} === '1'")
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("node => { node.scrollTop = 200; return node.scrollTop || node.scrollHeight <= node.clientHeight }")
    page.keyboard.press("Escape")
    until(page, f"!({LARGE}) && {ADDRESS} === null")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == size


def test_leaving_the_full_screen_leaves_the_projector(page: Page, served: AppServer) -> None:
    opened(page, f"{served.url}/data?dataset=planted")  # a page without a view of ours that fills the screen
    page.locator("h1").first.click()
    page.keyboard.press("p")
    until(page, f"{LARGE} && document.fullscreenElement")
    page.evaluate("() => document.exitFullscreen()")  # as by Esc, which the page is not told of
    until(page, f"!({LARGE}) && {ADDRESS} === null")


def test_no_page_is_first_drawn_in_the_other_theme(page: Page, served: AppServer) -> None:
    opened(page, f"{served.url}/data?dataset=planted")
    page.locator(MENU).click()
    page.get_by_label("Dark").check()
    until(page, f"{THEME} === 'dark'")
    page.add_init_script(
        "window.mfxThemes = new Set(); new MutationObserver(() => { const app = document.querySelector('.stApp');"
        "if (app) mfxThemes.add(getComputedStyle(app).colorScheme) }).observe(document, { childList: true, subtree: true })"
    )
    page.reload()
    page.wait_for_selector(READY, state="attached")
    settle(page)
    assert page.evaluate("() => [...mfxThemes]") == ["dark"]


def test_p_is_a_letter_while_typing_and_can_be_switched_off(page: Page, served: AppServer) -> None:
    opened(page, f"{served.url}/train?dataset=planted")
    box = page.locator(".st-key-train_learning_rate input")
    box.press("p")
    assert not page.evaluate(LARGE)
    page.locator(MENU).click()
    page.get_by_label("Key P").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.reload()
    page.wait_for_selector(READY, state="attached")
    page.keyboard.press("p")
    assert not page.evaluate(LARGE)
    page.locator(MENU).click()
    page.get_by_label("Projector: large type").check()
    until(page, LARGE)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [420, 1280, 1920])
def test_nothing_reaches_beyond_the_window(page: Page, served: AppServer, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    opened(page, f"{served.url}/{path}")
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    outside = page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=stMain] :is(button, a, input, h1, h2, h3, p, summary)')]"
        ".filter(node => node.checkVisibility() && !node.closest('.mfx-unseen, .mfx-hidden, .mfs-hidden'))"
        ".filter(node => { const box = node.getBoundingClientRect(); return box.width > 1 && box.right > innerWidth + 1 })"
        ".map(node => node.outerHTML.slice(0, 160))"
    )
    assert not outside
