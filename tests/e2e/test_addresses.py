"""A link is an experiment: whatever a person can have set on a view is there again after a reload and after Back."""

from __future__ import annotations

import contextlib
import json
import random
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import TimeoutError

from scripts.browser import settle, visit
from tests.e2e.live_view import assert_fine
from tests.e2e.space_map import MAP, SpaceMap, train_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from scripts.app_server import AppServer

SECONDS = 50
"""How long the random walk goes on; it ends sooner after ``ROUNDS``."""
ROUNDS = 5


@pytest.fixture(scope="module")
def run(server: AppServer) -> str:
    """A run of a few epochs that kept the vectors of each."""
    return train_run(server, num_epochs=6, embedding_dim=8, pace=4, refit="false")


class Walk:
    """Somebody who tries whatever is on the map."""

    def __init__(self, page: Page, seed: int) -> None:
        self.page, self.space, self.random = page, SpaceMap(page), random.Random(seed)

    def part(self, name: str) -> str:
        return f"{MAP} [data-part={name}]"

    def choose_from(self, name: str) -> None:
        select = self.page.locator(self.part(name))
        if select.is_visible():
            values = select.evaluate("node => [...node.options].map(option => option.value)")
            known = [value for value in values if value not in ("tsne", "umap")]
            select.select_option(self.random.choice(known))

    def press_one_of(self, name: str) -> None:
        buttons = self.page.locator(f"{self.part(name)} button:not(:disabled)")
        if buttons.count():
            buttons.nth(self.random.randrange(buttons.count())).click()

    def tick(self) -> None:
        """A box of the menu "More"; it opens first."""
        self.page.locator(f"{MAP} .mfs-more").last.evaluate("node => { node.open = true }")
        self.page.locator(self.part(self.random.choice(["labels", "sized", "sphere"]))).click()
        self.page.locator(f"{MAP} .mfs-more").last.evaluate("node => { node.open = false }")

    def drag(self) -> None:
        """With whatever tool is on: the map moves, or points are selected."""
        box = self.page.locator(self.part("stage")).bounding_box()
        assert box is not None
        across, down = (sorted(self.random.uniform(0.25, 0.68) for _ in range(2)) for _ in range(2))
        self.page.mouse.move(box["x"] + across[0] * box["width"], box["y"] + down[0] * box["height"])
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + across[1] * box["width"], box["y"] + down[0] * box["height"], steps=3)
        self.page.mouse.move(box["x"] + across[1] * box["width"], box["y"] + down[1] * box["height"], steps=3)
        self.page.mouse.up()

    def zoom(self) -> None:
        box = self.page.locator(self.part("stage")).bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
        self.page.mouse.wheel(0, self.random.choice([-300, -200, 200]))

    def find(self) -> None:
        box = self.page.locator(self.part("find"))
        box.fill(self.random.choice(["star", "man", "/^The /", "no such thing"]))
        box.press(self.random.choice(["Enter", "Shift"]))

    def act_in_panel(self) -> None:
        """Whatever the selection offers: a neighbour, another measure, apart, one end of an axis."""
        names = "Isolate|Show all again|Axis from here|Axis to here|Hide its path|Show its path|cosine|dot product"
        buttons = self.page.locator(self.part("panel")).get_by_role("button", name=re.compile(f"^({names})$"))
        if buttons.count():
            buttons.nth(self.random.randrange(buttons.count())).click()

    def turn_table(self) -> None:
        self.page.locator(self.part("tabled")).click()
        if self.random.random() < 0.7:  # the map is wanted again for what comes next
            self.page.locator(self.part("tabled")).click()

    def choose_point(self) -> None:
        rows = self.space.ask("view.drawn().length")
        self.space.ask("void view.choose(view.drawn()[value])", self.random.randrange(rows))

    def slide(self) -> None:
        slider = self.page.locator(self.part("slider"))
        if slider.is_visible():
            self.space.slide(self.random.randrange(7))

    def go(self, steps: int) -> list[str]:
        """So many things, one after the other. Returns what was done."""
        does: dict[str, Callable[[], None]] = {
            **{name: lambda name=name: self.choose_from(name) for name in ("x", "y", "z", "colour", "speed", "trails")},
            **{name: lambda name=name: self.press_one_of(name) for name in ("kinds", "dims", "legend", "tools")},
            **{
                name: getattr(self, name)
                for name in ("tick", "drag", "zoom", "find", "act_in_panel", "choose_point", "slide", "turn_table")
            },
            "act again": self.act_in_panel,
            "drag again": self.drag,
        }
        done = self.random.choices(list(does), k=steps)
        for name in done:
            does[name]()
            self.space.rest()
        return done


