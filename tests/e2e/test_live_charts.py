"""The live charts in a browser: keyboard after Train, counted steps, hover on all at once, table and files, a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.browser import settle, visit
from tests.e2e.live_view import LiveView, assert_fine, press

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

SMALL = "dataset=planted&model=biased-mf&optimizer=adam&batch_size=256&learning_rate=0.01&num_epochs=900&pace=5"


def start(page: Page, server: AppServer) -> LiveView:
    visit(page, f"{server.url}/train?{SMALL}")
    page.wait_for_selector(".mfx-live .js-plotly-plot .nsewdrag")
    live = LiveView(page)
    press(page, "train_start")
    live.wait_for_points(3)
    return live


def stop(page: Page, live: LiveView) -> None:
    live.act("stop")
    live.wait_for_state("stopped")
    settle(page)


def test_keyboard_steps_hover_and_what_can_be_taken_along(page: Page, server: AppServer) -> None:
    page.set_default_timeout(20_000)
    live = start(page, server)
    page.wait_for_function("() => document.activeElement?.dataset.act === 'play'")
    live.act("play")
    live.wait_for_state("paused")
    page.locator("[data-part=batches]").select_option("10")
    live.act("step_batch")
    page.wait_for_function("() => /· 10 of [\\d,]+ of epoch/.test(document.querySelector('[data-part=headline]').textContent)")
    page.wait_for_function("() => /The last [\\d,]+ steps moved/.test(document.querySelector('[data-part=cell]').textContent)")
    stop(page, live)

    plot = page.locator("[data-part=plot-loss] .nsewdrag").bounding_box()
    assert plot is not None
    page.mouse.move(plot["x"] + 4, plot["y"] + plot["height"] / 2)
    for name in ("loss", "metric", "rate"):
        page.wait_for_function("name => document.querySelector(`[data-part=plot-${name}] .hoverlayer`).textContent", arg=name)
    for ending, words in (("png", "Picture"), ("svg", "Drawing"), ("csv", "Numbers")):
        page.locator("[data-part=take-metric] summary").click()
        with page.expect_download() as download:
            page.locator("[data-part=take-metric]").get_by_role("button", name=words).click()
        assert download.value.suggested_filename.endswith(f"-metric.{ending}")
    page.locator("[data-part=take-loss] summary").click()
    page.locator("[data-part=take-loss]").get_by_role("button", name="Show as table").click()
    assert page.locator("[data-part=table-loss] tbody tr").count() >= 3
    assert page.locator(".mfx-log > ol.mfx-messages > li").count() > 1
    assert_fine(page, server)


def test_on_a_phone_the_curves_come_into_view(page: Page, server: AppServer) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    page.set_default_timeout(20_000)
    live = start(page, server)
    page.wait_for_function("() => Math.abs(document.querySelector('.mfx-live').getBoundingClientRect().top) < 200")
    stop(page, live)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 420
