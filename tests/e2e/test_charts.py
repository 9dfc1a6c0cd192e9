"""What stands behind a chart, in a browser: its table, and what can be taken along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scripts.browser import visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer


def test_a_chart_is_taken_along_as_picture_drawing_and_numbers(server: AppServer, page: Page) -> None:
    visit(page, f"{server.url}/data?dataset=planted")
    page.locator(".st-key-tail_behind").get_by_role("button").first.click()
    page.get_by_test_id("stDataFrame").get_by_text("share of all ratings").first.wait_for(state="attached")
    files = {}
    for name in ("Picture (PNG)", "Drawing (SVG)", "Numbers (CSV)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    assert list(files) == ["tail-planted.png", "tail-planted.svg", "tail-planted.csv"]
    assert files["tail-planted.png"].startswith(b"\x89PNG")
    drawing, numbers = files["tail-planted.svg"].decode(), files["tail-planted.csv"].decode()
    assert "<svg" in drawing and "of the items hold" in drawing  # the title goes along
    assert numbers.startswith('"share of items, most rated first (%)",share of all ratings (%)\n0.0,0.0\n')
