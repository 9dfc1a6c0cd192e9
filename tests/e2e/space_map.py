"""What a test wants to know of the map of learned vectors, and what it does with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

MAP = ".st-key-map .mfs-space"


def train_run(server: AppServer, preset: str = "biased-mf", **settings: object) -> str:
    """A run that kept the vectors of each epoch (a pace leaves them time). Returns its id."""
    command = [sys.executable, "-m", "mfcore", "train", "--preset", preset, "--json"]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    environment = {**os.environ, "MF_EXPLORER_HOME": str(server.home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = re.search(r'"run_id": ?"([\w-]+)"', done.stdout)
    assert found is not None
    return found[1]


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

    def rest(self) -> None:
        """Wait until nothing moves, nothing is asked of the server, and the address is written."""
        self.wait("!view.restoring && !view.morph && !view.camera.goal && view.goalTime === null && !view.request")
        self.page.wait_for_function(
            """map => {
              const view = document.querySelector(map).mfsView, now = JSON.stringify(view.state())
              const same = view.seen === now + location.search
              view.seen = now + location.search
              return same
            }""",
            arg=MAP,
            polling=250,
        )

    def state(self) -> dict[str, Any]:
        """All that a person can have set on it, in names that last."""
        found: dict[str, Any] = self.ask("view.state()")
        return found

    def visible(self) -> dict[str, Any]:
        """What stands in its controls and beside it."""
        found: dict[str, Any] = self.page.evaluate(
            """map => {
              const root = document.querySelector(map), all = selector => [...root.querySelectorAll(selector)]
              return {
                chosen: all("select").map(node => `${node.dataset.part} ${node.value} ${node.checkVisibility()}`),
                boxes: all("input[type=checkbox]").map(node => `${node.dataset.part} ${node.checked}`),
                pressed: all("[aria-pressed]").map(node => `${node.ariaLabel ?? node.textContent} ${node.ariaPressed}`),
                find: root.querySelector("[data-part=find]").value,
                hits: root.querySelector("[data-part=hits]").textContent,
                panel: all("[data-part=panel] :is(h3, .mfs-shared, .mfs-near)").map(node => node.textContent),
                points: root.dataset.points,
                epoch: root.querySelector("[data-part=epoch]").textContent,
              }
            }""",
            MAP,
        )
        return found

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
