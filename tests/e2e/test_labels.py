"""Names and notes on Runs: whatever way the page is left, what was typed is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.browser import settle, visit
from tests.runs.tiny_runs import tiny, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer


def test_what_was_typed_is_kept_by_a_click_on_a_link_and_before_a_reload(server: AppServer, page: Page) -> None:
    from mfcore.runs import RunFolder, RunStatus

    folder = RunFolder.create(server.home, tiny(), claimed=True)
    folder.write_status(RunStatus("stopped", created=1.0))

    def note() -> str:
        return str(json.loads((folder.path / "meta.json").read_text())["note"])

    visit(page, f"{server.url}/runs?run={folder.run_id}")
    field = page.get_by_label("Note", exact=True)
    field.click()
    field.press_sequentially("typed")
    page.get_by_test_id("stTopNavLink").filter(has_text="Data").click()
    page.wait_for_url("**/data**")
    wait_until(lambda: note() == "typed")
    visit(page, f"{server.url}/runs?run={folder.run_id}")
    settle(page)
    field.click()
    field.press("End")
    field.press_sequentially(", and more")
    wait_until(lambda: note() == "typed, and more")
    page.reload()
    settle(page)
    page.wait_for_function("[...document.querySelectorAll('textarea')].some(node => node.value === 'typed, and more')")
