"""What a test wants to know of the live view, and what it does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

PLOT = ".mfx-live [data-part=plot-loss]"
BADGE = ".mfx-live [data-part=state]"
TRAIN, VALIDATION = 1, 2
"""Traces of the loss chart."""
EXCEPTION = "[data-testid=stException]"
ERROR_LINE = "[data-testid=stAlertContentError] [data-testid=stMarkdownContainer]"


class LiveView:
    """The one live view of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def state(self) -> str:
        """The word in the badge: ready, waiting, training, stopped, finished, failed."""
        return self.page.locator(BADGE).inner_text().strip().lower()

    def wait_for_state(self, *states: str, seconds: float = 60) -> None:
        """Wait until the badge says one of these."""
        self.page.wait_for_function(
            "([badge, states]) => states.includes(document.querySelector(badge)?.textContent.trim().toLowerCase())",
            arg=[BADGE, list(states)],
            timeout=1000 * seconds,
        )

    def curve(self, trace: int = TRAIN) -> list[float]:
        """The values of a curve as they are drawn."""
        values: list[float] = self.page.evaluate(
            "([plot, trace]) => [...(document.querySelector(plot)?.data?.[trace]?.y ?? [])]", [PLOT, trace]
        )
        return values

    def wait_for_points(self, count: int, trace: int = TRAIN, seconds: float = 60) -> None:
        """Wait until a curve has at least so many points."""
        self.page.wait_for_function(
            "([plot, trace, count]) => (document.querySelector(plot)?.data?.[trace]?.y?.length ?? 0) >= count",
            arg=[PLOT, trace, count],
            timeout=1000 * seconds,
        )

    def mark(self, word: str) -> None:
        """Write a word on the chart's node, to be found again on the same node only."""
        self.page.eval_on_selector(PLOT, "(node, word) => { node.dataset.mark = word }", word)

    def marked(self) -> str | None:
        """The word on the node that is the chart now."""
        return self.page.locator(PLOT).get_attribute("data-mark")

    def ranges(self) -> dict[str, list[float]]:
        """What part of the plane is on view: {"x": [from, to], "y": [from, to]}."""
        found: dict[str, list[float]] = self.page.eval_on_selector(
            PLOT, "node => ({ x: [...node._fullLayout.xaxis.range], y: [...node._fullLayout.yaxis.range] })"
        )
        return found

    def zoom(self) -> None:
        """Draw a rectangle over the middle of the chart, as a person does."""
        box = self.page.locator(f"{PLOT} .nsewdrag").bounding_box()
        assert box is not None
        mouse = self.page.mouse
        mouse.move(box["x"] + 0.05 * box["width"], box["y"] + 0.1 * box["height"])
        mouse.down()
        mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.9 * box["height"], steps=5)
        mouse.up()

    def act(self, name: str) -> None:
        """Press a button of the transport bar: play, step_epoch, step_batch, stop, rate-down, rate-up, more, projector."""
        self.page.locator(f".mfx-live [data-act={name}]").click()

    def message(self) -> str:
        """The banner of a failed run."""
        return self.page.locator(".mfx-live [data-part=banner]").inner_text()


def press(page: Page, key: str) -> None:
    """Press a button by its key and let the page run. Colours and sizes may still move; its script has ended."""
    page.locator(f".st-key-{key} button").first.click()
    settle(page)


def complaints(page: Page) -> list[str]:
    """Exceptions and error lines on the page."""
    return page.locator(f"{EXCEPTION}, {ERROR_LINE}").all_inner_texts()


def assert_fine(page: Page, server: AppServer) -> None:
    """No exception and no error line on the page; if there is one, show what the server wrote last."""
    found = complaints(page)
    assert not found, f"{page.url} says {found}\n{server.log()[-3000:]}"
