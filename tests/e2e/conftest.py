"""The app as a person starts it, on the real MovieLens, and a browser to look at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.app_server import AppServer
from scripts.browser import chromium
from scripts.chromium import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a browser test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests. Without one they are skipped; in CI they fail."""
    if find_chromium() is None:
        reason = "NO CHROMIUM: the browser tests did not run. Install Chromium or Google Chrome, or: make test"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with chromium() as running:
        yield running


def start_server(home: Path, test_home: Path, *, with_data: bool = True) -> AppServer:
    """A server on a data directory of its own, with the cached MovieLens in it if wanted."""
    home.mkdir(parents=True, exist_ok=True)
    if with_data:
        shutil.copytree(test_home / "datasets", home / "datasets")
    return AppServer(home).start()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, test_home: Path, ml_100k: object) -> Iterator[AppServer]:
    """A fresh app with MovieLens and no runs, one per test file; the file's tests build on each other's runs."""
    running = start_server(tmp_path_factory.mktemp("app") / "home", test_home)
    yield running
    running.stop()


def ours(stack: str | None) -> bool:
    """Whether an uncaught error arose in our scripts, not in Streamlit's (which trips over itself when left in mid-run)."""
    calls = [line for line in (stack or "").splitlines() if line.strip().startswith("at ")]
    return not calls or "/static/js/" not in calls[0]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new browser window of 1280 × 720 that fails the test on an uncaught error in our own scripts."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack}") if ours(error.stack) else None)
    yield opened
    context.close()
    assert not errors
