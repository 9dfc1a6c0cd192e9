"""The queue in a browser: what is watched stays, a pause lets the next begin, going on is waited for visibly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.browser import settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

EDGES = """() => {
  const chip = document.querySelector(".mfx-queue-chip")?.getBoundingClientRect()
  return chip && [chip.left, chip.right, document.querySelector(".mfx-frame summary").getBoundingClientRect().left]
}"""
SLOW = "dataset=planted&split=random&model=mf&num_epochs=5000&pace=2"


def assert_apart(page: Page) -> None:
    """Who trains and the menu Display stand beside each other, whatever the width and the type."""
    for width, key in ((1280, ""), (420, ""), (1280, "p")):
        page.set_viewport_size({"width": width, "height": 720})
        if key:
            page.locator("body").press(key)
            page.wait_for_function("document.documentElement.dataset.mfxProjector === 'true'")
        page.wait_for_selector(".mfx-queue-chip")  # it is drawn anew with every epoch
        left, right, menu = page.wait_for_function(EDGES).json_value()
        assert 0 <= left < right < menu, (width, key)
    page.locator("body").press("p")
    page.wait_for_function("!document.documentElement.dataset.mfxProjector")


def test_pause_queue_go_on(server: AppServer, page: Page) -> None:
    visit(page, f"{server.url}/train?{SLOW}")
    page.locator(".st-key-train_start button").first.click()
    page.wait_for_selector(".mfx-queue-chip")
    settle(page)
    assert_apart(page)
    watched = page.url.split("run=")[1].split("&")[0]
    page.locator(".st-key-train_queue button").first.click()
    page.wait_for_selector(".st-key-why_it_waits .mfx-queue p")
    assert f"run={watched}" in page.url, "queueing never takes the running run off the screen"
    page.locator(".st-key-why_it_waits").get_by_text("It begins by itself").wait_for()
    page.locator(".mfx-queue-chip").click()
    panel = page.locator(".mfx-queue-panel")
    panel.locator(f"[data-does='{watched} Pause']").click()
    panel.get_by_role("region", name="Paused").wait_for()
    panel.locator("section[aria-label=Training] a").wait_for()
    assert watched not in str(panel.locator("section[aria-label=Training] a").get_attribute("href"))
    panel.locator(f"[data-does='{watched} Go on']").click()
    panel.locator("section[aria-label=Waiting]").get_by_text("goes on by itself").wait_for()
    panel.locator("section[aria-label=Training] [data-does$=Stop]").click()
    panel.locator(f"section[aria-label=Training] a[href*='{watched}']").wait_for()
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    page.locator(".mfx-queue-chip").click()
    panel.locator(f"[data-does='{watched} Stop']").click()
    page.locator(".mfx-queue-chip").wait_for(state="detached")
