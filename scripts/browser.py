"""A Chromium under Playwright, and how to wait for a Streamlit page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scripts.chromium import FLAGS, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CONNECTED = "[data-testid=stApp][data-test-connection-state=CONNECTED]"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
DRAWN = "[data-testid=stMainBlockContainer] [data-testid=stElementContainer]"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. Raises RuntimeError when none is installed."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        raise RuntimeError("no Chromium found; python -m scripts.chromium --install gets one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def settle(page: Page, timeout: float = 60.0) -> None:
    """Wait until the page is connected and its script has run. ``timeout`` in seconds."""
    page.wait_for_selector(CONNECTED, timeout=1000 * timeout)
    page.wait_for_selector(IDLE, timeout=1000 * timeout)


def visit(page: Page, url: str, timeout: float = 60.0) -> None:
    """Open an address and wait until its page stands."""
    page.goto(url, wait_until="domcontentloaded", timeout=1000 * timeout)
    # Before its first run the script is not running either.
    page.wait_for_selector(DRAWN, state="attached", timeout=1000 * timeout)
    settle(page, timeout)
