"""Runs whose worker dies, and runs that end before the page has looked: the page's buttons follow all the same."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from scripts.browser import visit
from tests.e2e.live_view import TRAIN, LiveView, assert_fine, press
from tests.e2e.test_app import run_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

EPOCHS = 30
WATCHED = f"dataset=planted&model=mf&learning_rate=0.01&num_epochs={EPOCHS}&pace=5"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on this system")
def test_a_killed_run_goes_on_before_the_eyes_of_who_presses_the_button(page: Page, server: AppServer) -> None:
    from mfcore.runs.store import RunStore

    visit(page, f"{server.url}/train?{WATCHED}")
    press(page, "train_start")
    run, live = run_in(page), LiveView(page)
    live.wait_for_points(4)
    worker = RunStore(server.home).folder(run).status().pid
    assert worker
    os.kill(worker, signal.SIGKILL)
    live.wait_for_state("interrupted")
    go_on = page.locator(".st-key-train_resume button")
    expect(go_on).to_be_visible()
    live.mark("same")
    before = len(live.curve(TRAIN))
    go_on.click()
    live.wait_for_state("training")
    live.wait_for_points(before + 3)
    live.wait_for_state("finished")
    assert live.marked() == "same"
    assert len(live.curve(TRAIN)) == EPOCHS
    expect(page.locator(".st-key-train_start button")).to_be_visible()
    assert_fine(page, server)


def test_a_run_over_before_it_is_first_asked_for_gets_its_buttons(page: Page, server: AppServer) -> None:
    """The page is drawn for a run that goes; the browser's first look, late, finds it over."""
    visit(page, f"{server.url}/train?dataset=planted&model=mf&num_epochs=1&pace=0")
    page.route("**/api/runs/*/events*", lambda route: (page.wait_for_timeout(6000), route.continue_()))
    page.locator(".st-key-train_start button").click()
    LiveView(page).wait_for_state("finished")
    expect(page.locator(".st-key-train_start button")).to_be_visible()
    expect(page.locator(".st-key-train_queue")).to_have_count(0)
    expect(page.get_by_text("Look at the results")).to_be_visible()
    assert_fine(page, server)


def test_a_page_that_stayed_open_steers_after_the_server_was_started_anew(page: Page, server: AppServer) -> None:
    """The new server has a secret of its own; the page gets it over its own connection, without being reloaded."""
    visit(page, f"{server.url}/train?dataset=planted&split=random&model=mf&num_epochs=5000&pace=2")
    press(page, "train_start")
    live = LiveView(page)
    live.wait_for_points(2)
    live.mark("same")
    server.stop()
    server.start()
    expect(page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]")).to_be_visible(timeout=30_000)
    page.locator(".mfx-live [data-act=play]").click()
    live.wait_for_state("paused")
    page.locator(".mfx-live [data-act=stop]").click()
    live.wait_for_state("stopped")
    assert live.marked() == "same"
    assert_fine(page, server)
