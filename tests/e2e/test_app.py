"""What else a person meets in the app: empty pages, links, several tabs, runs that fail, mistakes, the dark theme."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from scripts.browser import settle, visit
from tests.e2e.live_view import ERROR_LINE, EXCEPTION, TRAIN, VALIDATION, LiveView, assert_fine, complaints, press

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from scripts.app_server import AppServer

PAGES = ("", "train", "evaluate", "recommend", "embeddings", "data", "runs")
NEEDS_A_RUN = ("evaluate", "recommend", "embeddings", "runs")


def events_of(server: AppServer, run: str) -> dict[str, Any]:
    """The answer of the route that the live view polls, from the beginning."""
    with urllib.request.urlopen(f"{server.url}/api/runs/{run}/events?from=0", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def run_in(page: Page) -> str:
    """The run that the address names."""
    page.wait_for_url(re.compile(r"[?&]run="))
    found = re.search(r"[?&]run=([\w-]+)", page.url)
    assert found is not None
    return found[1]


def train(page: Page, server: AppServer, query: str, until: str = "finished") -> str:
    """Train what the address says and wait for its end; returns the run."""
    visit(page, f"{server.url}/train?{query}")
    press(page, "train_start")
    run = run_in(page)
    LiveView(page).wait_for_state(until, seconds=60)
    settle(page)
    return run


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_without_a_run(page: Page, server: AppServer, path: str) -> None:
    visit(page, f"{server.url}/{path}")
    assert_fine(page, server)
    if path in NEEDS_A_RUN:
        expect(page.locator("[data-testid=stMain]").get_by_role("link").first, "a way on").to_be_visible()


def test_a_link_is_an_experiment(page: Page, server: AppServer) -> None:
    query = "model=mf&optimizer=adagrad&learning_rate=0.07&embedding_dim=8&num_epochs=6&pace=20&seed=3"
    visit(page, f"{server.url}/train?{query}")
    expect(page.locator(".st-key-train_learning_rate input")).to_have_value("0.07")
    expect(page.locator(".st-key-train_optimizer input")).to_have_value("Adagrad")
    run = train(page, server, query)
    found = events_of(server, run)
    chosen = {"model": "mf", "loss": "mse", "num_epochs": 6, "learning_rate": 0.07}
    assert found["config"] == found["config"] | chosen
    ended = found["events"][-1]
    assert (ended["kind"], ended["state"], ended["epochs"]) == ("end", "finished", 6)
    assert_fine(page, server)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_with_a_run(page: Page, server: AppServer, path: str) -> None:
    visit(page, f"{server.url}/{path}")
    assert_fine(page, server)


def test_two_tabs_watch_one_run_and_it_outlives_them(page: Page, browser: Browser, server: AppServer) -> None:
    visit(page, f"{server.url}/train?model=biased-mf&num_epochs=60&pace=3&embedding_dim=8")
    press(page, "train_start")
    run = run_in(page)
    LiveView(page).wait_for_points(2)
    other = browser.new_context().new_page()
    visit(other, f"{server.url}/train?run={run}")
    LiveView(other).wait_for_points(2)
    assert LiveView(other).state() == "training"
    page.goto("about:blank")
    before = len(LiveView(other).curve())
    LiveView(other).wait_for_points(min(before + 4, 61))
    other.context.close()

    visit(page, f"{server.url}/train?run={run}")
    live = LiveView(page)
    live.wait_for_state("finished")
    live.wait_for_points(60)
    assert len(live.curve(TRAIN)) == 60
    assert len(live.curve(VALIDATION)) == 61, "the untrained model is the first point"
    assert_fine(page, server)


def test_what_is_typed_about_a_run_is_kept_without_a_button(page: Page, server: AppServer) -> None:
    run = train(page, server, "dataset=planted&num_epochs=1")
    visit(page, f"{server.url}/runs?run={run}")
    page.locator("[class*=st-key-note_] textarea").press_sequentially("while typing")
    told = server.home / "runs" / run / "meta.json"
    expect_kept(page, told, "while typing")  # the field has not been left
    page.locator("[class*=st-key-name_] input").press_sequentially("its name")
    links = page.locator("[class*=st-key-run_panel] [data-testid=stPageLink-NavLink]")
    links.filter(has_text="Evaluate").first.click()  # at once: neither the name nor the way is lost
    page.wait_for_url(re.compile("/evaluate"))
    expect_kept(page, told, "its name")


def expect_kept(page: Page, file: Path, text: str, tries: int = 100) -> None:
    """Wait for a text to stand in a file."""
    for _ in range(tries):
        if file.exists() and text in file.read_text():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{text!r} is not in {file.name}")


def test_a_run_that_diverges_fails_and_says_why(page: Page, server: AppServer) -> None:
    visit(page, server.url)
    press(page, "start_lr-too-high")
    run = run_in(page)
    live = LiveView(page)
    live.wait_for_state("failed")
    assert "learning rate 0.3 is too large" in live.message()
    settle(page)
    reason = events_of(server, run)["reason"]
    assert "step" in reason
    for path in ("evaluate", "recommend", "embeddings"):
        visit(page, f"{server.url}/{path}?run={run}")
        expect(page.get_by_text("learning rate 0.3 is too large").first, path).to_be_visible()
        assert page.locator(EXCEPTION).count() == 0


def test_runs_wait_for_each_other(page: Page, server: AppServer) -> None:
    visit(page, f"{server.url}/train?model=mf&num_epochs=30&pace=5&embedding_dim=4")
    press(page, "train_start")
    first = run_in(page)
    LiveView(page).wait_for_points(1)
    press(page, "train_queue")
    page.wait_for_selector(".st-key-why_it_waits")
    assert run_in(page) == first, "queueing never takes the running run off the screen"
    second = max(path.name for path in (server.home / "runs").iterdir() if path.name > first)
    assert events_of(server, second)["state"] == "queued"
    visit(page, f"{server.url}/train?run={second}")
    live = LiveView(page)
    live.wait_for_state("waiting")
    live.wait_for_state("finished")
    assert events_of(server, first)["state"] == "finished"
    started = events_of(server, second)["events"][0]["time"]
    assert started >= events_of(server, first)["events"][-1]["time"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("learning_rate=abc", "Learning rate must be a number, got 'abc'"),
        ("learning_rate=-1", "Learning rate must be above 0, got -1"),
        ("num_epochs=0", "Epochs must be at least 1, got 0"),
        ("model=svd", "Model must be one of"),
        ("optimizer=lion", "Optimizer must be one of"),
        ("dataset=netflix", "netflix"),
        ("embedding_dim=1000000000", "Embedding dim 1000000000 needs about"),
    ],
)
def test_a_mistake_is_one_clear_line_and_trains_nothing(page: Page, server: AppServer, query: str, words: str) -> None:
    visit(page, f"{server.url}/train?{query}")
    button = page.locator(".st-key-train_start button").first
    if button.is_enabled():
        button.click()
        settle(page)
    page.wait_for_selector(ERROR_LINE)
    lines = complaints(page)
    assert len(set(lines)) == 1, lines
    assert words in lines[0]
    assert "\n" not in lines[0].strip()
    assert "run=" not in page.url
    assert page.locator(EXCEPTION).count() == 0


def test_typing_a_mistake_says_so_and_a_correction_mends_it(page: Page, server: AppServer) -> None:
    visit(page, f"{server.url}/train")
    field = page.locator(".st-key-train_learning_rate input")
    field.fill("abc")
    field.press("Enter")
    page.wait_for_selector(ERROR_LINE)
    settle(page)
    assert "Learning rate must be a number, got 'abc'" in complaints(page)[0]
    field.fill("0.01")
    field.press("Enter")
    page.wait_for_selector(ERROR_LINE, state="detached")
    settle(page)
    assert "learning_rate=0.01" in page.url
    assert_fine(page, server)


def test_a_run_that_is_not_here_is_one_clear_line(page: Page, server: AppServer) -> None:
    for path in ("train", "evaluate", "recommend", "embeddings", "runs"):
        visit(page, f"{server.url}/{path}?run=20200101-000000-mf-none")
        words = re.compile("There is no run|is not here|Nothing is trained yet")
        expect(page.get_by_text(words).first, path).to_be_visible()
        assert page.locator(EXCEPTION).count() == 0


@pytest.fixture
def dark_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="dark")
    yield context.new_page()
    context.close()


def test_the_dark_theme_reaches_page_and_charts(dark_page: Page, server: AppServer) -> None:
    from ui.theme import colour

    run = train(dark_page, server, "model=mf&num_epochs=3&embedding_dim=4")
    ground = dark_page.eval_on_selector("[data-testid=stApp]", "node => getComputedStyle(node).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", ground)[:3]) < 64, ground
    drawn = dark_page.eval_on_selector(".mfx-live [data-part=plot-loss]", "node => node.data[1].line.color")
    assert drawn == colour("train", True) != colour("train", False)
    visit(dark_page, f"{server.url}/embeddings?run={run}")
    dark_page.wait_for_selector(".st-key-map .mfs-space[data-drawn]")
    ink = dark_page.eval_on_selector(".st-key-map [data-part=legend]", "node => getComputedStyle(node).color")
    assert min(int(part) for part in re.findall(r"\d+", ink)[:3]) > 128, ink
    assert_fine(dark_page, server)


def test_nothing_is_asked_of_any_other_machine(page: Page, server: AppServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        visit(page, f"{server.url}/{path}")
    strangers = {url for url in asked if not url.startswith((server.url, "data:", "blob:", server.url.replace("http", "ws")))}
    assert not strangers
