"""What a test wants to know of the map of learned vectors, and what it does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

MAP = ".st-key-map .mfs-space"


class SpaceMap:
    """The one map of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def wait_until_drawn(self) -> None:
        """Wait for its first picture."""
        self.page.wait_for_selector(f"{MAP}[data-drawn]")

    def told(self, name: str) -> str | None:
        """What it says of itself: points, epoch, epochs, basis, painter …"""
        return self.page.locator(MAP).get_attribute(f"data-{name}")

    def ask(self, expression: str, value: Any = None) -> Any:
        """Evaluate a JavaScript expression of ``view``, the map's state, and ``value``."""
        return self.page.evaluate(
            f"([map, value]) => {{ const view = document.querySelector(map).mfsView; return {expression} }}", [MAP, value]
        )

    def positions(self) -> list[float]:
        """Where each point is now, in the map's own units: x, y, z of one after the other."""
        return list(self.ask("[...view.places]"))

    def coordinates(self) -> list[float]:
        """Coordinates of the frame on show, in the fixed basis, as the server sent them."""
        return list(self.ask("[...view.source.frames[Math.round(view.time)]]"))

    def on_screen(self, row: int) -> tuple[float, float]:
        """Pixels from the left and the top of the window."""
        x, y = self.ask("[view.screen[2 * value], view.screen[2 * value + 1]]", row)
        box = self.page.locator(f"{MAP} [data-part=stage]").bounding_box()
        assert box is not None
        return box["x"] + x, box["y"] + y

    def slide(self, epoch: float) -> None:
        """Move the slider to an epoch and wait until the points are there."""
        slider = self.page.locator(f"{MAP} [data-part=slider]")
        slider.evaluate(
            "(node, value) => { node.value = value; ['input', 'change'].forEach(kind => node.dispatchEvent(new Event(kind))) }",
            epoch,
        )
        self.wait("view.goalTime === null && !view.request")

    def wait(self, condition: str, seconds: float = 20) -> None:
        """Wait until an expression of ``view`` holds."""
        self.page.wait_for_function(
            f"map => {{ const view = document.querySelector(map)?.mfsView; return Boolean(view?.source && ({condition})) }}",
            arg=MAP,
            timeout=1000 * seconds,
        )