def test_any_view_of_the_map_survives_reload_and_back(page: Page, server: AppServer, run: str) -> None:
    """A random walk, the same each time; after each stretch of it a reload, another page, Back, and Forward again."""
    page.emulate_media(reduced_motion="reduce")
    before = f"{server.url}/evaluate?run={run}&show=List+length&metric=HR"
    visit(page, before)
    settle(page)
    evaluate = page.url
    walk, began = Walk(page, seed=3), time.monotonic()
    for _ in range(ROUNDS):
        page.get_by_role("link", name="Embeddings").first.click()
        walk.space.wait_until_drawn()
        walk.space.rest()
        done = walk.go(7)
        state, seen, address = walk.space.state(), walk.space.visible(), page.url
        page.reload()
        settle(page)
        walk.space.wait_until_drawn()
        walk.space.rest()
        assert walk.space.state() == state, (done, address)
        assert walk.space.visible() == seen, (done, address)
        assert page.url == address, done
        page.go_back()
        page.wait_for_url("**/evaluate**")
        settle(page)
        page.wait_for_timeout(400)  # the map must not write into the address it leaves, not even late
        assert page.url == evaluate, done
        page.go_forward()
        walk.space.wait_until_drawn()
        walk.space.rest()
        assert walk.space.state() == state, (done, address)
        page.go_back()
        page.wait_for_url("**/evaluate**")
        settle(page)
        if time.monotonic() - began > SECONDS:
            break
    assert_fine(page, server)


CONTROLS = """() => {
  const main = document.querySelector("[data-testid=stMainBlockContainer]")
  const all = selector => [...main.querySelectorAll(selector)]
  return {
    pressed: all("button[data-selected]").map(node => node.textContent),
    typed: all("[data-testid=stTextInput] input").map(node => node.value),
    ticked: all("[data-testid=stCheckbox] input").map(node => node.checked),
    boxes: all("[data-testid=stSelectbox], [data-testid=stMultiSelect]").map(node => node.innerText),
    headings: all("h2, h3").map(node => node.textContent),
  }
}"""


def wait_for_controls(page: Page, seen: dict[str, Any]) -> None:
    """Wait until the controls of a page stand as they did."""
    wanted = json.dumps(seen, separators=(",", ":"), ensure_ascii=False)
    with contextlib.suppress(TimeoutError):
        page.wait_for_function(f"seen => JSON.stringify(({CONTROLS})()) === seen", arg=wanted, timeout=15_000)
    assert page.evaluate(CONTROLS) == seen, page.url


# Not the switch of Data to another thing altogether, a file of one's own.
SWITCHES = "[data-testid=stCheckbox]:not(.st-key-run_panel *, .st-key-bring *) label"
TO_PRESS = ("button[data-variant=segmented_control]", SWITCHES)


@pytest.mark.parametrize(("name", "words"), [("evaluate", ""), ("recommend", ""), ("data", "star"), ("runs", "biased")])
def test_any_view_of_a_page_survives_reload_and_back(page: Page, server: AppServer, run: str, name: str, words: str) -> None:
    """Choices, switches and searches at random, the same each time; a reload after each stretch of it, then Back."""
    choices = random.Random(name)
    visit(page, f"{server.url}/{name}?run={run}")
    main = page.locator("[data-testid=stMainBlockContainer]")
    main.locator(f":is({', '.join(TO_PRESS)})").locator("visible=true").first.wait_for()  # a cold page takes seconds
    for _ in range(3):
        for _ in range(4):
            kinds = main.locator(choices.choice(TO_PRESS)).locator("visible=true")
            if kinds.count():
                kinds.nth(choices.randrange(kinds.count())).click()
                settle(page)
                page.wait_for_timeout(150)
        if words:
            main.locator("[data-testid=stTextInput] input").first.fill(choices.choice([words, "no such thing", ""]))
            page.wait_for_timeout(600)  # it searches while one types, 300 ms after the last key
            settle(page)
        page.wait_for_timeout(200)
        seen, address = page.evaluate(CONTROLS), page.url
        page.reload()
        settle(page)
        wait_for_controls(page, seen)
        assert page.url == address
    page.get_by_role("link", name="Train").first.click()
    page.wait_for_url("**/train**")
    # Drawn, not only named in the address: its settings get there late, and Streamlit would write them into that of today.
    page.wait_for_url("**/train?*learning_rate=*")
    settle(page)
    page.go_back()
    page.wait_for_url(f"**/{name}**")
    settle(page)
    wait_for_controls(page, seen)
    assert page.url == address
    assert_fine(page, server)


