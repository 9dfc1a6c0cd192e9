"""How long one user's recommendations take: for the model, and on the page when another user is chosen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.browser import visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

USERS = (237, 371, 456, 582, 619, 743, 845)  # each begins with another digit: a box ignores what it holds already
# From the press on another user in the list until what they would be recommended stands.
WATCH = """user => {
  const app = document.querySelector("[data-testid=stApp]")
  const bench = (window.__bench = { press: 0, stands: 0 })
  document.addEventListener("pointerdown", () => { bench.press = performance.now() }, { once: true, capture: true })
  const look = () => {
    const heads = [...document.querySelectorAll("[data-testid=stMain] h3")].map(head => head.textContent)
    const idle = app.getAttribute("data-test-script-state") === "notRunning"
    if (bench.press && idle && heads.some(head => head.includes(`user ${user} `))) bench.stands = performance.now()
    if (!bench.stands) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}"""


def of_the_model(home: Path, repeats: int) -> list[float]:
    """Seconds for a user's history and ten recommendations, each with the liked film nearest to it; other users each time."""
    from mfcore.runs.loaded import load_run
    from mfcore.runs.manager.manager import manager_for
    from ui.recommend.profile import history_of, recommended

    run, times = load_run(manager_for(home).list()[0].run_id, home=home), []
    ids = run.data.users.ids.tolist()
    for number in range(20 * repeats + 1):
        user, began = ids[(37 * number) % len(ids)], time.perf_counter()
        recommended(run, user, 10, include_seen=False, history=history_of(run, user))
        times.append(time.perf_counter() - began)
    return times[1:]  # the first loads what the others use


def on_the_page(page: Page, url: str, repeats: int) -> list[float]:
    """Seconds from choosing another user until the page shows what they would be recommended."""
    visit(page, f"{url}/recommend")
    times = []
    for number in range(repeats + 1):
        user = USERS[number % len(USERS)]
        box = page.get_by_role("combobox", name="User")
        box.click()
        page.wait_for_timeout(400)
        box.press("ControlOrMeta+a")
        box.press_sequentially(str(user), delay=100)
        option = page.get_by_role("option", name=str(user), exact=True)
        option.wait_for()
        page.wait_for_timeout(300)
        page.evaluate(WATCH, user)
        option.click()
        page.wait_for_function("() => window.__bench.stands > 0", timeout=30_000)
        seen = page.evaluate("() => window.__bench")
        times.append((seen["stands"] - seen["press"]) / 1000)
        page.wait_for_timeout(300)
    return times[1:]