def test_the_navigation_keeps_the_run_and_ctrl_click_opens_it_in_a_new_tab(page: Page, server: AppServer, run: str) -> None:
    newest = train_run(server, num_epochs=1, embedding_dim=2)
    visit(page, f"{server.url}/evaluate?run={run}")
    for name in ("Recommend", "Embeddings", "Evaluate"):
        page.get_by_role("link", name=name).first.click()
        page.wait_for_url(f"**/{name.lower()}?run={run}*")
        settle(page)
        assert newest not in page.url
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Embeddings").first.click(modifiers=["ControlOrMeta"])
    opened.value.wait_for_load_state("domcontentloaded")
    assert f"run={run}" in opened.value.url
    assert f"/evaluate?run={run}" in page.url


def wait_until_shown(page: Page, shown: str, expected: str) -> None:
    """Wait for what `shown` evaluates to; what it is instead is in the failure's message."""
    deadline = time.monotonic() + 30
    while (seen := page.evaluate(shown)) != expected and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert json.loads(seen) == json.loads(expected), page.url


def test_any_state_of_the_live_view_survives_reload_and_back(page: Page, server: AppServer, run: str) -> None:
    """Axis, metric, logarithm, smoothing and the runs laid over it, at random; then reload, another page, and Back."""
    other = train_run(server, num_epochs=3, embedding_dim=2)
    visit(page, f"{server.url}/train?run={run}")
    live, choices = page.locator(".mfx-live"), random.Random(5)
    shown = """() => {
      const view = document.querySelector(".mfx-live") ?? document.body
      const part = name => view.querySelector(`[data-part=${name}]`) ?? view
      return JSON.stringify({
        axis: [...part("axis").children ?? []].map(node => node.ariaPressed),
        metric: part("metric").value, log: part("scale").ariaPressed, closer: part("closer").ariaPressed,
        smoothing: part("smoothing").value, legend: part("legend").textContent,
      })
    }"""
    for _ in range(3):
        page.wait_for_function("() => document.querySelectorAll('.mfx-live [data-part=metric] option').length > 1")
        live.locator("[data-part=axis] button").nth(choices.randrange(3)).click()
        names = live.locator("[data-part=metric] option").evaluate_all("nodes => nodes.map(node => node.value)")
        live.locator("[data-part=metric]").select_option(choices.choice(names))
        for name in ("scale", "closer"):
            if choices.random() < 0.6:
                live.locator(f"[data-part={name}]").click()
        strength = f"{choices.choice([0, 0.3, 0.85])}"
        live.locator("[data-part=smoothing]").evaluate(
            "(node, value) => { node.value = value; node.dispatchEvent(new Event('input')) }", strength
        )
        live.locator("[data-part=compare] summary").click()
        live.locator("[data-part=others] input").first.click()
        page.keyboard.press("Escape")
        live.locator("[data-part=headline]").click()
        page.wait_for_timeout(300)
        seen, address = page.evaluate(shown), page.url
        page.reload()
        settle(page)
        wait_until_shown(page, shown, seen)
        assert page.url == address
        page.get_by_role("link", name="Data").first.click()
        page.wait_for_url("**/data**")
        settle(page)
        page.go_back()
        page.wait_for_url("**/train**")
        settle(page)
        wait_until_shown(page, shown, seen)
        assert page.url == address
    assert other
    assert "Not understood" not in page.locator("[data-testid=stMainBlockContainer]").inner_text()
    assert_fine(page, server)
